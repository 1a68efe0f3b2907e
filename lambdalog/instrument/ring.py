"""The last lines that the level kept back, told after all when their invocation fails."""

from __future__ import annotations

from collections import deque
from typing import Final

BYTES_MAX: Final = 256_000


class Ring:
    """Holds up to `lines` rendered lines of at most 256 KB together; the oldest go first. `dropped` counts those."""

    def __init__(self, lines: int, size: int = BYTES_MAX) -> None:
        self._kept: deque[bytes] = deque()
        self._lines = lines
        self._size = size
        self._bytes = 0
        self.dropped = 0

    def add(self, line: bytes) -> None:
        """Keep a line; safe for threads, as each step on a deque is one."""
        self._kept.append(line)
        self._bytes += len(line)
        while self._kept and (len(self._kept) > self._lines or self._bytes > self._size):
            try:
                self._bytes -= len(self._kept.popleft())
            except IndexError:
                return
            self.dropped += 1

    def drain(self) -> list[bytes]:
        """The lines in their order; the ring is empty afterwards."""
        found = []
        while self._kept:
            try:
                found.append(self._kept.popleft())
            except IndexError:
                break
        self._bytes = 0
        return found
