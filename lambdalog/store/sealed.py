"""Reading one sealed file: its index once, then the frames that are asked for, each checked as it is read."""

from __future__ import annotations

import os
import zlib
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from lambdalog.errors import CorruptSegment, StoreError
from lambdalog.store import bloom, frames
from lambdalog.store import index as layout
from lambdalog.store.build import IndexBuilder
from lambdalog.store.writer import DISORDER_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from lambdalog.store.event import Asked
    from lambdalog.store.index import Block, FrameEntry, Index, SegmentEntry

# Most indexes come with the first read.
_TAIL: Final = 64 * 1024


class Part(NamedTuple):
    """The bytes of one segment in one frame: [start, end) in the frame, from `offset` on in the segment."""

    entry: SegmentEntry
    start: int
    end: int
    offset: int


class SealedFile:
    """A sealed file, which never changes. It is opened for each read: it may be removed, but never cut, in between.

    FileNotFoundError where it is gone; CorruptSegment where a checksum fails; NewerFormat.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.rebuilt = False
        # Whether there are frames that could not be read when the index was rebuilt; known once the index is.
        self.unreadable = False
        self._index: Index | None = None
        self._blooms: bytes | None = None
        self._raws: list[int] = []

    @property
    def index(self) -> Index:
        """The index; where it is damaged, one rebuilt from the frames (and `rebuilt` is set)."""
        if self._index is None:
            try:
                found = self.stored_index()
            except CorruptSegment:
                found, self._blooms = rebuild(self.path)
                self.rebuilt = True
            self._raws = [entry.raw for entry in found.segments]
            self.unreadable = found.unreadable
            self._index = found
        return self._index

    def stored_index(self) -> Index:
        """The index as it stands in the file."""
        fd = self._open()
        try:
            size = os.fstat(fd).st_size
            tail = _pread(fd, _TAIL, max(size - _TAIL, 0))
            offset, length, crc = layout.index_place(tail[-layout.FOOTER_BYTES :])
            begin = offset - (size - len(tail))
            body = tail[begin : begin + length] if begin >= 0 else _pread(fd, length, offset)
        finally:
            os.close(fd)
        return layout.parse_index(body, crc)

    def frame(self, number: int) -> bytes:
        """The lines of one frame."""
        entry = self.index.frames[number]
        return self.unpacked(self.packed(entry, number), entry, number)

    def blocks(self, number: int, packed: bytes, asked: Asked) -> Iterator[tuple[int, bytes]]:
        """(offset in the frame, whole lines) of what is asked for of a frame, unpacked as they are asked for.

        `packed` is the frame as it stands in the file. CorruptSegment if a block is damaged.
        """
        blocks = _between(
            [
                block
                for block in self.index.frames[number].blocks()
                if block.raw < asked.end and block.raw + block.length > asked.begin
            ],
            asked,
        )
        count = asked.blocks
        while blocks:
            if asked.descending:
                some, blocks = blocks[-count:], blocks[:-count]
            else:
                some, blocks = blocks[:count], blocks[count:]
            count *= 2  # whoever goes on will go on
            first, last = some[0], some[-1]
            try:
                data = frames.decompress(packed[first.place : last.place + last.size])
            except frames.FrameError as error:
                raise CorruptSegment(f"{self.path}: frame {number} is damaged") from error
            if len(data) != last.raw + last.length - first.raw:
                raise CorruptSegment(f"{self.path}: frame {number} is damaged")
            low, high = max(asked.begin - first.raw, 0), asked.end - first.raw
            yield first.raw + low, data[low:high] if low or high < len(data) else data

    def packed(self, entry: FrameEntry, number: int) -> bytes:
        """The frame that `entry` describes as it stands in the file."""
        found = self.read(entry.offset, entry.size)
        if entry.crc not in (layout.NO_CHECKSUM, zlib.crc32(found)):
            raise CorruptSegment(f"{self.path}: frame {number} is damaged")
        return found

    def unpacked(self, packed: bytes, entry: FrameEntry, number: int) -> bytes:
        """The lines of the frame that `entry` describes."""
        try:
            data = frames.decompress(packed)
        except frames.FrameError as error:
            raise CorruptSegment(f"{self.path}: frame {number} is damaged") from error
        if len(data) != entry.length:
            raise CorruptSegment(f"{self.path}: frame {number} is damaged")
        return data

    def blooms(self) -> bytes:
        """All frames' blooms; CorruptSegment if their checksum fails."""
        index = self.index
        if self._blooms is None:
            found = self.read(index.blooms, index.blooms_size)
            if zlib.crc32(found) != index.blooms_crc:
                raise CorruptSegment(f"{self.path}: the blooms are damaged")
            self._blooms = found
        return self._blooms

    def forget_blooms(self) -> None:
        """From now on every frame may hold everything: the blooms are damaged."""
        self._blooms = b""

    def admitting(self, wanted: Sequence[tuple[int, int]]) -> Callable[[FrameEntry], bool] | None:
        """Which frames may hold all of the hashed UUIDs; None: every frame may. CorruptSegment as for `blooms`."""
        blooms = self.blooms()
        if not blooms and self.index.blooms_size:
            return None

        def admits(entry: FrameEntry) -> bool:
            # An unreadable frame is reported, not passed over.
            return entry.count == layout.UNREADABLE or bloom.may_hold(
                blooms[entry.bloom : entry.bloom + entry.bloom_size], wanted
            )

        return admits

    def parts(self, number: int) -> list[Part]:
        """Which segments a frame holds, in order."""
        index = self.index
        frame = index.frames[number]
        end = frame.raw + frame.length
        found = []
        for entry in index.segments[bisect_right(self._raws, frame.raw) - 1 :]:
            if entry.raw >= end:
                break
            start = max(entry.raw, frame.raw)
            found.append(
                Part(
                    entry,
                    start - frame.raw,
                    min(entry.raw + entry.size, end) - frame.raw,
                    start - entry.raw,
                )
            )
        return found

    def frames_of(self, entry: SegmentEntry, offset: int = 0) -> Iterator[int]:
        """The frames that hold a segment's bytes from `offset` on."""
        begin, end = entry.raw + offset, entry.raw + entry.size
        listed = self.index.frames
        number = max(bisect_right(listed, begin, key=lambda frame: frame.raw) - 1, 0)
        while number < len(listed) and listed[number].raw < end:
            yield number
            number += 1

    def read_segment(
        self,
        entry: SegmentEntry,
        offset: int = 0,
        length: int | None = None,
        frame_of: Callable[[int], bytes] | None = None,
    ) -> bytes:
        """A segment's bytes from `offset` on. `frame_of` stands for `frame` where many segments share frames."""
        read = frame_of or self.frame
        begin = entry.raw + offset
        end = entry.raw + entry.size
        if length is not None:
            end = min(end, begin + length)
        pieces = []
        for number in self.frames_of(entry, offset):
            frame = self.index.frames[number]
            if frame.raw >= end:
                break
            pieces.append(read(number)[max(begin - frame.raw, 0) : end - frame.raw])
        return b"".join(pieces)

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the file."""
        fd = self._open()
        try:
            return _pread(fd, size, offset)
        finally:
            os.close(fd)

    def _open(self) -> int:
        try:
            return os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreError(f"can't read {self.path}: {error.strerror}") from error


def _between(blocks: list[Block], asked: Asked) -> list[Block]:
    """Without the blocks before and after a time, as far as the times of first lines tell; lines are sorted within DISORDER_MS."""
    low, high = 0, len(blocks)
    for number, block in enumerate(blocks):
        if block.time is None or block.raw < asked.begin:  # begins with a line of another segment
            continue
        if asked.since is not None and block.time < asked.since - DISORDER_MS:
            low = number
        if asked.until is not None and block.time >= asked.until + DISORDER_MS:
            high = number
            break
    return blocks[low:high]


def rebuild(path: Path) -> tuple[Index, bytes]:
    """The index and blooms of a file, from its header and frames alone; CorruptSegment if that can't be done."""
    with path.open("rb") as file:
        data = file.read()
    try:
        header, position = layout.read_header(data)
        builder = IndexBuilder(header)
        view = memoryview(data)
        while not builder.complete:
            if not data.startswith(frames.MAGIC, position):
                raise CorruptSegment("a frame's beginning is lost")
            size, length = frames.frame_size(view[position:]), frames.content_length(view[position:])
            try:
                content = frames.decompress(data[position : position + size])
                builder.add(content, position, data[position : position + size])
            except frames.FrameError:
                builder.add_damaged(position, size, length)
            position += size
    except (CorruptSegment, frames.FrameError, IndexError) as error:
        raise CorruptSegment(f"{path}: the index is damaged, and can't be rebuilt ({error})") from error
    return builder.finish(0)


def _pread(fd: int, size: int, offset: int) -> bytes:
    data = os.pread(fd, size, offset)
    while len(data) < size and (more := os.pread(fd, size - len(data), offset + len(data))):
        data += more
    return data
