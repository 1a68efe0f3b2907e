"""The clocks."""

from __future__ import annotations

import threading

from lambdalog.clock import SYSTEM, ManualClock


def test_a_manual_clock_moves_when_told_or_slept_on() -> None:
    """Sleeping and waiting let its time pass at once, and nothing else does."""
    clock = ManualClock(1000.0)
    clock.sleep(5)
    clock.advance(1)
    assert not clock.wait(threading.Event(), 4)
    assert (clock.now(), clock.monotonic(), clock.now_ms()) == (1010.0, 10.0, 1_010_000)


def test_waiting_for_what_has_happened_takes_no_time() -> None:
    """A wait for an event that is set returns at once, on either clock."""
    event = threading.Event()
    event.set()
    clock = ManualClock()
    assert clock.wait(event, 100)
    assert clock.monotonic() == 0
    assert SYSTEM.wait(event, 100)
