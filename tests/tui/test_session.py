"""What each screen is at the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.tui.feeds import MockFeed
from tests.tui.made import failures, function_of, groups, queue_of, ran
from tests.tui.pilot import dashboard, until
from tui import session as sessions

if TYPE_CHECKING:
    from pathlib import Path

    from tui.app import Dashboard
    from tui.failures.screen import FailuresScreen
    from tui.functions.screen import FunctionsScreen
    from tui.invocations.screen import InvocationsScreen
    from tui.queues.screen import QueuesScreen


def filled() -> MockFeed:
    """A feed with something on every screen."""
    feed = MockFeed([], groups(failures(2)))
    feed.invocations.lines = [*ran("r-1", function="orders"), *ran("r-2", function="payments")]
    feed.functions.given = [function_of("orders"), function_of("payments")]
    feed.queues.given = [queue_of("orders"), queue_of("payments")]
    return feed


def screen(app: Dashboard, name: str) -> object:
    """A screen that was opened."""
    return app.get_screen_stack(name)[0]


async def test_every_screen_is_taken_up(tmp_path: Path) -> None:
    """Filters, views, windows, orders and hidden groups are at the next start what they were, screen by screen."""
    app = dashboard(filled(), state=tmp_path)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn)
        await pilot.press("2")
        await until(pilot, lambda: app.current_mode == "invocations" and app.settled)
        invocations = cast("InvocationsScreen", app.screen)
        invocations.action_view("slowest")
        invocations.set_filter("orders")
        await pilot.press("3")
        await until(pilot, lambda: app.current_mode == "failures" and app.settled)
        cast("FailuresScreen", app.screen).action_muted()
        await pilot.press("4")
        await until(pilot, lambda: app.current_mode == "functions" and app.settled)
        functions = cast("FunctionsScreen", app.screen)
        functions.action_window("24h")
        functions.action_sort("cost")
        functions.set_filter("pay")
        await pilot.press("5")
        await until(pilot, lambda: app.current_mode == "queues" and app.settled)
        cast("QueuesScreen", app.screen).set_filter("pay")
        await pilot.press("q")
    again = dashboard(filled(), state=tmp_path)
    async with again.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: again.current_mode == "queues" and again.settled)
        queues = cast("QueuesScreen", again.screen)
        await until(pilot, lambda: queues.grid.keys == [queue_of("payments").arn])
        for key, name in (("2", "invocations"), ("3", "failures"), ("4", "functions")):
            await pilot.press(key)
            await until(pilot, lambda name=name: again.current_mode == name and again.settled)  # type: ignore[misc]
        invocations = cast("InvocationsScreen", screen(again, "invocations"))
        assert (invocations.view, invocations.filter_bar.text) == ("slowest", "orders")
        assert [key[1] for key in cast("list[tuple[str, str]]", invocations.grid.keys)] == ["r-1"]
        assert cast("FailuresScreen", screen(again, "failures")).show_quiet
        functions = cast("FunctionsScreen", screen(again, "functions"))
        assert (functions.window, functions.sort, functions.filter_bar.text) == ("24h", "cost", "pay")


@pytest.mark.parametrize(
    "kept", ["[]", '{"screens": []}', '{"screens": {"functions": 3}}', '{"screens": {"functions": {"window": 3, "sort": "x"}}}']
)  # fmt: skip
async def test_a_session_that_means_nothing_harms_nothing(tmp_path: Path, kept: str) -> None:
    """A file that somebody has written into leaves screens as they are at a first start."""
    feed = filled()
    sessions.save(tmp_path, feed.label, sessions.Session())
    (file,) = (tmp_path / "sessions").iterdir()
    file.write_text(kept)
    app = dashboard(feed, state=tmp_path)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: app.current_mode == "functions" and app.settled)
        functions = cast("FunctionsScreen", app.screen)
        assert (functions.window, functions.sort) == ("1h", "function")
