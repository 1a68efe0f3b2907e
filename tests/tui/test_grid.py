"""What is seen of a grid, and where its cursor stays."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from tui.grid import Cell, Column, Grid, Part, fit
from tui.theme_names import DARK
from tui.themes import THEMES


class Shown(App[None]):
    """A grid of numbers."""

    def compose(self) -> ComposeResult:
        """The grid."""
        columns = (Column("number", 10, right=True), Column("words", 0), Column("wide", 5, since=200))
        yield Grid(columns, self.paint)

    def on_mount(self) -> None:
        """Our theme, which the palette is made for."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK

    def paint(self, key: object) -> dict[str, Cell]:
        """A number and some words, some of which are wide."""
        return {"number": (Part(str(key), "number"),), "words": (Part("界" * 100),), "wide": (Part("no"),)}


async def test_every_row_has_the_grids_width() -> None:
    """Head, rows with wide characters, empty rows: each is exactly as wide as the grid."""
    app = Shown()
    async with app.run_test(size=(61, 12)):
        grid = app.query_one(Grid)
        grid.show(list(range(5)))
        strips = grid.render_lines(grid.size.region)
        assert [strip.cell_length for strip in strips] == [61] * 12
        assert "number" in strips[0].text
        assert strips[1].text.split()[0] == "0"
        assert "no" not in strips[1].text


async def test_the_cursor_keeps_to_its_row() -> None:
    """While rows come above it and go below it, the row under the cursor stays; where it goes, the cursor stays in bounds."""
    app = Shown()
    async with app.run_test(size=(60, 12)):
        grid = app.query_one(Grid)
        grid.show(list(range(100)))
        grid.go_to(50)
        top = grid._top
        grid.show(list(range(-20, 90)))
        assert (grid.selected, grid._top - top) == (50, 20)
        grid.show([50])
        assert grid.selected == 50
        grid.show([])
        assert list(grid.in_view) == []
        grid.move(5)
        grid.show([1, 2])
        assert grid.cursor == 0


async def test_a_first_row_is_kept_or_followed() -> None:
    """New rows come above the cursor's, unless the grid follows: there the cursor stays on the first one."""
    app = Shown()
    async with app.run_test(size=(60, 12)):
        grid = app.query_one(Grid)
        grid.show([5, 6])
        grid.show([3, 4, 5, 6])
        assert (grid.selected, grid.following, list(grid.in_view)) == (5, False, [3, 4, 5, 6])
        grid.follows = True
        grid.go_to(0)
        grid.show([1, 3, 4, 5, 6])
        assert (grid.selected, grid.following) == (1, True)


def test_cells_are_cut_by_columns() -> None:
    """A cell that is too wide ends in an ellipsis, and is never wider than its column."""
    cell = (Part("abc"), Part("界界界", "error"), Part("def"))
    assert "".join(part.text for part in fit(cell, 6)) == "abc界…"
    assert "".join(part.text for part in fit(cell, 12)) == "abc界界界def"
    assert fit(cell, 0) == []


@given(st.lists(st.text(alphabet="ab界é", max_size=8), max_size=5), st.integers(0, 30))
def test_fitted_cells_are_never_wider(texts: list[str], width: int) -> None:
    """Whatever is in a cell."""
    fitted = fit(tuple(Part(text) for text in texts), width)
    assert sum(cell_len(part.text) for part in fitted) <= width
