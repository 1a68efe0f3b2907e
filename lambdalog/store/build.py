"""Making the index of a sealed file, frame by frame: when it is written, and again when its index is damaged."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from lambdalog.store import bloom, rollup
from lambdalog.store.index import (
    NO_CHECKSUM,
    UNREADABLE,
    VERSION,
    FrameEntry,
    HeaderEntry,
    Index,
    SegmentEntry,
    block_table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Segment:
    """What has been learnt of one segment."""

    __slots__ = ("count", "earliest", "entry", "ingested", "latest", "minutes", "raw")

    def __init__(self, entry: HeaderEntry, raw: int) -> None:
        self.entry = entry
        self.raw = raw
        self.count = self.earliest = self.latest = self.ingested = 0
        self.minutes: dict[int, tuple[int, int]] = {}

    def add(self, data: bytes) -> tuple[int, int, int]:
        """Take in whole lines; (count, earliest, latest) of these alone."""
        lines = rollup.event_lines(data)
        if not lines:
            return 0, 0, 0
        # Thirteen digits each: they compare as texts as they do as numbers.
        times = [found[5:18] for found in lines]
        earliest, latest = int(min(times)), int(max(times))
        self.earliest = min(self.earliest, earliest) if self.count else earliest
        self.latest = max(self.latest, latest)
        self.ingested = max(self.ingested, int(max(found[23:36] for found in lines)))
        self.count += len(lines)
        rollup.add(self.minutes, rollup.minutes_of(data, lines))
        return len(lines), earliest, latest

    def finished(self) -> SegmentEntry:
        return SegmentEntry(
            segment=self.entry.segment,
            stream=self.entry.stream,
            origin=self.entry.origin,
            raw=self.raw,
            size=self.entry.size,
            count=self.count,
            earliest=self.earliest,
            latest=self.latest,
            ingested=self.ingested,
            minutes=[(minute, *counts) for minute, counts in sorted(self.minutes.items())],
        )


class IndexBuilder:
    """Takes the frames of a file in order; gives its index and blooms."""

    def __init__(self, header: Sequence[HeaderEntry]) -> None:
        self._segments: list[_Segment] = []
        self.raw_size = 0
        for entry in header:
            self._segments.append(_Segment(entry, self.raw_size))
            self.raw_size += entry.size
        self._current = 0
        self._raw = 0
        self._frames: list[FrameEntry] = []
        self._blooms: list[bytes] = []
        self._blooms_size = 0

    @property
    def complete(self) -> bool:
        """Whether the frames so far hold all of the header's bytes."""
        return self._raw == self.raw_size

    def add(self, data: bytes, offset: int, packed: bytes) -> None:
        """The next frame: its content, its place in the file, and what stands there."""
        count, earliest, latest = 0, 0, 0
        start = 0
        while start < len(data):
            segment = self._segments[self._current]
            end = min(len(data), segment.raw + segment.entry.size - self._raw)
            found, first, last = segment.add(data[start:end])
            if found:
                earliest = min(earliest, first) if count else first
                latest = max(latest, last)
                count += found
            start = end
            if self._raw + end == segment.raw + segment.entry.size:
                self._current += 1
        bits = bloom.build(bloom.uuids(data))
        table = block_table(packed, data)
        self._note(offset, len(packed), len(data), count, earliest, latest, bits, zlib.crc32(packed), table)

    def add_damaged(self, offset: int, size: int, length: int) -> None:
        """The next frame can't be read; only how long its content was is known."""
        self._note(offset, size, length, UNREADABLE, 0, 0, b"", NO_CHECKSUM, b"")
        while (
            self._current < len(self._segments)
            and self._raw >= self._segments[self._current].raw + self._segments[self._current].entry.size
        ):
            self._current += 1

    def finish(self, offset: int) -> tuple[Index, bytes]:
        """The index and the blooms, whose payload will stand at `offset`."""
        blooms = b"".join(self._blooms)
        index = Index(
            version=VERSION,
            segments=[segment.finished() for segment in self._segments],
            frames=self._frames,
            blooms=offset,
            blooms_size=len(blooms),
            blooms_crc=zlib.crc32(blooms),
        )
        return index, blooms

    def _note(
        self,
        offset: int,
        size: int,
        length: int,
        count: int,
        earliest: int,
        latest: int,
        bits: bytes,
        crc: int,
        table: bytes,
    ) -> None:
        at, taken = self._blooms_size, len(bits)
        self._frames.append(
            FrameEntry(offset, size, self._raw, length, count, earliest, latest, at, taken, crc, table)
        )
        self._blooms.append(bits)
        self._blooms_size += len(bits)
        self._raw += length
