"""A worker of asynchronous events, on a manual clock."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

from lambdalog.clock import ManualClock
from lambdalog.runtime.async_events import AsyncEvents
from lambdalog.runtime.event_rules import Attempt, Event, Policy, Response
from lambdalog.runtime.event_worker import GIVE_UP_MS, Worker

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.runtime.event_rules import Ending, Target

MINUTE = 60_000
PATIENCE = 30.0


class Script:
    """Functions whose attempts come from a list."""

    def __init__(self, *attempts: Attempt, policy: Policy | None = None) -> None:
        self.attempts = list(attempts)
        self.given_policy = policy or Policy(dead_letter="dlq")
        self.tried: list[tuple[str, bytes]] = []
        self.buried: list[tuple[str, Ending, str]] = []
        self.target_fails = False
        self.failing: set[Target] = set()
        self.sent: list[tuple[Target, Event]] = []

    def attempt(self, event: Event) -> Attempt:
        """The next of the list; the last one for ever."""
        self.tried.append((event.request_id, event.payload))
        return self.attempts.pop(0) if len(self.attempts) > 1 else self.attempts[0]

    def policy(self, event: Event) -> Policy:
        """The same for all."""
        return self.given_policy

    def send(self, event: Event, policy: Policy, target: Target) -> None:
        """Note it, unless the target is to fail."""
        if self.target_fails or target in self.failing:
            raise OSError("no such queue")
        assert event.ending is not None
        self.buried.append((event.request_id, event.ending, event.error_message))
        self.sent.append((target, event))


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


class Patient(ManualClock):
    """Its waits end with what they wait for alone."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Semaphore(0)
        self.woken: list[bool] = []

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Until the event is set, however long that takes."""
        self.waits.release()
        self.woken.append(event.wait(PATIENCE / 4))
        return self.woken[-1]


def test_an_event_wakes_a_worker_of_its_process(store_path: Path) -> None:
    """A worker that rests hears of it at once; stopped, it gives back the next one that it has in hand."""
    clock, stop = Patient(), threading.Event()
    with closing(AsyncEvents(store_path, clock=clock)) as events:

        class Stopping(Script):
            def attempt(self, event: Event) -> Attempt:
                if event.payload == b"2":
                    events.enqueue("f", b"3")
                    stop.set()
                return super().attempt(event)

        script = Stopping(Attempt("ok"))
        thread = threading.Thread(target=Worker(events, script, clock=clock).run, args=(stop,))
        thread.start()
        for payload in (b"1", b"2"):
            assert clock.waits.acquire(timeout=PATIENCE)
            events.enqueue("f", payload)
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert clock.woken == [True, True]
        assert [payload for _, payload in script.tried] == [b"1", b"2"]
        assert events.counts() == {"succeeded": 2}
        left = events.take()
        assert left is not None
        assert left.payload == b"3"


def test_waits_can_be_shortened(events: AsyncEvents, clock: ManualClock) -> None:
    """The scale of a demonstration changes the waits and not the rules."""
    events.enqueue("f", b"{}")
    worker = Worker(events, Script(Attempt("error")), clock=clock, delay_scale=0.01)
    worker.step()
    clock.advance(0.6)
    assert worker.step()


def test_a_failure_is_sent_to_both_its_targets(events: AsyncEvents, clock: ManualClock) -> None:
    """Dead letter and destination are different things; one that fails is tried again alone, with the same response."""
    response = Response("3", "Unhandled", b'{"errorMessage": "bad"}')
    policy = Policy(retries=0, dead_letter="dlq", on_failure="record", on_success="never")
    script = Script(Attempt("error", "bad", response), policy=policy)
    script.failing = {"destination"}
    events.enqueue("f", b"{}", trace="Root=x")
    worker = Worker(events, script, clock=clock)
    worker.step()
    assert [target for target, _ in script.sent] == ["dead_letter"]
    script.failing = set()
    clock.advance(5)
    worker.step()
    assert [target for target, _ in script.sent] == ["dead_letter", "destination"]
    ended = script.sent[1][1]
    assert (ended.response, ended.trace, ended.error_message) == (response, "Root=x", "bad")
    assert (len(script.tried), events.counts()) == (1, {"dead_lettered": 1})


def test_a_success_is_told_to_its_destination(events: AsyncEvents, clock: ManualClock) -> None:
    """Only to that one; until it takes it the event stays, and the function is not invoked again."""
    policy = Policy(dead_letter="dlq", on_success="record")
    script = Script(Attempt("ok", response=Response("$LATEST", None, b"1")), policy=policy)
    script.target_fails = True
    events.enqueue("f", b"{}")
    worker = Worker(events, script, clock=clock)
    worker.step()
    assert events.counts() == {}
    script.target_fails = False
    clock.advance(5)
    worker.step()
    assert [(target, found.ending) for target, found in script.sent] == [("destination", "Success")]
    assert (len(script.tried), events.counts()) == (1, {"succeeded": 1})


def test_a_target_that_never_takes_it_is_given_up(events: AsyncEvents, clock: ManualClock) -> None:
    """An hour after the event was too old it is counted as undelivered."""
    script = Script(Attempt("error"), policy=Policy(retries=0, max_age=60, dead_letter="gone"))
    script.target_fails = True
    events.enqueue("f", b"{}")
    worker = Worker(events, script, clock=clock)
    worker.step()
    clock.advance(GIVE_UP_MS / 1000)
    worker.step()
    assert events.pending() == 1
    clock.advance(65)
    worker.step()
    assert (events.pending(), events.counts()) == (0, {"undelivered": 1})
