"""All about one invocation as text: its waterfall, what it cost, and its lines with the time since it began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from lambdalog.printable import printable
from tui.invocations.rows import NAME_MAX
from tui.invocations.waterfall import steps_of, waterfall
from tui.logs.line_row import append_row
from tui.numbers import duration_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.style import Style
    from rich.text import Text

    from lambdalog.invocations import Invocation
    from tui.feed.invocations import Detail

# The logs screen has all of them.
LINES_MAX: Final = 300


def told(
    invocation: Invocation, detail: Detail | None, now: int, width: int, styles: Mapping[str, Style]
) -> Text:
    """What the pane says; nothing in it is taken for markup or control."""
    children = detail.children if detail is not None else None
    text = waterfall(steps_of(invocation, children or (), now), width, styles)
    last, report = invocation.last, invocation.report
    text.append("\n")
    if last is not None and last.message:
        text.append(printable(last.message[: NAME_MAX * 2]) + "\n", styles["error"])
    facts = []
    if report is not None:
        facts.append(("billed", duration_text(report.billed_ms)))
        facts.append(("memory", f"{report.max_memory_mb} of {report.memory_mb} MB"))
    if last is not None:
        facts.append(("stream", printable(last.stream[:NAME_MAX])))
    room = width
    for name, value in facts:
        size = cell_len(f"{name} {value}   ")
        if room < width and size - 3 > room:  # a fact is not broken where it fits on a line of its own
            text.append("\n")
            room = width
        text.append(f"{name} ", styles["quiet"])
        text.append(f"{value}   ", styles["value"])
        room -= size
    text.append("\n\n")
    if detail is None:
        text.append("reading its lines …", styles["quiet"])
        return text
    for note in detail.notes:
        text.append(printable(note[:NAME_MAX]) + "\n", styles["warn"])
    for line in detail.lines[:LINES_MAX]:
        since = line.timestamp - invocation.began
        text.append(f"{'+' if since >= 0 else '-'}{duration_text(abs(since)):>9}  ", styles["time"])
        append_row(text, line.message, max(width - 12, 26), styles)
    if len(detail.lines) > LINES_MAX:
        text.append(f"… {len(detail.lines) - LINES_MAX:,} more lines: ⏎ shows all\n", styles["quiet"])
    elif not detail.lines:
        text.append("no lines\n", styles["quiet"])
    return text
