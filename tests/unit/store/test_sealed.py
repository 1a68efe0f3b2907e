"""Frames of a sealed file, whole and from their beginning on."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambdalog.store import Scan, frames
from lambdalog.store.event import Asked
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
    """How much of the frames is unpacked, each time."""
    lengths: list[int] = []
    blocks = SealedFile.blocks

    def counted(self: SealedFile, number: int, packed: bytes, asked: Asked) -> Iterator[tuple[int, bytes]]:
        for offset, data in blocks(self, number, packed, asked):
            lengths.append(len(data))
            yield offset, data

    monkeypatch.setattr(SealedFile, "blocks", counted)
    return lengths


@pytest.mark.parametrize("lines", [1, 3000, 30_000])
def test_a_frame_is_its_blocks(lines: int) -> None:
    """A frame comes back whole, and block by block, each of whole lines that its size and length lead to."""
    data = b"".join(b"line %d\n" % number for number in range(lines))
    packed = frames.pack(data)
    found, place = [], 0
    for size, length in frames.blocks(packed):
        found.append(frames.decompress(packed[place : place + size]))
        assert len(found[-1]) == length <= frames.BLOCK_BYTES
        place += size
    assert place == len(packed)
    assert all(block.endswith(b"\n") for block in found)
    assert frames.decompress(packed) == b"".join(found) == data


def test_a_line_longer_than_a_block_is_a_block() -> None:
    """No line is cut, whatever stands around it."""
    long = b"x" * 3 * frames.BLOCK_BYTES + b"\n"
    packed = frames.pack(b"a\n" + long + b"b\n")
    assert [length for _, length in frames.blocks(packed)] == [2, len(long), 2]
    assert len(frames.blocks(frames.pack(long))) == 1


@pytest.mark.parametrize("cut", [6, 20, -1])
def test_a_frame_that_is_cut_short_is_refused(cut: int) -> None:
    """What reads its blocks notices that its end is missing."""
    packed = frames.pack(b"line after line\n" * 10_000)
    with pytest.raises(frames.FrameError):
        frames.blocks(packed[:cut])


@pytest.mark.parametrize("descending", [False, True])
def test_a_part_of_a_frame_is_what_the_frame_has_there(sealed: SealedFile, descending: bool) -> None:
    """From either end, whatever bytes are asked for, blocks put together are those bytes, each at its place."""
    assert len(sealed.index.frames) > 1
    for number, frame in enumerate(sealed.index.frames):
        whole = sealed.frame(number)
        cut = whole.find(b"\n", frame.length // 2) + 1
        for begin, end in ((0, frame.length), (0, cut), (cut, frame.length), (cut, cut)):
            asked = Asked(begin, end, None, None, descending)
            found = list(sealed.blocks(number, sealed.packed(frame, number), asked))
            assert all(whole[offset : offset + len(lines)] == lines for offset, lines in found)
            in_order = found[::-1] if descending else found
            assert b"".join(lines for _, lines in in_order) == whole[begin:end]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    "scan",
    [
        Scan(GROUP),
        Scan(GROUP, literals=('"level":"ERROR"',)),
        Scan(GROUP, start=T0 + 2_000_000, end=T0 + 2_020_000),
    ],
)
def test_a_page_unpacks_no_more_than_it_needs(
    store: LogStore, sealed: SealedFile, unpacked: list[int], scan: Scan, descending: bool
) -> None:
    """The first events of a frame from either end, or those of a range in it, cost a block or two."""
    found = list(islice(store.scan(replace(scan, descending=descending)), 20))
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


def test_a_frame_of_before_is_one_block() -> None:
    """Files of the first format have no checksums of frames, and no blocks: a frame is unpacked, and checked, as a whole."""
    kept = next((Path(__file__).parent / "data" / "format-1").rglob("*.zst"))
    file = SealedFile(kept)
    for number, frame in enumerate(file.index.frames):
        assert frame.crc == NO_CHECKSUM
        packed = file.packed(frame, number)
        assert list(file.blocks(number, packed, Asked(0, frame.length, None, None, False))) == [
            (0, file.frame(number))
        ]


def test_every_run_of_a_literal_is_looked_for() -> None:
    """Quotes may stand escaped, so what lies between them is looked for: all of it, the longest first, but few."""
    assert needles(('"level":"ERROR"',)).plain == (b"ERROR", b"level")
    assert needles(('"',)).plain == ()
    assert needles(('"é"', "x")).plain == (b"\xc3\xa9",)
    assert len(needles(tuple(f"word{n}" for n in range(50))).plain) == 6
