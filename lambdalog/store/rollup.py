"""How many events and errors each minute saw, counted from lines without decoding most of them."""

from __future__ import annotations

from collections import Counter
from operator import itemgetter
from typing import Final

from lambdalog.level import ERROR, level_of
from lambdalog.store.line import is_whole, message_of

MINUTE_MS: Final = 60_000

# minute number since the epoch, events, errors
Minute = tuple[int, int, int]

_SECONDS = itemgetter(slice(5, 15))
_TIME, _INGESTION = itemgetter(slice(5, 18)), itemgetter(slice(23, 36))
_HEAD: Final = b'{"t":'
_LATER_HEAD: Final = b'\n{"t":'
# Whatever level_of() calls an error has one of these in it once it is in upper case.
_MARKS: Final = (
    b"ERR",
    b"EXCEPTION",
    b"FATAL",
    b"CRIT",
    b"TASK TIMED OUT",
    b"TRACEBACK",
    b"STATUS: TIMEOUT",
    b"LAMBDA_WARNING",
)


def event_lines(data: bytes) -> list[bytes]:
    """The lines of `data` (whole lines) that are events."""
    lines = data[:-1].split(b"\n")
    if data.startswith(_HEAD) and data.count(_LATER_HEAD) == len(lines) - 1:
        times = b"".join([*map(_TIME, lines), *map(_INGESTION, lines)])
        if times.isdigit() and len(times) == 26 * len(lines):
            return lines
    return [found for found in lines if is_whole(found)]


def minutes_of(data: bytes, lines: list[bytes]) -> dict[int, tuple[int, int]]:
    """Minute number → (events, errors) of whole lines, given as bytes and split."""
    events: Counter[int] = Counter()
    for second, count in Counter(map(_SECONDS, lines)).items():
        events[int(second) // 60] += count
    errors = Counter(int(found[5:15]) // 60 for found in _suspects(data) if _is_error(found))
    return {minute: (count, errors[minute]) for minute, count in events.items()}


def _is_error(found: bytes) -> bool:
    try:
        return is_whole(found) and (level_of(message_of(found)) or 0) >= ERROR
    except ValueError:
        return False  # whoever reads it tells of it


def _suspects(data: bytes) -> list[bytes]:
    """The lines that may be errors."""
    upper = data.upper()  # ASCII only: no byte moves
    starts = set()
    for mark in _MARKS:
        position = upper.find(mark)
        while position >= 0:
            starts.add(data.rfind(b"\n", 0, position) + 1)
            end = data.find(b"\n", position)
            position = upper.find(mark, end) if end >= 0 else -1
    return [data[start : data.find(b"\n", start)] for start in starts]


def add(into: dict[int, tuple[int, int]], minutes: dict[int, tuple[int, int]]) -> None:
    """Add counts to counts."""
    for minute, (events, errors) in minutes.items():
        known = into.get(minute, (0, 0))
        into[minute] = (known[0] + events, known[1] + errors)
