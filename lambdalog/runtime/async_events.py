"""Asynchronous invocations: a durable queue of events, Lambda's rules of retrying them, and who drains it.

A function error is retried after one minute, then after two. A throttle goes back with an exponential delay until the
event is too old, without using up a retry. What is exhausted goes to the function's dead-letter target; an event leaves
the queue only when it succeeded or its dead letter was taken.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from lambdalog.clock import SYSTEM
from lambdalog.store.tables import Tables, transaction

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from lambdalog.clock import Clock

logger = logging.getLogger(__name__)

SCHEMA: Final = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL,
    function TEXT NOT NULL,
    qualifier TEXT NOT NULL,
    payload BLOB NOT NULL,
    accepted INTEGER NOT NULL,
    due INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    throttles INTEGER NOT NULL DEFAULT 0,
    ending TEXT,
    error_message TEXT NOT NULL DEFAULT '',
    lease TEXT
) STRICT;
CREATE INDEX events_due ON events (due);
CREATE TABLE counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

Ending = Literal["RetriesExhausted", "EventAgeExceeded", "ZeroReservedConcurrency"]

# "Lambda retries ... with a one-minute wait before the second attempt, and two minutes between the second and third."
RETRY_MS: Final = (60_000, 120_000)
# Throttles and system errors: "from 1 second after the first attempt to a maximum of 5 minutes".
BACKOFF_FIRST_MS: Final = 1000
BACKOFF_MOST_MS: Final = 300_000
# A worker that took an event answers within the longest timeout there is, and some time.
LEASE_MS: Final = 960_000
# A dead letter that can't be sent is tried again this much later.
UNDELIVERED_MS: Final = 5000


@dataclass(frozen=True, slots=True)
class Policy:
    """A function's event-invoke configuration: retries 0 to 2, age in seconds, and where failures go."""

    retries: int = 2
    max_age: int = 21_600
    dead_letter: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One event in the queue. Times are epoch ms."""

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


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of an invocation: `ok`, a function `error`, or a `throttled` one."""

    result: Literal["ok", "error", "throttled", "off"]
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after `delay` ms."""

    delay: int


def decide(event: Event, attempt: Attempt, policy: Policy, now: int) -> Again | Ending:
    """What becomes of an event whose attempt failed, counted without it; by Lambda's rules, in Lambda's order."""
    if attempt.result == "off":
        return "ZeroReservedConcurrency"
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


class AsyncEvents:
    """The queue, in `<root>/functions.sqlite`'s neighbour `events.sqlite`; several processes may drain it."""

    def __init__(self, root: Path, *, clock: Clock = SYSTEM) -> None:
        self._clock = clock
        # An event that was answered with 202 survives a power cut.
        self._tables = Tables(root / "events.sqlite", SCHEMA, synchronous="FULL")

    def enqueue(
        self, function: str, payload: bytes, *, qualifier: str = "$LATEST", request_id: str | None = None
    ) -> str:
        """Accept an event; its request id. It is on disk when this returns."""
        request_id = request_id or str(uuid.uuid4())
        now = self._clock.now_ms()
        self._tables.connection.execute(
            "INSERT INTO events (request_id, function, qualifier, payload, accepted, due) VALUES (?, ?, ?, ?, ?, ?)",
            (request_id, function, qualifier, payload, now, now),
        )
        return request_id

    def take(self) -> Event | None:
        """The next event that is due, for this worker alone until its lease ends; None if none is."""
        now = self._clock.now_ms()
        db = self._tables.connection
        if db.execute("SELECT 1 FROM events WHERE due <= ? LIMIT 1", (now,)).fetchone() is None:
            return None
        with transaction(db):
            row = db.execute(
                "SELECT seq, request_id, function, qualifier, payload, accepted, attempts, failures, throttles, ending,"
                " error_message FROM events WHERE due <= ? ORDER BY due, seq LIMIT 1",
                (now,),
            ).fetchone()
            if row is None:
                return None
            db.execute("UPDATE events SET due = ? WHERE seq = ?", (now + LEASE_MS, row[0]))
        return Event(*row)

    def done(self, event: Event, count: str) -> None:
        """Strike an event out, counted under `count`."""
        with transaction(self._tables.connection) as db:
            db.execute("DELETE FROM events WHERE seq = ?", (event.seq,))
            db.execute(
                "INSERT INTO counts (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1",
                (count,),
            )

    def again(self, event: Event, attempt: Attempt, delay: int) -> None:
        """Put an event back for another attempt in `delay` ms."""
        self._tables.connection.execute(
            "UPDATE events SET due = ?, attempts = attempts + 1, failures = failures + ?, throttles = throttles + ?,"
            " error_message = ? WHERE seq = ?",
            (
                self._clock.now_ms() + delay,
                attempt.result == "error",
                attempt.result == "throttled",
                attempt.error_message,
                event.seq,
            ),
        )

    def end(self, event: Event, ending: Ending, error_message: str, delay: int = 0) -> None:
        """Note how an event ended; it stays until its dead letter is taken, which is tried again after `delay` ms."""
        self._tables.connection.execute(
            "UPDATE events SET ending = ?, error_message = ?, due = ? WHERE seq = ?",
            (ending, error_message, self._clock.now_ms() + delay, event.seq),
        )

    def release(self, event: Event) -> None:
        """Give an event back as it was: the worker stops before it could try."""
        self._tables.connection.execute(
            "UPDATE events SET due = ? WHERE seq = ?", (self._clock.now_ms(), event.seq)
        )

    def pending(self) -> int:
        """How many events wait, or are tried now."""
        (count,) = self._tables.connection.execute("SELECT count(*) FROM events").fetchone()
        return int(count)

    def next_due(self) -> int | None:
        """When the next event is due (epoch ms), or None."""
        (due,) = self._tables.connection.execute("SELECT min(due) FROM events").fetchone()
        return None if due is None else int(due)

    def counts(self) -> dict[str, int]:
        """How many events ended in each way since the store was made."""
        return dict(self._tables.connection.execute("SELECT name, value FROM counts").fetchall())

    def close(self) -> None:
        """Close the database."""
        self._tables.close()


class Functions(Protocol):
    """What a worker needs of the functions' service."""

    def attempt(self, event: Event) -> Attempt:
        """Invoke the event's function, once."""
        ...

    def policy(self, event: Event) -> Policy:
        """The event-invoke configuration of the event's function."""
        ...

    def bury(self, event: Event, policy: Policy, ending: Ending, error_message: str) -> bool:
        """Send the dead letter; whether there was a target. Raises if the target didn't take it."""
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
        policy = self._functions.policy(event)
        if event.ending is not None:
            self._bury(event, policy, event.ending, event.error_message)
            return True
        attempt = self._functions.attempt(event)
        if attempt.result == "ok":
            self._events.done(event, "succeeded")
            return True
        decision = decide(event, attempt, policy, self._clock.now_ms())
        if isinstance(decision, Again):
            self._events.again(event, attempt, int(decision.delay * self._scale))
        else:
            self._bury(event, policy, decision, attempt.error_message)
        return True

    def run(self, stop: threading.Event) -> None:
        """Drain until `stop` is set; what is being tried is finished."""
        while not stop.is_set():
            try:
                if not self.step():
                    self._clock.wait(stop, 0.05)
            except Exception:
                # The event's lease ends and it is tried again; the worker goes on with the others.
                logger.exception("an asynchronous event could not be worked on")
                self._clock.wait(stop, 1.0)

    def drain(self, stop: threading.Event | None = None) -> None:
        """Work until the queue is empty, waiting for retries as long as they take."""
        while stop is None or not stop.is_set():
            if self.step():
                continue
            due = self._events.next_due()
            if due is None:
                return
            self._clock.sleep(min(max((due - self._clock.now_ms()) / 1000, 0.01), 0.5))

    def _bury(self, event: Event, policy: Policy, ending: Ending, error_message: str) -> None:
        try:
            sent = self._functions.bury(event, policy, ending, error_message)
        except Exception:
            logger.exception("the dead letter of request %s could not be sent; it is kept", event.request_id)
            self._events.end(event, ending, error_message, UNDELIVERED_MS)
            return
        self._events.done(event, "dead_lettered" if sent else "dropped")
