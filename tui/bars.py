"""The head and the foot of a screen: one row each, drawn without a layout.

Textual's own Footer is a widget for each key, and a Static lays the whole screen out at each update; the head changes
with every frame of a live tail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.color import Color
from textual.message import Message
from textual.strip import Strip

from tui.still import Still

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events


class Part(NamedTuple):
    """Something to click in a row: `call` is the action; `texts` are its pieces with the names of their looks."""

    call: str
    texts: tuple[tuple[str, str], ...]

    @property
    def width(self) -> int:
        """In cells; keys and titles are plain text."""
        return sum(len(text) for text, _ in self.texts)


class Row(Still):
    """A row of parts from the left, and a text at the right end that gives way to nothing but the edge."""

    DEFAULT_CSS = """
    Row { height: 1; background: $surface; }
    """

    class Clicked(Message):
        """A part was clicked."""

        def __init__(self, call: str) -> None:
            super().__init__()
            self.call = call

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._parts: Sequence[Part] = ()
        self._right = Text()
        self._under: str | None = None
        self._looks: dict[str, Style] = {}

    def show(self, parts: Sequence[Part], right: Text | None = None) -> None:
        """Draw these from now on."""
        right = right if right is not None else self._right
        if parts != self._parts or right != self._right or right.spans != self._right.spans:
            self._parts, self._right = parts, right
            self.refresh()

    @property
    def said(self) -> str:
        """What the right end says."""
        return self._right.plain

    def notify_style_update(self) -> None:
        """The theme changed: looks are made anew."""
        self._looks = {}
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """The row."""
        looks = self._looks or self._made()
        width = self.size.width
        segments = []
        for part in self._parts:
            for text, name in part.texts:
                look = looks[name]
                segments.append(Segment(text, look + looks["under"] if part.call == self._under else look))
        left = Strip(segments).crop(0, width)
        right = self._right.copy()
        right.truncate(max(width - left.cell_length, 0), overflow="ellipsis")
        gap = width - left.cell_length - right.cell_len
        base = looks["base"]
        drawn = [
            Segment(segment.text, base + segment.style if segment.style else base)
            for segment in right.render(self.app.console)
            if segment.text
        ]
        return Strip([*left, Segment(" " * gap, base), *drawn], width)

    def _made(self) -> dict[str, Style]:
        colours = self.app.theme_variables
        base = self.rich_style
        quiet = Color.parse(colours["surface"]).blend(Color.parse(colours["foreground"]), 0.65)
        primary = Style(color=colours["primary"], bold=True)
        self._looks = {
            "base": base,
            "sign": base + primary,
            "here": base + primary + Style(reverse=True),
            "tab": base + Style(color=quiet.hex),
            "key": base + Style(color=colours.get("footer-key-foreground", colours["accent"]), bold=True),
            "title": base,
            "under": Style(bgcolor=colours["panel"], bold=True),
        }
        return self._looks

    def _part_at(self, x: int) -> Part | None:
        begin = 0
        for part in self._parts:
            if begin <= x < begin + part.width:
                return part if part.call else None
            begin += part.width
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Light up what a click would do."""
        part = self._part_at(event.x)
        under = None if part is None else part.call
        if under != self._under:
            self._under = under
            self.refresh()

    def on_leave(self) -> None:
        """Nothing is under the mouse."""
        if self._under is not None:
            self._under = None
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Do it."""
        part = self._part_at(event.x)
        if part is not None:
            self.post_message(self.Clicked(part.call))
