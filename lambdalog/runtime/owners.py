"""Who has taken work, and whether he still lives: a lock that goes with its process."""

from __future__ import annotations

import fcntl
import os
import threading
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Owners:
    """Owners are random names; each holds the lock of its name for as long as it lives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.Lock()
        self._name = ""
        self._descriptor = -1
        self._process = 0

    def mine(self) -> str:
        """This owner's name; its lock is taken when it is asked for first. A forked process is another owner."""
        with self._guard:
            if self._process != os.getpid():
                self._folder.mkdir(parents=True, exist_ok=True)
                self._name = uuid.uuid4().hex
                self._descriptor = os.open(
                    self._path(self._name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
                )
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)
                self._process = os.getpid()
            return self._name

    def lives(self, name: str) -> bool:
        """Whether an owner holds its lock; the lock of a dead one is removed."""
        if name == self._name:
            return True
        try:
            descriptor = os.open(self._path(name), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._path(name).unlink(missing_ok=True)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def close(self) -> None:
        """Let go of the lock."""
        with self._guard:
            if self._process == os.getpid():
                self._path(self._name).unlink(missing_ok=True)
                os.close(self._descriptor)
            self._process, self._name = 0, ""

    def _path(self, name: str) -> Path:
        return self._folder / f"owner-{name}.lock"
