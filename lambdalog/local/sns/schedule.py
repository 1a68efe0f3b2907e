"""When a delivery that failed is tried again: SNS's own schedules, and HTTP's, which a topic or subscription can set. Pure.

(SNS developer guide, "Message delivery retries"; the jitter that AWS adds is left out, so that times can be told.)
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

HTTP_SECONDS_MAX: Final = 3600
HEALTHY: Final[dict[str, Any]] = {
    "minDelayTarget": 20,
    "maxDelayTarget": 20,
    "numRetries": 3,
    "numMaxDelayRetries": 0,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "backoffFunction": "linear",
}
CONTENT_TYPE: Final = "text/plain; charset=UTF-8"


class Schedule(NamedTuple):
    """Four phases of retries: at once, evenly, with growing pauses, evenly. Pauses are seconds."""

    at_once: int
    before: int
    growing: int
    after: int
    least: float
    most: float
    exponential: bool = True

    @property
    def retries(self) -> int:
        """How often it is tried again."""
        return self.at_once + self.before + self.growing + self.after

    def pause(self, failures: int) -> float | None:
        """Seconds until the next attempt after so many failed ones; None: no more."""
        retry = failures - 1
        if retry >= self.retries:
            return None
        if retry < self.at_once:
            return 0.0
        retry -= self.at_once
        if retry < self.before:
            return self.least
        retry -= self.before
        if retry >= self.growing:
            return self.most
        share = retry / (self.growing - 1) if self.growing > 1 else 0.0
        if self.exponential:
            return self.least * float((self.most / self.least) ** share)
        return self.least + (self.most - self.least) * share


# To queues and functions: 100,015 attempts over 23 days.
MANAGED: Final = Schedule(at_once=3, before=2, growing=10, after=100_000, least=1, most=20)
# What AWS does for mail: 50 attempts over 6 hours. Here it is for files and commands.
CUSTOMER: Final = Schedule(at_once=0, before=2, growing=10, after=38, least=10, most=600)


def of_http(healthy: dict[str, Any]) -> Schedule:
    """The schedule that a healthyRetryPolicy describes."""
    full = HEALTHY | healthy
    at_once, least, most = (
        int(full[name]) for name in ("numNoDelayRetries", "numMinDelayRetries", "numMaxDelayRetries")
    )
    growing = max(int(full["numRetries"]) - at_once - least - most, 0)
    return Schedule(
        at_once,
        least,
        growing,
        most,
        float(full["minDelayTarget"]),
        float(full["maxDelayTarget"]),
        full["backoffFunction"] in {"exponential", "geometric"},
    )


def check(text: str, key: str) -> str | None:
    """What is wrong with a DeliveryPolicy, whose retry policy lies under `key`; None if nothing."""
    try:
        policy = json.loads(text)
    except (ValueError, RecursionError):
        return "failed to parse JSON."
    if not isinstance(policy, dict):
        return "must be a JSON object"
    http = policy.get("http", policy)
    healthy = http.get(key) if isinstance(http, dict) else {}
    if not isinstance(http, dict) or not isinstance(healthy or {}, dict):
        return "retry policy must be a JSON object"
    full: dict[str, Any] = HEALTHY | (healthy or {})
    for name in full:
        if name not in HEALTHY:
            return f"unknown property {name}"
    for name in HEALTHY.keys() - {"backoffFunction"}:
        if not isinstance(full[name], int) or isinstance(full[name], bool) or full[name] < 0:
            return f"{name} must be a non-negative integer"
    if full["backoffFunction"] not in {"linear", "arithmetic", "geometric", "exponential"}:
        return "backoffFunction must be one of: linear, arithmetic, geometric, exponential"
    if full["numRetries"] > 100:
        return "numRetries must be less than or equal to 100"
    if not 1 <= full["minDelayTarget"] <= full["maxDelayTarget"] <= HTTP_SECONDS_MAX:
        return "minDelayTarget must be at least 1 and not more than maxDelayTarget, which must not be more than 3600"
    if (
        sum(full[name] for name in HEALTHY if name.startswith("num") and name != "numRetries")
        > full["numRetries"]
    ):
        return "numRetries must not be less than the retries of all phases together"
    plan = of_http(full)
    total = sum(plan.pause(failures) or 0 for failures in range(1, plan.retries + 1))
    return None if total <= HTTP_SECONDS_MAX else "the total retry time must not be more than 3600 seconds"


def of_topic(text: str | None) -> dict[str, Any]:
    """A topic's EffectiveDeliveryPolicy."""
    http = (json.loads(text) if text else {}).get("http") or {}
    return {
        "http": {
            "defaultHealthyRetryPolicy": HEALTHY | (http.get("defaultHealthyRetryPolicy") or {}),
            "disableSubscriptionOverrides": bool(http.get("disableSubscriptionOverrides", False)),
            "defaultRequestPolicy": {"headerContentType": CONTENT_TYPE}
            | (http.get("defaultRequestPolicy") or {}),
        }
    }


def of_subscription(text: str | None, topic: str | None) -> dict[str, Any]:
    """A subscription's EffectiveDeliveryPolicy: its own, over its topic's."""
    http = of_topic(topic)["http"]
    own = json.loads(text) if text and not http["disableSubscriptionOverrides"] else {}
    return {
        "healthyRetryPolicy": http["defaultHealthyRetryPolicy"] | (own.get("healthyRetryPolicy") or {}),
        "sicklyRetryPolicy": None,
        "throttlePolicy": own.get("throttlePolicy"),
        "requestPolicy": http["defaultRequestPolicy"] | (own.get("requestPolicy") or {}),
        "guaranteed": False,
    }


def kept_of_topic(text: str) -> str:
    """A topic's DeliveryPolicy as it is kept: what is null is left out."""
    policy = json.loads(text)
    http = {name: value for name, value in (policy.get("http") or {}).items() if value is not None}
    return json.dumps({"http": {"disableSubscriptionOverrides": False} | http}, separators=(",", ":"))


def kept_of_subscription(text: str) -> str:
    """A subscription's DeliveryPolicy as it is kept."""
    given = json.loads(text)
    names = ("healthyRetryPolicy", "sicklyRetryPolicy", "throttlePolicy", "requestPolicy")
    found = {name: given.get(name) for name in names} | {"guaranteed": bool(given.get("guaranteed", False))}
    return json.dumps(found, separators=(",", ":"))
