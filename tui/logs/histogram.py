"""Lines a second as bars, errors and warnings in their colours: the shape of the last minutes at a glance."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from lambdalog.level import ERROR, WARN, level_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambdalog.tail import Line

BLOCKS: Final = " ▁▂▃▄▅▆▇█"


def bar_rows(counts: list[tuple[int, int, int]], height: int) -> list[list[tuple[str, str]]]:
    """Rows, from the top, of (glyph, role) for columns of (total, warnings, errors) counts.

    Errors stand at a bar's foot, warnings on them, the rest on top; whatever was there is never rounded to nothing.
    """
    peak = max((total for total, _, _ in counts), default=0)
    rows: list[list[tuple[str, str]]] = [[] for _ in range(height)]
    for total, warnings, errors in counts:
        eighths = -(-total * height * 8 // peak) if peak else 0
        error_cells = -(-errors * eighths // (8 * total)) if errors else 0
        warn_cells = -(-warnings * eighths // (8 * total)) if warnings else 0
        for row in range(height):
            level = height - 1 - row
            fill = min(max(eighths - level * 8, 0), 8)
            role = "error" if level < error_cells else "warn" if level < error_cells + warn_cells else "rest"
            rows[row].append((BLOCKS[fill], role))
    return rows


class Histogram(Widget):
    """A bar a second, the newest at the right."""

    DEFAULT_CSS = """
    Histogram { height: 3; background: $background; padding: 0 1; }
    """
    SECONDS_KEPT: Final = 600

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._seconds: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
        self._now = 0

    def count(self, lines: Iterable[Line]) -> None:
        """Add lines to their seconds."""
        for line in lines:
            second = self._seconds[line.timestamp // 1000]
            second[0] += 1
            level = level_of(line.message) or 0
            if level >= ERROR:
                second[2] += 1
            elif level >= WARN:
                second[1] += 1

    def tick(self, now_ms: int) -> None:
        """Let time pass: the newest bar is that of `now_ms`."""
        self._now = now_ms // 1000
        for second in [s for s in self._seconds if s < self._now - self.SECONDS_KEPT]:
            del self._seconds[second]
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row of the bars."""
        width, height = self.size.width, self.size.height
        columns = [
            (cell[0], cell[1], cell[2])
            if (cell := self._seconds.get(self._now - width + 1 + x))
            else (0, 0, 0)
            for x in range(width)
        ]
        colours = self.app.theme_variables
        styles = {
            "error": Style(color=colours["error"], bgcolor=colours["background"]),
            "warn": Style(color=colours["warning"], bgcolor=colours["background"]),
            "rest": Style(color=colours["primary-darken-3"], bgcolor=colours["background"]),
        }
        return Strip([Segment(glyph, styles[role]) for glyph, role in bar_rows(columns, height)[y]], width)
