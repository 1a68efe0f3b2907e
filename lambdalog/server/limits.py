"""What peers may take of this process: bounds, and a budget that all of them share."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what peers may do. Seconds, bytes, and connections at once.

    `head_seconds`: from a request's first byte to the end of its head. A body has `body_seconds`, and a second more for
    each `slowest` bytes. `all_bodies`: of all requests that are being read at once.
    """

    connections: int = 1000
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
