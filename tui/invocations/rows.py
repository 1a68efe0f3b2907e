"""An invocation as a row: what is shown of it, what a filter looks at, which quick view it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lambdalog.printable import printable
from tui.grid import Cell, Column, Part
from tui.logs.format import clock_text
from tui.numbers import bar_text, duration_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambdalog.invocations import Invocation, Status

COLUMNS: Final = (
    Column("time", 12),
    Column("function", 0),
    Column("version", 7, since=110),
    Column("status", 11),
    Column("cold", 7, right=True),
    Column("duration", 8, right=True),
    Column("billed", 8, right=True, since=130),
    Column("memory", 16, since=100),
    Column("mem", 4, right=True, until=99),
    Column("tries", 5, right=True),
    Column("error", 0, since=100),
    Column("request", 36, since=160),
)
# How a status is shown: a sign that is told apart without colours, and a role.
STATUSES: Final[dict[Status, tuple[str, str]]] = {
    "ok": ("✓", "info"),
    "error": ("✗", "error"),
    "timeout": ("◷", "error"),
    "throttled": ("⊘", "warn"),
    "running": ("▶", "number"),
    "lost": ("?", "warn"),
}
VIEWS: Final = ("all", "slowest", "failed", "throttled", "cold")
# Names are anyone's, and may be a megabyte.
NAME_MAX: Final = 200
_MEMORY_BAR: Final = 8
TIGHT: Final = 0.9


def cells(invocation: Invocation, now: int, *, utc: bool) -> dict[str, Cell]:
    """The row's cells; nothing in them acts on a terminal."""
    status = invocation.status(now)
    sign, role = STATUSES[status]
    last, report = invocation.last, invocation.report
    quiet = "message" if status != "throttled" else "quiet"
    found: dict[str, Cell] = {
        "time": (Part(clock_text(invocation.began, utc=utc), "time"),),
        "function": (Part(printable(invocation.function[:NAME_MAX]), quiet),),
        "version": (Part(printable(invocation.version[:NAME_MAX]), "quiet"),),
        "status": (Part(f"{sign} {status}", role),),
        "request": (Part(printable(invocation.request_id[:NAME_MAX]), "quiet"),),
        "error": (Part(printable(invocation.error_type[:NAME_MAX]), "error"),),
    }
    if last is not None and last.init_ms is not None:
        found["cold"] = (Part(duration_text(last.init_ms), "number"),)
    if report is not None:
        found["duration"] = (Part(duration_text(report.duration_ms), "strong"),)
        found["billed"] = (Part(duration_text(report.billed_ms), "value"),)
    elif last is not None and status == "running":
        found["duration"] = (Part(duration_text(max(now - last.began, 0)), "number"),)
    if report is not None and report.memory_mb:
        share = report.max_memory_mb / report.memory_mb
        tight = "warn" if share >= TIGHT else "value"
        full, left = bar_text(share, _MEMORY_BAR)
        used = f" {report.max_memory_mb}/{report.memory_mb}"
        found["memory"] = (
            Part(full, "warn" if share >= TIGHT else "rail"),
            Part(left, "quiet"),
            Part(used, tight),
        )
        found["mem"] = (Part(f"{share * 100:.0f}%", tight),)
    if invocation.tries > 1:
        found["tries"] = (Part(f"x{invocation.tries}", "warn"),)
    return found


def text_of(invocation: Invocation, now: int) -> str:
    """What a filter looks at, in one line."""
    last = invocation.last
    return " ".join(
        (
            invocation.function[:NAME_MAX],
            invocation.version[:NAME_MAX],
            invocation.status(now),
            invocation.error_type,
            last.message if last is not None else "",
            "cold" if invocation.cold else "",
            invocation.request_id,
        )
    )


def belongs(invocation: Invocation, view: str, now: int) -> bool:
    """Whether a quick view shows an invocation."""
    match view:
        case "failed":
            return invocation.status(now) in {"error", "timeout", "lost"}
        case "throttled":
            return bool(invocation.throttled)
        case "cold":
            return invocation.cold
        case "slowest":
            return invocation.duration_ms is not None
        case _:
            return True


def ordered(invocations: Iterable[Invocation], view: str) -> list[Invocation]:
    """As a quick view orders them: the newest first, or the slowest."""
    found = list(invocations)
    if view == "slowest":
        found.sort(key=lambda one: one.duration_ms or 0.0, reverse=True)
    return found
