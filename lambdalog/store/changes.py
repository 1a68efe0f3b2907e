"""Word to all processes that something was changed of which they keep something: they look for it at each use.

Writers of logs keep open files, which may be deleted under them; who runs functions keeps what it has read of them. The word
is a number in a file that all of them have mapped: to look at it is a read of memory, where to ask the system whether a file
still has a name takes as long as to write an event to it, and to ask SQLite whether a table is the same still longer.
"""

from __future__ import annotations

import itertools
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from pathlib import Path

_BYTES: Final = 8


class Told(Protocol):
    """What was told last is its item 0."""

    def __getitem__(self, index: int, /) -> int: ...


class Changes:
    """What is told by way of the file at `path`, which the first who looks makes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told: Told | None = None

    def tell(self) -> None:
        """Something has been changed, and is there for whoever looks now."""
        # Where nobody has looked there is no file. What can't be told is noticed all the same, later.
        with suppress(OSError):
            fd = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                # Not the next number: of two that are told at once one would be lost.
                os.pwrite(fd, os.urandom(_BYTES), 0)
            finally:
                os.close(fd)

    def told(self) -> Told:
        """Where to look for what is told from now on: another number at each look where that can't be had."""
        if self._told is None:
            with suppress(OSError):
                self._told = self._mapped()
        return _Always() if self._told is None else self._told

    def _mapped(self) -> Told:
        import mmap  # only who keeps something needs it

        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if os.fstat(fd).st_size < _BYTES:
                os.ftruncate(fd, _BYTES)
            return memoryview(mmap.mmap(fd, _BYTES, access=mmap.ACCESS_READ)).cast("Q")
        finally:
            os.close(fd)


class _Always:
    """Something is told at every look."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def __getitem__(self, index: int, /) -> int:
        return next(self._numbers)
