"""The time that a line of JSON bears itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import orjson

# As loggers name it, the most usual first; nested ones are somebody else's.
NAMES: Final = ("timestamp", "time", "@timestamp", "ts")
# A year is 32 million seconds: from here on a number can't be seconds, but milliseconds, microseconds, nanoseconds.
_MS_FROM: Final = 10**11
_US_FROM: Final = 10**14
_NS_FROM: Final = 10**17


def time_of(line: str) -> int | None:
    """Epoch milliseconds of a line that is a JSON object with a time in it; None for others.

    Times are RFC 3339 (without a zone they are UTC), or numbers since the epoch: seconds, milli-, micro- or nanoseconds.
    """
    if not line.startswith("{"):
        return None
    try:
        found = orjson.loads(line)
    except ValueError:
        return None
    for name in NAMES:
        moment = _milliseconds(found.get(name))
        if moment is not None:
            return moment
    return None


def _milliseconds(value: Any) -> int | None:
    if type(value) is str:
        return _of_text(value)
    if type(value) not in {int, float} or not 0 < value < 10**19:
        return None
    if value < _MS_FROM:
        return int(value * 1000)
    if value < _US_FROM:
        return int(value)
    return int(value // 1000 if value < _NS_FROM else value // 1_000_000)


def _of_text(text: str) -> int | None:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return max(round(found.timestamp() * 1000), 0)
    except (ValueError, OverflowError):
        return None
