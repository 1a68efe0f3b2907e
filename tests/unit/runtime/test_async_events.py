"""Asynchronous events and Lambda's rules for them, on a manual clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambdalog.runtime.async_events import (
    LEASE_MS,
    Again,
    AsyncEvents,
    Attempt,
    Event,
    Policy,
    Worker,
    decide,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.clock import ManualClock
    from lambdalog.runtime.async_events import Ending

MINUTE = 60_000


def event(**changes: int) -> Event:
    """An event that was accepted at 0."""
    fields = {"accepted": 0, "attempts": 0, "failures": 0, "throttles": 0} | changes
    return Event(1, "r", "f", "$LATEST", b"{}", ending=None, error_message="", **fields)


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
    ],
)
def test_lambdas_rules(
    given: Event, attempt: Attempt, policy: Policy, now: int, expected: Again | Ending
) -> None:
    """Two retries after one and two minutes; throttles back off without using them up; age is judged ahead."""
    assert decide(given, attempt, policy, now) == expected


class Script:
    """Functions whose attempts come from a list."""

    def __init__(self, *attempts: Attempt, policy: Policy | None = None) -> None:
        self.attempts = list(attempts)
        self.given_policy = policy or Policy(dead_letter="dlq")
        self.tried: list[tuple[str, bytes]] = []
        self.buried: list[tuple[str, Ending, str]] = []
        self.target_fails = False

    def attempt(self, event: Event) -> Attempt:
        """The next of the list; the last one for ever."""
        self.tried.append((event.request_id, event.payload))
        return self.attempts.pop(0) if len(self.attempts) > 1 else self.attempts[0]

    def policy(self, event: Event) -> Policy:
        """The same for all."""
        return self.given_policy

    def bury(self, event: Event, policy: Policy, ending: Ending, error_message: str) -> bool:
        """Note it, unless the target is to fail."""
        if self.target_fails:
            raise OSError("no such queue")
        self.buried.append((event.request_id, ending, error_message))
        return policy.dead_letter is not None


@pytest.fixture
def events(store_path: Path, clock: ManualClock) -> Iterator[AsyncEvents]:
    """A queue."""
    opened = AsyncEvents(store_path, clock=clock)
    yield opened
    opened.close()


def test_a_success_leaves_the_queue(events: AsyncEvents, clock: ManualClock) -> None:
    """One attempt, with the payload that was accepted."""
    script = Script(Attempt("ok"))
    request = events.enqueue("f", b'{"a": 1}')
    worker = Worker(events, script, clock=clock)
    assert worker.step()
    assert not worker.step()
    assert script.tried == [(request, b'{"a": 1}')]
    assert events.counts() == {"succeeded": 1}


def test_a_failure_is_tried_three_times_and_buried(events: AsyncEvents, clock: ManualClock) -> None:
    """With the same request id, after one minute and two more; then the dead letter goes out with the last error."""
    script = Script(Attempt("error", "bad"))
    request = events.enqueue("f", b"{}")
    worker = Worker(events, script, clock=clock)
    assert worker.step()
    clock.advance(59)
    assert not worker.step()
    clock.advance(1)
    assert worker.step()
    clock.advance(119)
    assert not worker.step()
    clock.advance(1)
    assert worker.step()
    assert script.tried == [(request, b"{}")] * 3
    assert script.buried == [(request, "RetriesExhausted", "bad")]
    assert (events.pending(), events.counts()) == (0, {"dead_lettered": 1})


def test_a_throttled_event_waits_and_succeeds(events: AsyncEvents, clock: ManualClock) -> None:
    """Throttles use up no retry: after many of them the event still has its three attempts."""
    script = Script(*[Attempt("throttled")] * 5, Attempt("error"), Attempt("error"), Attempt("ok"))
    events.enqueue("f", b"{}")
    Worker(events, script, clock=clock).drain()
    assert events.counts() == {"succeeded": 1}
    assert len(script.tried) == 8


def test_a_dead_letter_that_cannot_be_sent_is_kept(events: AsyncEvents, clock: ManualClock) -> None:
    """The event stays until its target takes the letter, and the function is not invoked again."""
    script = Script(Attempt("error", "bad"), policy=Policy(retries=0, dead_letter="dlq"))
    script.target_fails = True
    events.enqueue("f", b"{}")
    worker = Worker(events, script, clock=clock)
    assert worker.step()
    assert events.pending() == 1
    script.target_fails = False
    clock.advance(5)
    assert worker.step()
    assert (len(script.tried), script.buried[0][1:]) == (1, ("RetriesExhausted", "bad"))
    assert events.pending() == 0


def test_without_a_target_the_event_is_counted_as_dropped(events: AsyncEvents, clock: ManualClock) -> None:
    """Lambda discards it; here at least a count says so."""
    events.enqueue("f", b"{}")
    Worker(events, Script(Attempt("error"), policy=Policy(retries=0)), clock=clock).drain()
    assert events.counts() == {"dropped": 1}


def test_a_workers_event_comes_back_when_it_dies(events: AsyncEvents, clock: ManualClock) -> None:
    """An event that was taken and never answered for is taken again after its lease, not before."""
    request = events.enqueue("f", b"{}")
    assert events.take() is not None
    assert events.take() is None
    clock.advance(LEASE_MS / 1000)
    again = events.take()
    assert again is not None
    assert again.request_id == request


def test_events_survive_the_process(store_path: Path, clock: ManualClock) -> None:
    """What was accepted is there when the queue is opened anew."""
    first = AsyncEvents(store_path, clock=clock)
    request = first.enqueue("f", b"{}")
    first.close()
    second = AsyncEvents(store_path, clock=clock)
    taken = second.take()
    second.close()
    assert taken is not None
    assert taken.request_id == request


def test_waits_can_be_shortened(events: AsyncEvents, clock: ManualClock) -> None:
    """The scale of a demonstration changes the waits and not the rules."""
    events.enqueue("f", b"{}")
    worker = Worker(events, Script(Attempt("error")), clock=clock, delay_scale=0.01)
    worker.step()
    clock.advance(0.6)
    assert worker.step()
