"""The catalogue's own records: damage is told, and mended from what else is there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import orjson
import pytest

from lambdalog.errors import StoreError
from lambdalog.store import LogStore, Scan
from lambdalog.store.health import check, check_tables, repair
from lambdalog.store.maintenance import maintain
from lambdalog.store.records import HIDDEN
from tests.unit.store.conftest import GROUP

if TYPE_CHECKING:
    from pathlib import Path

T0 = 1_700_000_000_000


def again(store: LogStore) -> LogStore:
    """The store as somebody opens it now."""
    return LogStore(store.root, clock=store.clock)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"name": "other", "created": 1}', b""])
def test_a_damaged_group_is_told_and_mended(store: LogStore, content: bytes) -> None:
    """Readers say which file and what to do; check names it; repair gives the group back with all its events."""
    store.append(GROUP, "s", [(T0, "kept")])
    path = store.layout.group(GROUP).info
    path.write_bytes(content)
    if content != b'{"name": "other", "created": 1}':
        with pytest.raises(StoreError, match="is damaged; run: lambdalog store repair"):
            again(store).groups()
    assert [(damage.file, damage.what) for damage in check(again(store))] == [
        ("group.json", "the group's record is damaged")
    ]
    assert [(mended.group, mended.file, mended.lost) for mended in repair(again(store))] == [
        (GROUP, "group.json", 0)
    ]
    assert list(check(again(store))) == []
    assert [event.message for event in again(store).scan(Scan(GROUP))] == ["kept"]


def test_one_damaged_group_hides_no_damage_of_others(store: LogStore) -> None:
    """Check goes on with the groups that it can read."""
    store.create_group("other")
    store.create_stream("other", "s")
    store.append("other", "s", [(T0, "x")])
    store.close()
    (live,) = store.layout.group("other").live.iterdir()
    live.write_bytes(live.read_bytes() + b"torn")
    store.layout.group(GROUP).info.write_bytes(b"{")
    assert [damage.file for damage in check(again(store))] == ["group.json", live.name]


def test_a_group_without_a_name_is_set_aside(store: LogStore) -> None:
    """Where nothing tells the name of a group, its folder is hidden, whole, and the store can be used again."""
    long = "g" * 400
    store.create_group(long)
    layout = store.layout.group(long)
    layout.info.write_bytes(b"{")
    layout.streams.write_bytes(b"{")
    assert [mended.lost for mended in repair(again(store))] == [None]
    assert again(store).groups() == [GROUP]
    assert (layout.root.with_name(HIDDEN + layout.root.name) / "group.json").exists()


def test_a_long_name_is_known_from_the_streams(store: LogStore) -> None:
    """A name too long for a folder's name comes back from the other record."""
    long = "g" * 400
    store.create_group(long)
    store.layout.group(long).info.unlink()
    assert [mended.group for mended in repair(again(store))] == [long]
    assert again(store).groups() == [GROUP, long]


@pytest.mark.parametrize("content", [b"", b'{"n": ', None])
def test_damaged_streams_come_back_from_segments(store: LogStore, content: bytes | None) -> None:
    """Streams whose record is lost are known from their segments, live and sealed; no event is lost."""
    store.create_stream(GROUP, "ünï/[$LATEST]")
    store.append(GROUP, "s", [(T0, "one")])
    store.close()
    maintain(store)
    store.append(GROUP, "ünï/[$LATEST]", [(T0 + 1, "two")])
    store.close()
    path = store.layout.group(GROUP).streams
    if content is None:
        lines = path.read_bytes().split(b"\n")
        path.write_bytes(b"\n".join([lines[0], b"\x00\x00", *lines[2:]]))
    else:
        path.write_bytes(content)
    assert [damage.file for damage in check(again(store))] == ["streams.jsonl"]
    (mended,) = repair(again(store))
    assert (mended.file, mended.lost) == ("streams.jsonl", 0)
    assert list(check(again(store))) == []
    fresh = again(store)
    assert [event.message for event in fresh.scan(Scan(GROUP))] == ["one", "two"]
    assert [stream.name for stream in fresh.streams(GROUP)] == ["s", "ünï/[$LATEST]"]


def test_a_record_of_nonsense_is_one_clear_error(store: LogStore) -> None:
    """A line that is JSON but no record is told by readers, and left out by repair."""
    path = store.layout.group(GROUP).streams
    with path.open("ab") as file:
        file.write(orjson.dumps({"c": 1}) + b"\n" + orjson.dumps([]) + b"\n")
    with pytest.raises(StoreError, match=r"streams.jsonl is damaged; run: lambdalog store repair"):
        again(store).streams(GROUP)
    assert [damage.what for damage in check(again(store))] == ["2 records of streams are damaged"]
    assert len(list(repair(again(store)))) == 1
    assert [stream.name for stream in again(store).streams(GROUP)] == ["s"]


def test_a_deleted_stream_stays_deleted_through_a_repair(store: LogStore) -> None:
    """What a sound record of a deletion says still holds."""
    store.append(GROUP, "s", [(T0, "gone")])
    store.close()
    maintain(store)
    store.delete_stream(GROUP, "s")
    with store.layout.group(GROUP).streams.open("ab") as file:
        file.write(b"zzz\n")
    list(repair(again(store)))
    assert again(store).streams(GROUP) == []
    assert list(again(store).scan(Scan(GROUP))) == []


def test_a_damaged_database_is_found(store_path: Path) -> None:
    """SQLite's own check is asked; a sound database leaves no file beside it."""
    store_path.mkdir()
    sound, broken = store_path / "a.sqlite", store_path / "b.sqlite"
    for path in (sound, broken):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE t (a TEXT)")
            connection.executemany("INSERT INTO t VALUES (?)", [("x" * 100,) for _ in range(500)])
            connection.commit()
    data = bytearray(broken.read_bytes())
    data[4096 * 3 : 4096 * 4] = bytes(4096)
    broken.write_bytes(data)
    assert {damage.file for damage in check_tables(store_path)} == {"b.sqlite"}
    assert sorted(path.name for path in store_path.iterdir()) == ["a.sqlite", "b.sqlite"]
