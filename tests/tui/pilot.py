"""Driving the dashboard: an app on a manual clock, and waiting for what is to come."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from lambdalog.clock import ManualClock
from tui.app import Dashboard
from tui.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from tests.tui.feeds import MockFeed

NOW = 1_700_000_100.0


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Let the app work until `condition` holds; a bounded number of turns, else the test fails."""
    for _ in range(2000):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("the dashboard never got there")


def dashboard(feed: MockFeed, *, state: Path | None = None, **settings: Any) -> Dashboard:
    """A dashboard on a manual clock, which keeps its session in `state` or not at all."""
    chosen = Settings(**({"restore_session": state is not None} | settings))
    return Dashboard(feed, clock=ManualClock(NOW), settings=chosen, state=state or Path(mkdtemp()))
