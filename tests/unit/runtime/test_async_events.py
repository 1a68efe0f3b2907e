"""The queue of asynchronous events, on a manual clock."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambdalog.clock import ManualClock
from lambdalog.runtime import async_events
from lambdalog.runtime.async_events import LEASE_MS, AsyncEvents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pytest

PATIENCE = 30.0


def test_a_workers_event_comes_back_when_it_dies(events: AsyncEvents, clock: ManualClock) -> None:
    """An event that was taken and never answered for is taken again after its lease, not before."""
    request = events.enqueue("f", b"{}")
    assert events.take() is not None
    assert events.take() is None
    clock.advance(LEASE_MS / 1000)
    again = events.take()
    assert again is not None
    assert again.request_id == request


def test_events_survive_the_process(store_path: Path, clock: ManualClock) -> None:
    """What was accepted is there when the queue is opened anew."""
    first = AsyncEvents(store_path, clock=clock)
    request = first.enqueue("f", b"{}")
    first.close()
    second = AsyncEvents(store_path, clock=clock)
    taken = second.take()
    second.close()
    assert taken is not None
    assert taken.request_id == request


def test_only_accepting_waits_for_the_disk(tmp_path: Path) -> None:
    """An accepted event is synced before it is answered for; a claim, and that it is done, are not."""
    events = AsyncEvents(tmp_path)
    said: list[str] = []
    events._tables.connection.set_trace_callback(said.append)
    events.enqueue("f", b"{}")
    taken = events.take()
    assert taken is not None
    events.done(taken, "succeeded")
    events.close()
    steps = [
        line.split()[0] if "synchronous" not in line else line.rpartition("=")[2]
        for line in said
        if line.startswith(("PRAGMA", "INSERT INTO events", "COMMIT", "UPDATE", "DELETE FROM events"))
    ]
    assert steps == ["FULL", "INSERT", "COMMIT", "NORMAL", "UPDATE", "COMMIT", "DELETE", "COMMIT"]


@contextmanager
def _at_once(events: AsyncEvents, payloads: list[bytes]) -> Iterator[list[str]]:
    """Threads that accept an event each, held back until all of them wait; what they were told, afterwards."""
    told: list[str] = []

    def accept(payload: bytes) -> None:
        try:
            told.append(events.enqueue("f", payload))
        except sqlite3.Error as error:
            told.append(type(error).__name__)

    threads = [threading.Thread(target=accept, args=(payload,)) for payload in payloads]
    with events._writing:
        for thread in threads:
            thread.start()
        until = time.monotonic() + PATIENCE
        while len(events._arrivals) < len(threads) and time.monotonic() < until:
            time.sleep(0.001)
        yield told
    for thread in threads:
        thread.join(PATIENCE)


def test_those_who_wait_share_a_sync(events: AsyncEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events that are accepted at once are written together, each once."""
    syncs: list[object] = []

    def counted(connection: sqlite3.Connection) -> AbstractContextManager[sqlite3.Connection]:
        syncs.append(connection)
        return synced(connection)

    synced = async_events._synced
    monkeypatch.setattr(async_events, "_synced", counted)
    with _at_once(events, [b"1", b"2", b"3", b"4"]) as told:
        assert told == []
    assert len(syncs) == 1
    taken = [event for _ in told if (event := events.take()) is not None]
    assert {event.request_id for event in taken} == set(told)
    assert sorted(event.payload for event in taken) == [b"1", b"2", b"3", b"4"]
    assert events.take() is None


def test_a_disk_that_refuses_is_told_to_each(events: AsyncEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who hears that its event wasn't accepted can be sure: it is not written later with somebody else's."""
    refusals = iter([True, False])

    def refusing(connection: sqlite3.Connection) -> AbstractContextManager[sqlite3.Connection]:
        if next(refusals, False):
            raise sqlite3.OperationalError("disk I/O error")
        return synced(connection)

    synced = async_events._synced
    monkeypatch.setattr(async_events, "_synced", refusing)
    with _at_once(events, [b"1", b"2", b"3"]) as told:
        pass
    assert told.count("OperationalError") == 1
    taken = [event for _ in told if (event := events.take()) is not None]
    assert {event.request_id for event in taken} == set(told) - {"OperationalError"}
    assert len(taken) == 2


FORKS = """
import os, sys, threading, time
from pathlib import Path
from lambdalog.runtime.async_events import AsyncEvents
events = AsyncEvents(Path(sys.argv[1]))
events.enqueue("f", b"before")
parent = threading.Thread(target=events.enqueue, args=("f", b"parent"))
with events._writing:
    parent.start()
    while not events._arrivals:
        time.sleep(0.001)
    child = os.fork()
    if not child:
        events.enqueue("f", b"child")
        os._exit(0)
parent.join()
os.waitpid(child, 0)
"""


def test_a_forked_child_accepts_for_itself(store_path: Path) -> None:
    """Whatever its parent's threads were accepting: it neither waits for them nor writes theirs once more."""
    subprocess.run([sys.executable, "-c", FORKS, str(store_path)], check=True, timeout=PATIENCE)
    events = AsyncEvents(store_path)
    taken = [event.payload for _ in range(4) if (event := events.take()) is not None]
    events.close()
    assert sorted(taken) == [b"before", b"child", b"parent"]


def test_who_comes_to_rest_too_late_does_not_rest(store_path: Path) -> None:
    """What was accepted between a worker's last look and its rest is looked for at once."""

    class Never(ManualClock):
        def wait(self, event: threading.Event, seconds: float) -> bool:
            raise AssertionError("there is something to do")

    events = AsyncEvents(store_path, clock=Never())
    events.enqueue("f", b"{}")
    events.rest(1)
    events.close()


def test_a_call_for_who_is_awake_goes_to_the_next(
    events: AsyncEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that found something itself, and was called too, hands the call on: there are two events."""
    other = threading.Event()

    def found(db: sqlite3.Connection) -> bool:
        events._resting.append(other)
        events.enqueue("f", b"{}")
        return True

    monkeypatch.setattr(events, "_due", found)
    events.rest(1)
    assert other.is_set()
    assert not events._resting
