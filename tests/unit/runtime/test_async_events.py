"""The queue of asynchronous events, on a manual clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdalog.runtime.async_events import LEASE_MS, AsyncEvents

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.clock import ManualClock


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
