"""A row per failure group: how often, since when, what, where."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable

from lambdalog.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.feed import FailureRow

BARS: Final = "▁▂▃▄▅▆▇█"
TREND_CELLS: Final = 12


def ago(ms: int) -> str:
    """How long ago, in the one unit that matters: 4s, 12m, 3h, 2d."""
    seconds = max(ms, 0) // 1000
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def trend(times: Sequence[int], now: int, span_ms: int = 600_000) -> str:
    """Failures over the last `span_ms` as a row of bars, the newest at the right."""
    counts = [0] * TREND_CELLS
    for time in times:
        cell = TREND_CELLS - 1 - (now - time) * TREND_CELLS // span_ms
        if 0 <= cell < TREND_CELLS:
            counts[cell] += 1
    peak = max(counts)
    return "".join(BARS[-(-count * (len(BARS) - 1) // peak)] if count else "·" for count in counts)


class FailuresPane(DataTable[Text]):
    """Failure groups, the most recent first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,l", "lines", "Its log lines", key_display="⏎"),
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
    ]

    class LinesWanted(Message):
        """Show the log lines of this group's newest failure."""

        def __init__(self, row: FailureRow) -> None:
            super().__init__()
            self.row = row

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, cursor_type="row", zebra_stripes=False)
        self.rows_shown: list[FailureRow] = []

    def on_mount(self) -> None:
        """The columns."""
        for label in ("count", "last 10 min", "last", "type", "message", "function", "queue"):
            self.add_column(label, key=label)

    def show_rows(self, rows: Sequence[FailureRow], now: int) -> None:
        """Show these groups; the cursor stays on the group it was on."""
        here = self.selected.fingerprint if self.selected else None
        error = self.app.theme_variables["error"]
        self.rows_shown = list(rows)
        self.clear()
        for row in rows:
            self.add_row(
                Text(f"{row.count:>5}", "bold"),
                Text(trend(row.times, now), error),
                Text(f"{ago(now - row.last_seen):>4}"),
                Text(printable(row.type), f"bold {error}"),
                Text(printable(row.message[:200]), overflow="ellipsis", no_wrap=True),
                Text(printable(", ".join(row.functions))),
                Text(printable(row.queue), "dim"),
                key=row.fingerprint,
            )
        for index, row in enumerate(rows):
            if row.fingerprint == here:
                self.move_cursor(row=index, animate=False)

    @property
    def selected(self) -> FailureRow | None:
        """The group under the cursor."""
        return self.rows_shown[self.cursor_row] if 0 <= self.cursor_row < len(self.rows_shown) else None

    def action_lines(self) -> None:
        """Ask for the log lines of the group under the cursor."""
        if self.selected is not None:
            self.post_message(self.LinesWanted(self.selected))
