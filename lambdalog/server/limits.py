"""What peers may take of this process: bounds, and a budget that all of them share."""

from __future__ import annotations

import resource
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

CONNECTIONS: Final = 1000
# A request that waits has a thread, which has the databases open that it is about, two files each: of SNS and Lambda two.
_EACH: Final = 6
# Enough for as many connections and for the functions beside them; macOS allows no process more.
_DESCRIPTORS: Final = 10_240


def allow_descriptors() -> None:
    """Let this process, and those that it starts, have as many files open as a full server takes, if the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # then there are fewer connections
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def connections_max() -> int:
    """How many connections this process has the descriptors for, so that the store can still open its files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS if soft == resource.RLIM_INFINITY else min(CONNECTIONS, soft // _EACH)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what peers may do. Seconds, bytes, and connections at once.

    `head_seconds`: from a request's first byte to the end of its head. A body has `body_seconds`, and a second more for
    each `slowest` bytes. `all_bodies`: of all requests that are being read at once.
    """

    connections: int = field(default_factory=connections_max)
    head: int = 64 * 1024
    idle_seconds: float = 75.0
    head_seconds: float = 10.0
    body_seconds: float = 10.0
    slowest: int = 64 * 1024
    send_seconds: float = 60.0
    all_bodies: int = 512 * 1024 * 1024


class Budget:
    """Bytes that all connections share."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Whether there is so much left; then it is taken."""
        with self._lock:
            if self._taken + size > self._most:
                return False
            self._taken += size
            return True

    def give(self, size: int) -> None:
        """Give back what was taken."""
        with self._lock:
            self._taken -= size
