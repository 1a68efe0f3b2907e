"""The watchdog: shortly before Lambda would kill an invocation, it says where the invocation is stuck.

One thread for the life of the process. Arming is publishing a deadline to it, which costs next to nothing; it looks
when the earliest deadline it knows of is due, and by then that one has mostly been taken back. Both are one step on a
dict; only a deadline that is due takes the lock, under which it is taken out, and written: a warning is written before
its invocation ends, or not at all, and never into a later one. What the warning says is made without the lock: it runs
code of the user's, which may wait for whatever it likes.
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
        self._armed: dict[int, tuple[float, int, Warn]] = {}
        # Those that are being warned of: taken out of `_armed`, and not yet written.
        self._due: set[int] = set()
        self._numbers = count(1)
        self._threaded = threaded
        self._sleeps_until = 0.0
        self._wake = threading.Event()
        self._started = False
        after_fork(self._forked)

    def arm(self, at: float, warn: Warn) -> int:
        """Publish a deadline; what `disarm` wants."""
        number = next(self._numbers)
        self._armed[number] = (at, number, warn)
        if at < self._sleeps_until:
            self._wake.set()
        if self._threaded and not self._started:
            self._start()
        return number

    def disarm(self, number: int) -> None:
        """Take a deadline back. Its warning, if it is being written now, is out before this returns."""
        if self._armed.pop(number, None) is None:
            with self._lock:
                self._due.discard(number)

    def look(self) -> float:
        """Warn of what is due; when to look again, infinity if nothing is armed."""
        for number, warn in self._taken():
            write = warn()
            with self._lock:
                if number in self._due:
                    self._due.discard(number)
                    if write is not None:
                        write()
        # In this order: whoever arms after the least was found wakes who sleeps until then.
        self._wake.clear()
        self._sleeps_until = _FOREVER
        self._sleeps_until = min((at for at, _, _ in list(self._armed.values())), default=_FOREVER)
        return self._sleeps_until

    def _taken(self) -> list[tuple[int, Warn]]:
        """What is due, taken out; what was taken back meanwhile isn't."""
        now = self.clock.monotonic()
        with self._lock:
            due = [
                (number, warn)
                # Not the items: making a pair of each may start a garbage collection, and with it whatever may arm.
                for at, number, warn in list(self._armed.values())
                if at <= now and self._armed.pop(number, None) is not None
            ]
            self._due.update(number for number, _ in due)
        return due

    def _start(self) -> None:
        with self._lock:
            if self._started:
                return
            self._started = True
        threading.Thread(target=self._run, args=(self._wake,), name="lambdalog-deadline", daemon=True).start()

    def _forked(self) -> None:
        # The thread stayed behind, maybe with the lock; the invocation it watched is the parent's.
        self._lock = threading.Lock()
        self._armed = {}
        self._due = set()
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
