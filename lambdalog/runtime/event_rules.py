"""An asynchronous event, and Lambda's rules of what becomes of it after an attempt. Pure.

A function error is retried after one minute, then after two. A throttle goes back with an exponential delay until the
event is too old, without using up a retry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Ending = Literal["Success", "RetriesExhausted", "EventAgeExceeded", "ZeroReservedConcurrency"]
Target = Literal["dead_letter", "destination"]

# "Lambda retries ... with a one-minute wait before the second attempt, and two minutes between the second and third."
RETRY_MS: Final = (60_000, 120_000)
# Throttles and system errors: "from 1 second after the first attempt to a maximum of 5 minutes".
BACKOFF_FIRST_MS: Final = 1000
BACKOFF_MOST_MS: Final = 300_000


@dataclass(frozen=True, slots=True)
class Policy:
    """A function's event-invoke configuration: retries 0 to 2, age in seconds, and where failures go."""

    retries: int = 2
    max_age: int = 21_600
    dead_letter: str | None = None
    on_success: str | None = None
    on_failure: str | None = None

    def destination(self, ending: Ending) -> str | None:
        """Where the record of an ending goes."""
        return self.on_success if ending == "Success" else self.on_failure

    def targets(self, ending: Ending) -> tuple[Target, ...]:
        """What an ending is sent to: both may be set, and are different things."""
        found: list[Target] = []
        if self.dead_letter is not None and ending != "Success":
            found.append("dead_letter")
        if self.destination(ending) is not None:
            found.append("destination")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Response:
    """What a function answered at last: its version, `Unhandled` or None, and the body."""

    version: str
    function_error: str | None
    payload: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """One event in the queue. Times are epoch ms; `trace` is the header of the chain that it belongs to.

    `response` and `sent` (the targets that have taken it) are of one that has ended.
    """

    seq: int
    request_id: str
    function: str
    qualifier: str
    payload: bytes
    accepted: int
    attempts: int
    failures: int
    throttles: int
    ending: Ending | None
    error_message: str
    trace: str = ""
    response: Response | None = None
    sent: frozenset[Target] = frozenset()


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of an invocation: `ok`, a function `error`, a `throttled` one, `off` or `stopped` as it was a loop."""

    result: Literal["ok", "error", "throttled", "off", "stopped"]
    error_message: str = ""
    response: Response | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after `delay` ms."""

    delay: int


def decide(event: Event, attempt: Attempt, policy: Policy, now: int) -> Again | Ending:
    """What becomes of an event whose attempt failed, counted without it; by Lambda's rules, in Lambda's order."""
    if attempt.result == "off":
        return "ZeroReservedConcurrency"
    if attempt.result == "stopped":
        return "RetriesExhausted"
    if attempt.result == "error":
        if event.failures >= policy.retries:
            return "RetriesExhausted"
        delay = RETRY_MS[min(event.failures, len(RETRY_MS) - 1)]
    else:
        delay = min(BACKOFF_FIRST_MS << min(event.throttles, 20), BACKOFF_MOST_MS)
    # The age is judged ahead: an event that would be too old at its next attempt has none.
    if now + delay - event.accepted > policy.max_age * 1000:
        return "EventAgeExceeded"
    return Again(delay)
