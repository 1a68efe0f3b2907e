"""Widgets whose lines stay the same objects."""

from __future__ import annotations

from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip

from tui.still import Still


class Told(Still):
    """Says a word."""

    DEFAULT_CSS = "Told { height: 1; background: $surface; }"
    word = "one"

    def render_line(self, y: int) -> Strip:
        """The word."""
        return Strip([Segment(self.word.ljust(self.size.width), self.rich_style)])


class Shown(App[None]):
    """Such a widget and nothing else."""

    def compose(self) -> ComposeResult:
        """The widget."""
        yield Told()


async def test_lines_are_kept_until_something_changed() -> None:
    """The very lines are handed over again; refreshed, in another theme or for another part they are made anew."""
    app = Shown()
    async with app.run_test(size=(20, 4)) as pilot:
        told, whole = app.query_one(Told), Region(0, 0, 20, 1)
        first = told.render_lines(whole)
        assert told.render_lines(whole) is first
        assert [strip.text.strip() for strip in told.render_lines(Region(0, 0, 2, 1))] == ["on"]
        told.word = "two"
        told.refresh()
        await pilot.pause()
        second = told.render_lines(whole)
        assert second[0].text.strip() == "two"
        app.theme = "textual-light"
        await pilot.pause()
        third = told.render_lines(whole)
        assert [segment.style for segment in third[0]] != [segment.style for segment in second[0]]
