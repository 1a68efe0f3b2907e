"""The scrolling log: draws only what is in view, from a `LogBuffer`.

Costs that the stock widgets pay and this one does not: a layout at each line (the virtual size is set without it), a
repaint at each line (lines come in at a timer's pace), and styles resolved at each call (they are kept until the theme
changes). Text under a reading user never moves: while paused, lines arrive below and late ones shift the offset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final
from zlib import crc32

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tui.logs.buffer import LogBuffer, key_of
from tui.logs.format import line_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events

    from lambdalog.tail import Line

GROUP_COLOURS: Final = ("accent", "secondary", "success", "primary", "warning")


class LogView(ScrollView, can_focus=True):
    """Lines of many groups in order of time."""

    DEFAULT_CSS = """
    LogView { scrollbar-size: 0 0; background: $background; height: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Line up", show=False),
        Binding("down,j", "move(1)", "Line down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "top", "First line", show=False),
        Binding("end,G", "resume", "Follow", key_display="End"),
        Binding("e", "error(1)", "Next error", key_display="e/E"),
        Binding("E", "error(-1)", "Previous error", show=False),
        Binding("enter", "open", "Details", key_display="⏎"),
    ]

    class Changed(Message):
        """Lines came, or the view went from following to paused or back."""

    class Opened(Message):
        """Somebody wants to see all of one line."""

        def __init__(self, line: Line) -> None:
            super().__init__()
            self.line = line

    def __init__(self, buffer: LogBuffer | None = None, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.buffer = buffer or LogBuffer()
        self.following = True
        self.unseen = 0
        self.cursor: int | None = None
        self.late_shift = 0
        self._top = 0
        self._dirty = False
        self._palette: dict[str, Style] = {}

    # --- lines come in

    def add_lines(self, lines: Sequence[Line]) -> None:
        """Take lines in; they are drawn at the next `sync`."""
        new, shift = self.buffer.add(lines, self._top, trim=self.following)
        if not self.following:
            self.unseen += new
            self._top = max(0, self._top + shift)
        if self.cursor is not None:
            self.cursor = max(0, self.cursor + shift)
        self._dirty = True

    def sync(self) -> None:
        """Draw what came since the last call; a timer's business, so that a burst costs a frame and not a frame a line."""
        if self._dirty:
            self._dirty = False
            self._apply()
            self.post_message(self.Changed())

    def _apply(self) -> None:
        count = len(self.buffer.shown)
        height = max(self.size.height, 1)
        last = max(0, count - height)
        self._top = last if self.following else min(self._top, last)
        # The reactive would lay the whole screen out again; only the scroll range changed.
        self.set_reactive(Widget.virtual_size, Size(self.size.width, count))
        self.set_reactive(Widget.scroll_y, float(self._top))
        self.set_reactive(Widget.scroll_target_y, float(self._top))
        self.refresh()

    # --- what is shown

    def show_only(self, matches: Callable[[Line], bool] | None) -> None:
        """Filter; the line at the top of the view stays there if it still matches."""
        shown = self.buffer.shown
        anchor = key_of(shown[self._top]) if self._top < len(shown) else None
        self.buffer.filter(matches)
        if not self.following and anchor is not None:
            self._top = self.buffer.index_near(anchor)
        self.cursor = None
        self._apply()
        self.post_message(self.Changed())

    def go_to(self, index: int) -> None:
        """Put the cursor on a shown line and bring it into view, paused."""
        self._pause()
        self.cursor = max(0, min(index, len(self.buffer.shown) - 1))
        height = max(self.size.height, 1)
        if not self._top <= self.cursor < self._top + height:
            self._top = max(0, self.cursor - height // 2)
        self._apply()

    @property
    def top_line(self) -> Line | None:
        """The line at the top of the view."""
        shown = self.buffer.shown
        return shown[self._top] if self._top < len(shown) else None

    def _pause(self) -> None:
        if self.following:
            self.following = False
            self.unseen = 0
            self.post_message(self.Changed())

    # --- keys

    def action_move(self, step: int) -> None:
        """Move the cursor by lines."""
        count = len(self.buffer.shown)
        if count:
            here = (
                self.cursor
                if self.cursor is not None
                else (self._top + self.size.height if step < 0 else count - 1)
            )
            self.go_to(min(here, count) + step)

    def action_page(self, step: int) -> None:
        """Move by pages."""
        self._pause()
        self._top = max(0, self._top + step * max(self.size.height - 1, 1))
        self.cursor = None
        self._apply()
        self.post_message(self.Changed())

    def action_top(self) -> None:
        """The oldest line kept."""
        self.go_to(0)

    def action_resume(self) -> None:
        """Follow the newest lines again."""
        self.following = True
        self.unseen = 0
        self.cursor = None
        self._apply()
        self.post_message(self.Changed())

    def action_pause(self) -> None:
        """Stop following, or go on."""
        if self.following:
            self._pause()
        else:
            self.action_resume()

    def action_error(self, step: int) -> None:
        """The next or previous line that is an error."""
        from lambdalog.level import ERROR, level_of

        shown = self.buffer.shown
        here = (
            self.cursor
            if self.cursor is not None
            else (self._top + self.size.height if step < 0 else self._top - 1)
        )
        indices = range(here + 1, len(shown)) if step > 0 else range(min(here, len(shown)) - 1, -1, -1)
        for index in indices:
            if (level_of(shown[index].message) or 0) >= ERROR:
                self.go_to(index)
                return
        self.app.bell()

    def action_open(self) -> None:
        """All of the line under the cursor."""
        shown = self.buffer.shown
        index = self.cursor if self.cursor is not None else len(shown) - 1
        if 0 <= index < len(shown):
            self.post_message(self.Opened(shown[index]))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll by three lines, paused."""
        event.stop()
        self._pause()
        self._top = max(0, self._top - 3)
        self._apply()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll by three lines; past the end, follow again."""
        event.stop()
        if not self.following:
            self._top += 3
            if self._top >= len(self.buffer.shown) - self.size.height:
                self.action_resume()
            else:
                self._apply()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the clicked line; a second click opens it."""
        index = self._top + event.y
        if index < len(self.buffer.shown):
            if self.cursor == index:
                self.action_open()
            else:
                self.go_to(index)

    def on_resize(self) -> None:
        """Keep the end at the end."""
        self._apply()

    # --- drawing

    def notify_style_update(self) -> None:
        """The theme changed: styles are made anew."""
        self._palette = {}
        super().notify_style_update()

    def _styles(self) -> dict[str, Style]:
        if not self._palette:
            colours = self.app.theme_variables
            background = colours["background"]
            plain = Style(color=colours["foreground"], bgcolor=background)
            quiet = Style(color=colours.get("text-disabled-solid", "#7f8799"), bgcolor=background)
            self._palette = {
                "base": plain,
                "message": plain,
                "time": quiet,
                "platform": quiet,
                "plain": quiet,
                "key": Style(color="#7f9cc5", bgcolor=background),
                "value": Style(color="#b9c4d6", bgcolor=background) if self.app.current_theme.dark else plain,
                "debug": quiet,
                "info": Style(color=colours["success"], bgcolor=background),
                "warn": Style(color=colours["warning"], bgcolor=background, bold=True),
                "error": Style(color=colours["error"], bgcolor=background, bold=True),
                "fatal": Style(color=background, bgcolor=colours["error"], bold=True),
                "cursor": Style(bgcolor=colours["surface"]),
                "thumb": Style(color=colours["primary"], bgcolor=background),
                "track": Style(color=colours["surface"], bgcolor=background),
            }
            for index, name in enumerate(GROUP_COLOURS):
                self._palette[f"group{index}"] = Style(color=colours[name], bgcolor=background)
        return self._palette

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows of `crop`, each a strip of exactly the crop's width."""
        styles = self._styles()
        shown, count, height = self.buffer.shown, len(self.buffer.shown), max(self.size.height, 1)
        top = max(0, count - height) if self.following else self._top
        blank = Strip([Segment(" " * self.size.width, styles["base"])], self.size.width)
        strips = []
        for y in range(crop.y, crop.bottom):
            index = top + y
            strip = self._row(shown[index], index, styles) if 0 <= index < count else blank
            if count > height:
                strip = self._with_thumb(strip, y, top, count, height, styles)
            strips.append(
                strip if crop.x == 0 and crop.width == self.size.width else strip.crop(crop.x, crop.right)
            )
        return strips

    def _row(self, line: Line, index: int, styles: dict[str, Style]) -> Strip:
        width, used = self.size.width - 1, 0
        segments: list[Segment] = []
        for span in line_spans(line):
            role = span.role
            if role == "group":
                role = f"group{crc32(line.group.encode('utf-8', 'replace')) % len(GROUP_COLOURS)}"
            text, cells = span.text, cell_len(span.text)
            if used + cells > width:
                text = set_cell_size(text, max(width - used - 1, 0)) + "…"
                cells = width - used
            if cells > 0:
                segments.append(Segment(text, styles[role]))
                used += cells
            if used >= width:
                break
        segments.append(Segment(" " * (width + 1 - used), styles["base"]))
        strip = Strip(segments, width + 1)
        return strip.apply_style(styles["cursor"]) if index == self.cursor else strip

    def _with_thumb(
        self, strip: Strip, y: int, top: int, count: int, height: int, styles: dict[str, Style]
    ) -> Strip:
        length = max(1, height * height // count)
        start = round(top / max(count - height, 1) * (height - length))
        role = "thumb" if start <= y < start + length else "track"
        return Strip([*strip.crop(0, self.size.width - 1), Segment("▐", styles[role])], self.size.width)
