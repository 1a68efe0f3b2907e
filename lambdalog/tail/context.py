"""Lines with what stands around them in their stream, as `grep -C` shows it."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final, Protocol

from lambdalog.tail.render import Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lambdalog.tail.line import Line

# Of so many streams the lines that come next are kept: where matches are many, one reading serves a lot of them.
STREAMS_KEPT: Final = 64
# Of more streams, the one that wrote least recently loses what stood before a match.
STREAMS_HELD: Final = 10_000
READ_AHEAD: Final = 256

Stream = tuple[str, str]


class Neighbours(Protocol):
    """What stands before and after a line in its own stream, unfiltered."""

    def before(self, line: Line, count: int) -> list[Line]:
        """Up to `count` lines that end right before it, in order."""
        ...

    def after(self, line: Line, count: int) -> list[Line]:
        """Up to `count` lines that follow it, in order."""
        ...


class Following:
    """For all lines of streams, as they come: holds back `count` of each stream, and lets through what is near a match."""

    def __init__(self, count: int, matches: Callable[[Line], bool]) -> None:
        """`matches` is asked once for each line, in each stream's order."""
        self._count = count
        self._matches = matches
        self._held: OrderedDict[Stream, deque[Line]] = OrderedDict()
        # How many lines of a stream are still to be shown after its last match.
        self._after: dict[Stream, int] = {}
        self._skipped: set[Stream] = set()
        self._anything = False

    def take(self, line: Line) -> list[Shown]:
        """What is to be shown now that `line` has come."""
        stream = (line.group, line.stream)
        if self._matches(line):
            lines = [*self._held.pop(stream, ()), line]
            new = stream in self._skipped or stream not in self._after
            self._skipped.discard(stream)
            self._after[stream] = self._count
            gap, self._anything = new and self._anything, True
            return [Shown(one, matched=one is line, gap=gap and one is lines[0]) for one in lines]
        left = self._after.get(stream, 0)
        if left:
            self._after[stream] = left - 1
            return [Shown(line, matched=False)]
        held = self._held.setdefault(stream, deque(maxlen=self._count))
        if len(held) == self._count:
            self._skipped.add(stream)
        held.append(line)
        self._held.move_to_end(stream)
        if len(self._held) > STREAMS_HELD:
            self._skipped.add(self._held.popitem(last=False)[0])
        return []


class _Shown:
    """How far a stream was shown: lines of one moment are told by their ids."""

    __slots__ = ("at", "ids")

    def __init__(self) -> None:
        self.at = (-1, -1)
        self.ids: set[str] = set()

    def __contains__(self, line: Line) -> bool:
        return (line.timestamp, line.ingestion) < self.at or line.id in self.ids

    def add(self, line: Line) -> None:
        moment = (line.timestamp, line.ingestion)
        if moment != self.at:
            self.at = moment
            self.ids.clear()
        self.ids.add(line.id)


def around(
    found: Iterable[Line], count: int, matches: Callable[[Line], bool], near: Neighbours
) -> Iterator[Shown]:
    """The lines that were found, each with `count` lines of its stream before and after it; no line twice.

    `matches` is asked once for each line that is shown, in each stream's order.
    """
    shown: dict[Stream, _Shown] = {}
    ahead = _Ahead(near)
    for line in found:
        stream = (line.group, line.stream)
        known = shown.get(stream)
        if known is None or line not in known:
            # One more than is shown tells whether some were left out.
            before = near.before(line, count + 1)
            if known is not None:
                before = [one for one in before if one not in known]
            gap = bool(shown) if known is None else len(before) > count
            if known is None:
                known = shown[stream] = _Shown()
            for one in (*before[len(before) - min(count, len(before)) :], line):
                yield Shown(one, matched=matches(one) or one is line, gap=gap)
                gap = False
                known.add(one)
        for one in ahead.after(line, count):
            if one not in known:
                known.add(one)
                yield Shown(one, matched=matches(one))


class _Ahead:
    """What follows a line, from what was read for the line before it if that reaches far enough."""

    def __init__(self, near: Neighbours) -> None:
        self._near = near
        self._kept: OrderedDict[Stream, list[Line]] = OrderedDict()

    def after(self, line: Line, count: int) -> Iterator[Line]:
        stream = (line.group, line.stream)
        kept = self._kept.get(stream, [])
        place = next((index for index, one in enumerate(kept) if one.id == line.id), None)
        if place is None or len(kept) - place - 1 < count:
            kept = [line, *self._near.after(line, max(count, READ_AHEAD))]
            place = 0
        kept = self._kept[stream] = kept[place:]
        self._kept.move_to_end(stream)
        if len(self._kept) > STREAMS_KEPT:
            self._kept.popitem(last=False)
        return iter(kept[1 : count + 1])
