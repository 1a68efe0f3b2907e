"""Schedule expressions: rate(), cron() and at(), by AWS's rules and in a time zone. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aws_croniter import AwsCroniter
from aws_croniter.exceptions import AwsCroniterExpressionError

from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from datetime import tzinfo

_RATE: Final = re.compile(r"rate\((\d{1,9}) (minute|minutes|hour|hours|day|days)\)")
_CRON: Final = re.compile(r"cron\(([^()]+)\)")
_AT: Final = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_UNITS: Final = {"minute": 60, "hour": 3600, "day": 86_400}
# When clocks are changed, as many candidates in a row can be none as there are minutes in an hour or two.
_TRIES: Final = 1500
# More missed times than this are not counted one by one.
_COUNTED_MAX: Final = 10_000


class Expression(Protocol):
    """When a schedule comes due."""

    def after(self, moment: float, anchor: float) -> float | None:
        """The first time (epoch seconds) after `moment`, for a schedule made at `anchor`; None if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so many seconds, counted from when the schedule was made."""

    period: int

    def after(self, moment: float, anchor: float) -> float | None:
        """See `Expression`."""
        return anchor + (max(int((moment - anchor) // self.period), 0) + 1) * self.period


@dataclass(frozen=True, slots=True)
class Cron:
    """By the wall clock of a time zone, with EventBridge Scheduler's rules for when clocks are changed.

    A time that the zone skips is skipped, and one that it has twice comes once, the first time.
    """

    fields: str
    zone: tzinfo

    def after(self, moment: float, anchor: float) -> float | None:
        """See `Expression`."""
        del anchor
        # The library counts in UTC: it is shown the wall clock as if it were that.
        wall = datetime.fromtimestamp(moment, self.zone).replace(tzinfo=UTC, fold=0)
        cron = AwsCroniter(self.fields)
        for _ in range(_TRIES):
            (found,) = cron.get_next(wall, 1)
            if found is None:
                return None
            wall = found
            local = wall.replace(tzinfo=self.zone)
            seconds = local.timestamp()
            exists = datetime.fromtimestamp(seconds, self.zone).replace(tzinfo=UTC, fold=0) == wall
            if exists and seconds > moment:
                return float(seconds)
        return None


@dataclass(frozen=True, slots=True)
class At:
    """Once."""

    seconds: float

    def after(self, moment: float, anchor: float) -> float | None:
        """See `Expression`."""
        del anchor
        return self.seconds if self.seconds > moment else None


_FIELDS: Final = "minutes, hours, day of month, month, day of week, year"


def parse(text: str, zone: str = "UTC") -> Expression:
    """Read an expression. ConfigError, with what is wrong, for what is none and for an unknown time zone."""
    try:
        where: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(f"there is no time zone {zone!r}; write one like Europe/Berlin") from None
    if found := _RATE.fullmatch(text):
        return _rate(text, int(found[1]), found[2])
    if found := _CRON.fullmatch(text):
        try:
            AwsCroniter(found[1])
        except AwsCroniterExpressionError as error:
            # Two of its sentences have no space between.
            wrong = str(error).replace("'.One", "'. One").rstrip(".")
            raise ConfigError(f"{text}: {wrong}; its fields are {_FIELDS}") from None
        return Cron(found[1], where)
    if found := _AT.fullmatch(text):
        try:
            moment = datetime.fromisoformat(found[1]).replace(tzinfo=where)
        except ValueError as error:
            raise ConfigError(f"{text}: {error}") from None
        return At(moment.timestamp())
    raise ConfigError(
        f"{text!r} is no schedule; write rate(5 minutes), cron(0 12 * * ? *) or at(2026-01-02T03:04:05)"
    )


def _rate(text: str, value: int, unit: str) -> Rate:
    singular = unit.rstrip("s")
    if value == 0:
        raise ConfigError(f"{text}: the value must be positive")
    # "If the value is equal to 1, the unit must be singular."
    if (value == 1) != (unit == singular):
        right = singular if value == 1 else f"{singular}s"
        raise ConfigError(f"{text}: write rate({value} {right})")
    return Rate(value * _UNITS[singular])


def missed(expression: Expression, due: float, now: float, anchor: float) -> tuple[float, int]:
    """The last time up to `now` of a schedule that came due at `due`, and how many there were, that one included."""
    last, count = due, 1
    while count < _COUNTED_MAX:
        following = expression.after(last, anchor)
        if following is None or following > now:
            break
        last, count = following, count + 1
    return last, count
