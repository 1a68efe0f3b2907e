"""From segments to events in order: choose by time, skip by bytes, decode, check, merge lazily."""

from __future__ import annotations

import heapq
import re
from operator import attrgetter
from typing import TYPE_CHECKING, Final, Protocol

from lambdalog.store.event import Event
from lambdalog.store.line import is_whole, message_of
from lambdalog.store.writer import DISORDER_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lambdalog.store.event import Position, Scan

_FAR: Final = 1 << 62
# Only what JSON never escapes stands in the bytes as it stands in the text.
_SAFE = re.compile(r"[ !#-\[\]-~]+")

_position = attrgetter("position")


class Segment(Protocol):
    """What a scan needs of a segment, live or sealed."""

    segment: str
    stream: str

    def earliest(self) -> int:
        """No event is older than this."""
        ...

    def latest(self) -> int | None:
        """No event is newer than this; None if there is none."""
        ...

    def blocks(self, start: int | None, end: int | None, *, descending: bool) -> Iterator[tuple[int, bytes]]:
        """(offset, whole lines) covering a range of time."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def needles(literals: Sequence[str]) -> tuple[bytes, ...]:
    """The bytes that must stand in a line for its message to contain every literal; the longest first."""
    runs = [max(_SAFE.findall(literal), key=len, default="") for literal in literals]
    return tuple(run.encode() for run in sorted(set(runs), key=len, reverse=True) if run)


def lines_with(data: bytes, wanted: tuple[bytes, ...]) -> Iterator[tuple[int, bytes]]:
    """(offset in `data`, line without its break) of the lines that contain all of `wanted`."""
    if not wanted:
        offset = 0
        for found in data[:-1].split(b"\n"):
            yield offset, found
            offset += len(found) + 1
        return
    first, rest = wanted[0], wanted[1:]
    position = data.find(first)
    while position >= 0:
        start = data.rfind(b"\n", 0, position) + 1
        end = data.find(b"\n", position)
        found = data[start:end]
        if all(other in found for other in rest):
            yield start, found
        position = data.find(first, end)


def block_events(
    group: str,
    segment: Segment,
    base: int,
    data: bytes,
    scan: Scan,
    wanted: tuple[bytes, ...],
    visible_from: int,
) -> list[Event]:
    """The events of one block that the scan asks for, unsorted."""
    start = -_FAR if scan.start is None else scan.start
    end = _FAR if scan.end is None else scan.end
    match = scan.match
    events = []
    for offset, found in lines_with(data, wanted):
        if not is_whole(found):
            continue
        timestamp = int(found[5:18])
        if not start <= timestamp < end:
            continue
        ingestion = int(found[23:36])
        if ingestion < visible_from:
            continue
        message = message_of(found)
        if match is None or match(message):
            events.append(
                Event(timestamp, ingestion, message, group, segment.stream, segment.segment, base + offset)
            )
    return events


def segment_events(
    group: str, segment: Segment, scan: Scan, wanted: tuple[bytes, ...], visible_from: int
) -> Iterator[Event]:
    """One segment's events in the scan's order. Blocks are sorted within DISORDER_MS: that much is held back."""
    held: list[Event] = []
    sign = -1 if scan.descending else 1
    for base, data in segment.blocks(scan.start, scan.end, descending=scan.descending):
        edge = _edge(data, descending=scan.descending)
        held += block_events(group, segment, base, data, scan, wanted, visible_from)
        held.sort(key=_position, reverse=scan.descending)
        ready = 0
        for event in held:
            if sign * (edge - event.timestamp) <= 2 * DISORDER_MS:
                break
            ready += 1
        yield from held[:ready]
        del held[:ready]
    yield from held


def _edge(data: bytes, *, descending: bool) -> int:
    """The time of the block's line that is nearest to what comes next."""
    if descending:
        return int(data[5:18])
    begin = data.rfind(b"\n", 0, len(data) - 1) + 1
    return int(data[begin + 5 : begin + 18])


def merge(
    sources: Iterable[tuple[int, Callable[[], Iterator[Event]]]], *, descending: bool, after: Position | None
) -> Iterator[Event]:
    """One ordered stream from many; a source is opened only when its bound (earliest or latest time) is reached."""
    waiting = sorted(sources, key=lambda source: source[0], reverse=not descending)
    sign = -1 if descending else 1
    heap: list[tuple[_Key, int, Event, Iterator[Event]]] = []
    count = 0
    while waiting or heap:
        while waiting and (not heap or sign * waiting[-1][0] <= sign * heap[0][2].timestamp):
            iterator = waiting.pop()[1]()
            for event in iterator:
                heapq.heappush(heap, (_Key(event.position, descending), count, event, iterator))
                count += 1
                break
        if not heap:
            continue
        _, order, event, iterator = heap[0]
        if after is None or (event.position < after if descending else event.position > after):
            yield event
        for following in iterator:
            heapq.heapreplace(heap, (_Key(following.position, descending), order, following, iterator))
            break
        else:
            heapq.heappop(heap)


class _Key:
    """A position that sorts backwards where the scan does."""

    __slots__ = ("descending", "position")

    def __init__(self, position: Position, descending: bool) -> None:
        self.position = position
        self.descending = descending

    def __lt__(self, other: _Key) -> bool:
        return self.position > other.position if self.descending else self.position < other.position
