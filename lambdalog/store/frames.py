"""zstd frames: one independent, checksummed frame per 256 KiB of lines, and the skippable frames around them.

Skippable frames are what lets `zstd -dc`, `rg -z` and DuckDB read a sealed file as if it held nothing but the lines.
"""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING, Final

if not TYPE_CHECKING and sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Small enough to hold many open at once, large enough to compress to what one big frame would.
FRAME_BYTES: Final = 256 * 1024
MAGIC: Final = b"\x28\xb5\x2f\xfd"
_SKIPPABLE: Final = struct.Struct("<II")
_SKIPPABLE_LOW: Final = 0x184D2A50
SKIPPABLE_HEAD: Final = _SKIPPABLE.size
_OPTIONS: Final[dict[int, int]] = {
    zstd.CompressionParameter.compression_level: 3,
    zstd.CompressionParameter.checksum_flag: 1,
}

FrameError = zstd.ZstdError


def compress(data: bytes) -> bytes:
    """One frame that carries its content's size and checksum."""
    return zstd.compress(data, options=_OPTIONS)


def decompress(data: bytes) -> bytes:
    """The content of one frame; FrameError if it is damaged."""
    return zstd.decompress(data)


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
