"""A subscription: its endpoint, its attributes and their limits (Subscribe, SetSubscriptionAttributes). Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lambdalog.arn import Arn
from lambdalog.local.sns import filter_rules, rules, schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambdalog.local.sns.rules import Breach

# Tokens are good for two days.
TOKEN_MS: Final = 2 * 86_400_000
HTTP: Final = frozenset({"http", "https"})
# Beyond AWS, for one machine, where there is no mail: lines in a file, a command's standard input.
LOCAL: Final = frozenset({"file", "command"})
DELIVERED: Final = frozenset({"sqs", "lambda", *HTTP, *LOCAL})
_ELSEWHERE: Final = frozenset({"application", "email", "email-json", "firehose", "sms"})
ATTRIBUTES: Final = frozenset(
    {"DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"}
)
_RAW: Final = frozenset({"sqs", *HTTP, *LOCAL})
SCOPES: Final = ("MessageAttributes", "MessageBody")
_FILE: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as it is now. `token`: what confirms it; None once it is confirmed."""

    arn: str
    topic: str
    protocol: str
    endpoint: str
    attributes: dict[str, str]
    token: str | None
    asked: int
    authenticated: bool

    @property
    def pending(self) -> bool:
        """Whether its endpoint has still to confirm it."""
        return self.token is not None

    @property
    def raw(self) -> bool:
        """Whether it gets the message itself, not the envelope."""
        return self.attributes.get("RawMessageDelivery") == "true"

    @property
    def redrive(self) -> str | None:
        """The ARN of its dead-letter queue."""
        text = self.attributes.get("RedrivePolicy")
        return json.loads(text)["deadLetterTargetArn"] if text else None

    @property
    def filter(self) -> tuple[str, str] | None:
        """(policy, scope), if it takes only some messages."""
        text = self.attributes.get("FilterPolicy")
        return (text, self.scope) if text else None

    @property
    def scope(self) -> str:
        """FilterPolicyScope."""
        return self.attributes.get("FilterPolicyScope", SCOPES[0])

    def entry(self, owner: str) -> dict[str, str]:
        """What lists tell."""
        return {
            "SubscriptionArn": "PendingConfirmation" if self.pending else self.arn,
            "Owner": owner,
            "Protocol": self.protocol,
            "Endpoint": self.endpoint,
            "TopicArn": self.topic,
        }

    def effective(self, owner: str, topic_delivery: str | None) -> dict[str, str]:
        """What GetSubscriptionAttributes tells."""
        found = {
            "SubscriptionArn": self.arn,
            "TopicArn": self.topic,
            "Protocol": self.protocol,
            "Endpoint": self.endpoint,
            "Owner": owner,
            "SubscriptionPrincipal": f"arn:aws:iam::{owner}:root",
            "ConfirmationWasAuthenticated": "true" if self.authenticated and not self.pending else "false",
            "PendingConfirmation": "true" if self.pending else "false",
            "RawMessageDelivery": "false",
        }
        if self.protocol in HTTP:
            policy = schedule.of_subscription(self.attributes.get("DeliveryPolicy"), topic_delivery)
            found["EffectiveDeliveryPolicy"] = json.dumps(policy, separators=(",", ":"))
        if "FilterPolicy" in self.attributes:
            found["FilterPolicyScope"] = SCOPES[0]
        return found | self.attributes

    def http_policy(self, topic_delivery: str | None) -> dict[str, Any]:
        """Its delivery policy over HTTP, with its topic's."""
        return schedule.of_subscription(self.attributes.get("DeliveryPolicy"), topic_delivery)


def check_endpoint(protocol: str, endpoint: str, *, fifo: bool, trusted: bool) -> Breach | None:
    """Who is to be subscribed to a topic. `trusted`: commands, and files anywhere, are allowed."""
    if protocol in _ELSEWHERE:
        there = ", ".join(sorted(DELIVERED))
        return rules.invalid(f"Protocol {protocol} is not delivered on this machine; there are {there}")
    if protocol not in DELIVERED:
        return rules.invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    if not endpoint:
        return rules.invalid("Endpoint Reason: no value for required parameter")
    match protocol:
        case "sqs":
            if not _is_arn_of(endpoint, "sqs"):
                return rules.invalid("SQS endpoint ARN")
            if endpoint.endswith(".fifo") and not fifo:
                return rules.invalid(
                    "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
                )
        case "lambda":
            if not _is_arn_of(endpoint, "lambda"):
                return rules.invalid("Lambda endpoint ARN")
        case "http" | "https":
            if not re.fullmatch(rf"{protocol}://[^\s/?#@]+([/?#]\S*)?", endpoint):
                return rules.invalid("Endpoint must match the specified protocol")
        case _:
            if (reason := _local_reason(protocol, endpoint, trusted=trusted)) is not None:
                return rules.invalid(f"Endpoint Reason: {reason}")
    if fifo and protocol != "sqs":
        return rules.invalid("Invalid parameter: Endpoint Reason: Please use FIFO SQS queue")
    return None


def _is_arn_of(text: str, service: str) -> bool:
    try:
        return Arn.parse(text).service == service
    except ValueError:
        return False


def _local_reason(protocol: str, endpoint: str, *, trusted: bool) -> str | None:
    if protocol == "file":
        if _FILE.fullmatch(endpoint):
            return None
        if not endpoint.startswith("/") or "\0" in endpoint:
            return "a file is a plain name, kept in the store's outbox/, or an absolute path"
    elif command(endpoint) is None:
        return 'a command is a JSON list of texts, as ["/usr/bin/notify-send", "a failure"]'
    if trusted:
        return None
    return "commands, and files outside of the store, have to be allowed by LAMBDALOG_ALLOW_COMMANDS=1"


def command(endpoint: str) -> list[str] | None:
    """A command's arguments; None if the endpoint is none."""
    try:
        found = json.loads(endpoint)
    except (ValueError, RecursionError):
        return None
    right = (
        isinstance(found, list)
        and found
        and all(isinstance(part, str) and "\0" not in part for part in found)
    )
    return found if right and found[0] else None


def check_attribute(
    name: str, value: str, *, protocol: str, endpoint: str, topic: str, scope: str, creating: bool
) -> Breach | None:
    """One attribute that is to be set; `scope` is the filter's, as it will be."""
    prefix = "Attributes Reason: " if creating else ""
    if name not in ATTRIBUTES:
        return rules.invalid(f"{prefix}AttributeName")
    match name:
        case "FilterPolicy":
            return _check_filter(value, scope, prefix)
        case "FilterPolicyScope":
            reason = (
                None
                if value in SCOPES
                else f"Invalid value [{value}]. Please use either MessageBody or MessageAttributes"
            )
        case "RawMessageDelivery":
            if value.lower() not in {"true", "false"}:
                reason = f"Invalid value [{value}]. Must be true or false."
            elif value.lower() == "true" and protocol not in _RAW:
                return rules.invalid(
                    f"{prefix}Delivery protocol [{protocol}] does not support raw message delivery."
                )
            else:
                reason = None
        case "RedrivePolicy":
            reason = _redrive_reason(value, topic, endpoint)
        case _:
            reason = schedule.check(value, "healthyRetryPolicy") if value else None
    return None if reason is None else rules.invalid(f"{prefix}{name}: {reason}")


def _check_filter(value: str, scope: str, prefix: str) -> Breach | None:
    if not value:
        return None
    try:
        filter_rules.read(value, body=scope == "MessageBody")
    except filter_rules.PolicyError as error:
        return rules.invalid(str(error) if error.nested else f"{prefix}FilterPolicy: {error}")
    return None


def _redrive_reason(value: str, topic: str, endpoint: str) -> str | None:
    if not value:
        return None
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return "failed to parse JSON."
    target = found.get("deadLetterTargetArn") if isinstance(found, dict) else None
    try:
        service = Arn.parse(str(target)).service
    except ValueError:
        return "deadLetterTargetArn is an invalid arn"
    if service != "sqs":
        return "deadLetterTargetArn is an invalid arn"
    fifo = str(target).endswith(".fifo")
    if topic.endswith(".fifo") and endpoint.endswith(".fifo") and not fifo:
        return "must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."
    if fifo and not topic.endswith(".fifo"):
        return "must use a standard queue as DLQ for a subscription to a standard topic."
    return None


def kept(attributes: Mapping[str, str]) -> dict[str, str]:
    """Attributes as they are stored: an empty value, or an empty filter, takes one away."""
    found = {name: value for name, value in attributes.items() if value}
    if found.get("FilterPolicy") and not json.loads(found["FilterPolicy"]):
        del found["FilterPolicy"]
    if "RawMessageDelivery" in found:
        found["RawMessageDelivery"] = found["RawMessageDelivery"].lower()
    if "DeliveryPolicy" in found:
        found["DeliveryPolicy"] = schedule.kept_of_subscription(found["DeliveryPolicy"])
    return found
