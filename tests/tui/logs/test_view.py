"""The scrolling log by itself."""

from __future__ import annotations

from typing import Any, Self

import pytest
from textual.app import App, ComposeResult

from tests.tui.made import line
from tui.logs.view import LogView


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


async def test_what_came_is_drawn_once() -> None:
    """However many lines came, they are drawn once, and nothing is where none came."""
    app = Shown()
    async with app.run_test(size=(80, 20)) as pilot:
        view = app.query_one(Counting)
        before = view.drawings
        for begin in range(0, 3000, 1000):
            view.add_lines([line(number) for number in range(begin, begin + 1000)])
        assert [view.sync(), view.sync(), view.drawings] == [True, False, before + 1]
        await pilot.pause()
        assert view.in_view()[-1].message == "line 2999"


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
