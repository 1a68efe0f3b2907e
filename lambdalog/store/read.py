"""A scan's way into one group: which segments and frames to open, and their events."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, Generic

from lambdalog.errors import CorruptSegment
from lambdalog.store import rollup
from lambdalog.store.event import Asked, Extent, Stretch
from lambdalog.store.merge import Read_co, Source
from lambdalog.store.scan import Begun, Lines
from lambdalog.store.segment import BLOCK
from lambdalog.store.writer import DISORDER_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lambdalog.store.event import Scan
    from lambdalog.store.index import FrameEntry, SegmentEntry
    from lambdalog.store.scan import Taker
    from lambdalog.store.sealed import Part, SealedFile
    from lambdalog.store.segment import LiveSegment
    from lambdalog.store.segments import Found, GroupSegments, Held

_FAR: Final = 1 << 62
# As in index.py, which is not loaded before there is a sealed file.
_UNREADABLE: Final = -1
# Of the second frame of a segment that is read all is read.
_ALL_BLOCKS: Final = 64
# So many segments of one frame are unpacked bit by bit; more are small, and unpacked at once.
_PATIENT_PARTS: Final = 16


def narrowed(scan: Scan, expired_before: int | None) -> Scan:
    """The scan, without the times that have expired, or that `after` has passed already."""
    start, end = scan.start, scan.end
    if expired_before is None and scan.after is None:
        return scan
    if expired_before is not None:
        start = expired_before if start is None else max(start, expired_before)
    if scan.after is not None:
        if scan.descending:
            end = scan.after[0] + 1 if end is None else min(end, scan.after[0] + 1)
        else:
            start = scan.after[0] if start is None else max(start, scan.after[0])
    return replace(scan, start=start, end=end)


class GroupReader(Generic[Read_co]):
    """The sources of one scan, of whatever `taker` makes of their lines."""

    def __init__(self, segments: GroupSegments, scan: Scan, taker: Taker[Read_co]) -> None:
        self._segments = segments
        self._scan = scan
        self._start = -_FAR if scan.start is None else scan.start
        self._end = _FAR if scan.end is None else scan.end
        self._taker = taker

    def sources(self, found: Found) -> list[Source[Read_co]]:
        """Everything that may hold what the scan asks for, to be opened when its time comes."""
        sources = [
            Source(bound, partial(self._live, live))
            for live in found.live
            if self._scan.wants(live.segment, live.stream) and (bound := self._live_bound(live)) is not None
        ]
        wanted = self._ids(found)
        for held in found.sealed:
            sources += self._sealed(held, wanted)
        return sources

    def extents(self, found: Found) -> list[Extent]:
        """What of which file `sources` would read if all of them were opened, in their order."""
        extents = [
            Extent(frozenset({live.segment}), self._live_stretches(live))
            for live in found.live
            if self._scan.wants(live.segment, live.stream) and self._live_bound(live) is not None
        ]
        wanted = self._ids(found)
        for held in found.sealed:
            if entries := self._entries(held):
                stretches = self._sealed_stretches(held.file, entries, wanted)
                extents.append(Extent(frozenset(entry.segment for entry in entries), stretches))
        return [extent for extent in extents if extent.stretches]

    def _ids(self, found: Found) -> list[tuple[int, int]]:
        """The ids that whatever is asked for contains, as blooms know them."""
        if not (self._scan.literals and found.sealed):
            return []
        from lambdalog.store import bloom  # only where something was sealed

        return bloom.required(self._scan.literals)

    def _sealed_stretches(
        self, file: SealedFile, entries: list[SegmentEntry], wanted: list[tuple[int, int]]
    ) -> list[Stretch]:
        admits = self._admitting(file, wanted) if wanted else None
        index = file.index
        stretches = []
        for number in self._numbers(file, entries):
            frame = index.frames[number]
            if frame.count == _UNREADABLE:
                stretches.append(Stretch(index.earliest, index.latest, frame.length))
            elif self._wanted(frame, admits):
                stretches.append(Stretch(frame.earliest, frame.latest, frame.length))
        return stretches

    def _live_stretches(self, live: LiveSegment) -> list[Stretch]:
        """A live segment as if its lines were spread evenly over its time; none of them is outside of that."""
        size, span = self._segments.sized(live)
        if span is None:
            return []
        count = max(-(-size // BLOCK), 1)
        # As the file's name has it: the first line's time may be damaged.
        earliest = live.earliest()
        length = max(span.last + DISORDER_MS - earliest, 0)
        stretches = [
            Stretch(
                earliest + length * number // count,
                earliest + length * (number + 1) // count,
                min(BLOCK, size - number * BLOCK),
            )
            for number in range(count)
        ]
        return [each for each in stretches if each.latest >= self._start and each.earliest < self._end]

    def _live_bound(self, live: LiveSegment) -> int | None:
        """The bound of a live segment; None if nothing in it can be asked for."""
        if live.earliest() >= self._end:
            return None
        if self._scan.start is None and not self._scan.descending:
            return live.earliest()
        span = self._segments.span(live)
        if span is None or span.last + DISORDER_MS < self._start:
            return None
        return span.last + DISORDER_MS if self._scan.descending else live.earliest()

    def _live(self, live: LiveSegment) -> Iterator[Read_co]:
        try:
            # Gone with its stream, or expired: then there is nothing to read.
            with suppress(FileNotFoundError):
                yield from self._taker.live(live)
        except CorruptSegment as error:
            self._segments.report_segment(live.segment, str(error))
        finally:
            live.close()

    def _sealed(self, held: Held, wanted: list[tuple[int, int]]) -> Iterator[Source[Read_co]]:
        file = held.file
        entries = self._entries(held)
        if not entries:
            return
        index = file.index
        admits = self._admitting(file, wanted) if wanted else None
        begun = self._taker.begun
        if begun is not None and len(index.segments) == 1 and not file.unreadable:
            bound = index.latest if self._scan.descending else index.earliest
            yield Source(bound, partial(self._alone, begun, file, entries[0], admits))
            return
        chosen = None
        if len(entries) != len(index.segments):
            chosen = frozenset(entry.segment for entry in entries)
        listed = index.frames
        for number in self._numbers(file, entries):
            frame = listed[number]
            unreadable = frame.count == _UNREADABLE
            if not unreadable and not self._wanted(frame, admits):
                continue
            bound = frame.latest if self._scan.descending else frame.earliest
            if unreadable:  # opened, and reported, whatever the time
                bound = index.latest if self._scan.descending else index.earliest
            yield Source(bound, partial(self._frame, file, number, chosen))

    def _entries(self, held: Held) -> list[SegmentEntry]:
        """The segments of a sealed file that may hold what is asked for."""
        return [
            entry
            for entry in held.entries
            if entry.count
            and entry.latest >= self._start
            and entry.earliest < self._end
            and self._scan.wants(entry.segment, entry.stream)
        ]

    @staticmethod
    def _numbers(file: SealedFile, entries: list[SegmentEntry]) -> Sequence[int]:
        """The frames in which the segments are."""
        if len(entries) == len(file.index.segments):
            return range(len(file.index.frames))
        return sorted({number for entry in entries for number in file.frames_of(entry)})

    def _wanted(self, frame: FrameEntry, admits: Callable[[FrameEntry], bool] | None) -> bool:
        return (
            frame.latest >= self._start and frame.earliest < self._end and (admits is None or admits(frame))
        )

    def _admitting(
        self, file: SealedFile, wanted: list[tuple[int, int]]
    ) -> Callable[[FrameEntry], bool] | None:
        try:
            return file.admitting(wanted)
        except CorruptSegment as error:
            self._segments.report(file, None, str(error))
            file.forget_blooms()
        except FileNotFoundError:
            file.forget_blooms()  # moved: what it held is looked for when the frame is read
        return None

    def _frame(self, file: SealedFile, number: int, chosen: frozenset[str] | None) -> Iterable[Read_co]:
        parts = [part for part in file.parts(number) if chosen is None or part.entry.segment in chosen]
        try:
            if (begun := self._taker.begun) is not None and len(parts) <= _PATIENT_PARTS:
                packed = file.packed(file.index.frames[number], number)
                return begun([self._begun(file, number, packed, part) for part in parts])
            data = file.frame(number)
        except FileNotFoundError:
            datas = [self._moved(part.entry, part.offset, part.end - part.start) for part in parts]
        except CorruptSegment as error:
            self._segments.report(file, number, str(error))
            return []
        else:
            datas = [
                data if part.end - part.start == len(data) else data[part.start : part.end] for part in parts
            ]
        return self._taker.frame(
            [
                Lines(part.entry.stream, part.entry.segment, part.offset, each)
                for part, each in zip(parts, datas, strict=True)
            ]
        )

    def _begun(self, file: SealedFile, number: int, packed: bytes, part: Part) -> Begun:
        blocks = self._blocks(
            file, number, packed, self._asked(part.start, part.end), part.offset - part.start
        )
        return Begun(part.entry.stream, part.entry.segment, blocks)

    def _asked(self, begin: int, end: int, blocks: int = 1) -> Asked:
        return Asked(begin, end, self._scan.start, self._scan.end, self._scan.descending, blocks)

    def _blocks(
        self, file: SealedFile, number: int, packed: bytes, asked: Asked, base: int
    ) -> Iterator[tuple[int, bytes]]:
        try:
            for offset, lines in file.blocks(number, packed, asked):
                yield base + offset, lines
        except CorruptSegment as error:
            self._segments.report(file, number, str(error))

    def _alone(
        self,
        begun: Callable[[Sequence[Begun]], Iterable[Read_co]],
        file: SealedFile,
        entry: SegmentEntry,
        admits: Callable[[FrameEntry], bool] | None,
    ) -> Iterable[Read_co]:
        """What a file gives that is one segment's."""
        return begun([Begun(entry.stream, entry.segment, self._chained(file, entry, admits))])

    def _chained(
        self, file: SealedFile, entry: SegmentEntry, admits: Callable[[FrameEntry], bool] | None
    ) -> Iterator[tuple[int, bytes]]:
        listed = file.index.frames
        count = 1
        for number in range(len(listed) - 1, -1, -1) if self._scan.descending else range(len(listed)):
            frame = listed[number]
            if not self._wanted(frame, admits):
                continue
            try:
                packed = file.packed(frame, number)
            except FileNotFoundError:
                yield frame.raw, self._moved(entry, frame.raw, frame.length)
            except CorruptSegment as error:
                self._segments.report(file, number, str(error))
            else:
                asked = self._asked(0, frame.length, count)
                yield from self._blocks(file, number, packed, asked, frame.raw)
            count = _ALL_BLOCKS

    def _moved(self, entry: SegmentEntry, offset: int, length: int) -> bytes:
        """The bytes of a segment whose file was packed into another, or b"" if it has expired."""
        try:
            found = self._segments.bytes_of(entry.segment)
            return b"" if found is None else found.pread(length, offset)
        except FileNotFoundError:
            return b""
        except CorruptSegment as error:
            self._segments.report_segment(entry.segment, str(error))
            return b""


def minutes(found: Found, start: int | None, end: int | None) -> dict[int, tuple[int, int]]:
    """Minute's beginning (epoch ms) → (events, errors), for the minutes that begin in [start, end)."""
    counts: dict[int, tuple[int, int]] = {}
    for held in found.sealed:
        for entry in held.entries:
            rollup.add(counts, {minute: (events, errors) for minute, events, errors in entry.minutes})
    for live in found.live:
        try:
            for _, data in live.blocks(start, end, descending=False):
                rollup.add(counts, rollup.minutes_of(data, rollup.event_lines(data)))
        except FileNotFoundError:
            continue
        finally:
            live.close()
    low, high = -_FAR if start is None else start, _FAR if end is None else end
    return {
        minute * rollup.MINUTE_MS: both
        for minute, both in sorted(counts.items())
        if low <= minute * rollup.MINUTE_MS < high
    }
