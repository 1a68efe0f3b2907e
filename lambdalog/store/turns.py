"""Who writes next to a database that many threads and processes write to.

SQLite lets one write at a time. Who finds it busy sleeps for a millisecond, then for two, five, ten…, while others that came
later are let in. So writers queue up before it: for a lock between threads, and for one of the system's (flock) between
processes. Both are handed on at once, the second also by whoever dies. Who is stopped meanwhile (SIGSTOP) keeps it: others
wait for as long as they would for SQLite, then go without turns until it is let go. They guard nothing, SQLite does that: who
can't have a lock writes all the same.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from typing import TYPE_CHECKING, Final, TypeVar, TypeVarTuple, Unpack

from lambdalog.forked import after_fork
from lambdalog.store.tables import BUSY_MS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE_SECONDS: Final = BUSY_MS / 1000

_A = TypeVarTuple("_A")
_T = TypeVar("_T")


class Turns:
    """The turns of all who write to one database, in all processes; `path` is the file that is locked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._lock = threading.Lock()
        # The last one that waited for the system's lock: if it still does, it was left alone with it.
        self._waiting: threading.Thread | None = None
        after_fork(self._forked)

    def __del__(self) -> None:
        self.close()

    def _forked(self) -> None:
        """A descriptor that is inherited has its parent's lock."""
        self._lock = threading.Lock()
        self.close()

    def close(self) -> None:
        """Let go of the file, when whoever has a turn is done; the next turn opens it again."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is not None:
                os.close(descriptor)

    def take(self, write: Callable[[Unpack[_A]], _T], *args: *_A) -> _T:
        """What `write` returns, called when it is this thread's turn.

        It must not take a turn itself; nor may who is in a transaction: those before it could not end theirs.
        """
        if not self._lock.acquire(timeout=PATIENCE_SECONDS):
            return write(*args)
        try:
            descriptor = self._descriptor
            if descriptor is None and (descriptor := self._open()) is None:
                return write(*args)
            try:
                if not self._locked(descriptor):
                    return write(*args)
            except OSError:  # a file system that has no locks
                return write(*args)
            try:
                return write(*args)
            finally:
                flock(descriptor, LOCK_UN)
        finally:
            self._lock.release()

    def _open(self) -> int | None:
        if self._waiting is not None and self._waiting.is_alive():
            return None
        with suppress(OSError):
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        return self._descriptor

    def _locked(self, descriptor: int) -> bool:
        """Whether the system's lock was to be had."""
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return self._waited(descriptor)
        return True

    def _waited(self, descriptor: int) -> bool:
        # Only a flock that blocks is handed the lock at once, and it knows no time: a thread is asked, which can be left alone.
        first = threading.Lock()
        self._waiting = threading.Thread(
            target=_wait, args=(descriptor, first), name="lambdalog-turn", daemon=True
        )
        try:
            self._waiting.start()
        except RuntimeError:  # there are too many threads, or the interpreter ends
            self._waiting = None
            return False
        try:
            self._waiting.join(PATIENCE_SECONDS)
        except BaseException:
            if not self._left(first):
                flock(descriptor, LOCK_UN)
            raise
        return not self._left(first)

    def _left(self, first: threading.Lock) -> bool:
        """Whether the thread still waits; then it keeps the file."""
        if first.acquire(blocking=False):
            self._descriptor = None
            return True
        return False


def _wait(descriptor: int, first: threading.Lock) -> None:
    """Wait for the system's lock; let go of it, and of the file, if whoever asked was `first` to be done with waiting."""
    with suppress(OSError):
        flock(descriptor, LOCK_EX)
    if not first.acquire(blocking=False):
        flock(descriptor, LOCK_UN)  # a forked child may have the file open as well
        os.close(descriptor)
