"""A version of a function as a row: how it fared over the window that is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lambdalog.failures import sparkline
from lambdalog.health import Prices, cost
from lambdalog.printable import printable
from tui.grid import Cell, Column, Part
from tui.numbers import bar_text, duration_text, money_text, share_text

if TYPE_CHECKING:
    from lambdalog.health import Health, Who
    from tui.feed.functions import Function

NAME_MAX: Final = 200
COLUMNS: Final = (
    Column("function", 0),
    Column("version", 7),
    Column("trend", 20, since=130),
    Column("runs", 7, right=True),
    Column("errors", 7, right=True),
    Column("throttled", 9, right=True, since=110),
    Column("p50", 8, right=True, since=96),
    Column("p95", 8, right=True),
    Column("p99", 8, right=True, since=140),
    Column("cold", 6, right=True),
    Column("memory free", 16, since=150),
    Column("free", 5, right=True, until=149),
    Column("cost", 11, right=True, since=90),
)
SORTS: Final = ("function", "runs", "errors", "p95", "cost")
TREND: Final = 20
_BAR: Final = 8
# So little free memory, or so many errors, are told in colour.
TIGHT: Final = 0.1
BAD: Final = 0.05


class Row(NamedTuple):
    """A version with its health; `function` is None for one that only its log tells of. `throttles` None: not known."""

    who: Who
    function: Function | None
    health: Health
    throttles: int | None

    @property
    def version(self) -> str:
        """The version, `$LATEST` or a number."""
        return self.who.version

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.name if self.function is not None else self.who.name

    @property
    def text(self) -> str:
        """What a filter looks at."""
        kinds = " ".join(kind for kind, _ in self.health.kinds)
        runtime = str(self.function.config.get("Runtime", "")) if self.function is not None else ""
        return f"{self.name[:NAME_MAX]} {self.version[:NAME_MAX]} {runtime} {kinds}"


def price(row: Row, prices: Prices) -> float:
    """What the version's invocations cost, dollars."""
    architecture = row.function.architecture if row.function is not None else "x86_64"
    return cost(
        prices, requests=row.health.invocations, gb_seconds=row.health.gb_seconds, architecture=architecture
    )


def cells(row: Row, prices: Prices) -> dict[str, Cell]:
    """The row's cells; nothing in them acts on a terminal."""
    health = row.health
    idle = not health.invocations
    bad = "error" if health.error_share >= BAD else "warn"
    found: dict[str, Cell] = {
        "function": (Part(printable(row.name[:NAME_MAX]), "quiet" if idle else "strong"),),
        "version": (Part(printable(row.version[:NAME_MAX]), "quiet"),),
        "trend": (Part(sparkline([runs for runs, _ in health.trend]), "quiet" if idle else "rail"),),
        "runs": (Part(f"{health.invocations:,}", "quiet" if idle else "message"),),
    }
    if row.throttles:
        found["throttled"] = (Part(f"{row.throttles:,}", "warn"),)
    elif row.throttles is None and row.version == "$LATEST":
        found["throttled"] = (Part("?", "quiet"),)
    if idle:
        return found
    found |= {
        "errors": (Part(share_text(health.error_share), bad if health.errors else "quiet"),),
        "p50": (Part(duration_text(health.p50), "value"),),
        "p95": (Part(duration_text(health.p95), "strong"),),
        "p99": (Part(duration_text(health.p99), "value"),),
        "cold": (Part(share_text(health.cold_share), "number" if health.cold else "quiet"),),
        "cost": (Part(money_text(price(row, prices)), "value"),),
    }
    if (free := health.headroom) is not None:
        role = "warn" if free <= TIGHT else "value"
        full, left = bar_text(1 - free, _BAR)
        size = f" {share_text(free):>5}"
        found["memory free"] = (
            Part(full, "warn" if free <= TIGHT else "rail"),
            Part(left, "quiet"),
            Part(size, role),
        )
        found["free"] = (Part(share_text(free), role),)
    return found


def ordered(rows: list[Row], by: str, prices: Prices) -> list[Row]:
    """By name, or the most of something first."""
    rows = sorted(rows, key=lambda row: (row.name, row.version))
    match by:
        case "runs":
            rows.sort(key=lambda row: row.health.invocations, reverse=True)
        case "errors":
            rows.sort(key=lambda row: (row.health.error_share, row.health.errors), reverse=True)
        case "p95":
            rows.sort(key=lambda row: row.health.p95 or 0.0, reverse=True)
        case "cost":
            rows.sort(key=lambda row: price(row, prices), reverse=True)
    return rows
