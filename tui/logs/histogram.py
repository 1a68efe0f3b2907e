"""Lines over time as bars, errors and warnings in their colours; a click or a brush chooses a range of time."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip

from lambdalog.level import ERROR
from tui.logs.format import clock_text, day_text
from tui.still import Still
from tui.theme_names import NO_COLOUR

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual import events
    from textual.geometry import Region

    from lambdalog.tail import Line
    from tui.feed import Bar
    from tui.logs.buffer import Severe

BLOCKS: Final = " ▁▂▃▄▅▆▇█"
NONE: Final = (0, 0, 0)
STEPS_MS: Final = (
    1000,
    2000,
    5000,
    10_000,
    30_000,
    60_000,
    300_000,
    900_000,
    3_600_000,
    14_400_000,
    86_400_000,
)


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


def step_text(step: int) -> str:
    """A bar's length: 5s, 1m, 4h."""
    for size, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m")):
        if step >= size:
            return f"{step // size}{unit}"
    return f"{step // 1000}s"


class Histogram(Still):
    """A bar for each step of time, the newest at the right; a row below says from when to when."""

    DEFAULT_CSS = """
    Histogram { height: 4; background: $background; padding: 0 1; }
    """

    class Chosen(Message):
        """A range of time, epoch ms, end not included."""

        def __init__(self, start: int, end: int) -> None:
            super().__init__()
            self.start, self.end = start, end

    class Resized(Message):
        """There is room for other bars."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.step = STEPS_MS[0]
        self.utc = False
        self.range: tuple[int, int] | None = None
        self._bars: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
        self._now = 0
        self._grown = False  # whether something was counted since bars were drawn
        self._brush: tuple[int, int] | None = None
        self._rows: list[list[tuple[str, str]]] = []
        self._looks: dict[str, Style] = {}

    @property
    def columns(self) -> int:
        """How many bars there is room for."""
        return max(self.size.width, 1)

    @property
    def newest(self) -> int:
        """The number of the rightmost bar: its beginning is so many steps after 1970."""
        return self._now

    @property
    def first(self) -> int:
        """The beginning of the leftmost bar, epoch ms."""
        return (self._now - self.columns + 1) * self.step

    def zoom(self, by: int) -> bool:
        """Other steps: shorter ones (-1) or longer ones (1); whether there are such."""
        index = STEPS_MS.index(self.step) + by
        if not 0 <= index < len(STEPS_MS):
            return False
        now = self._now * self.step
        self.step = STEPS_MS[index]
        self._bars.clear()
        self._grown = True
        self.tick(now)
        return True

    def count(self, lines: Iterable[Line], severe: Severe) -> None:
        """Add lines that came, and what is severe among them."""
        bars, step = self._bars, self.step
        self._grown = True
        for index, count in Counter([line[0] // step for line in lines]).items():
            bars[index][0] += count
        for line, level in severe:
            bars[line.timestamp // step][2 if level >= ERROR else 1] += 1

    def set_bars(self, start: int, step: int, bars: Sequence[Bar]) -> None:
        """Take over what was counted elsewhere; of another step than this one's, it is too late and let be."""
        if step == self.step:
            for index, bar in enumerate(bars, start // step):
                # The newest one grows while it is counted.
                known = self._bars[index] if index >= self._now else (0, 0, 0)
                self._bars[index] = list(map(max, bar, known))
            self.refresh()

    def clear(self) -> None:
        """Forget every bar."""
        self._bars.clear()
        self.refresh()

    def tick(self, now_ms: int) -> None:
        """Let time pass: the newest bar is that of `now_ms`."""
        newest = now_ms // self.step
        if newest == self._now and not self._grown:
            return
        self._now, self._grown = newest, False
        kept = self._now - max(self.columns, 400)
        for index in [index for index in self._bars if index < kept]:
            del self._bars[index]
        self.refresh()

    def notify_style_update(self) -> None:
        """The theme changed: looks are made anew."""
        self._looks = {}
        super().notify_style_update()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows of the bars, counted once for all of them, and the scale."""
        self._rows = []
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One row of the bars, or the scale below them."""
        height, width = self.size.height - 1, self.columns
        looks = self._looks or self._made()
        if y >= height:
            return self._scale(looks["scale"])
        first = self._now - width + 1
        if not self._rows:
            bars = (self._bars.get(first + x, NONE) for x in range(width))
            self._rows = bar_rows([(bar[0], bar[1], bar[2]) for bar in bars], height)
        low, high = self._chosen(first)
        chosen = looks["chosen"]
        cells = [
            (glyph, looks[role] + chosen if low <= x <= high else looks[role])
            for x, (glyph, role) in enumerate(self._rows[y])
        ]
        runs = groupby(cells, itemgetter(1))
        return Strip([Segment("".join(glyph for glyph, _ in run), style) for style, run in runs], width)

    def _made(self) -> dict[str, Style]:
        colours = self.app.theme_variables
        plain = self.app.current_theme.name == NO_COLOUR
        background = colours["background"]
        self._looks = {
            "error": Style(color=colours["error"], bgcolor=background, reverse=plain or None),
            "warn": Style(color=colours["warning"], bgcolor=background),
            "rest": Style(color=colours["primary-darken-2"], bgcolor=background),
            "scale": Style(color=colours.get("text-disabled-solid", "#7f8799"), bgcolor=background),
            "chosen": Style(bgcolor=colours["panel"]),
        }
        return self._looks

    def _chosen(self, first: int) -> tuple[int, int]:
        if self._brush is not None:
            return min(self._brush), max(self._brush)
        if self.range is not None:
            return self.range[0] // self.step - first, (self.range[1] - 1) // self.step - first
        return 1, 0

    def _scale(self, style: Style) -> Strip:
        width = self.columns
        day = self.step * width > 20 * 3_600_000
        shown = day_text if day else clock_text
        left = shown(self.first, utc=self.utc)[: None if day else 8]
        right = shown((self._now + 1) * self.step, utc=self.utc)[: None if day else 8]
        middle = f"a bar is {step_text(self.step)}"
        room = width - len(left) - len(right)
        text = f"{left}{middle if room > len(middle) + 2 else '':^{max(room, 0)}}{right}"
        return Strip([Segment(text[:width].ljust(width), style)], width)

    def on_resize(self) -> None:
        """Say so."""
        self.post_message(self.Resized())

    # --- mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin a brush."""
        x = event.get_content_offset_capture(self).x
        self._brush = (x, x)
        self.capture_mouse()
        self.refresh()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Draw it out."""
        if self._brush is not None:
            x = max(0, min(event.get_content_offset_capture(self).x, self.columns - 1))
            self._brush = (self._brush[0], x)
            self.refresh()

    def on_mouse_up(self) -> None:
        """Choose the brushed range; a click is a brush of one bar."""
        if self._brush is not None:
            low, high = min(self._brush), max(self._brush)
            self._brush = None
            self.release_mouse()
            start = self.first + low * self.step
            self.post_message(self.Chosen(start, start + (high - low + 1) * self.step))
            self.refresh()
