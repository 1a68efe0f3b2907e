"""The head and the foot: one row each, to look at and to click."""

from __future__ import annotations

from rich.text import Text
from textual.app import App, ComposeResult

from tests.tui.feeds import MockFeed
from tests.tui.pilot import dashboard, until
from tui.bars import Part, Row
from tui.themes import THEMES


class Shown(App[None]):
    """A row and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.clicked: list[str] = []
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    def compose(self) -> ComposeResult:
        """The row."""
        yield Row()

    def on_row_clicked(self, message: Row.Clicked) -> None:
        """Keep what was clicked."""
        self.clicked.append(message.call)


PARTS = [Part("", (("λ ", "sign"),)), Part("one", ((" 1 ", "key"), ("One ", "title")))]


async def test_a_row_is_as_wide_as_the_screen() -> None:
    """Parts stand at the left, the text at the right end; too long a text is cut there, and never widens the row."""
    app = Shown()
    async with app.run_test(size=(30, 3)) as pilot:
        row = app.query_one(Row)
        for right in ("LIVE", "a state that is longer than all of the row"):
            row.show(PARTS, Text(right))
            await pilot.pause()
            drawn = row.render_line(0)
            assert drawn.cell_length == 30
            assert drawn.text.startswith("λ  1 One ")
            assert drawn.text.endswith(right if len(right) < 10 else "…")
        assert row.said == "a state that is longer than all of the row"


async def test_a_click_does_what_stands_there() -> None:
    """A click on a part sends its action; one beside the parts, or on a mere sign, sends none."""
    app = Shown()
    async with app.run_test(size=(30, 3)) as pilot:
        row = app.query_one(Row)
        row.show(PARTS, Text("LIVE"))
        for x in (0, 4, 20):
            await pilot.click(Row, offset=(x, 0))
        assert app.clicked == ["one"]


async def test_what_the_mouse_is_over_lights_up() -> None:
    """The part under the mouse looks otherwise until the mouse leaves it."""
    app = Shown()
    async with app.run_test(size=(30, 3)) as pilot:
        row = app.query_one(Row)
        row.show(PARTS, Text("LIVE"))
        before = row.render_line(0)
        await pilot.hover(Row, offset=(4, 0))
        assert list(row.render_line(0)) != list(before)
        await pilot.hover(Row, offset=(20, 0))
        assert list(row.render_line(0)) == list(before)


async def test_heads_and_feet_of_a_screen_act() -> None:
    """A click on a tab opens that screen, and one on a key at the foot does what the key does."""
    app = dashboard(MockFeed())
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: app.settled or app.logs.drawn)
        foot = app.screen.query_one("#foot", Row)
        at = foot.render_line(0).text.index("Pause")
        assert app.logs.view.following
        await pilot.click("#foot", offset=(at, 0))
        await until(pilot, lambda: not app.logs.view.following)
        at = app.screen.query_one("#head", Row).render_line(0).text.index("Failures")
        await pilot.click("#head", offset=(at, 0))
        await until(pilot, lambda: app.current_mode == "failures")


async def test_a_narrow_foot_keeps_what_leads_out() -> None:
    """Where not all keys have room, those that every screen has are there, and no key is cut in half."""
    app = dashboard(MockFeed())
    async with app.run_test(size=(50, 20)) as pilot:
        await until(pilot, lambda: app.logs.drawn)
        text = app.screen.query_one("#foot", Row).render_line(0).text
        assert len(text) == 50
        assert "Keys" in text
        assert "Quit" in text
