"""When to try again."""

from __future__ import annotations

import pytest
from botocore.exceptions import NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.shipper.retry import Backoff, code, of_the_batch, reason
from tests.unit.shipper.double import fault


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_delays_are_bounded(failures: int, chance: float) -> None:
    """However often it failed, and however the dice fall: between half of the first delay and the longest."""
    delay = Backoff(first=0.2, longest=20).delay(failures, ConnectionError(), lambda: chance)
    assert 0.1 <= delay <= 20


def test_delays_double_until_the_longest() -> None:
    """Without chance: twice as long each time, then no longer."""
    backoff = Backoff(first=0.2, longest=3)
    assert [backoff.delay(count, ConnectionError(), lambda: 1.0) for count in range(1, 7)] == [
        0.2,
        0.4,
        0.8,
        1.6,
        3,
        3,
    ]


def test_chance_keeps_shippers_apart() -> None:
    """Those that were throttled together come back at different times."""
    dice = iter([0.0, 0.3, 0.6, 1.0])
    delays = [Backoff().delay(3, ConnectionError(), lambda: next(dice)) for _ in range(4)]
    assert delays == sorted(set(delays))


@pytest.mark.parametrize("error", [fault("AccessDeniedException"), NoCredentialsError()])
def test_what_needs_somebody_is_tried_rarely(error: Exception) -> None:
    """Nobody mends a policy within a second."""
    assert Backoff().delay(1, error, lambda: 0.0) >= 1.0
    assert Backoff().delay(1, fault("ThrottlingException"), lambda: 0.0) < 1.0


@pytest.mark.parametrize(("asked", "expected"), [("7", 7.0), ("-1", 0.1), ("soon", 0.1), ("9999", 20.0)])
def test_a_service_may_ask_for_time(asked: str, expected: float) -> None:
    """Retry-After is kept to, as far as it is a number, and no longer than the longest delay."""
    error = fault("ThrottlingException", **{"retry-after": asked})
    assert Backoff().delay(1, error, lambda: 0.0) == expected


def test_errors_are_known_by_their_code() -> None:
    """AWS's code, or the class; those of the batch are told from those of the moment."""
    assert code(fault("ThrottlingException")) == "ThrottlingException"
    assert code(ConnectionResetError()) == "ConnectionResetError"
    assert of_the_batch(fault("InvalidParameterException"))
    assert not of_the_batch(fault("InternalFailure"))


def test_a_reason_is_one_short_line() -> None:
    """Whatever an error's text holds."""
    assert reason(fault("InternalFailure", "no\nluck")) == "InternalFailure: no luck"
    assert reason(ValueError("x" * 1000)) == "ValueError: " + "x" * 288
