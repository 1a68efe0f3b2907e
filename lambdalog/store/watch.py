"""Waiting for files to change: inotify where there is one, else a short sleep."""

from __future__ import annotations

import ctypes
import os
import select
import struct
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from pathlib import Path

POLL_SECONDS: Final = 0.025

Changes = dict["Path", set[str]]

_MODIFY, _MOVED_TO, _CREATE = 0x2, 0x80, 0x100
_OVERFLOW, _IGNORED = 0x4000, 0x8000
_CLOEXEC, _NONBLOCK = os.O_CLOEXEC, os.O_NONBLOCK
_EVENT = struct.Struct("iIII")


class Watch(Protocol):
    """Says when something under the watched folders may have changed."""

    def add(self, folder: Path) -> bool:
        """Watch a folder; whether it is watched (False: it isn't there)."""
        ...

    def wait(self, timeout: float) -> Changes | None:
        """Wait up to `timeout` seconds; folder → names in it that changed, or None where that isn't known."""
        ...

    def wake(self) -> None:
        """End a wait, from any thread."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class Inotify:
    """Linux: one watch a folder, no cost while nothing happens."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._add_watch = libc.inotify_add_watch
        self._fd: int = libc.inotify_init1(_CLOEXEC | _NONBLOCK)
        if self._fd < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        self._wake_read, self._wake_write = os.pipe2(_CLOEXEC | _NONBLOCK)
        self._folders: dict[int, Path] = {}
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        self._poll.register(self._wake_read, select.POLLIN)

    def add(self, folder: Path) -> bool:
        """Watch a folder for new and changed files."""
        descriptor = self._add_watch(self._fd, os.fsencode(folder), _MODIFY | _MOVED_TO | _CREATE)
        if descriptor < 0:
            return False
        self._folders[descriptor] = folder
        return True

    def wait(self, timeout: float) -> Changes | None:
        """Wait for events; which files they are about."""
        changes: Changes = {}
        for fd, _ in self._poll.poll(max(timeout, 0) * 1000):
            try:
                data = os.read(fd, 65536)
            except BlockingIOError:
                continue
            if fd == self._wake_read:
                continue
            position = 0
            while position < len(data):
                descriptor, mask, _, length = _EVENT.unpack_from(data, position)
                name = data[position + _EVENT.size : position + _EVENT.size + length].rstrip(b"\0")
                position += _EVENT.size + length
                if mask & _OVERFLOW:
                    return None
                folder = self._folders.get(descriptor)
                if mask & _IGNORED:  # the folder is gone
                    self._folders.pop(descriptor, None)
                elif folder is not None:
                    changes.setdefault(folder, set()).add(os.fsdecode(name))
        return changes

    def wake(self) -> None:
        """End a wait."""
        try:
            os.write(self._wake_write, b"x")
        except BlockingIOError:
            return  # it is full of wakes already

    def close(self) -> None:
        """Close all descriptors."""
        for fd in (self._fd, self._wake_read, self._wake_write):
            os.close(fd)


class Polling:
    """Elsewhere: look again every 25 ms."""

    def __init__(self) -> None:
        self._wake_read, self._wake_write = os.pipe()

    def add(self, folder: Path) -> bool:
        """Nothing to register."""
        return folder.is_dir()

    def wait(self, timeout: float) -> Changes | None:
        """Sleep a little; what changed is not known."""
        if select.select([self._wake_read], [], [], max(min(timeout, POLL_SECONDS), 0))[0]:
            os.read(self._wake_read, 4096)
        return None

    def wake(self) -> None:
        """End a wait."""
        os.write(self._wake_write, b"x")

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._wake_read)
        os.close(self._wake_write)


def new_watch() -> Watch:
    """The best watch that this system has."""
    try:
        return Inotify()
    except (OSError, AttributeError):
        # No such call on this system, or no instances left for this user (fs.inotify.max_user_instances).
        return Polling()
