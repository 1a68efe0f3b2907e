"""All about one failure as text: what it is, its stack, its attempts, its event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from rich.cells import chop_cells
from rich.text import Text

from lambdalog.printable import printable
from tui.logs.format import clock_text, day_text
from tui.logs.line_row import append_row
from tui.numbers import count_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.style import Style

    from lambdalog.failure import Failure
    from tui.feed.failures import Detail

# A megabyte laid out would stall the screen; the queue still has it.
REACH: Final = 20_000
PART_MAX: Final = 1000
FRAMES_MAX: Final = 200
# How far in a frame's code and variables stand, and how many columns they have at least.
FRAME_LEAD: Final = 6
ROOM_LEAST: Final = 20
# As many of the last attempt's lines as explain it; all of them are on the logs screen.
LINES: Final = 12


def failure_text(
    detail: Detail, styles: Mapping[str, Style], width: int, *, utc: bool = False, event: bool = True
) -> Text:
    """What a pane of `width` columns says of a failure; nothing in it is taken for markup or control.

    `event`: with its event.
    """
    text = Text()
    _failure(detail.failure, text, styles, width)
    letter = detail.letter
    text.append("\n")
    for name, value in (
        ("request", letter.request_id),
        ("function", f"{letter.function} {detail.version}".strip()),
        ("queue", f"{letter.queue} · {letter.kind} · {day_text(letter.sent_at, utc=utc)}"),
        ("condition", letter.condition),
    ):
        if value:
            text.append(f"{name:<10}", "bold")
            text.append(f"{printable(value[:PART_MAX])}\n")
    if detail.attempts:
        text.append("\nattempts\n", "bold")
    for attempt in detail.attempts:
        status = f"{printable(attempt.status)}  " if attempt.status else ""
        text.append(f"  {attempt.number}  {day_text(attempt.started, utc=utc)}  ")
        text.append(
            f"{attempt.ended - attempt.started:>7,} ms  {status}{count_text(len(attempt.lines), 'line')}\n"
        )
    if detail.runs:
        text.append("\ntaken up\n", "bold")
    for touched in detail.runs:
        text.append(f"  {day_text(touched.began, utc=utc)}  ")
        text.append(printable(touched.outcome[:500]) + "\n")
    _lines(detail, text, styles, width, utc=utc)
    if not event:
        return text
    text.append("\nevent\n", "bold")
    for part in _laid_out(letter.event if letter.event is not None else letter.body).split("\n"):
        text.append(f"  {printable(part)}\n")
    return text


def _lines(detail: Detail, text: Text, styles: Mapping[str, Style], width: int, *, utc: bool) -> None:
    if not detail.attempts or not detail.attempts[-1].lines:
        return
    lines = detail.attempts[-1].lines
    text.append("\nlast lines\n", "bold")
    for line in lines[-LINES:]:
        text.append(f"  {clock_text(line.timestamp, utc=utc)}  ", styles["time"])
        append_row(text, line.message, max(width - 16, 26), styles)


def _laid_out(event: str) -> str:
    if len(event) > REACH:
        return event[:REACH]
    try:
        return json.dumps(json.loads(event), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return event


def _hang(text: Text, told: str, style: str, width: int) -> None:
    """A frame's code or variable, what doesn't fit on a line further in on the next ones."""
    lead = FRAME_LEAD
    while told:
        room = max(width - lead, ROOM_LEAST)
        part = chop_cells(told[: room * 2], room)[0]
        if len(part) < len(told) and (at := part.rfind(" ")) > len(part) // 2:
            part = part[: at + 1]
        text.append(f"{'':{lead}}{part}\n", style)
        told = told[len(part) :]
        lead = FRAME_LEAD + 4


def _failure(failure: Failure, text: Text, styles: Mapping[str, Style], width: int, lead: str = "") -> None:
    text.append(f"{lead}{printable(failure.type[:PART_MAX])}", styles["error"])
    text.append(f": {printable(failure.message[:REACH])}\n")
    for note in failure.notes:
        text.append(f"  {printable(note[:PART_MAX])}\n", "italic")
    runtime = 0
    for frame in failure.frames[-FRAMES_MAX:]:
        # How Lambda's client came to the handler explains nothing.
        if "/awslambdaric/" in frame.file:
            runtime += 1
            continue
        if runtime:
            text.append(f"  … {runtime} frames of the runtime\n", "dim")
            runtime = 0
        text.append(f"  {printable(frame.file[:PART_MAX])}:{frame.line}", styles["key"])
        text.append(f"  in {printable(frame.function[:PART_MAX])}\n")
        if frame.code:
            _hang(text, printable(frame.code[:PART_MAX]), "bold", width)
        for name, value in (frame.local or {}).items():
            _hang(text, f"{printable(str(name)[:PART_MAX])} = {printable(str(value)[:200])}", "dim", width)
    for member in failure.members:
        _failure(member, text, styles, width, "in the group: ")
    for cause in failure.causes:
        _failure(
            cause, text, styles, width, "while handling " if cause.relation == "context" else "caused by "
        )
