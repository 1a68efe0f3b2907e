"""The dashboard as a whole, driven by its pilot against a mock feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdalog.clock import ManualClock
from tests.tui.conftest import MockFeed, failure_row, line
from tui.app import Dashboard, screenshot
from tui.failures.pane import FailuresPane
from tui.logs.detail import DetailScreen
from tui.logs.view import LogView

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Let the app work until `condition` holds; a bounded number of turns, else the test fails."""
    for _ in range(400):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("the dashboard never got there")


def dashboard(feed: MockFeed) -> Dashboard:
    """A dashboard on a manual clock."""
    return Dashboard(feed, clock=ManualClock(1_700_000_100.0))


async def test_history_and_new_lines_are_shown(feed: MockFeed) -> None:
    """Lines of the past and lines that come are all in the view, in order of time."""
    app = dashboard(feed)
    async with app.run_test(size=(100, 30)) as pilot:
        view = app.query_one(LogView)
        await until(pilot, lambda: view.buffer.total == 100)
        feed.coming.put([line(100), line(101)])
        await until(pilot, lambda: view.buffer.total == 102)
        assert [shown.message for shown in view.buffer.shown][-2:] == ["line 100", "line 101"]
        assert view.following


async def test_pausing_shifts_and_loses_nothing(feed: MockFeed) -> None:
    """While paused the top line stays put through new and late lines, and resuming shows every one of them."""
    app = dashboard(feed)
    async with app.run_test(size=(100, 30)) as pilot:
        view = app.query_one(LogView)
        await until(pilot, lambda: view.buffer.total == 100)
        view.sync()
        await pilot.press("pageup")
        top = view.top_line
        assert top is not None
        assert view.following is False
        late = line(500, "late", at=line(3).timestamp + 1)
        feed.coming.put([late, *(line(number) for number in range(100, 300))])
        await until(pilot, lambda: view.unseen == 201)
        view.sync()
        assert view.top_line == top
        await pilot.press("end")
        assert view.unseen == 0
        assert view.buffer.total == 301
        assert view.buffer.shown[4] == late


async def test_the_filter_is_a_cloudwatch_pattern(feed: MockFeed) -> None:
    """Typing a pattern narrows the lines as it is typed, Escape shows all of them again."""
    app = dashboard(feed)
    async with app.run_test(size=(100, 30)) as pilot:
        view = app.query_one(LogView)
        await until(pilot, lambda: view.buffer.total == 100)
        await pilot.press("slash", *'"line 4"')
        await until(pilot, lambda: len(view.buffer.shown) == 11)
        await pilot.press("enter")
        feed.coming.put([line(400), line(401), line(555)])
        await until(pilot, lambda: view.buffer.total == 103)
        assert len(view.buffer.shown) == 13
        await pilot.press("escape")
        assert len(view.buffer.shown) == 103


async def test_a_wrong_pattern_is_said_and_changes_nothing(feed: MockFeed) -> None:
    """A pattern that can't be parsed shows why, and the lines stay as they were."""
    app = dashboard(feed)
    async with app.run_test(size=(100, 30)) as pilot:
        view = app.query_one(LogView)
        await until(pilot, lambda: view.buffer.total == 100)
        await pilot.press("slash", *"{ $.a ")
        await pilot.pause()
        assert len(view.buffer.shown) == 100
        assert "at " in str(app.query_one("#filter-note").render())


async def test_from_a_failure_to_its_log_lines(feed: MockFeed) -> None:
    """Enter on a failure group shows the lines of its newest request, paused on the first."""
    feed.rows = [failure_row(request_id="req-7")]
    feed.found = [line(1000, "START RequestId: req-7"), line(1001, "req-7 failed")]
    app = dashboard(feed)
    async with app.run_test(size=(120, 40)) as pilot:
        view = app.query_one(LogView)
        pane = app.query_one(FailuresPane)
        await until(pilot, lambda: view.buffer.total == 100 and pane.selected is not None)
        pane.focus()
        await pilot.press("enter")
        await until(pilot, lambda: len(view.buffer.shown) == 2)
        assert not view.following
        assert view.cursor == 0


async def test_enter_opens_a_line(feed: MockFeed) -> None:
    """Enter on a line shows all of it; Escape closes that again."""
    app = dashboard(feed)
    async with app.run_test(size=(100, 30)) as pilot:
        view = app.query_one(LogView)
        await until(pilot, lambda: view.buffer.total == 100)
        await pilot.press("up", "enter")
        await until(pilot, lambda: isinstance(app.screen, DetailScreen))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, DetailScreen))


async def test_hostile_text_is_drawn_as_text() -> None:
    """Escape sequences and markup in messages, names and failures reach the screen only as visible characters."""
    bad = "\x1b[2J\x1b]0;owned\x07[red]no[/red] \u202e"
    feed = MockFeed([line(1, bad, group=bad)], [failure_row(message=bad, type=bad)])
    drawn = await screenshot(feed, (120, 30))
    for character in ("\x1b", "\x07", "\u202e"):
        assert character not in drawn
    assert "[red]no[/red]" in drawn.replace("&#160;", " ")


async def test_trouble_is_shown_and_overcome(feed: MockFeed) -> None:
    """A feed that fails is named in the status line, and read again until it answers."""
    feed.fail_with = OSError("no route to the store")
    app = dashboard(feed)
    app.RETRY_SECONDS = 0.02  # type: ignore[misc]
    async with app.run_test(size=(140, 30)) as pilot:
        await until(pilot, lambda: "no route" in str(app.query_one("#status").render()))
        feed.fail_with = None
        await until(pilot, lambda: app.query_one(LogView).buffer.total == 100)


async def test_a_screenshot_needs_no_terminal(feed: MockFeed) -> None:
    """The SVG holds the lines and the failures that the feed has."""
    feed.rows = [failure_row()]
    drawn = await screenshot(feed, (140, 40))
    assert drawn.startswith("<svg")
    assert "GatewayError" in drawn
    assert "99" in drawn
