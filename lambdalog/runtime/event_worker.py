"""Who drains the queue of asynchronous events: tries, retries, and sends what has ended where it goes.

What is exhausted goes to the function's dead-letter target and its on-failure destination, what succeeded to the
on-success one; an event leaves the queue only when they have taken it, or have refused it for too long, which is counted.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from lambdalog.clock import SYSTEM
from lambdalog.runtime.event_rules import Again, decide

if TYPE_CHECKING:
    import threading

    from lambdalog.clock import Clock
    from lambdalog.runtime.async_events import AsyncEvents
    from lambdalog.runtime.event_rules import Attempt, Event, Policy, Target

logger = logging.getLogger(__name__)

# A dead letter that can't be sent is tried again this much later.
UNDELIVERED_MS: Final = 5000
# So long after an event was too old for its function, its letter is too old for a target that refuses it.
GIVE_UP_MS: Final = 3_600_000
# How often a worker with nothing to do looks for what other processes accepted, and for retries that come due.
LOOK_SECONDS: Final = 0.2


class Functions(Protocol):
    """What a worker needs of the functions' service."""

    def attempt(self, event: Event) -> Attempt:
        """Invoke the event's function, once."""
        ...

    def policy(self, event: Event) -> Policy:
        """The event-invoke configuration of the event's function."""
        ...

    def send(self, event: Event, policy: Policy, target: Target) -> None:
        """Send the dead letter, or the destination's record, of an event that has ended; raises if it isn't taken."""
        ...


class Worker:
    """Drains the queue. `delay_scale` shortens the waits, for demonstrations; Lambda's is 1."""

    def __init__(
        self, events: AsyncEvents, functions: Functions, *, clock: Clock = SYSTEM, delay_scale: float = 1.0
    ) -> None:
        self._events = events
        self._functions = functions
        self._clock = clock
        self._scale = delay_scale

    def step(self) -> bool:
        """Work on one event that is due; False if there is none."""
        event = self._events.take()
        if event is None:
            return False
        done = self._work(event)
        if done is not None:
            self._events.done(event, done)
        return True

    def run(self, stop: threading.Event) -> None:
        """Drain until `stop` is set; what is being tried is finished."""
        event: Event | None = None
        while not stop.is_set():
            try:
                event = event or self._events.take()
                if event is None:
                    self._events.rest(LOOK_SECONDS)
                    continue
                taken, event = event, None
                done = self._work(taken)
                if done is not None:
                    event = self._events.done_and_take(taken, done)
            except Exception:
                # The event's lease ends and it is tried again; the worker goes on with the others.
                logger.exception("an asynchronous event could not be worked on")
                self._clock.wait(stop, 1.0)
        if event is not None:
            self._events.release(event)

    def drain(self, stop: threading.Event | None = None) -> None:
        """Work until the queue is empty, waiting for retries as long as they take."""
        while stop is None or not stop.is_set():
            if self.step():
                continue
            due = self._events.next_due()
            if due is None:
                return
            self._clock.sleep(min(max((due - self._clock.now_ms()) / 1000, 0.01), 0.5))

    def _work(self, event: Event) -> str | None:
        """Try an event, and settle it if that was its end; what it is to be struck out as, None if it stays."""
        policy = self._functions.policy(event)
        if event.ending is not None:
            return self._settle(event, policy)
        attempt = self._functions.attempt(event)
        if attempt.result == "ok":
            return self._settle(replace(event, ending="Success", response=attempt.response), policy)
        decision = decide(event, attempt, policy, self._clock.now_ms())
        if isinstance(decision, Again):
            self._events.again(event, attempt, int(decision.delay * self._scale))
            return None
        ended = replace(
            event,
            ending=decision,
            error_message=attempt.error_message,
            response=attempt.response,
            attempts=event.attempts + (attempt.result != "off"),
            failures=event.failures + (attempt.result == "error"),
        )
        return self._settle(ended, policy)

    def _settle(self, event: Event, policy: Policy) -> str | None:
        """Send what an ended event is sent to; what it is to be struck out as, None if it has to be sent once more."""
        ending, sent = event.ending, event.sent
        assert ending is not None
        for target in policy.targets(ending):
            if target in sent:
                continue
            try:
                self._functions.send(event, policy, target)
            except Exception:
                if self._clock.now_ms() - event.accepted > policy.max_age * 1000 + GIVE_UP_MS:
                    logger.exception("the %s of request %s is not taken; given up", target, event.request_id)
                    return "undelivered"
                logger.exception(
                    "the %s of request %s could not be sent; it is kept", target, event.request_id
                )
                self._events.end(
                    event,
                    ending,
                    event.error_message,
                    UNDELIVERED_MS,
                    response=event.response,
                    sent=sent,
                )
                return None
            sent |= {target}
        if ending == "Success":
            return "succeeded"
        return "dead_lettered" if sent else "dropped"
