"""Following what other threads and processes write."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from lambdalog.store import Event, LogStore
from lambdalog.store import follow as follow_module
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


def collect(follower: Follower, count: int) -> list[Event]:
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
