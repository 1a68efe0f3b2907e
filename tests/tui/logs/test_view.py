"""The scrolling log by itself."""

from __future__ import annotations

from typing import Any, Self

import pytest
from textual.app import App, ComposeResult

from tests.tui.made import line
from tui.logs.view import FLOOD_EVERY, LogView


class Counting(LogView):
    """Counts how often it is to be drawn."""

    drawings = 0

    def refresh(self, *regions: Any, **how: Any) -> Self:
        """As it is, and one more."""
        self.drawings += 1
        return super().refresh(*regions, **how)


class Shown(App[None]):
    """A view and nothing else."""

    def compose(self) -> ComposeResult:
        """The view."""
        yield Counting()


async def test_a_flood_is_drawn_less_often() -> None:
    """Lines by the thousand are drawn on every fourth tick while they are followed, few lines on each."""
    app = Shown()
    async with app.run_test(size=(80, 20)) as pilot:
        view = app.query_one(Counting)
        for few in range(3):
            before = view.drawings
            view.add_lines([line(few)])
            view.sync()
            assert view.drawings == before + 1
        before = view.drawings
        for tick in range(FLOOD_EVERY * 2):
            view.add_lines([line(number) for number in range(100 + tick * 1000, 1100 + tick * 1000)])
            view.sync()
        assert view.drawings == before + 2
        await pilot.pause()
        assert [one.message for one in view.in_view()][-1] == f"line {99 + FLOOD_EVERY * 2000}"


@pytest.mark.parametrize("wrap", [False, True])
async def test_the_last_page_ends_at_the_foot(wrap: bool) -> None:
    """Paused or following, the view is full as long as there are lines enough, and the last row of the last one is its last."""
    app = Shown()
    async with app.run_test(size=(40, 10)) as pilot:
        view = app.query_one(Counting)
        view.wrap = wrap
        view.add_lines([line(number, f"{number} " + "words " * (number % 9)) for number in range(60)])
        await pilot.pause()
        following = view.in_view()
        assert following[-1].message.startswith("59 ")
        assert len(following) == 10 or wrap
        view.pause()
        assert view.in_view() == following
        view.scroll_rows(1000)
        assert view.in_view() == following
        view.scroll_rows(-1000)
        assert view.in_view()[0].message.startswith("0 ")
        view.scroll_rows(1000)
        assert view.in_view() == following
