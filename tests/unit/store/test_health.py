"""Damage: found by check, passed over by readers, mended by repair."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from lambdalog.store import LogStore, Scan
from lambdalog.store.health import SET_ASIDE, check, repair, usage
from lambdalog.store.index import FOOTER_BYTES
from lambdalog.store.maintenance import maintain_group
from lambdalog.store.sealed import SealedFile
from tests.unit.store.conftest import GROUP

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.store import Event

T0 = 1_700_000_000_000
EVENTS = 3000


@pytest.fixture
def sealed(store: LogStore) -> Path:
    """A sealed file of several frames, two segments in it."""
    chance = random.Random(3)
    store.create_stream(GROUP, "t")
    for n in range(0, EVENTS, 50):
        text = [f"{n + m} " + chance.randbytes(100).hex() for m in range(50)]
        store.append(GROUP, "st"[n // 50 % 2], [(T0 + n + m, text[m]) for m in range(50)])
    store.close()
    assert maintain_group(store, GROUP).packs == 1
    (path,) = store.layout.group(GROUP).sealed.iterdir()
    return path


def flip(path: Path, offset: int) -> None:
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 4
    path.write_bytes(data)


def read(path: Path, store: LogStore) -> tuple[list[Event], LogStore]:
    """All events, as somebody sees them who opens the store now; and their store, for its list of damage."""
    with LogStore(store.root, clock=store.clock) as fresh:
        return list(fresh.scan(Scan(GROUP))), fresh


def test_a_sound_store_has_nothing_wrong(store: LogStore, sealed: Path) -> None:
    """Check finds nothing where nothing is damaged, and repair does nothing."""
    store.append(GROUP, "s", [(T0, "live")])
    assert list(check(store)) == []
    assert list(repair(store)) == []


@pytest.mark.parametrize("number", [0, 1, -1])
def test_a_flipped_bit_in_a_frame(store: LogStore, sealed: Path, number: int) -> None:
    """Check names file, frame and segments; readers say so and give everything else; repair takes the frame out."""
    before = list(store.scan(Scan(GROUP)))
    index = SealedFile(sealed).index
    number %= len(index.frames)
    frame = index.frames[number]
    lost = {
        (part.entry.segment, offset)
        for part in SealedFile(sealed).parts(number)
        for offset in range(part.offset, part.offset + part.end - part.start)
    }
    expected = [event for event in before if (event.segment, event.offset) not in lost]
    assert len(expected) == len(before) - frame.count
    flip(sealed, frame.offset + frame.size // 2)

    (found,) = check(store)
    assert (found.group, found.file, found.frame) == (GROUP, sealed.name, number)
    assert f"frame {number} ({frame.count} events of " in found.what
    events, reader = read(sealed, store)
    assert events == expected
    assert [(damage.file, damage.frame) for damage in reader.damage] == [(sealed.name, number)]
    (mended,) = repair(store)
    assert (mended.file, mended.lost) == (sealed.name, frame.count)
    assert list(check(store)) == []
    events, reader = read(sealed, store)
    assert events == expected
    assert reader.damage == []


@pytest.mark.parametrize("place", ["index", "footer", "blooms", "header"])
def test_a_flipped_bit_beside_the_frames(store: LogStore, sealed: Path, place: str) -> None:
    """Where the index, blooms or header are damaged no event is lost: they are made again from the frames."""
    before = list(store.scan(Scan(GROUP)))
    index = SealedFile(sealed).index
    size = sealed.stat().st_size
    offset = {
        "index": size - FOOTER_BYTES - 20,
        "footer": size - 3,
        "blooms": index.blooms - 3,
        "header": 20,
    }[place]
    flip(sealed, offset)
    if place != "blooms":  # there are no UUIDs in these events: what is damaged is the block's head
        assert [damage.frame for damage in check(store)] == [None]
        assert [mended.lost for mended in repair(store)] == [0]
    assert list(check(store)) == []
    events, _ = read(sealed, store)
    assert events == before


def test_damaged_blooms_hide_nothing(store: LogStore) -> None:
    """A request id is found although the filter that leads to it is damaged."""
    request = "0f8fad5b-d9cb-469f-a165-70867728950e"
    store.append(GROUP, "s", [(T0, f"RequestId: {request}")])
    store.close()
    maintain_group(store, GROUP)
    (path,) = store.layout.group(GROUP).sealed.iterdir()
    flip(path, SealedFile(path).index.blooms)
    with LogStore(store.root, clock=store.clock) as fresh:
        assert len(list(fresh.scan(Scan(GROUP, literals=(request,))))) == 1
        assert "blooms" in fresh.damage[0].what
    assert "blooms" in next(check(store)).what
    assert [mended.lost for mended in repair(store)] == [0]
    assert list(check(store)) == []


def test_nothing_left_to_read_is_set_aside(store: LogStore, sealed: Path) -> None:
    """A file with neither header nor index is kept out of the way, and the rest of the store is read."""
    store.append(GROUP, "s", [(T0, "live")])
    sealed.write_bytes(b"nothing of ours")
    events, reader = read(sealed, store)
    assert [event.message for event in events] == ["live"]
    assert reader.damage
    assert [mended.lost for mended in repair(store)] == [None]
    assert [path.name for path in sealed.parent.iterdir()] == [sealed.name + SET_ASIDE]
    assert list(check(store)) == []


@pytest.mark.parametrize("seed", range(15))
def test_any_flipped_bit_is_harmless(store: LogStore, sealed: Path, seed: int) -> None:
    """Wherever a bit flips, reading gives true events only, all but those of one frame at most."""
    before = list(store.scan(Scan(GROUP)))
    most = max(frame.count for frame in SealedFile(sealed).index.frames)
    flip(sealed, random.Random(seed).randrange(sealed.stat().st_size))
    found, _ = read(sealed, store)
    assert set(found) <= set(before)
    assert len(found) >= len(before) - most
    for mended in repair(store):
        assert mended.lost is not None
    assert list(check(store)) == []
    assert read(sealed, store)[0] == found


def test_a_damaged_live_line_is_passed_over(store: LogStore) -> None:
    """Zeros that a power cut left in a live file are told, and hide nothing that comes before or after."""
    store.append(GROUP, "s", [(T0 + n, f"{n} " + "x" * 100) for n in range(100)])
    store.close()
    (path,) = store.layout.group(GROUP).live.iterdir()
    data = bytearray(path.read_bytes())
    line = len(data) // 100
    data[line * 50 + 60 : line * 50 + 70] = bytes(10)
    path.write_bytes(data + b"torn")
    events, reader = read(path, store)
    assert len(events) == 99
    assert "is no event" in reader.damage[0].what
    assert [damage.what for damage in check(store)] == [
        "1 lines after offset 0 are no events",
        "a crash cut the last line short (4 bytes)",
    ]
    assert [mended.what for mended in repair(store)] == ["cut 4 bytes of an unfinished line"]
    maintain_group(store, GROUP)
    assert read(path, store)[0] == events


def test_a_range_around_a_damaged_line_is_whole(store: LogStore) -> None:
    """Whichever times are asked for, a line whose time is lost hides no other one, live or sealed, from either end."""
    store.append(GROUP, "s", [(T0 + n * 10_000, f"{n} " + "x" * 100) for n in range(400)])
    store.close()
    (path,) = store.layout.group(GROUP).live.iterdir()
    data = bytearray(path.read_bytes())
    lines = bytes(data).split(b"\n")
    lost = {100, 200, 201, 300}
    for number in lost:
        begin = sum(len(line) + 1 for line in lines[:number])
        data[begin : begin + len(lines[number])] = bytes(len(lines[number]))
    path.write_bytes(data)
    for _ in range(2):
        for first, last in ((0, 150), (90, 110), (101, 250), (150, 400), (202, 299), (250, 260)):
            start, end = T0 + first * 10_000, T0 + last * 10_000
            wanted = [T0 + n * 10_000 for n in range(first, last) if n not in lost]
            for scan in (
                Scan(GROUP, start=start, end=end),
                Scan(GROUP, start=start, end=end, descending=True),
            ):
                assert sorted(event.timestamp for event in store.scan(scan)) == wanted
        maintain_group(store, GROUP)


def test_usage_counts(store: LogStore, sealed: Path) -> None:
    """What a group takes on disk, live and sealed."""
    store.append(GROUP, "s", [(T0 + EVENTS, "live")])
    (use,) = usage(store)
    assert (use.name, use.streams, use.live_segments, use.sealed_files, use.sealed_segments) == (
        GROUP,
        2,
        1,
        1,
        2,
    )
    assert (use.events, use.live_events, use.earliest, use.latest) == (EVENTS, 1, T0, T0 + EVENTS)
    assert use.sealed_bytes == sealed.stat().st_size
    assert use.raw_bytes > use.sealed_bytes
    assert use.live_bytes + use.sealed_bytes == store.stored_bytes(GROUP)
