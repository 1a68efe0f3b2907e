"""The one writer of a live segment.

The file is made with O_EXCL and O_APPEND and locked with flock while it is open: the lock is the mark of life that the
kernel removes when the process dies. A batch is one `write()`. A segment is left for a new one at 64 MiB, after an hour,
in a forked child, when the file is gone, or when time steps back by more than two seconds, so that every segment is
sorted within two seconds and can be bisected.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from typing import TYPE_CHECKING, Final, Literal

from lambdalog.errors import StoreError
from lambdalog.store.files import segment_id, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.clock import Clock
    from lambdalog.store.changes import Told
    from lambdalog.store.files import GroupLayout

Durability = Literal["never", "batch", "invocation"]

SEGMENT_BYTES: Final = 64 * 1024 * 1024
SEGMENT_SECONDS: Final = 3600.0
# How far a time may lie before the newest one of its segment.
DISORDER_MS: Final = 2000
# What is deleted without a word (by hand) is noticed after so long.
_LOOK_SECONDS: Final = 0.1


class Removed(Exception):
    """The stream's file was removed under its writer, or the writer was closed: another one is to be asked for."""


class SegmentWriter:
    """Appends the events of one stream; thread-safe.

    `durability`: `never` leaves syncing to the kernel (a crash of the process loses nothing, a power cut may lose the
    last seconds); `batch` syncs each append; `invocation` syncs when `sync()` is called at an invocation's end. Both
    also sync a segment that is left for another, and its name in its folder.
    """

    def __init__(
        self,
        group: GroupLayout,
        stream: str,
        *,
        clock: Clock,
        exists: Callable[[], bool],
        changes: Told,
        durability: Durability = "never",
    ) -> None:
        # Asked when a file is made: a stream that was deleted meanwhile must not come back by it.
        self._exists = exists
        self._changes = changes
        self._told = 0
        self._looked = 0.0
        self._group = group
        self._stream = stream
        self._clock = clock
        self._durability = durability
        self._lock = threading.Lock()
        self._fd = -1
        self._pid = 0
        self._size = 0
        self._opened = 0.0
        self.used = clock.monotonic()
        self._closed = False
        self._newest = 0
        self._unsynced = False
        # Whether the folder was synced since the file was made in it: a file without a name is lost as well.
        self._named = False

    def append(self, lines: bytes, first: int, last: int) -> None:
        """Write the lines of events, in order of time; when the first and the last of them were (epoch ms).

        StoreError if the disk refuses, and then none of them is kept; Removed if a deletion took the file away, where what is
        written would be lost, or the writer was closed.
        """
        with self._lock:
            if self._closed:
                raise Removed
            self.used = self._clock.monotonic()
            if self._must_roll(first, len(lines)):
                self._release()
                self._open(first)
            before = self._size
            self._write(lines)
            self._unsynced = True
            if self._durability == "batch":
                try:
                    self._sync()
                except StoreError:
                    self._take_back(before)
                    raise
            self._newest = max(self._newest, last)

    def sync(self) -> None:
        """Have what was written survive a power cut. StoreError if the disk refuses."""
        with self._lock:
            self._sync()

    def close(self) -> None:
        """Let the file go for good; it can be sealed from now on."""
        with self._lock:
            self._closed = True
            self._release()

    def abandon(self) -> None:
        """In a forked child: let the inherited descriptor go, without the lock that another thread may have held."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def idle(self, seconds: float) -> bool:
        """Whether nothing was written for so long; such a file is better closed, so that it can be sealed."""
        return self._clock.monotonic() - self.used > seconds

    def _must_roll(self, first: int, length: int) -> bool:
        if self._fd < 0:
            return True
        told = self._changes[0]
        if told != self._told or self.used - self._looked > _LOOK_SECONDS:
            if os.fstat(self._fd).st_nlink == 0:
                raise Removed
            self._told, self._looked = told, self.used
        return (
            self._size + length > SEGMENT_BYTES
            or first < self._newest - DISORDER_MS
            or self.used - self._opened > SEGMENT_SECONDS
        )

    def _open(self, first: int) -> None:
        self._told, self._looked = self._changes[0], self.used
        while True:
            path = self._group.live_segment(segment_id(self._stream, first, os.getpid()))
            try:
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
            except FileNotFoundError as error:
                raise Removed from error
            except OSError as error:
                raise StoreError(
                    f"can't write to the store at {self._group.root}: {error.strerror}"
                ) from error
            if _hold(fd):
                break
            os.close(fd)
        if not self._exists():
            path.unlink(missing_ok=True)
            os.close(fd)
            raise Removed
        self._fd, self._pid, self._size, self._newest = fd, os.getpid(), 0, first
        self._unsynced = self._named = False
        self._opened = self._clock.monotonic()

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self._fd, data)
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except OSError as error:
            self._take_back(self._size)
            what = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
            raise StoreError(f"can't write to the store at {self._group.root}: {what}") from error
        self._size += len(data)

    def _take_back(self, size: int) -> None:
        # Only this process writes here.
        os.ftruncate(self._fd, size)
        self._size = size

    def _sync(self) -> None:
        if not self._unsynced or self._fd < 0 or self._pid != os.getpid():
            return
        try:
            os.fsync(self._fd)
            if not self._named:
                sync_folder(self._group.live)
        except OSError as error:
            raise StoreError(f"can't write to the store at {self._group.root}: {error.strerror}") from error
        self._unsynced, self._named = False, True

    def _release(self) -> None:
        if self._fd >= 0:
            try:
                if self._durability != "never":
                    self._sync()
            finally:
                # In a forked child this closes the inherited descriptor; the parent's lock stays.
                os.close(self._fd)
                self._fd = -1


def _hold(fd: int) -> bool:
    """Lock a new file; False if whoever seals was quicker, and is about to remove it as empty."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return os.fstat(fd).st_nlink > 0
