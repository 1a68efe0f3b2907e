"""What the screens with rows have in common: moving, filtering, going to the other pane."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.tui.feeds import MockFeed
from tests.tui.made import failures, function_of, groups, message_of, queue_of, ran
from tests.tui.pilot import dashboard, until
from tui.actions import ALL
from tui.logs.mode import Mode

if TYPE_CHECKING:
    from tui.listing import ListingScreen

NAMES = ("invocations", "failures", "functions", "queues")
ROWS = 40


def filled() -> MockFeed:
    """More rows on each screen than it has room for; each is told apart by a number."""
    feed = MockFeed(
        [], groups(*(failures(fingerprint=f"{n:016x}", type=f"Error{n:02}") for n in range(ROWS)))
    )
    feed.invocations.lines = [
        line for n in range(ROWS) for line in ran(f"r-{n}", function=f"f-{n:02}", version="$LATEST")
    ]
    feed.functions.given = [function_of(f"f-{n:02}") for n in range(ROWS)]
    feed.queues.given = [queue_of(f"q-{n:02}") for n in range(ROWS)]
    feed.queues.messages = {"q-00": [message_of(n) for n in range(ROWS)]}
    return feed


@pytest.mark.parametrize("name", NAMES)
async def test_moving_filtering_and_the_other_pane(name: str) -> None:
    """Each key does on every screen with rows what the table of actions says."""
    app = dashboard(filled())
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press(ALL[f"app.{name}"].keys)
        await until(pilot, lambda: app.current_mode == name and app.settled)
        screen = cast("ListingScreen", app.screen)
        grid = screen.grid
        await until(pilot, lambda: len(grid.keys) == ROWS)
        await pilot.press("home")
        shown = len(grid.in_view)
        assert 1 < shown < ROWS
        places = []
        for key in (
            "down",
            "j",
            "up",
            "k",
            "pagedown",
            "pageup",
            "end",
            "home",
            "G",
            "g",
            "ctrl+f",
            "ctrl+b",
        ):
            await pilot.press(key)
            places.append(grid.cursor)
        page = shown - 1
        assert places == [1, 2, 1, 0, page, 0, ROWS - 1, 0, ROWS - 1, 0, page, 0]
        await pilot.press("slash", *"07", "enter")
        await until(pilot, lambda: len(grid.keys) == 1)
        assert grid.has_focus
        await pilot.press("ctrl+r")
        assert screen.filter_bar.mode is not Mode.TEXT
        await pilot.press("enter", "escape")
        await until(pilot, lambda: len(grid.keys) == ROWS)
        await pilot.press("tab")
        await until(pilot, lambda: not grid.has_focus)
        await pilot.press("shift+tab")
        await until(pilot, lambda: grid.has_focus)


async def test_keys_move_in_the_pane_that_has_the_focus() -> None:
    """Below the queues they move from message to message, and what is above stays where it is."""
    app = dashboard(filled())
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: app.current_mode == "queues" and app.settled)
        screen = cast("ListingScreen", app.screen)
        inside = screen.query_one("#inside")
        await until(pilot, lambda: bool(getattr(inside, "keys", ())))
        await pilot.press("enter", "end")
        assert inside.has_focus
        assert (getattr(inside, "cursor", None), screen.grid.cursor) == (ROWS - 1, 0)
