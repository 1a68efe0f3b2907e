"""Asynchronous invocations: the durable queue of their events. The rules are event_rules.py, who drains it event_worker.py."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lambdalog.clock import SYSTEM
from lambdalog.forked import after_fork
from lambdalog.runtime.event_rules import Event, Response
from lambdalog.runtime.owners import Owners
from lambdalog.store.files import Layout
from lambdalog.store.tables import Tables, transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.clock import Clock
    from lambdalog.runtime.event_rules import Attempt, Ending, Target

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

# A worker that took an event answers within the longest timeout there is, and some time.
LEASE_MS: Final = 960_000
# How often it is looked whether those who took events still live.
OWNERS_SECONDS: Final = 1.0


@contextmanager
def _synced(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """What is committed inside is on the disk, with all that was before it."""
    connection.execute("PRAGMA synchronous=FULL")
    try:
        yield connection
    finally:
        connection.execute("PRAGMA synchronous=NORMAL")


@dataclass(slots=True, eq=False)
class _Arrival:
    """An event on its way into the queue: its row, the chain that it belongs to, and whether it is on the disk."""

    row: tuple[str, str, str, bytes, int, int]
    trace: str | None
    written: bool = False


class AsyncEvents:
    """The queue, in `<root>/functions.sqlite`'s neighbour `events.sqlite`; several processes may drain it."""

    def __init__(self, root: Path, *, clock: Clock = SYSTEM) -> None:
        self._clock = clock
        # An event that was answered with 202 survives a power cut; a claim, or that an event is done, may be taken back by
        # one: the event is tried once more, as AWS says that it may be.
        self._tables = Tables(root / "events.sqlite", SCHEMA, synchronous="NORMAL")
        self._owners = Owners(Layout(root).locks)
        self._looked = -OWNERS_SECONDS
        self._writing = threading.Lock()
        # What is being accepted, in order: appended to by anyone, cut by who holds the lock.
        self._arrivals: list[_Arrival] = []
        # Those who wait in this process, each with what wakes it.
        self._resting: deque[threading.Event] = deque()
        after_fork(self._forked)

    def _forked(self) -> None:
        """What was being accepted is the parent's to write, and its workers wait there."""
        self._writing = threading.Lock()
        self._arrivals.clear()
        self._resting.clear()

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
        arrival = _Arrival((request_id, function, qualifier, payload, now, now), trace)
        self._arrivals.append(arrival)
        with self._writing:
            # Whoever comes first writes for all who wait: they share one sync of the disk.
            if not arrival.written:
                try:
                    self._accept(list(self._arrivals))
                finally:
                    if not arrival.written:
                        self._arrivals.remove(arrival)
        self._wake()
        return request_id

    def rest(self, seconds: float) -> None:
        """Wait until this process accepts an event, at most `seconds`; what others accept is found by looking."""
        woken = threading.Event()
        self._resting.append(woken)
        # What came between the last look and now has woken nobody.
        came = self._due(self._tables.connection)
        if not came:
            self._clock.wait(woken, seconds)
        try:
            self._resting.remove(woken)
        except ValueError:
            if came:
                self._wake()  # this one looks in any case: the call was for another

    def take(self) -> Event | None:
        """The next event that is due, for this worker alone until its lease ends; None if none is."""
        self._reclaim()
        if not self._due(self._tables.connection):
            return None
        with self._write() as db:
            return self._claim(db)

    def done(self, event: Event, count: str) -> None:
        """Strike an event out, counted under `count`."""
        with self._write() as db:
            self._strike(db, event, count)

    def done_and_take(self, event: Event, count: str) -> Event | None:
        """Strike an event out and take the next one, for the price of one of both: a commit."""
        self._reclaim()
        with self._write() as db:
            self._strike(db, event, count)
            return self._claim(db)

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
        with self._write() as db:
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

    def _accept(self, arrivals: list[_Arrival]) -> None:
        with _synced(self._tables.connection) as connection, transaction(connection) as db:
            for arrival in arrivals:
                done = db.execute(
                    "INSERT INTO events (request_id, function, qualifier, payload, accepted, due)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    arrival.row,
                )
                if arrival.trace:
                    db.execute(
                        "INSERT INTO details (seq, trace) VALUES (?, ?)", (done.lastrowid, arrival.trace)
                    )
        for arrival in arrivals:
            arrival.written = True
            self._arrivals.remove(arrival)

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """A transaction. Threads of this process wait for each other here: SQLite would let them sleep for milliseconds."""
        with self._writing, transaction(self._tables.connection) as db:
            yield db

    def _due(self, db: sqlite3.Connection) -> bool:
        now = self._clock.now_ms()
        return db.execute("SELECT 1 FROM events WHERE due <= ? LIMIT 1", (now,)).fetchone() is not None

    def _claim(self, db: sqlite3.Connection) -> Event | None:
        now = self._clock.now_ms()
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

    def _strike(self, db: sqlite3.Connection, event: Event, count: str) -> None:
        db.execute("DELETE FROM events WHERE seq = ?", (event.seq,))
        db.execute("DELETE FROM details WHERE seq = ?", (event.seq,))
        db.execute(
            "INSERT INTO counts (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1",
            (count,),
        )

    def _wake(self) -> None:
        with suppress(IndexError):
            self._resting.popleft().set()

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
