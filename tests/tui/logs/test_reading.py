"""Which lines the logs screen has loaded: without gaps, and not without bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tui.feeds import MockFeed
from tests.tui.made import line
from tests.tui.pilot import dashboard, until
from tui.logs.mode import Mode
from tui.logs.reader import Came

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lambdalog.tail import Line
    from tests.tui.logs.conftest import Driven


def whole(lines: Sequence[Line]) -> bool:
    """Whether lines that are a second apart have none missing between them."""
    return [one.timestamp for one in lines] == [
        lines[0].timestamp + 1000 * number for number in range(len(lines))
    ]


@pytest.mark.parametrize("at", [0, 700, 2500])
async def test_lifting_a_filter_leaves_no_gap(at: int) -> None:
    """Wherever the user stands, in a search's older matches or at a time gone to, all lines between are there again."""
    feed = MockFeed([line(number) for number in range(3000)])
    app = dashboard(feed, history_lines=200)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 200)
        screen, view = app.logs, app.logs.view
        if at:
            screen._go_to_time(line(at).timestamp)
            await until(pilot, lambda: view.cursor_line == line(at))
        screen.filter_bar.set("7", Mode.TEXT)
        await until(pilot, lambda: screen.matched == 813 and screen.searched)
        await pilot.press("up", "up", "up")
        view.scroll_rows(-60)
        await until(pilot, lambda: not screen._loading)
        kept = view.cursor_line
        screen.filter_bar.set("", Mode.TEXT)
        await until(
            pilot,
            lambda: screen.query_.pattern is None and not screen._loading and len(view.buffer.shown) > 150,
        )
        await until(pilot, lambda: whole(view.buffer.shown))
        assert kept is not None
        assert kept in view.buffer.shown


async def test_a_filter_of_the_last_session_hides_no_history(feed: MockFeed, tmp_path: Path) -> None:
    """A filter that is there before the first lines are: lifted, it shows all of them."""
    first = dashboard(feed, state=tmp_path)
    async with first.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: first.logs.drawn and first.logs.view.buffer.total == 100)
        first.logs.filter_bar.set("line 9", Mode.TEXT)
        await until(pilot, lambda: first.logs.query_.text == "line 9")
        await pilot.press("q")
    app = dashboard(feed, state=tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 100)
        await until(pilot, lambda: len(app.logs.view.buffer.shown) == 11)
        app.logs.filter_bar.set("", Mode.TEXT)
        await until(pilot, lambda: len(app.logs.view.buffer.shown) == 100)


async def test_what_an_older_following_still_says_is_let_be(driven: Driven) -> None:
    """Lines that were on their way when other groups were chosen are not shown among theirs."""
    stale = driven.screen.reader.followed
    driven.screen._restart()
    driven.screen.post_message(Came(stale, [line(500, "of another group")], []))
    await driven.loaded()
    assert "of another group" not in [one.message for one in driven.view.buffer.shown]


async def test_reading_for_hours_keeps_memory_bounded() -> None:
    """While somebody reads, lines beyond the limit are only counted; End shows them all the same."""
    feed = MockFeed([line(number) for number in range(100)])
    app = dashboard(feed, kept_lines=1000)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 100)
        view = app.logs.view
        view.sync()
        await pilot.press("pageup")
        for start in range(100, 5100, 500):
            feed.logs.coming.put([line(number) for number in range(start, start + 500)])
        await until(pilot, lambda: view.unseen == 5000)
        assert view.buffer.total <= 1600
        await pilot.press("end")
        await until(pilot, lambda: view.following and bool(view.buffer.shown))
        await until(pilot, lambda: view.buffer.shown[-1] == line(5099))
        assert whole(view.buffer.shown)
