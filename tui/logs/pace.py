"""How often something is drawn: at once, and no more often than so many times a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.clock import Clock


class Pace:
    """Draws when it is asked to, or a moment later if it has just drawn. Nothing runs while nobody asks."""

    def __init__(
        self,
        draw: Callable[[], object],
        later: Callable[[float, Callable[[], None]], object],
        per_second: float,
        clock: Clock,
    ) -> None:
        """`later` is handed seconds, and what to call after them."""
        self._draw, self._later, self._clock = draw, later, clock
        self._seconds = 1 / per_second
        self._next = clock.monotonic()
        self._waiting = False

    def ask(self) -> None:
        """Draw as soon as it is time."""
        if self._waiting:
            return
        wait = self._next - self._clock.monotonic()
        if wait > 0:
            self._waiting = True
            self._later(wait, self._now)
        else:
            self._now()

    def _now(self) -> None:
        self._waiting = False
        self._next = self._clock.monotonic() + self._seconds
        self._draw()
