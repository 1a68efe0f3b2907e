"""Driving the dashboard: an app on a manual clock, and waiting for what is to come."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, TypeVar

from lambdalog.clock import ManualClock
from tui.app import Dashboard
from tui.screen import ModeScreen
from tui.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from textual.pilot import Pilot

    from tests.tui.feeds import MockFeed

NOW = 1_700_000_100.0
Kind = TypeVar("Kind", bound=ModeScreen)


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


@asynccontextmanager
async def shown(
    app: Dashboard, key: str, kind: type[Kind], size: tuple[int, int]
) -> AsyncIterator[tuple[Pilot[None], Kind]]:
    """An app on the screen that a number key opens, which shows what there is."""
    async with app.run_test(size=size) as pilot:
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, kind) and app.settled)
        screen = app.screen
        assert isinstance(screen, kind)
        yield pilot, screen
