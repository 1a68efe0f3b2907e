"""The watchdog: shortly before Lambda would kill an invocation, it says where the invocation is stuck.

One thread for the life of the process. Arming is publishing a deadline to it, which costs next to nothing; it looks
when the earliest deadline it knows of is due, and by then that one has mostly been taken back. Arming, taking back and
writing hold one lock: a warning is written before its invocation ends, or not at all, and never into a later one. What
the warning says is made without the lock: it runs code of the user's, which may wait for whatever it likes.
"""

from __future__ import annotations

import sys
import threading
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from lambdalog.clock import SYSTEM
from lambdalog.forked import after_fork

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from lambdalog.clock import Clock

    Warn = Callable[[], Callable[[], None] | None]

_FOREVER: Final = float("inf")


class Watchdog:
    """Warns of what is still armed at its deadline, once. Times are the clock's monotonic seconds.

    What is armed makes the warning when it is called, and gives what writes it, or None if there is nothing to write.
    """

    def __init__(self, clock: Clock = SYSTEM, *, threaded: bool = True) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._armed: dict[int, tuple[float, Warn]] = {}
        self._numbers = count(1)
        self._threaded = threaded
        self._sleeps_until = 0.0
        self._wake = threading.Event()
        self._started = False
        after_fork(self._forked)

    def arm(self, at: float, warn: Warn) -> int:
        """Publish a deadline; what `disarm` wants."""
        number = next(self._numbers)
        with self._lock:
            self._armed[number] = (at, warn)
            if self._threaded:
                if not self._started:
                    self._start()
                elif at < self._sleeps_until:
                    self._sleeps_until = at
                    self._wake.set()
        return number

    def disarm(self, number: int) -> None:
        """Take a deadline back. Its warning, if it is being written now, is out before this returns."""
        with self._lock:
            self._armed.pop(number, None)

    def look(self) -> float:
        """Warn of what is due; when to look again, infinity if nothing is armed."""
        with self._lock:
            now = self.clock.monotonic()
            due = [(number, warn) for number, (at, warn) in self._armed.items() if at <= now]
            for number, warn in due:
                self._armed[number] = (_FOREVER, warn)
        for number, warn in due:
            write = warn()
            with self._lock:
                if number in self._armed and write is not None:
                    write()
        with self._lock:
            self._sleeps_until = min((at for at, _ in self._armed.values()), default=_FOREVER)
            self._wake.clear()
            return self._sleeps_until

    def _start(self) -> None:
        self._started = True
        threading.Thread(target=self._run, args=(self._wake,), name="lambdalog-deadline", daemon=True).start()

    def _forked(self) -> None:
        # The thread stayed behind, maybe with the lock; the invocation it watched is the parent's.
        self._lock = threading.Lock()
        self._armed = {}
        self._wake = threading.Event()
        self._sleeps_until = 0.0
        self._started = False

    def _run(self, wake: threading.Event) -> None:
        while self._wake is wake:
            due = self.look()
            if due == _FOREVER:
                wake.wait()
            else:
                self.clock.wait(wake, max(due - self.clock.monotonic(), 0.0))


def lead(remaining: float, wanted: float) -> float:
    """How long before the end to warn, in seconds: as wanted, but at most a fifth of what there is."""
    return min(wanted, remaining / 5)


def stack_of(thread: int, running: Any = None) -> list[tuple[FrameType, int]]:
    """What a thread is doing: its (frame, line), outermost first; of a coroutine, what it awaits, behind."""
    found: list[tuple[FrameType, int]] = []
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - documented, in spite of its name
    while frame is not None:
        found.append((frame, frame.f_lineno))
        frame = frame.f_back
    found.reverse()
    if running is not None:
        found += _awaited(running)
    return found


def _awaited(coroutine: Any) -> list[tuple[FrameType, int]]:
    """A suspended coroutine has no thread: its frames hang together by what each awaits."""
    found: list[tuple[FrameType, int]] = []
    for _ in range(100):
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "ag_frame", None)
        if frame is None:
            break
        found.append((frame, frame.f_lineno))
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "ag_await", None)
    return found
