"""zstd frames: what is sealed and indexed together is a frame of 256 KiB of lines, in independent, checksummed blocks.

A block is a zstd frame of its own, so that a page unpacks those blocks alone in which its events may be. Skippable frames
around them are what lets `zstd -dc`, `rg -z` and DuckDB read a sealed file as if it held nothing but the lines.
"""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING, Final

if not TYPE_CHECKING and sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Few enough to look for an id in the bloom of each.
FRAME_BYTES: Final = 256 * 1024
# A page over many streams unpacks one or two of each. With half of this they take a tenth more disk, with twice as much a
# thirtieth less.
BLOCK_BYTES: Final = 32 * 1024
MAGIC: Final = b"\x28\xb5\x2f\xfd"
_SKIPPABLE: Final = struct.Struct("<II")
_SKIPPABLE_LOW: Final = 0x184D2A50
SKIPPABLE_HEAD: Final = _SKIPPABLE.size
_OPTIONS: Final[dict[int, int]] = {
    zstd.CompressionParameter.compression_level: 3,
    zstd.CompressionParameter.checksum_flag: 1,
}

FrameError = zstd.ZstdError

# Frames come and go by the hundred. As they are, glibc gives each back to the kernel, and getting another costs more than
# unpacking does; it keeps what is smaller than the largest that was ever freed. On others this does nothing.
bytes(4 * 1024 * 1024)


def compress(data: bytes) -> bytes:
    """One zstd frame that carries its content's size and checksum."""
    return zstd.compress(data, options=_OPTIONS)


def pack(lines: bytes) -> bytes:
    """Whole lines as a frame: blocks of BLOCK_BYTES, each of whole lines too."""
    packed = []
    start = 0
    while len(lines) - start > BLOCK_BYTES:
        # A line that is longer than a block is a block of its own.
        end = lines.rfind(b"\n", start, start + BLOCK_BYTES) + 1 or lines.find(b"\n", start) + 1
        if end in (0, len(lines)):
            break
        packed.append(compress(lines[start:end]))
        start = end
    packed.append(compress(lines[start:]))
    return b"".join(packed)


def decompress(data: bytes) -> bytes:
    """The content of one block, or of all blocks of a frame; FrameError if it is damaged."""
    return zstd.decompress(data)


def blocks(packed: bytes) -> list[tuple[int, int]]:
    """(size, length of the content) of each block of a frame; FrameError if it is damaged."""
    found = []
    view = memoryview(packed)
    while view:
        size = frame_size(view)
        found.append((size, content_length(view)))
        view = view[size:]
    return found


def frame_size(data: bytes | memoryview) -> int:
    """The length of the frame that `data` begins with; FrameError if there is none."""
    return zstd.get_frame_size(data)


def content_length(data: bytes | memoryview) -> int:
    """The length of the content of the frame that `data` begins with, as its head has it; FrameError if it hasn't."""
    length = zstd.get_frame_info(data).decompressed_size
    if length is None:
        raise FrameError("the frame does not tell its length")
    return length


def skippable(kind: int, payload: bytes) -> bytes:
    """A frame that decoders pass over; `kind` 0 to 15 tells ours apart."""
    return _SKIPPABLE.pack(_SKIPPABLE_LOW + kind, len(payload)) + payload


def skippable_size(head: bytes, kind: int) -> int | None:
    """The payload's length of a skippable frame of `kind` that begins with `head`; None if it is something else."""
    if len(head) < SKIPPABLE_HEAD:
        return None
    magic, length = _SKIPPABLE.unpack_from(head)
    return length if magic == _SKIPPABLE_LOW + kind else None
