"""Lines as a store holds them: followed at any rate, decoded when somebody looks at what one says."""

from __future__ import annotations

import re
from functools import partial
from itertools import accumulate, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Final, cast

from lambdalog.level import DEBUG, ERROR, INFO, WARN, level_of
from lambdalog.store.follow import Follower
from lambdalog.store.followed import Form
from lambdalog.store.line import AROUND, parted, text_of
from lambdalog.tail.line import Line, line_of
from lambdalog.tail.stored import FollowerOf

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.store import LogStore
    from lambdalog.store.scan import Lines, Reader
    from lambdalog.tail.wanted import Wanted

# Our own logger and Lambda's JSON logs begin so; nothing before the level can name another one.
_named = re.compile(
    rb'\{\s?(?:"timestamp":\s?"[^"\\]*",\s?)?"level":\s?"(?:(TRACE|DEBUG)|(INFO)|(WARN)(?:ING)?|(ERROR))"'
).match
_BY_GROUP: Final = (None, DEBUG, INFO, WARN, ERROR)


class StoredLine(Line):
    """A line that has its message as it is stored, and its level; ask for both by their names, never by their place."""

    __slots__ = ()

    level = property(itemgetter(6), doc="Its severity, known without decoding.")

    @property
    def message(self) -> str:
        """What it says, decoded at each call. Damaged on disk, it is shown as it stands there."""
        return _text(cast("bytes", self[4]))


def _text(stored: bytes) -> str:
    try:
        return text_of(stored)
    except ValueError:
        return stored.decode("utf-8", "replace")


_make: Callable[[tuple[object, ...]], Line] = partial(tuple.__new__, StoredLine)


def stored_lines(reader: Reader, lines: Lines) -> list[Line]:
    """All lines of a segment's stretch that are not before what is read; those that are no events are told of."""
    parts = parted(lines.data)
    if not parts:
        return list(map(line_of, reader.events(*lines)))
    times, arrivals, stored = zip(*parts, strict=True)
    if reader.scan.start is not None and int(min(times)) < reader.scan.start:
        return list(map(line_of, reader.events(*lines)))
    lengths = map(AROUND.__add__, map(len, stored))
    place = f"{lines.segment.replace('%', '%%')}:%012d"
    rows = zip(
        map(int, times),
        map(int, arrivals),
        repeat(reader.scan.group),
        repeat(lines.stream),
        stored,
        map(place.__mod__, accumulate(lengths, initial=lines.offset)),
        [
            _BY_GROUP[found.lastindex or 0] if (found := _named(value)) else level_of(_text(value))
            for value in stored
        ],
        strict=False,  # the last offset is that of what comes next
    )
    return list(map(_make, rows))


_STORED: Final[Form[Line]] = Form(stored_lines, line_of, itemgetter(0, 1, 5))


def stored(store: LogStore, wanted: Wanted, since: int | None) -> Follower[Line]:
    """A follower of the groups that are wanted."""
    return Follower(store, _STORED, groups=wanted.group, since=since)


class StoredFollowing(FollowerOf[Line]):
    """A store's follower; of the filter, only groups and streams are held against what comes."""

    def poll(self, timeout: float) -> list[Line]:
        """Lines that came."""
        lines = self._follower.poll(timeout)
        if self._stream is None:
            return lines
        return [line for line in lines if self._stream(line.stream)]
