"""One endpoint a store: who serves it, where, and since when."""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from lambdalog.errors import StoreLocked

if TYPE_CHECKING:
    from pathlib import Path


# How long to find out whether somebody serves the store, or is only looking who does.
CLAIM_SECONDS: Final = 2.0


class Address(NamedTuple):
    """Where a store is served."""

    url: str
    pid: int


class Instance:
    """The claim on serving a store: a lock that goes with the process, and the address in its file."""

    def __init__(self, path: Path) -> None:
        """Claim it. StoreLocked, with the other's address, if it is served already."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._claim()
        except BaseException:
            os.close(self._descriptor)
            raise
        os.ftruncate(self._descriptor, 0)

    def _claim(self) -> None:
        """Lock the file. Whoever only asks where the store is served holds it for an instant: that is no other server."""
        until = time.monotonic() + CLAIM_SECONDS
        while True:
            with suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            found = running(self._path)
            if found is not None:
                raise StoreLocked(f"this store is being served already at {found.url} (process {found.pid})")
            if time.monotonic() > until:
                raise StoreLocked(
                    "this store is being served already, by a process that is starting or stopping"
                )
            time.sleep(0.01)

    def announce(self, url: str) -> None:
        """Tell where."""
        data = json.dumps({"url": url, "pid": os.getpid()}).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, data, 0)

    def close(self) -> None:
        """Give the claim back. Closed twice is closed."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.ftruncate(descriptor, 0)
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def running(path: Path) -> Address | None:
    """Where the store of this file is served; None if it is not."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None  # nobody holds it: what stands in the file is of one who was killed
        found = json.loads(os.read(descriptor, 4096))
        return Address(str(found["url"]), int(found["pid"]))
    except (ValueError, KeyError, TypeError):
        return None  # being started or stopped
    finally:
        os.close(descriptor)
