"""The scrolling log: draws only what is in view, from a `LogBuffer`.

Costs that the stock widgets pay and this one does not: a layout at each line (there is no virtual size: the view knows
the line at its top and walks down from it), a repaint at each line (lines come in deliveries), and styles resolved
at each call (they are kept until the theme changes). Text under a reading user never moves: while paused, lines arrive
below and late ones shift the index of the top line, not the line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip

from tui.logs.buffer import LogBuffer, Ordered, key_of
from tui.logs.layout import Place, last_page, page_down, track, walk
from tui.logs.rows import Drawn, Look, RowPainter
from tui.themed import Themed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.style import Style
    from textual import events
    from textual.geometry import Region

    from lambdalog.tail import Line
    from tui.logs.buffer import Key, Severe
    from tui.logs.unfold import Field

# So near to an end of what is loaded, more is asked for.
NEAR_LINES = 200


class LogView(Themed, can_focus=True):
    """Lines of many groups in order of time."""

    DEFAULT_CSS = """
    LogView { background: $background; height: 1fr; }
    """

    class Changed(Message):
        """Lines came, or the view went from following to paused or back."""

    class MoreWanted(Message):
        """The user comes near an end of what is loaded; `step` -1: older lines, 1: newer ones."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def __init__(self, buffer: LogBuffer | None = None, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.buffer = buffer or LogBuffer()
        self.following = True
        self.unseen = 0
        self._nothing = ""
        self.cursor: Place | None = None
        self.wrap = False
        self.utc = False
        self.found = ""
        self.unfolded: set[Key] = set()
        self.marks = Ordered()
        self.notes: dict[Key, str] = {}
        self._top = Place(0)
        self._dirty = False
        self._painter = RowPainter()
        self._drawn: list[tuple[Place, Drawn]] = []

    # --- lines come in

    def add_lines(self, lines: Sequence[Line], severe: Severe | None = None, *, read: bool = False) -> None:
        """Take lines in; they are drawn at the next `sync`. `severe` is that of the lines, if it is known."""
        new, shift = self.buffer.add(lines, self._top.line, trim=self.following, severe=severe, read=read)
        if not self.following:
            self.unseen += new
            self._top = self._top._replace(line=max(0, self._top.line + shift))
        if self.cursor is not None:
            self.cursor = self.cursor._replace(line=max(0, self.cursor.line + shift))
        self._dirty = True

    def add_more(self, lines: Sequence[Line]) -> int:
        """Take lines in that were asked for, not new ones: nothing is counted as unseen. How many are shown of them."""
        unseen = self.unseen
        before = len(self.buffer.shown)
        self.add_lines(lines, read=True)
        self.unseen = unseen
        return len(self.buffer.shown) - before

    def sync(self) -> bool:
        """Draw what came since the last call; whether anything did."""
        if not self._dirty:
            return False
        self._dirty = False
        self.refresh()
        return True

    def say_nothing(self, why: str) -> None:
        """What stands here while no line does."""
        if why != self._nothing:
            self._nothing = why
            if not self.buffer.shown:
                self.refresh()

    # --- what is shown

    def show_only(self, matches: Callable[[Line], bool] | None, found: Sequence[Line] | None = None) -> None:
        """Filter, as `LogBuffer.filter`; the line at the cursor, or else at the top of the view, stays if it matches."""
        anchor = self.cursor_line or self.top_line
        kept = self.cursor is not None
        self.buffer.filter(matches, found)
        self.cursor = None
        if not self.following and anchor is not None:
            place = Place(self.buffer.index_near(key_of(anchor)))
            self._top = place
            if kept and place.line < len(self.buffer.shown):
                self.go_to(place.line)
        self._redraw()

    def go_to(self, index: int, sub: int = 0) -> None:
        """Put the cursor on a shown line and bring it into view, paused."""
        self.pause()
        count = len(self.buffer.shown)
        self.cursor = Place(max(0, min(index, count - 1)), sub) if count else None
        if self.cursor is not None:
            self._reveal(self.cursor)
        self._redraw()

    def pause(self) -> None:
        """Hold the text still."""
        if self.following:
            self._lay_out()
            self.following = False
            self.unseen = 0
            self.post_message(self.Changed())

    def resume(self) -> None:
        """Follow the newest lines again."""
        self.following = True
        self.unseen = 0
        self.cursor = None
        self._redraw()

    def clear(self) -> None:
        """Forget every line, and where the view was."""
        self.buffer.clear()
        self.cursor, self._top = None, Place(0)
        self._redraw()

    def forget_before(self, key: Key) -> None:
        """Forget the lines before a key; the view stays where it is."""
        gone = self.buffer.forget_before(key)
        self._top = self._top._replace(line=max(0, self._top.line - gone))
        if self.cursor is not None:
            self.cursor = self.cursor._replace(line=max(0, self.cursor.line - gone))

    @property
    def top_line(self) -> Line | None:
        """The line at the top of the view."""
        self._lay_out()
        return self._line(self._top.line)

    @property
    def cursor_line(self) -> Line | None:
        """The line under the cursor."""
        return None if self.cursor is None else self._line(self.cursor.line)

    @property
    def here(self) -> Line | None:
        """The line that keys act on: under the cursor, else the last in view."""
        if self.cursor is not None:
            return self.cursor_line
        self._lay_out()
        return self._line(self._drawn[-1][0].line) if self._drawn else None

    @property
    def field(self) -> Field | None:
        """The JSON field under the cursor."""
        line = self.cursor_line
        if line is None or self.cursor is None:
            return None
        rows = self._rows(line)
        return rows[self.cursor.sub].field if self.cursor.sub < len(rows) else None

    def in_view(self) -> list[Line]:
        """The lines that can be seen."""
        self._lay_out()
        seen = dict.fromkeys(place.line for place, _ in self._drawn)
        return [self.buffer.shown[index] for index in seen]

    def _line(self, index: int) -> Line | None:
        shown = self.buffer.shown
        return shown[index] if 0 <= index < len(shown) else None

    # --- moving

    def move(self, step: int) -> None:
        """Move the cursor: by lines, and by rows within one that is laid out."""
        count = len(self.buffer.shown)
        if not count:
            return
        if self.cursor is None:
            self._lay_out()
            last = self._drawn[-1][0].line if self._drawn else count - 1
            self.go_to(last if step < 0 or self.following else self._top.line)
            return
        index, sub = self.cursor
        rows = self._rows(self.buffer.shown[index])
        if key_of(self.buffer.shown[index]) in self.unfolded and 0 <= sub + step < len(rows):
            self.go_to(index, sub + step)
        elif 0 <= index + step < count:
            line = self.buffer.shown[index + step]
            last_row = len(self._rows(line)) - 1 if key_of(line) in self.unfolded and step < 0 else 0
            self.go_to(index + step, last_row)
        self._ask_for_more()

    def page(self, step: int) -> None:
        """Move by pages."""
        self.pause()
        rows = max(self._height - 1, 1)
        self.scroll_rows(step * rows)
        self.cursor = None
        self._redraw()

    def scroll_rows(self, rows: int) -> None:
        """Move the view, paused, by rows of the screen."""
        self.pause()
        self._top = self._walk(self._top, rows)
        self._redraw()
        self._ask_for_more()

    def toggle_fold(self) -> None:
        """Lay the line under the cursor out, or fold it."""
        if self.cursor is None:
            self.move(-1)
        line = self.cursor_line
        if line is None or self.cursor is None:
            return
        self.unfolded ^= {key_of(line)}
        self.cursor = Place(self.cursor.line)
        self._reveal(Place(self.cursor.line, len(self._rows(line)) - 1))
        self._reveal(self.cursor)
        self._redraw()

    def toggle_mark(self, note: str | None = None) -> None:
        """Mark the line that keys act on, or take its mark away; with a note, mark it and keep the note."""
        line = self.here
        if line is None:
            return
        key = key_of(line)
        if note is None and self.marks.has(key):
            del self.marks.lines[self.marks.find(key)]
            self.notes.pop(key, None)
        else:
            self.marks.add([line], 0)
            if note:
                self.notes[key] = note
            elif note is not None:
                self.notes.pop(key, None)
        self._redraw()

    def find(self, marked: Ordered, step: int) -> bool:
        """Go to the next or last line of `marked`; whether there is one."""
        if self.cursor is not None:
            here = self.cursor.line
        else:
            self._lay_out()
            last = self._drawn[-1][0].line + 1 if self._drawn else 0
            here = last if step < 0 else self._top.line - 1
        found = self.buffer.find_in(marked, here, step)
        if found is None:
            return False
        self.go_to(found)
        return True

    def _ask_for_more(self) -> None:
        count = len(self.buffer.shown)
        if self._top.line < NEAR_LINES:
            self.post_message(self.MoreWanted(-1))
        if self._top.line + self._height > count - NEAR_LINES:
            self.post_message(self.MoreWanted(1))

    def _walk(self, place: Place, rows: int) -> Place:
        return walk(self.buffer.shown, self._rows, place, rows)

    def _reveal(self, place: Place) -> None:
        """Move the top so that `place` is in view."""
        if place < self._top:
            self._top = place
        else:
            highest = self._walk(place, 1 - self._height)
            self._top = max(self._top, highest)
            if place.line - self._top.line > self._height * 2:
                self._top = self._walk(place, -(self._height // 2))

    def _redraw(self) -> None:
        self.refresh()
        self.post_message(self.Changed())

    @property
    def _height(self) -> int:
        return max(self.size.height, 1)

    # --- drawing

    def _styles(self) -> dict[str, Style]:
        styles = self.styles_by_role
        look = Look(max(self.size.width - 1, 1), self.wrap, self.utc, self.found)
        self._painter.set_look(look, styles)
        return styles

    def _rows(self, line: Line) -> list[Drawn]:
        self._styles()
        return self._painted(line)

    def _painted(self, line: Line) -> list[Drawn]:
        """The rows of a line, once the painter knows how."""
        key = key_of(line)
        return self._painter.rows(
            line,
            unfold=key in self.unfolded,
            marked=bool(self.marks.lines) and self.marks.has(key),
            note=self.notes.get(key, ""),
        )

    def _lay_out(self) -> None:
        """Which rows stand in the view; moves the top where it follows, or where less than a page is left below it."""
        shown, height = self.buffer.shown, self._height
        self._styles()
        self._drawn = [] if self.following else page_down(shown, self._painted, self._top, height)
        if len(self._drawn) < height:
            self._drawn = last_page(shown, self._painted, height)
            self._top = self._drawn[0][0] if self._drawn else Place(0)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows of `crop`, each a strip of exactly the crop's width."""
        styles = self._styles()
        self._lay_out()
        count, height, width = len(self.buffer.shown), self._height, self.size.width
        bar = track(self.buffer.shown, self.buffer.errors, self._top.line, height) if count > height else None
        whole = crop.x == 0 and crop.width == width
        edges = {role: Segment("▐", styles[role]) for role in set(bar or ())}
        edges[""] = Segment(" ", styles["base"])
        blank = self._painter.blank()
        strips = []
        for y in range(crop.y, crop.bottom):
            place, row = self._drawn[y] if y < len(self._drawn) else (None, blank)
            if y == 1 and not count and self._nothing:
                why = Strip([Segment(f"  {self._nothing}", styles["time"])])
                strip = why.adjust_cell_length(width, styles["base"])
                strips.append(strip.crop(crop.x, crop.right))
                continue
            role = bar[y] if bar and y < height else ""
            if place is not None and place == self.cursor:
                strip = Strip([*row.strip.apply_style(styles["cursor"]), edges[role]], width)
            else:
                strip = row.with_edge(role, edges[role])
            strips.append(strip if whole else strip.crop(crop.x, crop.right))
        return strips

    # --- mouse

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll by three rows, paused."""
        event.stop()
        self.scroll_rows(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll by three rows."""
        event.stop()
        if not self.following:
            self.scroll_rows(3)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the clicked row; a second click lays the line out. On the scrollbar: go there."""
        if event.x >= self.size.width - 1:
            self.pause()
            count = len(self.buffer.shown)
            self._top = Place(event.y * max(count - self._height, 0) // max(self._height - 1, 1))
            self._redraw()
            self._ask_for_more()
            return
        self._lay_out()
        if event.y < len(self._drawn):
            place = self._drawn[event.y][0]
            if self.cursor is not None and self.cursor == place:
                self.toggle_fold()
            else:
                self.go_to(*place)

    def on_resize(self) -> None:
        """Everything is laid out anew."""
        self.refresh()
