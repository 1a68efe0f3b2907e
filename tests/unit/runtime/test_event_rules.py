"""Lambda's rules of what becomes of an asynchronous event."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lambdalog.runtime.event_rules import Again, Attempt, Event, Policy, decide

if TYPE_CHECKING:
    from lambdalog.runtime.event_rules import Ending

MINUTE = 60_000


def event(**changes: int) -> Event:
    """An event that was accepted at 0."""
    fields = {"accepted": 0, "attempts": 0, "failures": 0, "throttles": 0} | changes
    made = Event(1, "r", "f", "$LATEST", b"{}", 0, 0, 0, 0, ending=None, error_message="")
    return replace(made, **fields)  # type: ignore[arg-type] # counts and times alone


@pytest.mark.parametrize(
    ("given", "attempt", "policy", "now", "expected"),
    [
        (event(), Attempt("error"), Policy(), 0, Again(MINUTE)),
        (event(failures=1), Attempt("error"), Policy(), MINUTE, Again(2 * MINUTE)),
        (event(failures=2), Attempt("error"), Policy(), 3 * MINUTE, "RetriesExhausted"),
        (event(), Attempt("error"), Policy(retries=0), 0, "RetriesExhausted"),
        (event(), Attempt("throttled"), Policy(), 0, Again(1000)),
        (event(throttles=3), Attempt("throttled"), Policy(), 0, Again(8000)),
        (event(throttles=50), Attempt("throttled"), Policy(), 0, Again(300_000)),
        (event(throttles=50), Attempt("throttled"), Policy(retries=0), 0, Again(300_000)),
        (event(), Attempt("error"), Policy(max_age=60), 1, "EventAgeExceeded"),
        (event(), Attempt("error"), Policy(max_age=60), 0, Again(MINUTE)),
        (event(), Attempt("throttled"), Policy(max_age=60), 59_001, "EventAgeExceeded"),
        (event(), Attempt("off"), Policy(), 0, "ZeroReservedConcurrency"),
        (event(), Attempt("stopped"), Policy(), 0, "RetriesExhausted"),
    ],
)
def test_lambdas_rules(
    given: Event, attempt: Attempt, policy: Policy, now: int, expected: Again | Ending
) -> None:
    """Two retries after one and two minutes; throttles back off without using them up; age is judged ahead."""
    assert decide(given, attempt, policy, now) == expected
