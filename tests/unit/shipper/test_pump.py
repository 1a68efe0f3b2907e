"""From the queue to the destination, and to the spool where that can't be."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.shipper.batch import OVERHEAD
from lambdalog.shipper.ledger import NO_ROOM, NO_TIME, TOO_OLD
from lambdalog.shipper.pump import Pump
from lambdalog.shipper.queue import Queue
from lambdalog.shipper.retry import Backoff
from lambdalog.shipper.spool import Spool
from lambdalog.shipper.telling import Telling
from tests.unit.shipper.double import Destination, fault

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.clock import ManualClock
    from lambdalog.shipper.queue import Stream


class Works:
    """A queue, a pump, a destination and a spool, on a clock of the test's, without chance."""

    def __init__(self, clock: ManualClock, spool: Spool | None = None, **options: Any) -> None:
        self.clock = clock
        self.queue = Queue(1 << 20, clock.monotonic, batch_events=options.pop("batch_events", 10))
        self.destination = Destination(clock)
        self.spool = spool
        given: dict[str, Any] = {
            "creating": {},
            "spool": spool,
            "interval": 1.0,
            "patience": 30.0,
            "backoff": Backoff(first=1.0, longest=8.0, first_of_somebody=1.0),
            "clock": clock,
            "chance": lambda: 1.0,
            "telling": Telling(clock),
        }
        self.pump = Pump(self.queue, self.destination, **given | options)

    def put(self, *texts: str, stream: str = "s") -> None:
        """Events of one stream, now."""
        for text in texts:
            self.queue.put("g", stream, self.clock.now_ms(), text, len(text) + OVERHEAD)

    def stream(self, name: str = "s") -> Stream:
        """A stream that there must be."""
        return self.queue.streams["g", name]

    def fails(self, error: Exception | None) -> None:
        """From now on the destination does, or doesn't any more."""
        self.destination.fails = None if error is None else lambda _: error

    def books(self) -> tuple[int, int, int, int, int]:
        """Delivered, spooled, refused, dropped, pending; together what was accepted."""
        ledger = self.queue.ledger
        found = (
            ledger.delivered,
            ledger.spooled,
            ledger.refused.total(),
            ledger.dropped.total(),
            ledger.pending,
        )
        assert sum(found) == ledger.accepted
        return found


@pytest.fixture
def works(clock: ManualClock) -> Works:
    """Without a spool."""
    return Works(clock)


@pytest.fixture
def spooling(clock: ManualClock, tmp_path: Path) -> Works:
    """With one."""
    return Works(clock, Spool(tmp_path / "spool", clock=clock))


def test_a_turn_sends_a_batch_of_each_stream(works: Works, clock: ManualClock) -> None:
    """When the interval is over; it says when to come again, and None when nothing waits."""
    assert works.pump.turn() is None
    works.put("a")
    works.put("b", stream="t")
    assert works.pump.turn() == 1.0
    clock.advance(1.0)
    assert works.pump.turn() is None
    assert works.destination.batches == [["a"], ["b"]]
    works.put(*"abcdefghijkl")
    assert works.pump.turn() == 1.0
    assert works.destination.batches[2:] == [list("abcdefghij")]
    works.pump.urgent += 1
    assert works.pump.turn() is None
    assert works.books() == (14, 0, 0, 0, 0)
    assert works.queue.streams == {}


def test_a_stream_that_fails_waits_longer_each_time(
    works: Works, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """1, 2, 4, 8, 8 seconds; its events stay, the error is known, and that it is over is told once."""
    caplog.set_level(logging.INFO)
    works.put("a")
    works.fails(fault("ThrottlingException", "Rate exceeded"))
    clock.advance(1.0)
    waits = []
    for _ in range(5):
        due = works.pump.turn()
        assert due is not None
        waits.append(due)
        clock.advance(due)
    assert waits == [1.0, 2.0, 4.0, 8.0, 8.0]
    assert works.books() == (0, 0, 0, 0, 1)
    assert str(works.pump.trouble).endswith("Rate exceeded")
    works.fails(None)
    assert works.pump.turn() is None
    assert works.pump.trouble is None
    assert works.books() == (1, 0, 0, 0, 0)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_what_fails_too_long_goes_to_the_spool_and_comes_out_later(
    spooling: Works, clock: ManualClock
) -> None:
    """With the patience at its end; when the destination is back it is delivered, and counted as recovered."""
    spooling.put("a", "b")
    spooling.fails(ConnectionResetError("reset"))
    clock.advance(1.0)
    for _ in range(20):
        clock.advance(spooling.pump.turn() or 0.0)
        if spooling.books()[1]:
            break
    assert spooling.books() == (0, 2, 0, 0, 0)
    assert spooling.spool is not None
    assert len(spooling.spool) == 1
    spooling.fails(None)
    while (due := spooling.pump.turn()) is not None:
        clock.advance(due)
    assert spooling.destination.messages() == ["a", "b"]
    assert spooling.queue.ledger.recovered == 2
    assert spooling.books() == (0, 2, 0, 0, 0)
    assert len(spooling.spool) == 0


def test_what_arrives_leaves_the_spool_again(spooling: Works, clock: ManualClock) -> None:
    """Kept while its call was under way: if the call succeeds after all, it is delivered and nothing else."""
    spooling.put("a", "b")
    clock.advance(1.0)
    assert spooling.spool is not None
    spool = spooling.spool

    def meanwhile(_: int) -> None:
        spooling.pump.keep_all()
        assert spooling.books() == (0, 2, 0, 0, 0)
        assert len(spool) == 1

    spooling.destination.fails = meanwhile
    assert spooling.pump.turn() is None
    assert spooling.books() == (2, 0, 0, 0, 0)
    assert len(spool) == 0


def test_what_does_not_arrive_stays_in_the_spool(spooling: Works, clock: ManualClock) -> None:
    """Kept while its call was under way, which failed: it is not sent a second time from memory."""
    spooling.put("a")
    clock.advance(1.0)

    def meanwhile(_: int) -> Exception:
        spooling.pump.keep_all()
        return ConnectionResetError("reset")

    spooling.destination.fails = meanwhile
    spooling.pump.turn()
    assert spooling.books() == (0, 1, 0, 0, 0)
    assert spooling.spool is not None
    kept = spooling.spool.claim()
    assert kept is not None
    assert [entry.message for entry in kept.read()[2]] == ["a"]
    kept.release()


def test_what_is_given_up_is_counted_and_put_right_if_it_arrives(works: Works, clock: ManualClock) -> None:
    """What waits is dropped for good; what was under way is delivered, if it turns out to be."""
    works.put(*"abcdefghijkl")
    clock.advance(1.0)

    def meanwhile(_: int) -> None:
        works.pump.give_up()
        assert works.books() == (0, 0, 0, 12, 0)

    works.destination.fails = meanwhile
    assert works.pump.turn() is None
    assert works.books() == (10, 0, 0, 2, 0)
    assert works.queue.ledger.dropped == {NO_TIME: 2}


def test_a_spool_that_takes_nothing_leaves_the_events_where_they_are(
    clock: ManualClock, tmp_path: Path
) -> None:
    """All of them, in their order; why is known. When it takes some, all of them are there."""
    works = Works(clock, Spool(tmp_path / "spool", limit=10, clock=clock))
    works.put("a", "b")
    works.pump.keep_all()
    assert works.books() == (0, 0, 0, 0, 2)
    assert [entry.message for entry in works.stream().waiting] == ["a", "b"]
    assert "is full" in str(works.pump.trouble)
    assert works.queue.paused == works.queue.hands == 0


def test_all_is_kept_or_nothing(spooling: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fails at the second of two batches: the first is taken back, so that nothing is there twice."""
    spooling.put("a")
    spooling.queue.put("g", "s", spooling.clock.now_ms() + 2 * 86_400_000, "b", 1 + OVERHEAD)
    assert spooling.spool is not None
    keep, asked = spooling.spool.keep, []

    def second_fails(*given: Any) -> Any:
        asked.append(given)
        if len(asked) == 2:
            raise OSError(28, "No space left on device")
        return keep(*given)

    monkeypatch.setattr(spooling.spool, "keep", second_fails)
    found = spooling.queue.oldest(1 << 20)
    assert found is not None
    assert isinstance(spooling.pump.keep(*found), OSError)
    assert len(spooling.spool) == 0
    spooling.queue.back(*found)
    assert spooling.books() == (0, 0, 0, 0, 2)


def test_what_is_refused_or_dropped_is_told_with_its_reason(
    works: Works, clock: ManualClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the ledger's words, once a minute."""
    taken = works.destination.put_log_events

    def too_old(**params: Any) -> dict[str, Any]:
        return taken(**params) | {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 1}}

    monkeypatch.setattr(works.destination, "put_log_events", too_old)
    works.put("a", "b")
    clock.advance(1.0)
    works.pump.turn()
    assert works.queue.ledger.refused == {TOO_OLD: 1}
    works.put("c", "d")
    found = works.queue.oldest(1)
    assert found is not None
    works.pump.drop(found[1], NO_ROOM)
    assert works.books() == (1, 0, 1, 1, 1)
    assert [record.message for record in caplog.records] == [
        "log events for g/s were refused: too old",
        "log events had to be dropped: no room in memory",
    ]


def test_a_spool_that_cannot_be_read_keeps_nothing_from_being_sent(
    spooling: Works, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told of, and looked at again later."""

    def refuse(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(spooling.spool, "claim", refuse)
    spooling.put("a")
    clock.advance(1.0)
    due = spooling.pump.turn()
    assert spooling.destination.messages() == ["a"]
    assert due is not None
    assert due > 0
    assert "the spool can't be read" in caplog.text
