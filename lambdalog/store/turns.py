"""Who writes next to a database that many threads and processes write to.

SQLite lets one write at a time. Who finds it busy sleeps for a millisecond, then for two, five, ten…, while others that came
later are let in. So writers queue up before it: for a lock between threads, and for one of the system's (flock) between
processes. Both are handed on at once, the second also by whoever dies; who is stopped meanwhile (SIGSTOP) keeps it. They
guard nothing, SQLite does that: who can't have the system's lock writes all the same.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_UN, flock
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple, Unpack

from lambdalog.forked import after_fork

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_A = TypeVarTuple("_A")
_T = TypeVar("_T")


class Turns:
    """The turns of all who write to one database, in all processes; `path` is the file that is locked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._lock = threading.Lock()
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
        with self._lock:
            descriptor = self._descriptor
            if descriptor is None and (descriptor := self._open()) is None:
                return write(*args)
            try:
                flock(descriptor, LOCK_EX)
            except OSError:  # a file system that has no locks
                return write(*args)
            try:
                return write(*args)
            finally:
                flock(descriptor, LOCK_UN)

    def _open(self) -> int | None:
        with suppress(OSError):
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        return self._descriptor
