"""Lines as rows of exactly the screen's width: cut or wrapped, folded or laid out, marked, with what was found lit up."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from textual.strip import Strip

from tui.logs.format import Span, line_spans
from tui.logs.unfold import Field, Row, unfolded
from tui.palette import group_role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style

    from lambdalog.tail import Line

# A wrapped line of a megabyte would push all others off any screen; the rest is told by `v`.
WRAPPED_ROWS_MAX: Final = 60
INDENT: Final = 16
_CACHED: Final = 2000
_IN_A_CELL: Final = 4


@dataclass(slots=True, eq=False)
class Drawn:
    """A row as it is drawn, without the cursor and the scrollbar; `field` is the JSON field that it shows."""

    strip: Strip
    field: Field | None = None
    _edged: dict[str, Strip] = dataclass_field(default_factory=dict)

    def with_edge(self, role: str, edge: Segment) -> Strip:
        """The row and a last column, by its role. The same object each time: Textual keeps with it what it made of it."""
        found = self._edged.get(role)
        if found is None:
            found = self._edged[role] = Strip([*self.strip, edge], self.strip.cell_length + 1)
        return found


class Look(NamedTuple):
    """All that a line's rows depend on besides the line."""

    width: int
    wrap: bool
    utc: bool
    found: str


class RowPainter:
    """Draws lines, and keeps what it drew until the look changes."""

    def __init__(self) -> None:
        self._look = Look(0, wrap=False, utc=False, found="")
        self._styles: dict[str, Style] = {}
        self._kept: dict[tuple[object, ...], list[Drawn]] = {}

    def set_look(self, look: Look, styles: dict[str, Style]) -> None:
        """How lines are drawn from now on."""
        if look != self._look or styles is not self._styles:
            self._look, self._styles = look, styles
            self._kept.clear()

    def rows(self, line: Line, *, unfold: bool, marked: bool, note: str) -> list[Drawn]:
        """The rows of a line; at least one."""
        key = (line.timestamp, line.ingestion, line.id, unfold, marked, note)
        rows = self._kept.get(key)
        if rows is None:
            if len(self._kept) > _CACHED:
                self._kept.clear()
            rows = self._kept[key] = self._draw(line, unfold=unfold, marked=marked, note=note)
        return rows

    def blank(self) -> Drawn:
        """A row without a line."""
        return Drawn(Strip([Segment(" " * self._look.width, self._styles["base"])], self._look.width))

    def _draw(self, line: Line, *, unfold: bool, marked: bool, note: str) -> list[Drawn]:
        lead = Span("◆" if marked else " ", "mark")
        spans = [lead, *line_spans(line, utc=self._look.utc)]
        spans[2] = Span(spans[2].text, group_role(line.group))
        if self._look.wrap:
            rows = [Drawn(self._strip(part)) for part in _wrapped(spans, self._look.width)]
        else:
            rows = [Drawn(self._strip(spans))]
        if unfold:
            for row in unfolded(line.message):
                rows += [Drawn(self._strip(part), row.field) for part in self._laid_out(row)]
        if note:
            rows.append(Drawn(self._strip([Span(" " * INDENT, "base"), Span(f"◆ {note}", "note")])))
        return rows

    def _laid_out(self, row: Row) -> list[list[Span]]:
        spans = [Span(" " * (INDENT - 2), "base"), Span("│ ", "rail"), *row.spans]
        return _wrapped(spans, self._look.width, INDENT + 2) if self._look.wrap else [spans]

    def _strip(self, spans: Sequence[Span]) -> Strip:
        width, used = self._look.width, 0
        segments: list[Segment] = []
        for span in self._lit(spans):
            text = _reach(span.text, width - used)
            cells = _cells(text)
            if used + cells > width or len(text) < len(span.text):
                text = set_cell_size(text, max(width - used - 1, 0)) + "…"
                cells = width - used
            if cells > 0:
                segments.append(Segment(text, self._styles[span.role]))
                used += cells
            if used >= width:
                break
        if used < width:
            segments.append(Segment(" " * (width - used), self._styles["base"]))
        return Strip(segments, width)

    def _lit(self, spans: Sequence[Span]) -> Sequence[Span]:
        """The spans with what was searched for in a role of its own."""
        found = self._look.found
        if not found:
            return spans
        lit: list[Span] = []
        for span in spans:
            if span.role not in {"message", "value", "platform", "number"} or found not in span.text:
                lit.append(span)
                continue
            for index, part in enumerate(span.text.split(found)):
                if index:
                    lit.append(Span(found, "found"))
                if part:
                    lit.append(Span(part, span.role))
        return lit


def _cells(text: str) -> int:
    # No control characters come this far: each of ASCII's others is one cell.
    return len(text) if text.isascii() else cell_len(text)


def _reach(text: str, cells: int) -> str:
    """As much of a text as may be seen in so many cells: what stands in one is a character, and a few that combine with it."""
    return text if text.isascii() else text[: cells * _IN_A_CELL + _IN_A_CELL]


def _wrapped(spans: Sequence[Span], width: int, indent: int = INDENT) -> list[list[Span]]:
    """The spans over as many rows as they need; those after the first are indented."""
    rows: list[list[Span]] = [[]]
    room = width
    for span in spans:
        text = span.text
        while text:
            seen = _reach(text, room)
            parts = chop_cells(seen, room) if room > 0 else ["", seen]
            head = parts[0] if len(parts) > 1 else seen
            if head:
                rows[-1].append(Span(head, span.role))
                text = text[len(head) :]
            if len(parts) < 2:
                room -= _cells(head)
                continue
            if len(rows) == WRAPPED_ROWS_MAX:
                rows[-1].append(Span("…", "quiet"))
                return rows
            rows.append([Span(" " * indent, "base")])
            room = max(width - indent, 8)
    return rows
