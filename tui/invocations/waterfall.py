"""The waterfall of an invocation: init, attempts, the waits between them, and what came of it, on one scale of time.

Waits of minutes between attempts of milliseconds would leave nothing to see: a long wait is drawn short, and dotted.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from lambdalog.printable import printable
from tui.invocations.rows import NAME_MAX, STATUSES
from tui.numbers import duration_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.style import Style

    from lambdalog.invocations import Invocation
    from tui.feed.invocations import Child

# A wait is drawn no longer than this share of all the work.
_GAP: Final = 0.3
_LABEL: Final = 15
_TIME: Final = 9
_LEAST: Final = 12
_WIDE: Final = 110


class Step(NamedTuple):
    """A row of the waterfall: from `start` to `end`, ms since the invocation began; equal for what has no length."""

    label: str
    start: float
    end: float
    role: str
    said: str
    kind: str = "work"


def steps_of(invocation: Invocation, children: Sequence[Child], now: int) -> list[Step]:
    """The rows, in order of time."""
    zero = invocation.began
    found = [
        Step("throttled", at - zero, at - zero, "warn", "too many ran", "point")
        for at in invocation.throttled
    ]
    many = invocation.tries > 1
    before: float | None = None
    for number, attempt in enumerate(invocation.attempts, 1):
        report = attempt.report
        began = float(attempt.began - zero)
        start = began - (attempt.init_ms or 0.0)
        if before is not None and start > before:
            found.append(Step("wait", before, start, "quiet", "", "wait"))
        if attempt.init_ms is not None:
            found.append(Step("init", start, began, "number", "cold start"))
        status = attempt.status(now)
        sign, role = STATUSES[status]
        if report is not None:
            end = began + report.duration_ms
        else:
            end = max((attempt.ended if attempt.ended is not None else now) - zero, began)
        error = attempt.error_type or (report.error_type if report is not None else "")
        said = f"{sign} {printable(error[:NAME_MAX]) or status}"
        found.append(Step(f"attempt {number}" if many else "handler", began, end, role, said))
        before = end
    for child in children:
        ended = child.ended if child.ended is not None else child.at
        said = " ".join(filter(None, (printable(child.name[:NAME_MAX]), printable(child.said[:NAME_MAX]))))
        role = "error" if child.failed else "rail"
        found.append(Step(f"→ {child.kind}", child.at - zero, ended - zero, role, said, "point"))
    found.sort(key=lambda step: (step.start, step.end))
    return found


def scale(steps: Sequence[Step], width: int) -> Callable[[float], float]:
    """From ms to columns, 0 to `width`: evenly within work, with long waits cut short."""
    spans: list[list[float]] = []
    for step in sorted((step for step in steps if step.kind != "wait"), key=lambda step: step.start):
        if spans and step.start <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], step.end)
        else:
            spans.append([step.start, step.end])
    work = sum(end - start for start, end in spans) or 1.0
    times, places = [], []
    place = 0.0
    for index, (start, end) in enumerate(spans):
        if index:
            place += min(start - spans[index - 1][1], work * _GAP)
        times.append(start)
        places.append(place)
        place += end - start
        times.append(end)
        places.append(place)
    whole = place or 1.0

    def column(at: float) -> float:
        after = bisect_right(times, at)
        if after == 0:
            return 0.0
        if after == len(times):
            return places[-1] / whole * width
        low, high = times[after - 1], times[after]
        share = (at - low) / (high - low) if high > low else 0.0
        return (places[after - 1] + (places[after] - places[after - 1]) * share) / whole * width

    return column


def waterfall(steps: Sequence[Step], width: int, styles: Mapping[str, Style]) -> Text:
    """The rows as text of `width` columns."""
    text = Text()
    room = max(min(width - _LABEL - _TIME - (48 if width >= _WIDE else 30), 90), _LEAST)
    said_room = max(width - _LABEL - _TIME - room - 3, 4)
    column = scale(steps, room)
    for step in steps:
        text.append(set_cell_size(step.label, _LABEL), styles["key"])
        first = min(int(column(step.start)), room - 1)
        last = min(max(round(column(step.end)), first + 1), room)
        line = {"wait": "┈" * (last - first), "point": "◆"}.get(step.kind, "━" * (last - first))
        text.append(" " * first)
        text.append(line, styles[step.role])
        text.append(" " * (room - first - cell_len(line)))
        length = duration_text(step.end - step.start) if step.kind != "point" else ""
        text.append(f" {length:>{_TIME}} ", styles["value"])
        role = step.role if step.kind == "work" else "quiet"
        said = (
            step.said if cell_len(step.said) <= said_room else set_cell_size(step.said, said_room - 1) + "…"
        )
        text.append(said + "\n", styles[role])
    return text
