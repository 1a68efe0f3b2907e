"""The log store, on real files and with real processes."""

from __future__ import annotations

import errno
import os
import random
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdalog.clock import ManualClock
from lambdalog.errors import NewerFormat, StoreError
from lambdalog.store import Event, LogStore, Scan, merge
from lambdalog.store.health import check
from lambdalog.store.maintenance import maintain
from lambdalog.store.segment import BLOCK
from lambdalog.store.writer import Removed, SegmentWriter
from tests.unit.store.conftest import GROUP

T0 = 1_700_000_000_000


def messages(store: LogStore, **scan: object) -> list[str]:
    """The messages that a scan gives."""
    return [event.message for event in store.scan(Scan(GROUP, **scan))]  # type: ignore[arg-type]


def test_what_is_appended_is_read(store: LogStore, clock: ManualClock) -> None:
    """An event comes back with its times, group and stream, and a place that stays the same."""
    store.append(GROUP, "s", [(T0, "one"), (T0 + 1, "two")])
    first, second = store.scan(Scan(GROUP))
    assert first == Event(T0, clock.now_ms(), first.segment, 0, "one", GROUP, "s")
    assert second.offset > first.offset
    assert list(store.scan(Scan(GROUP))) == [first, second]


def test_a_scan_is_bounded_by_time(store: LogStore) -> None:
    """The start is inclusive and the end exclusive."""
    store.append(GROUP, "s", [(T0 + n, str(n)) for n in range(5)])
    assert messages(store, start=T0 + 1, end=T0 + 3) == ["1", "2"]


def test_streams_are_merged_by_time(store: LogStore) -> None:
    """Events of several streams come in one order, forwards or backwards, from anywhere in it."""
    store.create_stream(GROUP, "t")
    store.append(GROUP, "s", [(T0 + n, f"s{n}") for n in range(0, 10, 2)])
    store.append(GROUP, "t", [(T0 + n, f"t{n}") for n in range(1, 10, 2)])
    forwards = list(store.scan(Scan(GROUP)))
    assert [event.timestamp for event in forwards] == list(range(T0, T0 + 10))
    assert list(store.scan(Scan(GROUP, descending=True))) == forwards[::-1]
    assert list(store.scan(Scan(GROUP, after=forwards[3].position))) == forwards[4:]
    assert list(store.scan(Scan(GROUP, after=forwards[3].position, descending=True))) == forwards[:3][::-1]
    assert messages(store, streams=frozenset({"t"})) == ["t1", "t3", "t5", "t7", "t9"]
    assert messages(store, stream_prefix="s")[:2] == ["s0", "s2"]


def test_many_blocks_are_read_in_order(store: LogStore) -> None:
    """A segment of many blocks is bisected by time, with lines longer than a block in it."""
    long = "x" * (BLOCK * 2 + 17)
    for n in range(0, 4000, 100):
        store.append(GROUP, "s", [(T0 + m * 1000, f"{m} " + "y" * 300) for m in range(n, n + 100)])
        store.append(GROUP, "s", [(T0 + (n + 99) * 1000, long)])
    found = list(store.scan(Scan(GROUP)))
    assert len(found) == 4040
    assert found == sorted(found, key=lambda event: event.position)
    assert list(store.scan(Scan(GROUP, descending=True))) == found[::-1]
    for start, end in ((0, 1), (1234, 1301), (3999, 4000), (2000, 2000)):
        low, high = T0 + start * 1000, T0 + end * 1000
        assert list(store.scan(Scan(GROUP, start=low, end=high))) == [
            e for e in found if low <= e.timestamp < high
        ]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.lists(st.integers(0, 9000), min_size=1, max_size=5)),
        min_size=1,
        max_size=12,
    )
)
def test_any_order_of_writing_is_read_in_order(batches: list[tuple[str, list[int]]]) -> None:
    """However times jump about between batches, a scan is sorted, complete and the same backwards."""
    with tempfile.TemporaryDirectory() as folder, LogStore(Path(folder), clock=ManualClock()) as store:
        store.create_group(GROUP)
        expected = []
        for number, (stream, times) in enumerate(batches):
            store.create_stream(GROUP, stream)
            batch = [(T0 + time, f"{number}.{index}") for index, time in enumerate(sorted(times))]
            store.append(GROUP, stream, batch)
            expected += batch
        found = list(store.scan(Scan(GROUP)))
        assert sorted((event.timestamp, event.message) for event in found) == sorted(expected)
        assert [event.timestamp for event in found] == sorted(event.timestamp for event in found)
        assert list(store.scan(Scan(GROUP, descending=True))) == found[::-1]


def test_literals_find_what_the_match_would(store: LogStore) -> None:
    """The byte prefilter never loses a match, quotes, backslashes and other alphabets included."""
    texts = ['say "hi"', "back\\slash", "tab\tend", "naïve café", "plain", '{"k": "naïve"}', "\ud800 naïve"]
    store.append(GROUP, "s", [(T0 + n, text) for n, text in enumerate(texts)])
    for literal in ['"hi"', "k\\s", "b\te", "naïve", "plain", "nothing"]:
        expected = [text for text in texts if literal in text]
        assert messages(store, match=lambda text, lit=literal: lit in text, literals=(literal,)) == expected


def test_a_group_or_stream_that_is_not_there(store: LogStore) -> None:
    """Writing to or reading what does not exist is a KeyError and makes nothing."""
    with pytest.raises(KeyError):
        store.append(GROUP, "none", [(T0, "x")])
    with pytest.raises(KeyError):
        store.append("none", "s", [(T0, "x")])
    with pytest.raises(KeyError):
        list(store.scan(Scan("none")))
    assert store.groups() == [GROUP]


def test_deleted_streams_and_groups_come_back_empty(store: LogStore, clock: ManualClock) -> None:
    """A stream or group of the same name, made again, holds none of the old events, and takes new ones."""
    store.append(GROUP, "s", [(T0, "old")])
    assert store.delete_stream(GROUP, "s")
    assert not store.delete_stream(GROUP, "s")
    with pytest.raises(KeyError):
        store.append(GROUP, "s", [(T0, "lost?")])
    clock.advance(1)
    store.create_stream(GROUP, "s")
    store.append(GROUP, "s", [(T0, "new")])
    assert messages(store) == ["new"]
    assert store.delete_group(GROUP)
    store.create_group(GROUP)
    assert store.streams(GROUP) == []


def test_a_stream_deleted_by_another_process_is_noticed(store: LogStore, store_path: Path) -> None:
    """A writer whose file was removed under it loses nothing silently: it says so, or writes to the new stream."""
    store.append(GROUP, "s", [(T0, "old")])
    with LogStore(store_path, clock=store.clock) as other:
        other.delete_stream(GROUP, "s")
    with pytest.raises(KeyError):
        store.append(GROUP, "s", [(T0, "lost?")])


def test_streams_tell_their_times(store: LogStore, clock: ManualClock) -> None:
    """A stream knows its first and last event; one never written knows only when it was made."""
    store.create_stream(GROUP, "empty")
    store.append(GROUP, "s", [(T0, "a"), (T0 + 50, "b")])
    empty, written = store.streams(GROUP)
    assert (empty.name, empty.first_event) == ("empty", None)
    assert (written.first_event, written.last_event, written.last_ingestion) == (T0, T0 + 50, clock.now_ms())


def test_group_records_are_changed_alone(store: LogStore) -> None:
    """A change of a group's record is seen by other processes at once."""
    store.update_group(GROUP, lambda info: replace(info, retention_days=7, tags={"team": "a"}))
    with LogStore(store.root, clock=store.clock) as other:
        found = other.group(GROUP)
    assert found is not None
    assert (found.retention_days, found.tags) == (7, {"team": "a"})
    with pytest.raises(KeyError):
        store.update_group("none", lambda info: info)


def test_a_newer_format_is_refused(store_path: Path) -> None:
    """A store that a newer lambdalog made is neither read nor written."""
    store_path.mkdir()
    (store_path / "format").write_text("2\n")
    with LogStore(store_path) as store:
        with pytest.raises(NewerFormat, match="format '2'"):
            store.groups()
        with pytest.raises(NewerFormat):
            store.create_group(GROUP)


def test_an_unwritable_place_is_one_clear_error(tmp_path: Path) -> None:
    """Where no store can be made, the error says where and why."""
    (tmp_path / "file").write_text("")
    with (
        LogStore(tmp_path / "file" / "store") as store,
        pytest.raises(StoreError, match="can't write to the store at"),
    ):
        store.create_group(GROUP)


def test_a_full_disk_keeps_nothing_of_the_batch(store: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that the disk took only in part is taken back whole."""
    store.append(GROUP, "s", [(T0, "kept")])
    really = os.write

    def full(fd: int, data: bytes) -> int:
        if b"refused" not in data:
            return really(fd, data)
        if len(data) > 60:
            return really(fd, data[:60])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreError, match="the disk is full"):
        store.append(GROUP, "s", [(T0 + 1, "refused" * 10)])
    monkeypatch.undo()
    store.append(GROUP, "s", [(T0 + 2, "after")])
    assert messages(store) == ["kept", "after"]


def test_a_torn_tail_is_left_out(store: LogStore) -> None:
    """The half line that a crash left is not an event, and hides none before it."""
    store.append(GROUP, "s", [(T0, "whole")])
    (path,) = store.layout.group(GROUP).live.iterdir()
    with path.open("ab") as file:
        file.write(b'{"t":1700000000001,"i":17000')
    assert messages(store) == ["whole"]
    assert store.streams(GROUP)[0].last_event == T0


def test_a_forked_child_writes_a_file_of_its_own(store: LogStore) -> None:
    """After a fork parent and child both go on writing, and nothing is mixed up or lost."""
    store.append(GROUP, "s", [(T0, "before")])
    child = os.fork()
    if not child:
        try:
            store.append(GROUP, "s", [(T0 + 1, "child")])
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    store.append(GROUP, "s", [(T0 + 2, "parent")])
    assert messages(store) == ["before", "child", "parent"]
    assert len(list(store.layout.group(GROUP).live.iterdir())) == 2


def test_a_writer_that_was_closed_meanwhile_writes_no_more(
    store: LogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An append whose writer another thread closed in between goes to a new one, and leaves no file open behind it."""
    append, closed = SegmentWriter.append, list[SegmentWriter]()

    def late(writer: SegmentWriter, lines: bytes, first: int, last: int) -> None:
        if not closed:
            closed.append(writer)
            store.release(-1)
        append(writer, lines, first, last)

    monkeypatch.setattr(SegmentWriter, "append", late)
    store.append(GROUP, "s", [(T0, "one")])
    store.append(GROUP, "s", [(T0 + 1, "two")])
    assert messages(store) == ["one", "two"]
    assert len(closed) == 1
    assert len(store.segments(GROUP).live_names()) == 1
    store.close()
    with pytest.raises(Removed):
        append(closed[0], b"{}\n", T0, T0)


def test_the_writer_unused_for_longest_makes_room(
    store: LogStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With as many files open as may be, the one that nothing was written to for longest is closed for a new stream."""
    monkeypatch.setattr("lambdalog.store.logs.WRITERS_MAX", 2)
    for stream in ("a", "b", "a", "c", "a", "b"):
        clock.advance(1)
        store.create_stream(GROUP, stream)
        store.append(GROUP, stream, [(clock.now_ms(), stream)])
    assert messages(store) == ["a", "b", "a", "c", "a", "b"]
    # `b` was closed for `c`, and had to begin a second file.
    assert len(store.segments(GROUP).live_names()) == 4


def test_a_group_made_again_elsewhere_is_another(store: LogStore) -> None:
    """A group that another process deleted and made again shows its new streams alone, whatever the files look like."""
    for round_ in range(20):
        assert [stream.name for stream in store.streams(GROUP)] == ["s"]
        with LogStore(store.root, clock=store.clock) as other:
            other.delete_group(GROUP)
            other.create_group(GROUP)
            other.create_stream(GROUP, f"{round_ % 10}")
        assert [stream.name for stream in store.streams(GROUP)] == [f"{round_ % 10}"]
        store.delete_group(GROUP)
        store.create_group(GROUP)
        store.create_stream(GROUP, "s")


def test_names_and_tags_that_are_no_unicode_are_refused(store: LogStore) -> None:
    """A lone surrogate in a name or a tag is a ValueError, and nothing is made."""
    with pytest.raises(ValueError, match="can't be stored"):
        store.create_group("\ud800")
    with pytest.raises(ValueError, match="can't be stored"):
        store.create_group("tagged", tags={"a": "\ud800"})
    with pytest.raises(ValueError, match="can't be stored"):
        store.create_stream(GROUP, "\ud800")
    assert store.groups() == [GROUP]
    assert len(list(store.layout.logs.iterdir())) == 1
    assert [stream.name for stream in store.streams(GROUP)] == ["s"]


def test_deep_nesting_is_text(store: LogStore) -> None:
    """JSON nested too deep for any parser is kept as text, byte for byte."""
    deep = '{"a":' * 20_000 + "1" + "}" * 20_000
    store.append(GROUP, "s", [(T0, deep)])
    assert messages(store) == [deep]


ODD = [
    "a",
    "A",
    "a/b",
    "a%2Fb",
    ".",
    "..",
    "../..",
    "/",
    "[$LATEST]",
    "~pack",
    ".tmp-1",
    ".lock",
    "live",
    "g" * 512,
    "g" * 511 + "G",
    "ä" * 512,
    "ä" * 511 + "Ä",
    "名前",
    "a b\n",
    "\x00",
]


def test_odd_names_are_each_a_group_and_stream_of_their_own(tmp_path: Path, clock: ManualClock) -> None:
    """Names of 512 characters, in another case, or of paths: all their own, sealed or not, none outside the store."""
    root = tmp_path / "inner" / "store"
    with LogStore(root, clock=clock) as store:
        for group in ODD:
            assert store.create_group(group)
            for stream in (group, "s"):
                store.create_stream(group, stream)
                store.append(group, stream, [(T0, f"{group}|{stream}")])
        store.create_group("streams")
        for stream in ODD:
            assert store.create_stream("streams", stream)
            store.append("streams", stream, [(T0, stream)])
        store.close()
        for _ in range(2):
            assert store.groups() == sorted([*ODD, "streams"])
            for group in ODD:
                found = {event.stream: event.message for event in store.scan(Scan(group))}
                assert found == {stream: f"{group}|{stream}" for stream in (group, "s")}
            assert [stream.name for stream in store.streams("streams")] == sorted(ODD)
            assert {event.stream: event.message for event in store.scan(Scan("streams"))} == {
                stream: stream for stream in ODD
            }
            maintain(store)
        with LogStore(root, clock=clock) as fresh:
            assert fresh.groups() == store.groups()
        assert [path.name for path in tmp_path.iterdir()] == ["inner"]
        assert [path.name for path in (tmp_path / "inner").iterdir()] == ["store"]
        for group in ODD:
            assert store.delete_group(group)
        assert len(list(store.scan(Scan("streams")))) == len(ODD)


def test_the_first_format_is_still_read(tmp_path: Path) -> None:
    """A store kept from the first version, live and sealed, gives its events, takes new ones, and is found sound."""
    kept = Path(__file__).parent / "data" / "format-1"
    shutil.copytree(kept, tmp_path / "store")
    group, stream = "/aws/lambda/orders", "2023/11/14/[$LATEST]a"
    with LogStore(tmp_path / "store") as store:
        info = store.group(group)
        assert info is not None
        assert (info.tags, info.retention_days) == ({"team": "a"}, None)
        request = "0f8fad5b-d9cb-469f-a165-70867728950e"
        record = f'{{"level":"ERROR","requestId":"{request}"}}'
        assert [(event.timestamp - T0, event.stream, event.message) for event in store.scan(Scan(group))] == [
            (0, stream, record),
            (1, stream, "plain \u2028 text\n"),
            (2, stream, "live \ud800"),
        ]
        assert [event.message for event in store.scan(Scan(group, literals=(request,)))] == [record]
        assert store.minutes(group) == {T0 // 60_000 * 60_000: (3, 1)}
        assert list(check(store)) == []
        store.append(group, stream, [(T0 + 3, "new")])
        store.close()
        maintain(store)
        assert len(list(store.scan(Scan(group)))) == 4


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("spread", [1, 1500])
def test_many_events_of_one_moment_are_sorted_once(
    store: LogStore, monkeypatch: pytest.MonkeyPatch, spread: int, descending: bool
) -> None:
    """However many events bear times within the disorder, each is sorted as it is read, and once more as it is let go."""
    chance = random.Random(1)
    for _ in range(60):
        store.append(GROUP, "s", [(T0 + chance.randrange(spread), "x" * 900) for _ in range(100)])
    put_together = merge._sorted
    sorted_events = []

    def counting(runs: list[list[Event]], *, descending: bool) -> list[Event]:
        sorted_events.append(sum(map(len, runs)))
        return put_together(runs, descending=descending)

    monkeypatch.setattr(merge, "_sorted", counting)
    found = [event.position for event in store.scan(Scan(GROUP, descending=descending))]
    assert found == sorted(found, reverse=descending)
    assert len(found) == 6000
    assert sum(sorted_events) == 6000
