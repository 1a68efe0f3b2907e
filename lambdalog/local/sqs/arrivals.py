"""Waiting for messages: whatever any process commits to the queues' database ends the wait, within milliseconds.

A file that is watched tells of a write. But SQLite's commit is seen only a moment after the last write of it, and who
commits may be kept from the processor in between. So a write is followed up until its writer has let go of the database.
Where no file can be watched, the database is asked for commits every few milliseconds while someone waits, and else never.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Final

from lambdalog.clock import SystemClock
from lambdalog.store.watch import Polling, new_watch
from lambdalog.waiting import aside

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambdalog.clock import Clock
    from lambdalog.store.watch import Watch

# A database under load is written to thousands of times a second; who waits looks at most every few milliseconds.
PAUSE_SECONDS: Final = 0.003
IDLE_SECONDS: Final = 60.0
# How soon it is looked again whether a writer has let go, the second time; then less and less often.
FOLLOW_SECONDS: Final = 0.002
FOLLOW_MOST_SECONDS: Final = 0.015
# How often a database whose files can't be watched is asked: a microsecond's work.
ASK_SECONDS: Final = 0.01


class Arrivals:
    """Tells when a database in WAL mode was committed to. Threads of one client share one watch, made when first needed.

    `connection` gives a thread a connection of its own.
    """

    def __init__(self, database: Path, clock: Clock, connection: Callable[[], sqlite3.Connection]) -> None:
        self._database = database
        self._clock = clock
        self._connection = connection
        self._log = f"{database.name}-wal"
        self._changed = threading.Condition()
        self._count = 0
        self._ends = 0
        self._waiting = 0
        self._watch: Watch | None = None
        self._thread: threading.Thread | None = None

    @property
    def ends(self) -> int:
        """How often waits were ended: who finds it changed waits no more."""
        return self._ends

    def end(self) -> None:
        """End the waits that are going on."""
        with self._changed:
            self._ends += 1
            self._changed.notify_all()

    def seen(self) -> int:
        """How many changes were seen; ask before looking, and hand it to `wait`."""
        if not isinstance(self._clock, SystemClock):
            return 0
        with self._changed:
            if self._watch is None:
                self._watch = new_watch()
                self._watch.add(self._database.parent)
                self._thread = threading.Thread(
                    target=self._listen, args=(self._watch,), name="lambdalog-arrivals", daemon=True
                )
                self._thread.start()
            return self._count

    def wait(self, seen: int, seconds: float) -> None:
        """Wait for a change after `seen`, at most `seconds`. On a clock that is not the machine's, they just pass."""
        if not isinstance(self._clock, SystemClock):
            self._clock.sleep(seconds)
            return
        aside()
        with self._changed:
            ends = self._ends
            self._waiting += 1
            if self._waiting == 1:
                self._changed.notify_all()
            try:
                self._changed.wait_for(lambda: (self._count, self._ends) != (seen, ends), seconds)
            finally:
                self._waiting -= 1

    def close(self) -> None:
        """End all waits, and the watch."""
        with self._changed:
            watch, thread = self._watch, self._thread
            self._watch = self._thread = None
            self._ends += 1
            self._changed.notify_all()
        if watch is not None and thread is not None:
            watch.wake()
            thread.join()
            watch.close()

    def _listen(self, watch: Watch) -> None:
        commits = Commits(self._connection())
        if isinstance(watch, Polling):
            self._ask(watch, commits)
        else:
            self._follow(watch, commits)

    def _ask(self, watch: Watch, commits: Commits) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._watch is not watch)
                if self._watch is not watch:
                    return
                if commits.more():
                    self._count += 1
                    self._changed.notify_all()
            watch.wait(ASK_SECONDS)

    def _follow(self, watch: Watch, commits: Commits) -> None:
        follow: float | None = None
        while self._watch is watch:
            changes = watch.wait(IDLE_SECONDS if follow is None else follow)
            # None: it is not known what changed; there was too much to tell.
            written = changes is None or any(self._log in names for names in changes.values())
            if not written and follow is None:
                if changes:
                    time.sleep(PAUSE_SECONDS)  # another database of the folder may be under load as well
                continue
            settled = commits.settled()
            if commits.more():
                with self._changed:
                    self._count += 1
                    self._changed.notify_all()
            if settled:
                follow = None
            else:
                follow = FOLLOW_SECONDS if written or follow is None else min(follow * 2, FOLLOW_MOST_SECONDS)
            if written:
                time.sleep(PAUSE_SECONDS)


class Commits:
    """What a connection of a thread's own can tell of the others' commits."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._version: int | None = None
        db.execute("PRAGMA busy_timeout=0")

    def settled(self) -> bool:
        """Whether nobody is writing just now: whatever was written before is committed, or never will be."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("ROLLBACK")
        except sqlite3.Error:
            return False
        return True

    def more(self) -> bool:
        """Whether something was committed since the last time; yes, where that can't be told."""
        try:
            (found,) = self._db.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return True
        before, self._version = self._version, found
        return bool(found != before)
