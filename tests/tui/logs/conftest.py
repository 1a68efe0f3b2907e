"""The logs screen in an app that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tui.pilot import dashboard, until
from tui.logs.view import LogView

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

    from tests.tui.feeds import MockFeed
    from tui.app import Dashboard
    from tui.logs.screen import LogsScreen


class Driven:
    """An app that runs, with the parts that tests look at."""

    def __init__(self, app: Dashboard, pilot: Pilot[None], feed: MockFeed) -> None:
        self.app, self.pilot, self.feed = app, pilot, feed

    @property
    def screen(self) -> LogsScreen:
        """The logs screen."""
        return self.app.logs

    @property
    def view(self) -> LogView:
        """Its lines."""
        return self.screen.view

    @property
    def state(self) -> str:
        """What the head says."""
        return self.screen.said

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)

    async def loaded(self, total: int = 100) -> None:
        """Wait for so many lines."""
        await until(self.pilot, lambda: self.view.buffer.total == total)
        self.view.sync()
        await self.pilot.pause()


@pytest.fixture
async def driven(feed: MockFeed) -> AsyncIterator[Driven]:
    """A dashboard of a hundred lines."""
    app = dashboard(feed)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.current_mode == "logs" and bool(app.screen.query(LogView)))
        found = Driven(app, pilot, feed)
        await found.loaded()
        yield found
