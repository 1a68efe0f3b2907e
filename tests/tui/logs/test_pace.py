"""How often something is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdalog.clock import ManualClock
from tui.logs.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_frame_is_drawn_at_once_and_the_next_when_it_is_time() -> None:
    """Whoever asks within a frame of the last one is drawn once, at its end; who asks later, at once."""
    clock = ManualClock()
    drawn: list[float] = []
    later: list[tuple[float, Callable[[], None]]] = []
    pace = Pace(
        lambda: drawn.append(clock.monotonic()), lambda after, call: later.append((after, call)), 4, clock
    )
    pace.ask()
    assert (drawn, later) == ([0.0], [])
    clock.advance(0.1)
    pace.ask()
    pace.ask()
    ((after, call),) = later
    assert round(after, 6) == 0.15
    clock.advance(after)
    call()
    assert drawn == [0.0, 0.25]
    clock.advance(1)
    pace.ask()
    assert drawn == [0.0, 0.25, 1.25]
    assert len(later) == 1
