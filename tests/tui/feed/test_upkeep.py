"""What the dashboard does for a store that it reads."""

from __future__ import annotations

import os
import time
from threading import Event
from typing import TYPE_CHECKING

import pytest

from lambdalog.clock import ManualClock, SystemClock
from lambdalog.cloud import connect
from lambdalog.store import keeping
from lambdalog.store.maintenance import SMALL_BYTES, alone
from tui.feed import Query, StoreFeed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.cloud import Cloud

GROUP = "orders"


@pytest.fixture
def feed(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreFeed]:
    """Of a store with a segment that nobody writes any longer."""
    monkeypatch.setattr(keeping, "IDLE_SECONDS", -1.0)
    cloud.logs.create_log_group(logGroupName=GROUP)
    cloud.logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    at = time.time_ns() // 1_000_000
    for _ in range(2 * SMALL_BYTES // 200_000):
        cloud.logs.put_log_events(
            logGroupName=GROUP, logStreamName="s", logEvents=[{"timestamp": at, "message": "x" * 200_000}]
        )
    yield (made := StoreFeed(cloud))
    made.close()


def look_after(feed: StoreFeed, turns: int = 1) -> list[str]:
    """So many turns; what was told of them."""
    told: list[str] = []
    minutes = iter(range(turns))

    def wait(_: SystemClock, event: Event, seconds: float) -> bool:
        if next(minutes, None) is None:
            event.set()
        return event.is_set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "wait", wait)
        feed.keep_up(Event(), told.append)
    return told


def files(cloud: Cloud) -> tuple[int, int]:
    """How many are live, and sealed."""
    assert cloud.store is not None
    layout = cloud.store.layout.group(GROUP)
    return len(os.listdir(layout.live)), len(list(layout.sealed.iterdir()))


def test_what_is_no_longer_written_is_sealed(feed: StoreFeed, cloud: Cloud) -> None:
    """After a minute, and without a word; the lines are the same."""
    before = feed.logs.page(Query(), None, None, 100, descending=False)
    assert files(cloud) == (1, 0)
    assert look_after(feed, turns=0) == []
    assert files(cloud) == (1, 0)
    assert look_after(feed) == []
    assert files(cloud) == (0, 1)
    after = feed.logs.page(Query(), None, None, 100, descending=False)
    assert [line.message for line in after] == [line.message for line in before]


def test_what_another_looks_after_is_left_to_it(feed: StoreFeed, cloud: Cloud) -> None:
    """It holds the group's lock: nothing is done, and nothing said."""
    assert cloud.store is not None
    with alone(cloud.store.layout.group(GROUP), GROUP):
        assert look_after(feed) == []
    assert files(cloud) == (1, 0)
    assert look_after(feed) == []
    assert files(cloud) == (0, 1)


def test_what_goes_wrong_is_told_and_tried_again(feed: StoreFeed, cloud: Cloud) -> None:
    """Each turn tells why it failed; the one after that succeeds where it can."""
    assert cloud.store is not None
    lock = cloud.store.layout.group(GROUP).maintenance_lock
    lock.mkdir()
    (first, second) = look_after(feed, turns=2)
    assert first == second
    assert first.startswith(
        "upkeep of the store failed, and is tried again: StoreError: can't write to the store"
    )
    lock.rmdir()
    assert look_after(feed) == []
    assert files(cloud) == (0, 1)


def test_elsewhere_nothing_is_to_be_done(tmp_path: Path) -> None:
    """A store at a time of its own is looked after by whoever has that time."""
    with connect(f"disk:{tmp_path / 'other'}", clock=ManualClock()) as cloud:
        feed = StoreFeed(cloud)
        feed.keep_up(Event(), print)
        assert feed._rooms == {}
