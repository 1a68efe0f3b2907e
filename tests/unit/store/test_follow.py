"""Following what other threads and processes write."""

from __future__ import annotations

import os
import random
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.store import Event, LogStore, maintenance
from lambdalog.store import follow as follow_module
from lambdalog.store.maintenance import maintain
from lambdalog.store.sealed import SealedFile
from lambdalog.store.watch import Polling, new_watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambdalog.store.follow import Follower

T0 = 1_700_000_000_000


@pytest.fixture(params=["native", "polling"])
def watch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of waiting for a file to change."""
    chosen: Callable[[], object] = new_watch if request.param == "native" else Polling
    monkeypatch.setattr(follow_module, "new_watch", chosen)


def collect(follower: Follower[Event], count: int) -> list[Event]:
    """Poll until so many events came; a bounded number of times."""
    events: list[Event] = []
    for _ in range(200):
        events += follower.poll(0.05)
        if len(events) >= count:
            break
    return events


def test_new_events_come_once(store_path: Path, watch: None) -> None:
    """Following from now gives what another writer appends, once and in order."""
    with LogStore(store_path) as store, LogStore(store_path) as other:
        store.create_group("g")
        store.create_stream("g", "s")
        store.append("g", "s", [(T0, "before")])
        with store.follow() as follower:
            assert follower.poll(0) == []
            for n in range(50):
                other.append("g", "s", [(T0 + n, f"{n}")])
            found = collect(follower, 50)
            assert [event.message for event in found] == [str(n) for n in range(50)]
            assert follower.poll(0) == []


def test_groups_streams_and_the_store_itself_may_come_later(store_path: Path, watch: None) -> None:
    """A follower of a store that isn't there yet sees the first event of the first stream of the first group."""
    with LogStore(store_path) as store, store.follow() as follower:
        assert follower.poll(0) == []
        with LogStore(store_path) as other:
            other.create_group("g")
            other.create_stream("g", "s")
            other.append("g", "s", [(T0, "first")])
            assert [event.message for event in collect(follower, 1)] == ["first"]
            other.create_stream("g", "t")
            other.append("g", "t", [(T0, "second")])
            assert [event.message for event in collect(follower, 1)] == ["second"]


def test_a_group_is_followed_that_was_seen_half_made(store: LogStore) -> None:
    """A follower that wakes at the first sign of a group, before there is more than its folder, sees its events."""
    store.create_group("other")
    with store.follow() as follower:
        store.layout.group("late").root.mkdir()
        assert follower.poll(0.01) == []
        store.create_group("late")
        store.create_stream("late", "s")
        store.append("late", "s", [(T0, "first")])
        store.close()
        assert [event.message for event in follower.poll(5)] == ["first"]


def test_following_from_a_time_begins_with_the_past(store_path: Path, watch: None) -> None:
    """With `since`, events from then on come first, older ones not at all."""
    with LogStore(store_path) as store:
        store.create_group("g")
        store.create_stream("g", "s")
        store.append("g", "s", [(T0 + n, f"{n}") for n in range(10)])
        with store.follow(since=T0 + 7) as follower:
            store.append("g", "s", [(T0 + 10, "10")])
            assert [event.message for event in collect(follower, 4)] == ["7", "8", "9", "10"]


def test_only_wanted_groups_are_followed(store_path: Path, watch: None) -> None:
    """Groups that the choice leaves out never show up."""
    with LogStore(store_path) as store, store.follow(groups=lambda name: name == "b") as follower:
        for name in "ab":
            store.create_group(name)
            store.create_stream(name, "s")
            store.append(name, "s", [(T0, name)])
        assert [event.group for event in collect(follower, 1)] == ["b"]
        assert follower.poll(0.06) == []


def test_a_deleted_group_made_again_is_followed_again(store_path: Path, watch: None) -> None:
    """A group that goes and comes back is picked up anew."""
    with LogStore(store_path) as store, store.follow() as follower:
        for round_ in range(3):
            store.create_group("g")
            store.create_stream("g", "s")
            store.append("g", "s", [(T0, f"{round_}")])
            assert [event.message for event in collect(follower, 1)] == [f"{round_}"]
            store.delete_group("g")
            follower.poll(0.03)


def test_wake_ends_a_wait(store_path: Path, watch: None) -> None:
    """A poll with a long timeout returns when another thread wakes it."""
    with LogStore(store_path) as store:
        store.create_group("g")
        with store.follow() as follower:
            timer = threading.Timer(0.05, follower.wake)
            timer.start()
            assert follower.poll(60) == []
            timer.join()


def follow_all(follower: Follower[Event]) -> list[Event]:
    """Poll until twice nothing comes."""
    events: list[Event] = []
    quiet = 0
    while quiet < 2:
        found = follower.poll(0.03)
        quiet = 0 if found else quiet + 1
        events += found
    return events


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_lost_or_doubled_while_segments_move(
    store_path: Path, watch: None, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written, closed, sealed and packed between any two polls, each event comes exactly once."""
    chance = random.Random(seed)
    monkeypatch.setattr("lambdalog.store.open_files.OPEN_MAX", 2)
    expected, found = [], []
    with LogStore(store_path) as store, LogStore(store_path) as other:
        other.create_group("g")
        for stream in "abcd":
            other.create_stream("g", stream)
        with store.follow() as follower:
            for n in range(120):
                step = chance.random()
                if step < 0.6:
                    batch = [(T0 + n, f"{n}.{m} " + "x" * chance.randrange(2000)) for m in range(3)]
                    other.append("g", chance.choice("abcd"), batch)
                    expected += [text for _, text in batch]
                elif step < 0.75:
                    other.close()
                elif step < 0.85:
                    maintain(other)
                else:
                    found += follower.poll(0)
            found += follow_all(follower)
            other.close()
            maintain(other)
            assert follow_all(follower) == []
        assert sorted(event.message for event in found) == sorted(expected)
        assert len({(event.segment, event.offset) for event in found}) == len(expected)


def test_a_segment_sealed_before_it_was_seen_is_read(store_path: Path, watch: None) -> None:
    """A stream that was made, written, closed and sealed between two polls is not missed, nor are packs of such."""
    with LogStore(store_path) as store, LogStore(store_path) as other:
        other.create_group("g")
        with store.follow() as follower:
            for stream in "abc":
                other.create_stream("g", stream)
                other.append("g", stream, [(T0, stream)])
                other.close()
                maintain(other)
            assert sorted(event.message for event in follow_all(follower)) == ["a", "b", "c"]


@pytest.mark.parametrize("seal", [True, False])
def test_the_past_comes_first_wherever_it_is(store_path: Path, watch: None, *, seal: bool) -> None:
    """With `since`, what is sealed comes too, sorted, then what is live, then what is new; each once."""
    with LogStore(store_path) as store:
        store.create_group("g")
        for stream in "ab":
            store.create_stream("g", stream)
        for n in range(0, 100, 2):
            store.append("g", "a", [(T0 + n, f"{n}")])
            store.append("g", "b", [(T0 + n + 1, f"{n + 1}")])
        store.close()
        if seal:
            maintain(store)
        store.append("g", "a", [(T0 + 100, "100")])
        with store.follow(since=T0 + 50) as follower:
            store.append("g", "b", [(T0 + 101, "101")])
            if seal:
                store.close()
                maintain(store)
            found = [event.message for event in follow_all(follower)]
        assert found == [str(n) for n in range(50, 102)]


def test_segments_that_expire_are_no_trouble(store_path: Path, watch: None) -> None:
    """Files removed by retention under a follower are forgotten, and what is new still comes."""
    with LogStore(store_path) as store, LogStore(store_path) as other:
        other.create_group("g", retention_days=1)
        other.create_stream("g", "s")
        now = other.clock.now_ms()
        with store.follow() as follower:
            other.append("g", "s", [(T0, "long ago")])
            assert [event.message for event in follow_all(follower)] == ["long ago"]
            other.close()
            assert maintain(other).expired
            assert follow_all(follower) == []
            other.append("g", "s", [(now, "now")])
            assert [event.message for event in follow_all(follower)] == ["now"]


def test_a_large_burst_comes_in_pieces(
    store_path: Path, watch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a poll takes in at once comes in the next ones, lines longer than that included."""
    monkeypatch.setattr("lambdalog.store.followed.READ_BYTES", 4096)
    texts = [f"{n} " + "x" * (300 if n % 10 else 20_000) for n in range(100)]
    with LogStore(store_path) as store:
        store.create_group("g")
        store.create_stream("g", "s")
        with store.follow() as follower:
            store.append("g", "s", [(T0 + n, text) for n, text in enumerate(texts)])
            assert [event.message for event in follow_all(follower)] == texts


def test_what_is_packed_while_it_is_read_comes_in_order(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sealed file that vanishes into a pack is read there at once, before what its stream wrote next is handed over."""
    read = SealedFile.frame
    packed: list[SealedFile] = []

    def vanishing(file: SealedFile, number: int) -> bytes:
        if not packed:
            packed.append(file)
            with LogStore(store_path) as other:
                maintain(other)
        return read(file, number)

    with LogStore(store_path) as store:
        store.create_group("g")
        store.create_stream("g", "s")
        with store.follow() as follower:
            with monkeypatch.context() as patch:
                patch.setattr(maintenance._Group, "_pack_sealed", lambda _: None)
                for number in range(3):
                    store.append("g", "s", [(T0 + number, str(number))])
                    store.close()
                    maintain(store)
            store.append("g", "s", [(T0 + 3, "3")])
            monkeypatch.setattr(SealedFile, "frame", vanishing)
            assert [event.message for event in follower.poll(5)] == ["0", "1", "2", "3"]
        assert packed
        assert not packed[0].path.exists()


class Failing:
    """Lets calls with these numbers fail."""

    def __init__(self, call: Callable[..., Any], numbers: set[int]) -> None:
        self.call, self.numbers, self.calls, self.failed = call, numbers, 0, 0

    def __call__(self, *given: Any) -> Any:
        """The call, or an error of the machine's."""
        self.calls += 1
        if self.calls in self.numbers:
            self.failed += 1
            raise OSError("too many open files")
        return self.call(*given)


def through_failures(follower: Follower[Event], count: int) -> list[str]:
    """Poll, whatever it raises, until so many events came, and then once more."""
    found: list[str] = []
    for _ in range(count * 8):
        with suppress(OSError):
            found += [event.message for event in follower.poll(0)]
        if len(found) >= count:
            break
    with suppress(OSError):
        found += [event.message for event in follower.poll(0)]
    return found


def test_live_files_that_can_not_be_read_for_a_while_are_read_on(
    store: LogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before a failure is given by the next poll, and what was told of is looked for then: each event once."""
    store.create_group("g")
    streams = [f"s{number}" for number in range(5)]
    for stream in streams:
        store.create_stream("g", stream)
    with store.follow() as follower:
        pread = Failing(os.pread, {2, 3, 6, 13, 20})
        for turn in range(4):
            for stream in streams:
                store.append("g", stream, [(T0 + turn, f"{stream} {turn}")])
            with monkeypatch.context() as patch:
                patch.setattr("os.pread", pread)
                found = through_failures(follower, len(streams))
            assert sorted(found) == [f"{stream} {turn}" for stream in streams]
        assert pread.failed == 5


@pytest.mark.parametrize("before", [True, False])
def test_sealed_files_that_can_not_be_read_for_a_while_are_read_on(
    store: LogStore, monkeypatch: pytest.MonkeyPatch, *, before: bool
) -> None:
    """Whether they were sealed before following began or since: each event once, in order per stream."""
    monkeypatch.setattr(follow_module, "BACKLOG_EVENTS", 7)
    for group in ("g", "h"):
        store.create_group(group)
        store.create_stream(group, "s")
    follower = None if before else store.follow(since=T0)
    for turn in range(10):
        for group in ("g", "h"):
            store.append(group, "s", [(T0 + turn * 2 + n, f"{group} {turn * 2 + n}") for n in range(2)])
        store.close()
        with monkeypatch.context() as patch:
            patch.setattr(maintenance._Group, "_pack_sealed", lambda _: None)
            maintain(store)
    opening = Failing(SealedFile._open, {2, 5, 9, 35, 36, 50})

    def open_or_not(file: SealedFile) -> Any:
        return opening(file)

    with follower or store.follow(since=T0) as follower:
        monkeypatch.setattr(SealedFile, "_open", open_or_not)
        found = through_failures(follower, 40)
    assert opening.failed >= 3
    for group in ("g", "h"):
        assert [text for text in found if text[0] == group] == [f"{group} {n}" for n in range(20)]
    assert len(found) == 40


def test_a_segment_that_is_behind_holds_its_stream_back(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a poll takes in of an older segment comes before anything of the next one; other streams go on."""
    monkeypatch.setattr("lambdalog.store.followed.READ_BYTES", 1000)
    with LogStore(store_path) as store:
        store.create_group("g")
        for stream in "st":
            store.create_stream("g", stream)
        with store.follow() as follower:
            store.append("g", "s", [(T0 + number, f"{number}" + "x" * 100) for number in range(50)])
            store.close()
            store.append("g", "s", [(T0 + 50, "50")])
            store.append("g", "t", [(T0 + 60, "other")])
            polls = [[event.message.rstrip("x") for event in follower.poll(1)] for _ in range(12)]
    assert "other" in polls[0]
    assert [text for poll in polls for text in poll if text != "other"] == [
        str(number) for number in range(51)
    ]
