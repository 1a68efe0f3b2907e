"""A table that draws only what is in view: thousands of rows that come and go cost no more than a screenful.

The row under the cursor stays where it is on the screen while rows come above and below it. A grid that follows shows new
first rows as they come while the cursor is on the first; in others the cursor keeps to its row there, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip

from tui.themed import Themed

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from textual import events
    from textual.geometry import Region, Size


class Column(NamedTuple):
    """A column. `width` in cells, 0 takes a share of what is left; there on screens of `since` to `until` columns."""

    name: str
    width: int
    right: bool = False
    since: int = 0
    until: int = 10_000


class Part(NamedTuple):
    """A run of text in one role of the palette."""

    text: str
    role: str = "message"


Cell = tuple[Part, ...]


class Grid(Themed, can_focus=True):
    """Rows by their keys; `paint` gives a row's cells by the columns' names, safe to be shown."""

    DEFAULT_CSS = """
    Grid { background: $background; height: 1fr; }
    """

    class Told(Message):
        """Something about the row under the cursor."""

        def __init__(self, grid: Grid) -> None:
            super().__init__()
            self.grid = grid

        @property
        def control(self) -> Grid:
            """The grid, by which handlers choose."""
            return self.grid

    class Moved(Told):
        """The cursor is on another row, or that row has changed."""

    class Chosen(Told):
        """The row under the cursor was clicked twice."""

    class Headed(Message):
        """A column's head was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(
        self,
        columns: Sequence[Column],
        paint: Callable[[Hashable], dict[str, Cell]],
        *,
        follows: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's own name
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.keys: Sequence[Hashable] = ()
        self.cursor = 0
        self.sorted_by = ""
        self.follows = follows
        self._paint = paint
        self._top = 0

    # --- rows

    def show(self, keys: Sequence[Hashable]) -> None:
        """Show these rows, in this order; the cursor stays on its row, or with it on the first one, on the first."""
        before = self.selected
        following = self.following
        fewer = len(keys) <= len(self.keys)
        taller = len(keys) != len(self.keys) and self.styles.is_auto_height
        self.keys = keys
        if following:
            self.cursor = self._top = 0
        elif before is not None:
            place = self._find(before)
            if place is not None:
                self._top += place - self.cursor
                self.cursor = place
        self.cursor = max(0, min(self.cursor, len(keys) - 1))
        # Rows that come move nothing, though there be room below; where rows went, the room is filled.
        self._keep_in_view(fill=fewer or not self.follows)
        self.refresh(layout=taller)
        if self.selected != before:
            self.post_message(self.Moved(self))

    @property
    def selected(self) -> Hashable | None:
        """The key of the row under the cursor."""
        return self.keys[self.cursor] if self.cursor < len(self.keys) else None

    @property
    def following(self) -> bool:
        """Whether new first rows are seen as they come."""
        return self.follows and self.cursor == 0 and self._top == 0

    @property
    def in_view(self) -> Sequence[Hashable]:
        """The keys of the rows that can be seen."""
        return self.keys[self._top : self._top + self._rows]

    def select(self, key: Hashable) -> bool:
        """Put the cursor on a row; whether it is there."""
        place = self._find(key)
        if place is not None:
            self.go_to(place)
        return place is not None

    def go_to(self, index: int) -> None:
        """Put the cursor on a row by its number, and bring it into view."""
        before = self.cursor
        self.cursor = max(0, min(index, len(self.keys) - 1))
        self._keep_in_view()
        self.refresh()
        if self.cursor != before:
            self.post_message(self.Moved(self))

    def move(self, step: int) -> None:
        """Move the cursor by rows."""
        self.go_to(self.cursor + step)

    def page(self, step: int) -> None:
        """Move the cursor by pages."""
        self.move(step * max(self._rows - 1, 1))

    def _find(self, key: Hashable) -> int | None:
        # Most often it has hardly moved.
        for near in range(max(self.cursor - 32, 0), min(self.cursor + 64, len(self.keys))):
            if self.keys[near] == key:
                return near
        try:
            return self.keys.index(key)
        except ValueError:
            return None

    def _keep_in_view(self, *, fill: bool = True) -> None:
        highest = max(len(self.keys) - self._rows, 0) if fill else self.cursor
        self._top = max(min(self._top, self.cursor, highest), self.cursor - self._rows + 1, 0)

    @property
    def _rows(self) -> int:
        """How many rows there is room for, below the head."""
        return max(self.size.height - 1, 1)

    # --- drawing

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Where the stylesheet says `auto`: a head and the rows."""
        return len(self.keys) + 1

    def laid_out(self) -> list[tuple[Column, int]]:
        """The columns that there is room for, with their widths."""
        width = self.size.width - 1
        there = [column for column in self.columns if column.since <= self.app.size.width <= column.until]
        fixed = sum(column.width + 2 for column in there if column.width)
        loose = sum(1 for column in there if not column.width)
        left = max(width - fixed - 2 * loose, 0) // loose if loose else 0
        return [(column, column.width or left) for column in there]

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows of `crop`, each a strip of exactly the crop's width."""
        styles, width = self.styles_by_role, self.size.width
        columns = self.laid_out()
        strips = []
        for y in range(crop.y, crop.bottom):
            index = self._top + y - 1
            here = Style()
            if y == 0:
                strip = self._head(columns, styles)
            elif index < len(self.keys):
                if index == self.cursor:
                    here = styles["row" if self.has_focus else "cursor"]
                strip = self._row(columns, self._paint(self.keys[index]), styles, here)
            else:
                strip = Strip([])
            strip = strip.adjust_cell_length(width - 1, styles["base"] + here)
            strip = Strip([*strip, Segment(self._edge(y), styles["thumb"])], width)
            strips.append(strip if crop.x == 0 and crop.width == width else strip.crop(crop.x, crop.right))
        return strips

    def _edge(self, y: int) -> str:
        """The scrollbar's part of a row."""
        count, rows = len(self.keys), self._rows
        if count <= rows or y == 0:
            return " "
        length = max(1, rows * rows // count)
        start = round(self._top / (count - rows) * (rows - length))
        return "▐" if start <= y - 1 < start + length else " "

    def _head(self, columns: list[tuple[Column, int]], styles: dict[str, Style]) -> Strip:
        segments = []
        for column, width in columns:
            name = f"{column.name}↓" if column.name and column.name == self.sorted_by else column.name
            text = f"{name:>{width}}" if column.right else f"{name:<{width}}"
            segments.append(Segment(f" {set_cell_size(text, width)} ", styles["head"]))
        return Strip(segments)

    def _row(
        self,
        columns: list[tuple[Column, int]],
        cells: dict[str, Cell],
        styles: dict[str, Style],
        here: Style,
    ) -> Strip:
        segments: list[Segment] = []
        base = styles["base"] + here
        for column, width in columns:
            fitted = fit(cells.get(column.name, ()), width)
            room = width - sum(cell_len(part.text) for part in fitted)
            if column.right:
                segments.append(Segment(" " * (room + 1), base))
            else:
                segments.append(Segment(" ", base))
            segments += [Segment(part.text, styles[part.role] + here) for part in fitted]
            segments.append(Segment(" " if column.right else " " * (room + 1), base))
        return Strip(segments)

    # --- mouse

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three rows up."""
        event.stop()
        self.move(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three rows down."""
        event.stop()
        self.move(3)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the clicked row; a second click chooses it. A click on a head tells which."""
        place = event.get_content_offset(self)
        if place is None:
            return
        if place.y == 0:
            x = 0
            for column, width in self.laid_out():
                x += width + 2
                if place.x < x:
                    self.post_message(self.Headed(column.name))
                    return
            return
        index = self._top + place.y - 1
        if index < len(self.keys):
            if index == self.cursor:
                self.post_message(self.Chosen(self))
            else:
                self.go_to(index)

    def on_focus(self) -> None:
        """The cursor is seen better."""
        self.refresh()

    def on_blur(self) -> None:
        """The keys go elsewhere."""
        self.refresh()

    def on_resize(self) -> None:
        """Another size has room for other columns and rows."""
        self._keep_in_view()
        self.refresh()


def fit(cell: Cell, width: int) -> list[Part]:
    """A cell's parts cut to so many columns of the screen; what is cut ends in an ellipsis."""
    if sum(cell_len(part.text) for part in cell) <= width:
        return list(cell)
    found: list[Part] = []
    room = width - 1
    for part in cell:
        size = cell_len(part.text)
        if size > room:
            found.append(Part(set_cell_size(part.text[: room + 1], room) if room > 0 else "", part.role))
            break
        found.append(part)
        room -= size
    return [*found, Part("…", "quiet")] if width > 0 else []
