"""A page of one stream: which lines it has is told by what they begin with; those alone are decoded, as columns.

A scan makes an event of each line that may come before the page's end, which is all of two seconds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate, chain, count, islice, repeat
from operator import add, itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lambdalog.store.line import TIME_MAX, columns
from lambdalog.store.merge import merge
from lambdalog.store.read import GroupReader, narrowed
from lambdalog.store.scan import Reader, Window, digits_of, edge_of
from lambdalog.store.writer import DISORDER_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lambdalog.store.event import Event, Position, Scan
    from lambdalog.store.scan import Begun, Lines
    from lambdalog.store.segment import LiveSegment
    from lambdalog.store.segments import Found, GroupSegments

# A line's time and time of ingestion as they stand: they sort as the numbers do.
_HEAD: Final = slice(5, 36)
_NEVER: Final = 1 << 62
_FIRST: Final = (digits_of(0),)

# The place of a line in the order of a group, and the line itself. Rows sort as their events do.
Row = tuple[bytes, str, int, bytes]


class Page(NamedTuple):
    """The events of a page, oldest first, by the column. `cut`: it ended for its bytes, not for the number of its events."""

    times: Sequence[int]
    ingestions: Sequence[int]
    messages: Sequence[str]
    rows: Sequence[Row]
    cut: bool

    def position(self, index: int) -> Position:
        """The place of one of the events."""
        _, segment, offset, _ = self.rows[index]
        return self.times[index], self.ingestions[index], segment, offset

    def part(self, part: slice) -> Page:
        """Some of the events."""
        times, ingestions, messages, rows, cut = self
        return Page(times[part], ingestions[part], messages[part], rows[part], cut)


class StreamPages:
    """The events of one stream in the segments that there were when it was asked for."""

    def __init__(self, segments: GroupSegments, found: Found, expired_before: int | None) -> None:
        self._segments = segments
        self._found = found
        self._expired_before = expired_before

    @property
    def segments(self) -> Iterator[str]:
        """The names of the segments."""
        for live in self._found.live:
            yield live.segment
        for held in self._found.sealed:
            for entry in held.entries:
                yield entry.segment

    def page(self, scan: Scan, limit: int, size: int) -> Page:
        """The first `limit` events of a scan of this stream, of whose lines there are no more than `size` bytes, but one at least.

        `match` and `literals` are not looked at.
        """
        scan = narrowed(scan, self._expired_before)
        best = _Best(scan, limit, size)
        sources = GroupReader(self._segments, scan, _Pieces(scan)).sources(self._found)
        for source in sorted(sources, key=itemgetter(0), reverse=scan.descending):
            if best.end_before(source.bound):
                break
            for piece in source.read():
                best.add(piece)
                if best.end_before(piece.until):
                    break
        rows = best.rows[::-1] if scan.descending else best.rows
        if not rows:
            return Page((), (), (), (), cut=False)
        found = columns(b"\n".join([line for _, _, _, line in rows]) + b"\n")
        if found is None:
            return self._one_by_one(scan, limit, size)
        return Page(found.times, found.ingestions, found.messages, rows, best.cut and len(rows) < limit)

    def _one_by_one(self, scan: Scan, limit: int, size: int) -> Page:
        """The same, past lines that are no events, which are told of."""
        reader = Reader(scan, self._segments.report_line)
        sources = GroupReader(self._segments, scan, reader).sources(self._found)
        found = chain.from_iterable(merge(sources, descending=scan.descending, after=scan.after))
        events: list[Event] = []
        cut = False
        for event in islice(found, limit):
            size -= len(event.message)
            if events and size < 0:
                cut = True
                break
            events.append(event)
        if scan.descending:
            events.reverse()
        return Page(
            [event.timestamp for event in events],
            [event.ingestion for event in events],
            [event.message for event in events],
            [(b"", event.segment, event.offset, b"") for event in events],
            cut,
        )


class _Piece(NamedTuple):
    """Whole lines of one segment; those that follow have times of `until` or later (or earlier, if descending)."""

    segment: str
    offset: int
    data: bytes
    until: int


class _Pieces:
    """Hands on the lines that a scan is led to, in its order for each segment."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._window = Window(scan)
        self._unknown = _NEVER if scan.descending else -_NEVER
        self._disorder = DISORDER_MS if scan.descending else -DISORDER_MS

    def live(self, segment: LiveSegment) -> Iterator[_Piece]:
        """A live segment's lines."""
        scan = self._scan
        return self._one(segment.segment, segment.blocks(scan.start, scan.end, descending=scan.descending))

    def frame(self, parts: Sequence[Lines]) -> Iterator[_Piece]:
        """A sealed frame's lines."""
        for part in parts:
            yield _Piece(part.segment, part.offset, part.data, self._unknown)

    def begun(self, parts: Sequence[Begun]) -> Iterator[_Piece]:
        """A sealed frame's lines, unpacked as they are asked for."""
        for part in parts:
            for piece in self._one(part.segment, part.blocks):
                # Of several segments the next one may begin with anything.
                yield piece if len(parts) == 1 else piece._replace(until=self._unknown)

    def _one(self, segment: str, blocks: Iterable[tuple[int, bytes]]) -> Iterator[_Piece]:
        until = self._unknown
        for offset, data in blocks:
            low, high = self._window.within(data)
            if low < high:
                asked = data[low:high]
                edge = edge_of(asked, descending=self._scan.descending)
                if edge is not None:
                    until = edge + self._disorder
                yield _Piece(segment, offset + low, asked, until)
            if low > 0 if self._scan.descending else high < len(data):
                return  # what follows is too early, or too late


class _Best:
    """The first rows in the order of a scan, as far as its lines were looked at."""

    def __init__(self, scan: Scan, limit: int, size: int) -> None:
        self.rows: list[Row] = []
        # Whether some were left out for their bytes.
        self.cut = False
        self._descending = scan.descending
        self._limit = limit
        self._size = size
        # No fewer than the bytes of the rows.
        self._held = 0
        # What is asked for is from the one on, and before the other; also before the end of what is enough, once there is.
        self._low: tuple[Any, ...] = _FIRST if scan.start is None else (digits_of(scan.start),)
        self._high: tuple[Any, ...] | None = None
        self._end: Row | None = None
        if scan.end is not None and scan.end <= TIME_MAX:
            self._high = (digits_of(scan.end),)
        if scan.after is not None:
            timestamp, ingestion, segment, offset = scan.after
            head = b'%b,"i":%b' % (digits_of(timestamp), digits_of(ingestion))
            if not scan.descending:
                self._low = max(self._low, (head, segment, offset + 1))
            elif self._high is None or self._high > (head, segment, offset):
                self._high = (head, segment, offset)

    def end_before(self, bound: int) -> bool:
        """Whether there are enough, all of which come before whatever bears this time or comes after it."""
        if self._end is None:
            return False
        last, time = self._end[0][:13], digits_of(bound)
        return last > time if self._descending else last < time

    def add(self, piece: _Piece) -> None:
        """Look among some lines for rows that come before those that are known."""
        lines = piece.data[:-1].split(b"\n")
        heads = [line[_HEAD] for line in lines]
        if self._outside(heads, piece):
            return
        offsets = map(add, accumulate(map(len, lines), initial=piece.offset), count())
        rows = sorted(zip(heads, repeat(piece.segment), offsets, lines, strict=False))
        high = len(rows) if self._high is None else bisect_left(rows, self._high)
        rows = rows[bisect_left(rows, self._low) : high]
        if self._descending:
            rows.reverse()
        in_order = not rows or not self.rows or (rows[0] < self.rows[-1]) is self._descending
        self.rows += rows
        if not in_order:
            self.rows.sort(reverse=self._descending)
        self._held += len(piece.data)
        self._leave_out()

    def _outside(self, heads: list[bytes], piece: _Piece) -> bool:
        """Whether all of some lines come before what is asked for, or after it."""
        if self._high is not None and (min(heads), piece.segment, piece.offset) > self._high:
            return True
        last = piece.offset + len(piece.data)
        return self._low > _FIRST and (max(heads), piece.segment, last) < self._low

    def _leave_out(self) -> None:
        if len(self.rows) >= self._limit:
            del self.rows[self._limit :]
            self._ends_at(self.rows[-1])
        if self._held > self._size:
            sizes = list(accumulate(len(line) for _, _, _, line in self.rows))
            kept = max(bisect_right(sizes, self._size), 1)
            if kept < len(sizes):
                self.cut = True
                self._ends_at(self.rows[kept])
                del self.rows[kept:]
            self._held = sizes[kept - 1] if sizes else 0

    def _ends_at(self, row: Row) -> None:
        self._end = row
        if self._descending:
            self._low = row
        else:
            self._high = row
