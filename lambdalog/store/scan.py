"""From segments to events in order: choose by time, skip by bloom and bytes, decode, check, merge lazily."""

from __future__ import annotations

import re
from functools import partial
from itertools import accumulate, repeat
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from lambdalog.store.event import Event
from lambdalog.store.line import TIME_MAX, columns, is_whole, message_of
from lambdalog.store.merge import Piece, Read_co, Source, merge
from lambdalog.store.writer import DISORDER_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lambdalog.store.event import Scan
    from lambdalog.store.segment import LiveSegment

# Only what JSON never escapes stands in the bytes as it stands in the text.
_PLAIN = re.compile(r"[^\x00-\x1f\"\\\x7f\ud800-\udfff]+")
_ASCII = re.compile(r"[ !#-\[\]-~]+")
# A message with a lone surrogate is written in ASCII escapes, one of which begins like this.
_ESCAPED: Final = b"\\ud"

# What is decoded at once: little at first, as a page over many segments takes few events of each; never so much that all of
# many segments would be in memory.
_PIECE_LEAST: Final = 2 * 1024
_PIECE_MOST: Final = 64 * 1024
_WORTH_BISECTING: Final = 8192
# So much in which nothing is found is read of a segment before it is another one's turn, and then more and more: to go from
# one to the next takes other memory.
_PATIENCE: Final = 64 * 1024
# Of fewer lines, columns cost more to make than they save.
_WORTH_COLUMNS: Final = 512
# Of the runs of literals, those that are looked for beside the longest.
_RUN_LEAST: Final = 2
_RUNS_MOST: Final = 6
# So much of the lines is looked at for which needle is the rarest.
_SAMPLE: Final = 16 * 1024
_NEVER: Final = 1 << 62

# Event(...) calls this too, after half a microsecond.
_event = tuple.__new__


class Lines(NamedTuple):
    """Whole lines of one segment, from its offset `offset` on."""

    stream: str
    segment: str
    offset: int
    data: bytes


class Begun(NamedTuple):
    """The lines of one segment in a sealed frame, as (offset in the segment, lines) in the scan's order, read as they are asked for."""

    stream: str
    segment: str
    blocks: Iterable[tuple[int, bytes]]


class Taker(Protocol[Read_co]):
    """What makes something of the lines that a scan is led to."""

    def live(self, segment: LiveSegment) -> Iterable[Read_co]:
        """Of a live segment's lines."""
        ...

    def frame(self, parts: Sequence[Lines]) -> Iterable[Read_co]:
        """Of a sealed frame's lines."""
        ...

    @property
    def begun(self) -> Callable[[Sequence[Begun]], Iterable[Read_co]] | None:
        """Of a sealed frame that is unpacked as its lines are asked for; None where a part of one is never enough."""
        ...


class Needles(NamedTuple):
    """Bytes that stand in every line whose message contains the literals, longest first; `ascii` where lines may be escaped."""

    plain: tuple[bytes, ...]
    ascii: tuple[bytes, ...]

    def of(self, data: bytes) -> tuple[bytes, ...]:
        """Which ones hold for these lines."""
        if self.plain != self.ascii and _ESCAPED in data:
            return self.ascii
        return self.plain


def needles(literals: Sequence[str]) -> Needles:
    """What to look for in the bytes to find messages that contain every literal."""
    return Needles(_runs(_PLAIN, literals), _runs(_ASCII, literals))


def _runs(runs: re.Pattern[str], literals: Sequence[str]) -> tuple[bytes, ...]:
    # Of `"level":"ERROR"` the first run is in every line: which of them is rare, the lines tell.
    found = {run.encode() for literal in literals for run in runs.findall(literal)}
    by_length = sorted(found, key=lambda run: (-len(run), run))
    return tuple(run for number, run in enumerate(by_length) if not number or len(run) >= _RUN_LEAST)[
        :_RUNS_MOST
    ]


def lines_with(data: bytes, wanted: tuple[bytes, ...]) -> Iterator[tuple[int, bytes]]:
    """(offset in `data`, line without its break) of the lines that contain all of `wanted`."""
    if not wanted:
        offset = 0
        for found in data[:-1].split(b"\n"):
            yield offset, found
            offset += len(found) + 1
        return
    first, rest = wanted[0], wanted[1:]
    if rest:
        # The rarest leads: each line that it stands in is looked at for the others.
        sample = data[:_SAMPLE]
        first = min(wanted, key=sample.count)
        rest = tuple(other for other in wanted if other != first)
    position = data.find(first)
    while position >= 0:
        start = data.rfind(b"\n", 0, position) + 1
        end = data.find(b"\n", position)
        found = data[start:end]
        if not rest or all(other in found for other in rest):
            yield start, found
        position = data.find(first, end)


class Window:
    """The times of a scan, as they cut sorted lines."""

    def __init__(self, scan: Scan) -> None:
        # Lines are sorted within DISORDER_MS. None: there is nothing to cut.
        self._early: bytes | None = None
        self._late: bytes | None = None
        if scan.start is not None:
            self._early = digits_of(scan.start - DISORDER_MS)
        if scan.end is not None and scan.end <= TIME_MAX:
            self._late = digits_of(scan.end + DISORDER_MS)

    def within(self, data: bytes) -> tuple[int, int]:
        """The part of sorted lines outside of which every line is too early or too late."""
        low = 0 if self._early is None else _bisect(data, self._early, 0, 0)
        high = len(data) if self._late is None else _bisect(data, self._late, low, len(data))
        return low, high


class Reader:
    """Finds the events of one scan in blocks of lines."""

    def __init__(self, scan: Scan, damaged: Callable[[str, int], None]) -> None:
        """`damaged` is told (segment, offset) of lines that are no events."""
        self.scan = scan
        self._damaged = damaged
        self.needles = needles(scan.literals)
        self.descending = scan.descending
        # Times are compared as the thirteen digits that they are written in.
        self._start = b"%013d" % max(scan.start or 0, 0)
        self._end = b"%013d" % max(min(TIME_MAX + 1 if scan.end is None else scan.end, TIME_MAX + 1), 0)
        self._endless = scan.end is None or scan.end > TIME_MAX
        self._bounded = scan.start is not None or scan.end is not None
        self._window = Window(scan)

    def events(self, stream: str, segment: str, base: int, data: bytes) -> list[Event]:
        """The events in whole lines of a segment, from its offset `base` on, that the scan asks for; as they stand."""
        if self._bounded and len(data) > _WORTH_BISECTING:
            low, high = self._window.within(data)
            base += low
            data = data[low:high]
        return self._found(stream, segment, base, data)

    def _found(self, stream: str, segment: str, base: int, data: bytes) -> list[Event]:
        """The same, where times have been looked for."""
        wanted = self.needles.of(data)
        if not wanted and len(data) > _WORTH_COLUMNS:
            found = self._all(stream, segment, base, data)
            if found is not None:
                return found
        return self._some(stream, segment, base, lines_with(data, wanted))

    def _all(self, stream: str, segment: str, base: int, data: bytes) -> list[Event] | None:
        """The same, by the column; None if a line is no event."""
        found = columns(data)
        if found is None:
            return None
        rows: Iterable[tuple[Any, ...]] = zip(
            found.times,
            found.ingestions,
            repeat(segment),
            accumulate(found.sizes, initial=base),  # the last one is that of what comes next
            found.messages,
            repeat(self.scan.group),
            repeat(stream),
            strict=False,
        )
        if self._bounded:
            start, end = self.scan.start or 0, _NEVER if self.scan.end is None else self.scan.end
            if min(found.times) < start or max(found.times) >= end:
                rows = [row for row in rows if start <= row[0] < end]
        if (match := self.scan.match) is not None:
            rows = [row for row in rows if match(row[4])]
        return list(map(_event, repeat(Event), rows))

    def _some(self, stream: str, segment: str, base: int, lines: Iterable[tuple[int, bytes]]) -> list[Event]:
        """The events in (offset, line) that the scan asks for."""
        group, match = self.scan.group, self.scan.match
        start, end, endless = self._start, self._end, self._endless
        found = []
        for offset, line in lines:
            time = line[5:18]
            if time < start or not (endless or time < end):
                continue
            if not is_whole(line):
                self._damaged(segment, base + offset)
                continue
            try:
                message = message_of(line)
            except ValueError:
                self._damaged(segment, base + offset)
                continue
            if match is None or match(message):
                found.append(
                    Event(int(time), int(line[23:36]), segment, base + offset, message, group, stream)
                )
        return found

    def _sort(self, events: list[Event]) -> list[Event]:
        events.sort(reverse=self.descending)
        return events

    def live(self, segment: LiveSegment) -> Iterator[Piece]:
        """A live segment's events."""
        blocks = segment.blocks(self.scan.start, self.scan.end, descending=self.descending)
        return self.read(segment.stream, segment.segment, blocks)

    def frame(self, parts: Sequence[Lines]) -> Iterable[Piece]:
        """The events in a sealed frame's lines."""
        events = []
        for part in parts:
            if part.data:
                events += self.events(*part)
        return [Piece(-_NEVER if self.descending else _NEVER, self._sort(events))]

    def begun(self, parts: Sequence[Begun]) -> Iterable[Piece]:
        """The events of a frame, which is unpacked as they are asked for: a few do where a page is full, or the time over."""
        if len(parts) == 1:
            return self.read(*parts[0])
        bound = _NEVER if self.descending else -_NEVER
        merged = merge(
            [Source(bound, partial(self.read, *part)) for part in parts], descending=self.descending
        )
        return (Piece(events[-1].timestamp, events) for events in merged)

    def chosen(self, lines: Lines) -> bytes:
        """Those of some lines that may be events the scan asks for, as they stand: by time, roughly, and by their bytes."""
        data = lines.data
        if self._bounded and len(data) > _WORTH_BISECTING:
            low, high = self._window.within(data)
            data = data[low:high]
        wanted = self.needles.of(data)
        if not wanted:
            return data
        return b"".join([line + b"\n" for _, line in lines_with(data, wanted)])

    def read(self, stream: str, segment: str, blocks: Iterable[tuple[int, bytes]]) -> Iterator[Piece]:
        """The events in blocks of lines, which are sorted within DISORDER_MS."""
        until, disorder = (_NEVER, DISORDER_MS) if self.descending else (-_NEVER, -DISORDER_MS)
        passed, patience = 0, _PATIENCE
        for base, data in self._pieces(blocks):
            edge = edge_of(data, descending=self.descending)
            if edge is not None:
                until = edge + disorder
            events = self._found(stream, segment, base, data)
            passed += len(data)
            if events or passed >= patience:
                yield Piece(until, self._sort(events))
                passed, patience = 0, patience if events else 4 * patience

    def _pieces(self, blocks: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """The blocks up to where all that follows is too early or too late, in pieces that grow."""
        size = _PIECE_LEAST
        for base, data in blocks:
            low, high = self._window.within(data) if self._bounded else (0, len(data))
            # Where most lines are passed over by their bytes, few events come of many: no need for small pieces.
            if self.scan.literals and low < high:
                yield base + low, data[low:high]
            else:
                for start, end in _cuts(data, low, high, size, descending=self.descending):
                    yield base + start, data[start:end]
                    size = min(size * 16, _PIECE_MOST)
            if low > 0 if self.descending else high < len(data):
                return


def digits_of(time: int) -> bytes:
    """A time (epoch ms) as lines have it, or the nearest to it that they can."""
    return b"%013d" % min(max(time, 0), TIME_MAX)


def _bisect(data: bytes, time: bytes, low: int, unknown: int) -> int:
    """The beginning of a line, not before `low`, such that all before it are older than `time` (within the disorder).

    Where a line without a time is met, all before what is returned are, or it is `unknown`, whichever is later.
    """
    high = len(data)
    while low < high:
        middle = (low + high) // 2
        start = data.rfind(b"\n", low, middle) + 1 or low
        found = data[start + 5 : start + 18]
        if not found.isdigit():
            return max(low, unknown)  # no event: what follows is looked at line by line
        if found < time:
            low = data.find(b"\n", middle) + 1
        else:
            high = start
    return low


def _cuts(data: bytes, start: int, end: int, size: int, *, descending: bool) -> Iterator[tuple[int, int]]:
    """(start, end) of whole lines in [start, end), `size` bytes of them at first, then more and more."""
    while start < end:
        if descending:
            cut = data.rfind(b"\n", start, end - size) + 1 or start if end - start > size else start
            yield cut, end
            end = cut
        else:
            cut = (data.find(b"\n", start + size, end) + 1 or end) if end - start > size else end
            yield start, cut
            start = cut
        size = min(size * 16, _PIECE_MOST)


def edge_of(data: bytes, *, descending: bool) -> int | None:
    """The time of the block's line that is nearest to what comes next; None if that is no event."""
    begin = 0 if descending else data.rfind(b"\n", 0, len(data) - 1) + 1
    time = data[begin + 5 : begin + 18]
    return int(time) if time.isdigit() else None
