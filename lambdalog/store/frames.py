"""zstd frames: one independent, checksummed frame per 256 KiB of lines, and the skippable frames around them.

Skippable frames are what lets `zstd -dc`, `rg -z` and DuckDB read a sealed file as if it held nothing but the lines.
"""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

if not TYPE_CHECKING and sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Small enough to hold many open at once, large enough to compress to what one big frame would.
FRAME_BYTES: Final = 256 * 1024
# Whatever is asked for, zstd unpacks a block; with its own, of 128 KiB, the beginning of a frame costs half of all of it, and
# the frame 1.5 % less disk.
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
    """One frame that carries its content's size and checksum, in blocks of BLOCK_BYTES."""
    compressor = zstd.ZstdCompressor(options=_OPTIONS)
    compressor.set_pledged_input_size(len(data))
    last = max(len(data) - 1, 0) // BLOCK_BYTES * BLOCK_BYTES
    blocks = [
        compressor.compress(data[start : start + BLOCK_BYTES], mode=zstd.ZstdCompressor.FLUSH_BLOCK)
        for start in range(0, last, BLOCK_BYTES)
    ]
    blocks.append(compressor.compress(data[last:], mode=zstd.ZstdCompressor.FLUSH_FRAME))
    return b"".join(blocks)


def decompress(data: bytes) -> bytes:
    """The content of one frame; FrameError if it is damaged."""
    return zstd.decompress(data)


def pieces(data: bytes, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """The content of one frame, `size` bytes at a time, unpacked as they are asked for; FrameError if it is damaged."""
    decompressor = zstd.ZstdDecompressor()
    while not decompressor.eof:
        if not (found := decompressor.decompress(data, max_length=size)) and decompressor.needs_input:
            raise FrameError("the frame is cut short")
        data = b""
        yield found


def frame_size(data: bytes) -> int:
    """The length of the frame that `data` begins with; FrameError if there is none."""
    return zstd.get_frame_size(data)


def content_length(data: bytes) -> int:
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
