"""Reading on in the order of writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambdalog.store import LogStore
from lambdalog.store.arrivals import Arrivals
from lambdalog.store.maintenance import maintain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T0 = 1_700_000_000_000


@pytest.fixture
def store(store_path: Path) -> Iterator[LogStore]:
    """A store with one group of two streams."""
    with LogStore(store_path) as opened:
        opened.create_group("g")
        opened.create_stream("g", "a")
        opened.create_stream("g", "b")
        yield opened


def read_on(store: LogStore, read: dict[str, int]) -> list[str]:
    """The messages behind `read`, which is moved on."""
    found = []
    for piece in Arrivals(store, "g").after(read):
        assert read.get(piece.segment, 0) == piece.start
        read[piece.segment] = piece.end
        found += [event.message for event in piece.events]
    return found


def seal(store: LogStore) -> None:
    """Seal and pack everything."""
    store.release(0)
    maintain(store, everything=True)


def test_each_event_comes_once_live_sealed_and_packed(store: LogStore) -> None:
    """Whatever happens to the files between two readings, what was read is not read again."""
    read: dict[str, int] = {}
    store.append("g", "a", [(T0, "1"), (T0 + 1, "2")])
    assert read_on(store, read) == ["1", "2"]
    store.append("g", "a", [(T0 + 2, "3")])
    store.append("g", "b", [(T0 + 3, "4")])
    seal(store)
    assert read_on(store, read) == ["3", "4"]
    store.append("g", "b", [(T0 + 4, "5")])
    seal(store)
    assert read_on(store, read) == ["5"]
    assert read_on(store, read) == []
    assert Arrivals(store, "g").segments() == read.keys()


def test_one_may_begin_at_the_end(store: LogStore) -> None:
    """From `ends` on, only what is written later comes, sealed or not."""
    store.append("g", "a", [(T0, "old")])
    seal(store)
    store.append("g", "b", [(T0, "old too")])
    read = Arrivals(store, "g").ends()
    assert read_on(store, read) == []
    store.append("g", "b", [(T0 + 1, "new")])
    assert read_on(store, read) == ["new"]


def test_what_was_deleted_is_passed_over(store: LogStore) -> None:
    """A deleted stream's events don't come, and its segments are no longer there."""
    store.append("g", "a", [(T0, "1")])
    store.append("g", "b", [(T0, "2")])
    seal(store)
    store.delete_stream("g", "a")
    assert read_on(store, {}) == ["2"]
    store.delete_group("g")
    with pytest.raises(KeyError):
        read_on(store, {})


def test_large_segments_come_in_pieces(store: LogStore) -> None:
    """Memory holds a piece at a time, a line longer than a piece as a whole."""
    texts = [f"{number} {'x' * 1000}" for number in range(2000)] + ["y" * 900_000]
    store.append("g", "a", [(T0 + number, text) for number, text in enumerate(texts)])
    for _ in range(2):
        pieces = list(Arrivals(store, "g").after({}))
        assert [event.message for piece in pieces for event in piece.events] == texts
        assert len(pieces) > 4
        seal(store)


def test_damage_is_reported_and_passed_over(store: LogStore) -> None:
    """A sealed frame that fails its checksum is told of; what stands behind it comes."""
    texts = [f"{number:05} {number * 2654435761 % 2**32:x}" * 40 for number in range(1500)]
    store.append("g", "a", [(T0 + number, text) for number, text in enumerate(texts)])
    seal(store)
    (path,) = store.layout.group("g").sealed.iterdir()
    (held,) = store.segments("g").sealed()
    frame = held.file.index.frames[0]
    data = bytearray(path.read_bytes())
    data[frame.offset + frame.size // 2] ^= 0xFF
    path.write_bytes(data)
    read: dict[str, int] = {}
    found = read_on(store, read)
    assert found == texts[frame.count :]
    assert [damage.frame for damage in store.damage] == [0]
    assert read_on(store, read) == []
