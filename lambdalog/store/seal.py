"""Writing one sealed file: all of it under a temporary name, synced, then one rename."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from lambdalog.errors import StoreError
from lambdalog.store import frames
from lambdalog.store import index as layout
from lambdalog.store.build import IndexBuilder
from lambdalog.store.files import TEMPORARY, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lambdalog.store.index import HeaderEntry, Index


class Piece(NamedTuple):
    """One segment to seal: what it is, and its bytes, which are whole lines of the size that it says."""

    header: HeaderEntry
    chunks: Iterator[bytes]


def write_sealed(path: Path, pieces: Sequence[Piece]) -> int:
    """Write the file and give its size. StoreError if the disk refuses, and then nothing is there."""
    temporary = path.with_name(f"{TEMPORARY}{os.urandom(8).hex()}")
    try:
        with temporary.open("xb", buffering=1 << 20) as file:
            header = [piece.header for piece in pieces]
            builder = IndexBuilder(header)
            head = layout.header_block(header)
            file.write(head)
            position = len(head)
            for content in cut(pieces):
                frame = frames.pack(content)
                file.write(frame)
                builder.add(content, position, frame)
                position += len(frame)
            for block in closing(builder, position):
                file.write(block)
            file.flush()
            _sync(file.fileno())
            size = file.tell()
        put_in_place(temporary, path)
    except OSError as error:
        raise StoreError(f"can't seal into {path.parent}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    return size


def _sync(fd: int) -> None:
    """On macOS there is no fdatasync."""
    getattr(os, "fdatasync", os.fsync)(fd)


def closing(builder: IndexBuilder, position: int) -> tuple[bytes, bytes]:
    """The blooms and the index, as they stand after the last frame at `position`."""
    index, blooms = builder.finish(position + frames.SKIPPABLE_HEAD)
    return index_blocks(index, blooms)


def index_blocks(index: Index, blooms: bytes) -> tuple[bytes, bytes]:
    """The blooms and the index as blocks of a file."""
    block = frames.skippable(layout.BLOOMS, blooms)
    return block, layout.index_block(index, index.blooms - frames.SKIPPABLE_HEAD + len(block))


def put_in_place(temporary: Path, path: Path) -> None:
    """One rename, which survives a power cut."""
    temporary.rename(path)
    sync_folder(path.parent)


def cut(pieces: Sequence[Piece]) -> Iterator[bytes]:
    """The pieces' bytes, one after another, cut at line ends into what makes a frame."""
    held = bytearray()
    for piece in pieces:
        for chunk in piece.chunks:
            held += chunk
            while len(held) >= frames.FRAME_BYTES:
                end = held.rfind(b"\n", 0, frames.FRAME_BYTES) + 1
                if not end:
                    end = held.find(b"\n") + 1  # a line longer than a frame is a frame of its own
                if not end:
                    break
                yield bytes(held[:end])
                del held[:end]
    if held:
        yield bytes(held)
