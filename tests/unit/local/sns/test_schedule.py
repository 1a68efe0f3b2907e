"""When deliveries are tried again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdalog.local.sns import schedule
from lambdalog.local.sns.schedule import CUSTOMER, MANAGED, of_http


def pauses(plan: schedule.Schedule, count: int) -> list[float | None]:
    """The pauses after so many failed attempts."""
    return [plan.pause(failures) for failures in range(1, count + 1)]


def test_queues_and_functions() -> None:
    """3 at once, 2 after a second, 10 from 1 to 20 seconds, then every 20: 100,015 in all."""
    found = pauses(MANAGED, 20)
    assert found[:5] == [0, 0, 0, 1, 1]
    growing = [pause for pause in found[5:15] if pause is not None]
    assert growing[0] == 1
    assert growing[-1] == 20
    assert growing == sorted(growing)
    assert found[15:] == [20] * 5
    assert MANAGED.pause(100_015) == 20
    assert MANAGED.pause(100_016) is None


def test_http() -> None:
    """3 times, 20 seconds apart; or as its policy says."""
    assert pauses(of_http({}), 4) == [20, 20, 20, None]
    own = {
        "minDelayTarget": 2,
        "maxDelayTarget": 8,
        "numRetries": 6,
        "numNoDelayRetries": 1,
        "numMinDelayRetries": 1,
        "numMaxDelayRetries": 1,
    }
    assert pauses(of_http(own), 7) == [0, 2, 2, 5, 8, 8, None]


def test_files_and_commands() -> None:
    """As AWS does with mail: 50 times over six hours."""
    assert pauses(CUSTOMER, 2) == [10, 10]
    assert CUSTOMER.pause(50) == 600
    assert CUSTOMER.pause(51) is None


@pytest.mark.parametrize(
    ("healthy", "text"),
    [
        ({"numRetries": 101}, "numRetries must be less than or equal to 100"),
        ({"numRetries": -1}, "numRetries must be a non-negative integer"),
        ({"numRetries": True}, "numRetries must be a non-negative integer"),
        ({"minDelayTarget": 30}, "minDelayTarget must be at least 1"),
        ({"numNoDelayRetries": 4}, "numRetries must not be less"),
        ({"backoffFunction": "random"}, "backoffFunction must be one of"),
        ({"maxDelayTarget": 3600, "numRetries": 100}, "the total retry time"),
        ({"nonsense": 1}, "unknown property nonsense"),
    ],
)
def test_a_policy_has_limits(healthy: dict[str, Any], text: str) -> None:
    """Each is said."""
    found = schedule.check(json.dumps({"healthyRetryPolicy": healthy}), "healthyRetryPolicy")
    assert found is not None
    assert found.startswith(text)


@pytest.mark.parametrize("text", ["", "[]", '{"http": 5}', '{"healthyRetryPolicy": 5}', '{"a":' * 20_000])
def test_what_is_no_policy(text: str) -> None:
    """It is refused, whatever it is."""
    assert schedule.check(text, "healthyRetryPolicy") is not None


def test_a_subscription_overrides_its_topic() -> None:
    """Unless the topic forbids it."""
    topic = json.dumps({"http": {"defaultHealthyRetryPolicy": {"numRetries": 1}}})
    own = json.dumps(
        {"healthyRetryPolicy": {"numRetries": 2}, "requestPolicy": {"headerContentType": "text/csv"}}
    )
    found = schedule.of_subscription(own, topic)
    assert found["healthyRetryPolicy"]["numRetries"] == 2
    assert found["requestPolicy"] == {"headerContentType": "text/csv"}
    assert schedule.of_subscription(None, topic)["healthyRetryPolicy"]["numRetries"] == 1
    closed = json.dumps({"http": {"disableSubscriptionOverrides": True}})
    assert schedule.of_subscription(own, closed)["healthyRetryPolicy"]["numRetries"] == 3
