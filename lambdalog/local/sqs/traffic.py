"""How many messages each queue was sent, gave out and had deleted, minute by minute.

Counted in memory and written at most once a second, by whoever sends, receives, waits or deletes next: a row more in each
commit would cost a twentieth of a single message and half of one of ten. So a process that does nothing more holds back what
it counted in its last second, until it ends; one that is killed takes that with it; messages are never touched by that. What a
redrive policy moves is no send, as on AWS, nor is what a move task moves.
"""

from __future__ import annotations

import atexit
import sqlite3
import threading
import weakref
from collections import defaultdict
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from lambdalog.forked import after_fork
from lambdalog.local.durability import lightly
from lambdalog.store.tables import transaction

if TYPE_CHECKING:
    from lambdalog.local.durability import Durability
    from lambdalog.store.tables import Tables

MINUTE_MS: Final = 60_000
WRITE_MS: Final = 1000
KEPT_MINUTES: Final = 1440

Kind = Literal["sent", "received", "deleted"]
_PLACES: Final[dict[Kind, int]] = {"sent": 0, "received": 1, "deleted": 2}

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS traffic (
    queue INTEGER NOT NULL, minute INTEGER NOT NULL, sent INTEGER NOT NULL, received INTEGER NOT NULL,
    deleted INTEGER NOT NULL, PRIMARY KEY (minute, queue)
) STRICT, WITHOUT ROWID
"""
_THERE: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'traffic'"
_ADD: Final = """
INSERT INTO traffic (minute, queue, sent, received, deleted) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    sent = sent + excluded.sent, received = received + excluded.received, deleted = deleted + excluded.deleted
"""
_READ: Final = """
SELECT name, minute, sent, received, deleted FROM traffic JOIN queues ON queues.id = traffic.queue
WHERE minute >= ? AND (? IS NULL OR name = ?) ORDER BY name, minute
"""


class Minute(NamedTuple):
    """What went through a queue in the minute that began at epoch ms `at`."""

    at: int
    sent: int
    received: int
    deleted: int


class Traffic:
    """Counts for all queues of one database, by all its threads."""

    def __init__(self, tables: Tables, durability: Durability) -> None:
        self._tables = tables
        self._durability: Durability = durability
        self._pending: defaultdict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        self._written = 0
        self._trimmed = 0
        self._lock = threading.Lock()
        after_fork(self._forked)
        last = weakref.WeakMethod(self._at_exit)
        atexit.register(lambda: (found := last()) and found())

    def _forked(self) -> None:
        """What was counted before is the parent's to write."""
        self._lock = threading.Lock()
        self._pending.clear()

    def _at_exit(self) -> None:
        """Of a client that nobody closed; a store that was removed since is not made anew."""
        if self._tables.path.exists():
            self.write()

    def count(self, queue: int, kind: Kind, messages: int, now: int) -> None:
        """Note what was done; not to be called inside a transaction."""
        with self._lock:
            self._pending[now // MINUTE_MS, queue][_PLACES[kind]] += messages
        if not 0 <= now - self._written < WRITE_MS:
            self.settle(now)

    def settle(self, now: int) -> float | None:
        """Write what is due, for whoever has nothing to count now; in how many seconds the rest is, None if nothing is left."""
        if not self._pending:
            return None
        since = now - self._written
        if 0 <= since < WRITE_MS:
            return (WRITE_MS - since) / 1000
        self._written = now
        self.write()
        return None

    def write(self) -> None:
        """Write down what was counted. Where the database can't be written to now, the next time does it."""
        if not self._pending:
            return
        db = self._tables.connection
        with self._lock:
            pending = dict(self._pending)
            self._pending.clear()
        if not pending:
            return  # another thread was faster
        oldest = max(minute for minute, _ in pending) - KEPT_MINUTES
        try:
            with lightly(db, self._durability), transaction(db):
                # Stores that were made before have no such table; nothing else of them is changed.
                db.execute(_TABLE)
                db.executemany(_ADD, [(*key, *counts) for key, counts in pending.items()])
                if oldest > self._trimmed:
                    db.execute("DELETE FROM traffic WHERE minute < ?", (oldest,))
            self._trimmed = max(oldest, self._trimmed)
        except sqlite3.OperationalError:
            # What was counted is done: who sent a message is not told that it failed because of a number.
            with self._lock:
                for key, counts in pending.items():
                    self._pending[key] = [
                        one + other for one, other in zip(self._pending[key], counts, strict=True)
                    ]

    def since(self, at: int, queue: str | None = None) -> dict[str, list[Minute]]:
        """Queue, or this one → its minutes that end after epoch ms `at` in which anything was done, in order."""
        self.write()
        db = self._tables.connection
        if db.execute(_THERE).fetchone() is None:
            return {}
        found: defaultdict[str, list[Minute]] = defaultdict(list)
        for name, minute, *counts in db.execute(_READ, (at // MINUTE_MS, queue, queue)):
            found[name].append(Minute(minute * MINUTE_MS, *counts))
        return dict(found)
