"""Lengths of time as queries write them, and times cut to them."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from lambdalog.query.insights.scanner import Scanner

_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_MONTHS: Final = {"mo": 1, "q": 3, "y": 12}
# Each unit's names: "millisecond: ms, msec", … and their plurals.
_NAMES: Final = {
    "ms": ("millisecond", "ms", "msec"),
    "s": ("second", "s", "sec"),
    "m": ("minute", "m", "min"),
    "h": ("hour", "h", "hr"),
    "d": ("day", "d"),
    "w": ("week", "w"),
    "mo": ("month", "mo", "mon"),
    "q": ("quarter", "q", "qtr"),
    "y": ("year", "y", "yr"),
}
_UNITS: Final = {
    spelled: unit for unit, names in _NAMES.items() for name in names for spelled in (name, f"{name}s")
}
_PERIOD: Final = re.compile(r"(\d{1,9})\s*([A-Za-z]+)")
# Weeks begin on Monday; 1970 began on a Thursday.
_WEEK_SHIFT: Final = 4 * _MS["d"]


class Period(NamedTuple):
    """`count` milliseconds, or with `months` set that many months."""

    ms: int
    months: int = 0
    weekly: bool = False

    def floor(self, time: int) -> int:
        """The beginning of the period that a time (epoch ms, UTC) is in."""
        if not self.months:
            shift = _WEEK_SHIFT if self.weekly else 0
            return (time - shift) // self.ms * self.ms + shift
        moment = dt.datetime.fromtimestamp(time / 1000, dt.UTC)
        month = (moment.year * 12 + moment.month - 1) // self.months * self.months
        return _month(month)

    def ceil(self, time: int) -> int:
        """The end of the period that a time is in, or the time itself if it begins one."""
        low = self.floor(time)
        if low == time:
            return time
        if not self.months:
            return low + self.ms
        moment = dt.datetime.fromtimestamp(low / 1000, dt.UTC)
        return _month(moment.year * 12 + moment.month - 1 + self.months)


def read_period(scanner: Scanner) -> Period:
    """`5m`, `1 hour`. QueryError if none comes."""
    start = scanner.position
    found = scanner.match(_PERIOD)
    unit = _UNITS.get(found.group(2).lower()) if found else None
    count = int(found.group(1)) if found else 0
    if unit is None or not count:
        scanner.fail("expected a period: 30s, 5m, 1h, 1d …", start)
    if unit in _MONTHS:
        if count > 1200:
            scanner.fail("expected a shorter period", start)
        return Period(0, count * _MONTHS[unit])
    return Period(count * _MS[unit], weekly=unit == "w")


def _month(number: int) -> int:
    year, month = divmod(number, 12)
    if not 1 <= year <= 9999:
        year, month = (1, 0) if year < 1 else (9999, 11)
    return round(dt.datetime(year, month + 1, 1, tzinfo=dt.UTC).timestamp() * 1000)
