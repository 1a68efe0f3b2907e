"""Asynchronous invocations: a durable queue of events, Lambda's rules of retrying them, and who drains it.

A function error is retried after one minute, then after two. A throttle goes back with an exponential delay until the
event is too old, without using up a retry. What is exhausted goes to the function's dead-letter target and its on-failure
destination, what succeeded to the on-success one; an event leaves the queue only when they have taken it, or have refused
it for too long, which is counted.
"""

from __future__ import annotations

import logging
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, Protocol

from lambdalog.clock import SYSTEM
from lambdalog.runtime.owners import Owners
from lambdalog.store.files import Layout
from lambdalog.store.tables import Tables, transaction

if TYPE_CHECKING:
    import sqlite3
    import threading
    from collections.abc import Iterator
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
CREATE TABLE details (
    seq INTEGER PRIMARY KEY,
    trace TEXT NOT NULL DEFAULT '',
    version TEXT NOT NULL DEFAULT '',
    function_error TEXT,
    response BLOB,
    sent TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

Ending = Literal["Success", "RetriesExhausted", "EventAgeExceeded", "ZeroReservedConcurrency"]
Target = Literal["dead_letter", "destination"]

# "Lambda retries ... with a one-minute wait before the second attempt, and two minutes between the second and third."
RETRY_MS: Final = (60_000, 120_000)
# Throttles and system errors: "from 1 second after the first attempt to a maximum of 5 minutes".
BACKOFF_FIRST_MS: Final = 1000
BACKOFF_MOST_MS: Final = 300_000
# A worker that took an event answers within the longest timeout there is, and some time.
LEASE_MS: Final = 960_000
# How often it is looked whether those who took events still live.
OWNERS_SECONDS: Final = 1.0
# A dead letter that can't be sent is tried again this much later.
UNDELIVERED_MS: Final = 5000
# So long after an event was too old for its function, its letter is too old for a target that refuses it.
GIVE_UP_MS: Final = 3_600_000


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


@contextmanager
def _synced(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """What is committed inside is on the disk, with all that was before it."""
    connection.execute("PRAGMA synchronous=FULL")
    try:
        yield connection
    finally:
        connection.execute("PRAGMA synchronous=NORMAL")


class AsyncEvents:
    """The queue, in `<root>/functions.sqlite`'s neighbour `events.sqlite`; several processes may drain it."""

    def __init__(self, root: Path, *, clock: Clock = SYSTEM) -> None:
        self._clock = clock
        # An event that was answered with 202 survives a power cut; a claim, or that an event is done, may be taken back by
        # one: the event is tried once more, as AWS says that it may be.
        self._tables = Tables(root / "events.sqlite", SCHEMA, synchronous="NORMAL")
        self._owners = Owners(Layout(root).locks)
        self._looked = -OWNERS_SECONDS

    def enqueue(
        self,
        function: str,
        payload: bytes,
        *,
        qualifier: str = "$LATEST",
        request_id: str | None = None,
        trace: str | None = None,
    ) -> str:
        """Accept an event; its request id. It is on disk when this returns."""
        request_id = request_id or str(uuid.uuid4())
        now = self._clock.now_ms()
        with _synced(self._tables.connection) as connection, transaction(connection) as db:
            done = db.execute(
                "INSERT INTO events (request_id, function, qualifier, payload, accepted, due) VALUES (?, ?, ?, ?, ?, ?)",
                (request_id, function, qualifier, payload, now, now),
            )
            if trace:
                db.execute("INSERT INTO details (seq, trace) VALUES (?, ?)", (done.lastrowid, trace))
        return request_id

    def take(self) -> Event | None:
        """The next event that is due, for this worker alone until its lease ends; None if none is."""
        self._reclaim()
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
            db.execute(
                "UPDATE events SET due = ?, lease = ? WHERE seq = ?",
                (now + LEASE_MS, self._owners.mine(), row[0]),
            )
            more = db.execute(
                "SELECT trace, version, function_error, response, sent FROM details WHERE seq = ?", (row[0],)
            ).fetchone()
        event = Event(*row)
        if more is None:
            return event
        trace, version, function_error, payload, sent = more
        response = None if payload is None else Response(version, function_error, payload)
        return replace(event, trace=trace, response=response, sent=frozenset(sent.split()))

    def done(self, event: Event, count: str) -> None:
        """Strike an event out, counted under `count`."""
        with transaction(self._tables.connection) as db:
            db.execute("DELETE FROM events WHERE seq = ?", (event.seq,))
            db.execute("DELETE FROM details WHERE seq = ?", (event.seq,))
            db.execute(
                "INSERT INTO counts (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1",
                (count,),
            )

    def again(self, event: Event, attempt: Attempt, delay: int) -> None:
        """Put an event back for another attempt in `delay` ms."""
        self._tables.connection.execute(
            "UPDATE events SET due = ?, attempts = attempts + 1, failures = failures + ?, throttles = throttles + ?,"
            " error_message = ?, lease = NULL WHERE seq = ?",
            (
                self._clock.now_ms() + delay,
                attempt.result == "error",
                attempt.result == "throttled",
                attempt.error_message,
                event.seq,
            ),
        )

    def end(
        self,
        event: Event,
        ending: Ending,
        error_message: str,
        delay: int = 0,
        *,
        response: Response | None = None,
        sent: frozenset[Target] = frozenset(),
    ) -> None:
        """Note how an event ended; it stays until its targets have taken it, tried again after `delay` ms."""
        with transaction(self._tables.connection) as db:
            db.execute(
                "UPDATE events SET ending = ?, error_message = ?, due = ?, lease = NULL WHERE seq = ?",
                (ending, error_message, self._clock.now_ms() + delay, event.seq),
            )
            db.execute(
                "INSERT INTO details (seq, trace, version, function_error, response, sent) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (seq) DO UPDATE SET version = excluded.version, function_error = excluded.function_error,"
                " response = excluded.response, sent = excluded.sent",
                (
                    event.seq,
                    event.trace,
                    response.version if response is not None else "",
                    response.function_error if response is not None else None,
                    response.payload if response is not None else None,
                    " ".join(sorted(sent)),
                ),
            )

    def release(self, event: Event) -> None:
        """Give an event back as it was: the worker stops before it could try."""
        self._tables.connection.execute(
            "UPDATE events SET due = ?, lease = NULL WHERE seq = ?", (self._clock.now_ms(), event.seq)
        )

    def _reclaim(self) -> None:
        """Give back, now and then, what a worker took whose process has died: its lease needs not run out."""
        if self._clock.monotonic() - self._looked < OWNERS_SECONDS:
            return
        self._looked = self._clock.monotonic()
        db = self._tables.connection
        for (owner,) in db.execute("SELECT DISTINCT lease FROM events WHERE lease IS NOT NULL").fetchall():
            if not self._owners.lives(owner):
                db.execute(
                    "UPDATE events SET due = ?, lease = NULL WHERE lease = ?", (self._clock.now_ms(), owner)
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
        """Close the database, and give back what was taken and not answered for."""
        self._tables.close()
        self._owners.close()


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
        policy = self._functions.policy(event)
        if event.ending is not None:
            self._settle(event, policy)
            return True
        attempt = self._functions.attempt(event)
        if attempt.result == "ok":
            self._settle(replace(event, ending="Success", response=attempt.response), policy)
            return True
        decision = decide(event, attempt, policy, self._clock.now_ms())
        if isinstance(decision, Again):
            self._events.again(event, attempt, int(decision.delay * self._scale))
            return True
        ended = replace(
            event,
            ending=decision,
            error_message=attempt.error_message,
            response=attempt.response,
            attempts=event.attempts + (attempt.result != "off"),
            failures=event.failures + (attempt.result == "error"),
        )
        self._settle(ended, policy)
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

    def _settle(self, event: Event, policy: Policy) -> None:
        """Send what an ended event is sent to, and strike it out."""
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
                    self._events.done(event, "undelivered")
                    return
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
                return
            sent |= {target}
        if ending == "Success":
            self._events.done(event, "succeeded")
        else:
            self._events.done(event, "dead_lettered" if sent else "dropped")
