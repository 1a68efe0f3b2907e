"""Time, as something that is handed in: whatever waits or stamps takes a `Clock`, so tests never sleep."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """What the time is, and how to wait."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def now_ms(self) -> int:
        """Milliseconds since the epoch: the unit of CloudWatch Logs."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never stepping back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        ...

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Let `seconds` pass, or less if `event` is set; whether it is set."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds from an arbitrary start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        time.sleep(seconds)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for `event`, at most `seconds`."""
        return event.wait(seconds)


class ManualClock:
    """A clock that moves only when it is told to, or when somebody sleeps on it."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._lock = threading.Lock()
        self._start = start
        self._elapsed = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        with self._lock:
            return self._start + self._elapsed

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return round(self.now() * 1000)

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        with self._lock:
            return self._elapsed

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`."""
        with self._lock:
            self._elapsed += seconds

    def sleep(self, seconds: float) -> None:
        """Move on by `seconds` at once."""
        self.advance(max(seconds, 0.0))

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Move on by `seconds` at once unless `event` is set already."""
        if not event.is_set():
            self.sleep(seconds)
        return event.is_set()


SYSTEM = SystemClock()
