"""Frames of a sealed file, whole and from their beginning on."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambdalog.store import Scan, frames
from lambdalog.store.index import NO_CHECKSUM
from lambdalog.store.maintenance import maintain
from lambdalog.store.scan import needles
from lambdalog.store.sealed import SealedFile
from tests.unit.store.conftest import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.store import LogStore

T0 = 1_700_000_000_000


@pytest.fixture
def sealed(store: LogStore) -> SealedFile:
    """Ten thousand events of one stream, a second apart, sealed."""
    levels = ["INFO"] * 9 + ["ERROR"]
    texts = [f'{{"level":"{levels[n % 10]}","n":{n},"text":"{n * 7919 % 10007}"}}' for n in range(10_000)]
    store.append(GROUP, "s", [(T0 + n * 1000, text) for n, text in enumerate(texts)])
    store.close()
    maintain(store, everything=True)
    (path,) = store.layout.group(GROUP).sealed.iterdir()
    return SealedFile(path)


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of the blocks of frames that are unpacked in part."""
    lengths: list[int] = []
    pieces = frames.pieces

    def counted(data: bytes, size: int = frames.BLOCK_BYTES) -> Iterator[bytes]:
        for piece in pieces(data, size):
            lengths.append(len(piece))
            yield piece

    monkeypatch.setattr(frames, "pieces", counted)
    return lengths


@pytest.mark.parametrize("size", [0, 1, frames.BLOCK_BYTES, frames.BLOCK_BYTES + 1, 5 * frames.BLOCK_BYTES])
def test_a_frame_is_its_blocks(size: int) -> None:
    """A frame carries its length, and comes back whole or piece by piece, whatever its size."""
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]
    packed = frames.compress(data)
    assert frames.content_length(packed) == size
    assert frames.frame_size(packed) == len(packed)
    assert frames.decompress(packed) == b"".join(frames.pieces(packed)) == data


@pytest.mark.parametrize("cut", [6, 20, -1])
def test_a_frame_that_is_cut_short_is_refused(cut: int) -> None:
    """What unpacks a frame piece by piece notices that its end is missing."""
    packed = frames.compress(b"line after line\n" * 10_000)
    with pytest.raises(frames.FrameError):
        list(frames.pieces(packed[:cut]))


def test_a_frame_from_its_beginning_is_the_frame(sealed: SealedFile) -> None:
    """The whole lines of its pieces, put together, are the frame; each knows its place."""
    assert len(sealed.index.frames) > 1
    for number in range(len(sealed.index.frames)):
        begun = sealed.begun(number)
        assert begun is not None
        found = list(begun)
        assert all(lines.endswith(b"\n") for _, lines in found)
        assert b"".join(lines for _, lines in found) == sealed.frame(number)
        assert [offset for offset, _ in found] == [sealed.frame(number).find(lines) for _, lines in found]


@pytest.mark.parametrize(
    "scan",
    [
        Scan(GROUP),
        Scan(GROUP, literals=('"level":"ERROR"',)),
        Scan(GROUP, start=T0 + 100_000, end=T0 + 120_000),
    ],
)
def test_a_page_unpacks_no_more_than_it_needs(
    store: LogStore, sealed: SealedFile, unpacked: list[int], scan: Scan
) -> None:
    """The first events of a frame, or those of a range in it, cost its first blocks."""
    found = list(islice(store.scan(scan), 20))
    assert len(found) == 20
    assert 0 < sum(unpacked) <= 2 * frames.BLOCK_BYTES < sealed.index.frames[0].length


def test_damage_behind_what_is_unpacked_is_still_noticed(store: LogStore, sealed: SealedFile) -> None:
    """A frame of which the end is damaged gives nothing, though its beginning would do, and is told of."""
    frame = sealed.index.frames[0]
    data = bytearray(sealed.path.read_bytes())
    data[frame.offset + frame.size - 10] ^= 1
    sealed.path.write_bytes(data)
    found = list(islice(store.scan(Scan(GROUP)), 1))
    assert [event.timestamp for event in found] == [sealed.index.frames[1].earliest]
    assert [(damage.file, damage.frame) for damage in store.damage] == [(sealed.name, 0)]


def test_a_frame_without_a_checksum_is_read_whole() -> None:
    """Files of before have none: nothing of a frame is given before all of it has been checked."""
    kept = next((Path(__file__).parent / "data" / "format-1").rglob("*.zst"))
    file = SealedFile(kept)
    assert {frame.crc for frame in file.index.frames} == {NO_CHECKSUM}
    assert file.begun(0) is None


def test_every_run_of_a_literal_is_looked_for() -> None:
    """Quotes may stand escaped, so what lies between them is looked for: all of it, the longest first, but few."""
    assert needles(('"level":"ERROR"',)).plain == (b"ERROR", b"level")
    assert needles(('"',)).plain == ()
    assert needles(('"é"', "x")).plain == (b"\xc3\xa9",)
    assert len(needles(tuple(f"word{n}" for n in range(50))).plain) == 6
