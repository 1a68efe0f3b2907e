"""Waiting for what other processes commit: a commit that shows after the last write of it is not missed."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from lambdalog.clock import SYSTEM
from lambdalog.local.sqs import arrivals
from lambdalog.local.sqs.arrivals import Arrivals
from lambdalog.store.tables import Tables
from lambdalog.store.watch import Polling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.store.watch import Changes


class OneWrite:
    """A watch that tells of one write, and of nothing after it."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._woken = threading.Event()
        self.waits = threading.Semaphore(0)

    def add(self, folder: Path) -> bool:
        """Watch a folder."""
        self._folder = folder
        return True

    def wait(self, timeout: float) -> Changes | None:
        """The write first; then silence."""
        self.waits.release()
        if self._folder is not None:
            folder, self._folder = self._folder, None
            return {folder: {"q.sqlite-wal"}}
        self._woken.wait(timeout)
        return {}

    def wake(self) -> None:
        """End a wait."""
        self._woken.set()

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    """A database of one table."""
    made = Tables(tmp_path / "q.sqlite", "CREATE TABLE t (n INTEGER)")
    assert made.connection
    yield made
    made.close()


def waiting(tables: Tables, watch: OneWrite, monkeypatch: pytest.MonkeyPatch) -> Arrivals:
    """Arrivals on a database, told of writes by `watch`."""
    monkeypatch.setattr(arrivals, "new_watch", lambda: watch)
    return Arrivals(tables.path, SYSTEM, lambda: tables.connection)


def test_a_commit_is_seen_that_shows_after_its_last_write(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is kept from the processor between writing and committing still ends the waits, though no file changes any more."""
    watch = OneWrite()
    found = waiting(tables, watch, monkeypatch)
    writer = sqlite3.connect(tables.path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO t VALUES (1)")
    found.seen()
    for _ in range(4):  # the write was told of, and followed up in vain
        assert watch.waits.acquire(timeout=60)
    seen = found.seen()
    writer.execute("COMMIT")
    found.wait(seen, 120)
    assert found.seen() == seen + 1
    found.close()
    writer.close()


def test_where_nobody_writes_nothing_is_followed_up(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a write whose writer let go, the next wait is the long one: no busy loop."""
    watch, waited = OneWrite(), []
    original = watch.wait

    def wait(timeout: float) -> Changes | None:
        waited.append(timeout)
        return original(timeout)

    monkeypatch.setattr(watch, "wait", wait)
    found = waiting(tables, watch, monkeypatch)
    found.seen()
    for _ in range(2):
        assert watch.waits.acquire(timeout=60)
    found.close()
    assert waited == [arrivals.IDLE_SECONDS] * len(waited)


def test_what_was_not_committed_ends_no_wait(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that rolls back is followed up, and wakes nobody."""
    watch = OneWrite()
    found = waiting(tables, watch, monkeypatch)
    writer = sqlite3.connect(tables.path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    found.seen()
    for _ in range(4):
        assert watch.waits.acquire(timeout=60)
    seen = found.seen()
    writer.execute("ROLLBACK")
    found.wait(seen, 0.2)
    assert found.seen() == seen
    found.close()
    writer.close()


class Asked(Polling):
    """A watch that can't tell what changed; how long each of its waits may take is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []
        self.waited = threading.Semaphore(0)

    def wait(self, timeout: float) -> Changes | None:
        """Sleep a little."""
        self.waits.append(timeout)
        self.waited.release()
        return super().wait(timeout)


def test_without_a_watch_the_database_is_asked_only_while_someone_waits(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit ends a wait, which looks every few milliseconds; when nobody waits any more the looking ends too."""
    watch = Asked()
    monkeypatch.setattr(arrivals, "new_watch", lambda: watch)
    found = Arrivals(tables.path, SYSTEM, lambda: tables.connection)
    found.wait(found.seen(), 120)  # whatever was committed before the first look is told of once
    seen = found.seen()
    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(found.wait, seen, 120)
        for _ in range(5):
            assert watch.waited.acquire(timeout=60)
        tables.connection.execute("INSERT INTO t VALUES (1)")
        waiter.result(timeout=60)
    assert found.seen() == seen + 1
    assert max(watch.waits) <= 0.015
    # The listener is at rest: it holds no lock, and waits for someone to wait.
    while watch.waited.acquire(timeout=0.1):
        pass
    looked = len(watch.waits)
    assert found.seen() == seen + 1
    assert not watch.waited.acquire(timeout=0.1)
    assert len(watch.waits) == looked
    found.close()
