"""A group's events in the order they were written, read on from where a reader left off, whenever that was.

What was read of a segment is a number of bytes, which means the same while the segment is live and after it is sealed or
packed. A reader that keeps these numbers loses nothing and reads nothing twice, over restarts and whoever writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambdalog.errors import CorruptSegment
from lambdalog.store import files
from lambdalog.store.event import Scan
from lambdalog.store.scan import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lambdalog.store.event import Event
    from lambdalog.store.index import SegmentEntry
    from lambdalog.store.logs import LogStore
    from lambdalog.store.sealed import SealedFile
    from lambdalog.store.segment import LiveSegment
    from lambdalog.store.segments import Found


class Piece(NamedTuple):
    """Whole lines of one segment, from offset `start` to `end`, and their events in the order they were written."""

    stream: str
    segment: str
    start: int
    end: int
    events: list[Event]


class Arrivals:
    """One group's segments, for a reader who keeps segment id → bytes read."""

    def __init__(self, store: LogStore, group: str) -> None:
        self._store = store
        self._group = group
        self._segments = store.segments(group)

    def ends(self) -> dict[str, int]:
        """How far each segment goes: whoever begins with these reads only what comes. KeyError if the group is gone."""
        found = self._found()
        ends = {entry.segment: entry.size for held in found.sealed for entry in held.entries}
        for live in found.live:
            try:
                ends[live.segment] = live.size
            except FileNotFoundError:
                continue
            finally:
                live.close()
        return ends

    def segments(self) -> set[str]:
        """The segments that there are. KeyError if the group is gone."""
        found = self._found()
        return {live.segment for live in found.live} | {
            entry.segment for held in found.sealed for entry in held.entries
        }

    def after(
        self,
        read: Mapping[str, int],
        *,
        match: Callable[[str], bool] | None = None,
        literals: tuple[str, ...] = (),
    ) -> Iterator[Piece]:
        """What stands behind the offsets in `read`, up to 256 KiB at once: older segments first, each from front to back.

        Of a piece's events those are left out that have expired or don't match; it counts their bytes all the same. What
        can't be read is reported to the store and passed over. KeyError if the group is gone.
        """
        found = self._found()
        start = self._store.expired_before(self._store.group(self._group))
        scan = Scan(self._group, start=start, match=match, literals=literals)
        reader = Reader(scan, self._segments.report_line)
        sources = [
            (live.segment, self._live(live, read.get(live.segment, 0), reader)) for live in found.live
        ] + [
            (entry.segment, self._sealed(held.file, entry, read.get(entry.segment, 0), reader))
            for held in found.sealed
            for entry in held.entries
            if read.get(entry.segment, 0) < entry.size
        ]
        for _, pieces in sorted(sources, key=lambda source: (files.first_ms(source[0]), source[0])):
            yield from pieces

    def _found(self) -> Found:
        catalog = self._store.catalog
        return self._segments.found(catalog.streams(self._group), catalog.gone(self._group))

    def _live(self, live: LiveSegment, offset: int, reader: Reader) -> Iterator[Piece]:
        try:
            for start, data in live.blocks_from(offset):
                events = reader.events(live.stream, live.segment, start, data)
                yield Piece(live.stream, live.segment, start, start + len(data), events)
        except FileNotFoundError:
            return  # deleted, or expired
        except CorruptSegment as error:
            # Sealed since it was found, and damaged: the next reading passes over the frame alone.
            self._segments.report_segment(live.segment, str(error))
        finally:
            live.close()

    def _sealed(self, file: SealedFile, entry: SegmentEntry, offset: int, reader: Reader) -> Iterator[Piece]:
        for number in file.frames_of(entry, offset):
            frame = file.index.frames[number]
            begin = max(entry.raw + offset - frame.raw, 0)
            end = min(entry.raw + entry.size - frame.raw, frame.length)
            events: list[Event] = []
            try:
                data = file.frame(number)
            except FileNotFoundError:
                return  # packed into another file, or expired: the next reading finds it
            except CorruptSegment as error:
                self._segments.report(file, number, str(error))
            else:
                events = reader.events(entry.stream, entry.segment, offset, data[begin:end])
            yield Piece(entry.stream, entry.segment, offset, offset + end - begin, events)
            offset += end - begin
