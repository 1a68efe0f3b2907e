"""What could not be delivered, on disk: one file a batch, sent by whichever shipper comes next.

    <folder>/<ms>-<pid>-<random>.batch     a line of JSON about the stream, then [timestamp, message] a line
    <folder>/….bad                         one that can't be read; kept, and told of

A file is whole or not there: it is written under another name, synced and renamed. Whoever sends one holds its lock,
so no two do; the system gives the lock back when a process dies.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from lambdalog.clock import SYSTEM
from lambdalog.errors import ShipError
from lambdalog.forked import after_fork
from lambdalog.shipper.batch import TIMESTAMP_MAX, Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambdalog.clock import Clock

# A destination that is down for a day must not fill the disk.
SPOOL_BYTES: Final = 1024 * 1024 * 1024
_SUFFIX: Final = ".batch"
_BAD: Final = ".bad"
_NAME: Final = re.compile(r"\d+-\d+-[0-9a-f]+\.batch")


class Spool:
    """A folder of batches, made on first use; shared by any number of processes. `limit` bounds it, in bytes."""

    def __init__(self, folder: Path | str, *, limit: int = SPOOL_BYTES, clock: Clock = SYSTEM) -> None:
        self.folder = Path(folder)
        self._limit = limit
        self._clock = clock
        self._number = 0
        self._held: weakref.WeakSet[Kept] = weakref.WeakSet()
        after_fork(self._forked)

    def keep(self, group: str, stream: str, entries: Sequence[Entry]) -> Kept:
        """Write a batch down; on return it is on disk, and this process holds it until `release` or `done`.

        ShipError if the spool is full, OSError if the disk refuses; then nothing of it is there.
        """
        head = json.dumps({"group": group, "stream": stream, "count": len(entries)})
        lines = [json.dumps([timestamp, message]) for timestamp, message, _, _ in entries]
        data = "\n".join([head, *lines, ""]).encode()
        if self.size() + len(data) > self._limit:
            raise ShipError(f"the spool {self.folder} is full: {self._limit} bytes")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._number += 1
        name = f"{self._clock.now_ms():013d}-{os.getpid()}-{self._number:06x}{os.urandom(4).hex()}{_SUFFIX}"
        path, temporary = self.folder / name, self.folder / f".tmp-{name}"
        # Readable to whoever wrote it: log lines hold what their authors never thought of.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _write(descriptor, data)
            os.fsync(descriptor)
            temporary.rename(path)
            _sync(self.folder)
        except BaseException:
            for found in (temporary, path):
                with suppress(OSError):
                    found.unlink()
            os.close(descriptor)
            raise
        return self._holding(Kept(path, descriptor))

    def claim(self, after: str = "") -> Kept | None:
        """The oldest batch that nobody holds, with a name behind `after`; None if there is none."""
        for name in self._names():
            if name <= after:
                continue
            kept = Kept.take(self.folder / name)
            if kept is not None:
                return self._holding(kept)
        return None

    def size(self) -> int:
        """Bytes of all that lies here."""
        total = 0
        with suppress(FileNotFoundError), os.scandir(self.folder) as found:
            for entry in found:
                with suppress(OSError):
                    total += entry.stat().st_size
        return total

    def __len__(self) -> int:
        return len(self._names())

    def _holding(self, kept: Kept) -> Kept:
        self._held.add(kept)
        return kept

    def _forked(self) -> None:
        # The child shares each lock: it would hold it on when its parent has died.
        for kept in list(self._held):
            kept.release()

    def _names(self) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self.folder) if _NAME.fullmatch(name))
        except FileNotFoundError:
            return []


class Kept:
    """One batch of the spool, held by this process."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor
        self._close = weakref.finalize(self, _quietly_close, descriptor)
        self._close.atexit = False

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """Hold a batch; None if another process holds it or has sent it."""
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Sent and removed between the two calls above?
            path.stat()
        except (BlockingIOError, FileNotFoundError):
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, descriptor)

    def read(self) -> tuple[str, str, list[Entry]]:
        """Group, stream, events. ShipError if it is no batch: then it is set aside as `….bad`."""
        try:
            head, *lines = self.path.read_bytes().decode().splitlines()
            found: Any = json.loads(head)
            group, stream, count = found["group"], found["stream"], found["count"]
            entries = [Entry(*_event(json.loads(line))) for line in lines]
            if len(entries) != count or not entries or type(group) is not str or type(stream) is not str:
                raise ValueError("it is not whole")
        except (ValueError, KeyError, TypeError) as error:
            aside = self.path.with_name(self.path.name + _BAD)
            self.path.rename(aside)
            self.release()
            raise ShipError(f"{aside} is no batch of log events: {error}") from error
        return group, stream, entries

    def done(self) -> None:
        """It was sent: remove it. It stays if another process holds it by now."""
        if self._descriptor is not None:
            self.path.unlink(missing_ok=True)
            self.release()

    def release(self) -> None:
        """Let others have it."""
        self._descriptor = None
        self._close()


def _event(found: Any) -> tuple[int, str]:
    timestamp, message = found
    if type(timestamp) is not int or not 0 <= timestamp <= TIMESTAMP_MAX:
        raise ValueError("no event")
    if type(message) is not str or not message:
        raise ValueError("no event")
    return timestamp, message


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync(folder: Path) -> None:
    """A name is on disk when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _quietly_close(descriptor: int) -> None:
    with suppress(OSError):
        os.close(descriptor)
