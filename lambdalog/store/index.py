r"""What stands around the frames of a sealed file, and how it is found again.

    skippable 1    header: which segments, in which order (a damaged index can be rebuilt from it)
    frame …        256 KiB of lines each, in blocks; frames run on over the ends of small segments
    skippable 2    blooms: one filter of UUIDs for each frame, one after another
    skippable 3    index, and its length, checksum and place in the last 24 bytes

Offsets: `raw` counts bytes of lines from the beginning of the file's content; an event's offset counts from the
beginning of its segment, as it did while the segment was live. All times are epoch ms.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final, NamedTuple

import msgspec

from lambdalog.errors import CorruptSegment, NewerFormat
from lambdalog.store import frames, line

# 2: a frame has blocks.
VERSION: Final = 2
HEADER, BLOOMS, INDEX = 1, 2, 3
# The checksum of a frame that was sealed before there were any.
NO_CHECKSUM: Final = -1
# The count of a frame of which nothing but its length is known.
UNREADABLE: Final = -1

# Size, length of the content, time of the first line or 0.
_BLOCK: Final = struct.Struct("<IIQ")
_FOOTER: Final = struct.Struct("<QIII4s")
FOOTER_BYTES: Final = _FOOTER.size
_MAGIC: Final = b"LLS1"


class Block(NamedTuple):
    """One block: its place and size in the packed frame, place and length in the content, its first line's time if it has one."""

    place: int
    size: int
    raw: int
    length: int
    time: int | None


class FrameEntry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One frame: its place and length in the file, its place and length in the content, its times, its bloom.

    `crc` is the checksum of its bytes as they stand in the file: a frame that is read in part has been checked too.
    `table` holds the blocks, see `blocks`; it is empty where the frame is one block.
    """

    offset: int
    size: int
    raw: int
    length: int
    count: int
    earliest: int
    latest: int
    bloom: int
    bloom_size: int
    crc: int = NO_CHECKSUM
    table: bytes = b""

    def blocks(self) -> list[Block]:
        """What the frame consists of, in order."""
        if not self.table:
            return [Block(0, self.size, 0, self.length, None)]
        found = []
        place = raw = 0
        for size, length, time in _BLOCK.iter_unpack(self.table):
            found.append(Block(place, size, raw, length, time or None))
            place += size
            raw += length
        return found


def block_table(packed: bytes, lines: bytes) -> bytes:
    """The blocks of a frame, as its entry has them; `lines` are its content."""
    sizes = frames.blocks(packed)
    if len(sizes) == 1:
        return b""
    rows = []
    start = 0
    for size, length in sizes:
        head = lines[start : start + 18]
        rows.append(_BLOCK.pack(size, length, line.timestamp_of(head) if line.has_time(head) else 0))
        start += length
    return b"".join(rows)


class SegmentEntry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One segment: its place in the content, its times, its counts by minute.

    `origin` is the first sealed file it was in: packing moves it to others.
    """

    segment: str
    stream: str
    origin: str
    raw: int
    size: int
    count: int
    earliest: int
    latest: int
    ingested: int
    minutes: list[tuple[int, int, int]]


class HeaderEntry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One segment, as far as it is known before its lines are read."""

    segment: str
    stream: str
    origin: str
    size: int


class Index(msgspec.Struct, frozen=True, array_like=True):
    """The whole index of a sealed file."""

    version: int
    segments: list[SegmentEntry]
    frames: list[FrameEntry]
    blooms: int  # where the blooms' payload begins
    blooms_size: int
    blooms_crc: int

    @property
    def earliest(self) -> int:
        """The oldest event's time."""
        return min((entry.earliest for entry in self.segments), default=0)

    @property
    def latest(self) -> int:
        """The newest event's time."""
        return max((entry.latest for entry in self.segments), default=0)

    @property
    def unreadable(self) -> bool:
        """Whether some frame could not be read when the index was rebuilt."""
        return any(frame.count == UNREADABLE for frame in self.frames)

    @property
    def raw_size(self) -> int:
        """The bytes of the content."""
        return sum(entry.size for entry in self.segments)


_encode = msgspec.msgpack.Encoder().encode
_decode_index = msgspec.msgpack.Decoder(Index).decode
_decode_header = msgspec.msgpack.Decoder(list[HeaderEntry]).decode


def header_block(entries: list[HeaderEntry]) -> bytes:
    """The header as it stands at the beginning of a file."""
    body = frames.compress(_encode(entries))
    return frames.skippable(HEADER, body)


def read_header(data: bytes) -> tuple[list[HeaderEntry], int]:
    """(segments, where the first frame begins) from the beginning of a file; CorruptSegment if it is damaged."""
    size = frames.skippable_size(data, HEADER)
    if size is None or len(data) < frames.SKIPPABLE_HEAD + size:
        raise CorruptSegment("the header is missing")
    end = frames.SKIPPABLE_HEAD + size
    try:
        return _decode_header(frames.decompress(data[frames.SKIPPABLE_HEAD : end])), end
    except (frames.FrameError, msgspec.MsgspecError) as error:
        raise CorruptSegment("the header is damaged") from error


def index_block(index: Index, offset: int) -> bytes:
    """The index as it stands at the end of a file, beginning at `offset`."""
    body = frames.compress(_encode(index))
    footer = _FOOTER.pack(offset, len(body), zlib.crc32(body), VERSION, _MAGIC)
    return frames.skippable(INDEX, body + footer)


def index_place(footer: bytes) -> tuple[int, int, int]:
    """(offset of the index's body, its length, its checksum) from a file's last bytes.

    CorruptSegment if they are none of ours; NewerFormat if a newer lambdalog wrote them.
    """
    if len(footer) != FOOTER_BYTES:
        raise CorruptSegment("the file is cut short")
    offset, length, crc, version, magic = _FOOTER.unpack(footer)
    if magic[:3] != _MAGIC[:3]:
        raise CorruptSegment("the index is missing")
    if version > VERSION:
        raise NewerFormat(f"sealed with format {version}; this lambdalog knows up to {VERSION}")
    return offset + frames.SKIPPABLE_HEAD, length, crc


def parse_index(body: bytes, crc: int) -> Index:
    """The index from its body; CorruptSegment if it is damaged."""
    if zlib.crc32(body) != crc:
        raise CorruptSegment("the index is damaged")
    try:
        return _decode_index(frames.decompress(body))
    except (frames.FrameError, msgspec.MsgspecError) as error:
        raise CorruptSegment("the index is damaged") from error
