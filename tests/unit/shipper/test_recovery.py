"""What lies in the spool, sent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from lambdalog.shipper.batch import Entry
from lambdalog.shipper.ledger import Ledger
from lambdalog.shipper.recovery import LOOK_SECONDS, Recovery
from lambdalog.shipper.retry import Backoff
from lambdalog.shipper.sender import Sender
from lambdalog.shipper.spool import Spool
from lambdalog.shipper.telling import Telling
from tests.unit.shipper.double import Destination, fault

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.clock import ManualClock

LOCK = threading.Lock()


@pytest.fixture
def spool(tmp_path: Path, clock: ManualClock) -> Spool:
    """Three batches, of a stream each."""
    made = Spool(tmp_path / "spool", clock=clock)
    for name in "abc":
        made.keep("g", name, [Entry(1, name)]).release()
    return made


def recovery(spool: Spool, destination: Destination, clock: ManualClock) -> Recovery:
    """A way from the spool to a destination, by a clock of ours."""
    return Recovery(
        spool,
        Sender(destination),
        clock=clock,
        backoff=Backoff(),
        chance=lambda: 1.0,
        telling=Telling(clock),
    )


def test_the_oldest_goes_first_and_each_is_counted(spool: Spool, clock: ManualClock) -> None:
    """A batch a step, until nothing is left."""
    destination, ledger = Destination(clock), Ledger()
    found = recovery(spool, destination, clock)
    assert [found.step(ledger, LOCK) for _ in range(4)] == [0.0, 0.0, 0.0, None]
    assert destination.messages() == ["a", "b", "c"]
    assert (ledger.recovered, len(spool)) == (3, 0)


def test_one_that_is_refused_holds_up_no_other(spool: Spool, clock: ManualClock) -> None:
    """The rest goes on behind it; it is tried again from the beginning, and why is known."""
    destination, ledger = Destination(clock), Ledger()
    destination.refused_streams = {"a"}
    found = recovery(spool, destination, clock)
    for _ in range(8):
        clock.advance(found.step(ledger, LOCK) or 0)
    assert destination.messages() == ["b", "c"]
    assert len(spool) == 1
    destination.refused_streams = set()
    while (due := found.step(ledger, LOCK)) is not None:
        clock.advance(due)
    assert destination.messages() == ["b", "c", "a"]
    assert (ledger.recovered, found.error) == (3, None)


def test_a_destination_that_is_down_is_tried_rarely(spool: Spool, clock: ManualClock) -> None:
    """Delays grow, nothing is lost, and a sign of life ends the wait."""
    destination, ledger = Destination(clock), Ledger()
    destination.fails = lambda _: fault("ServiceUnavailableException", "down")
    found = recovery(spool, destination, clock)
    delays = []
    for _ in range(30):
        due = found.step(ledger, LOCK)
        assert due is not None
        delays.append(due)
        clock.advance(due)
    assert max(delays) == 20.0
    assert (len(spool), ledger.recovered) == (3, 0)
    assert "down" in str(found.error)
    destination.fails = None
    found.step(ledger, LOCK)
    found.soon()
    while (due := found.step(ledger, LOCK)) is not None:
        clock.advance(due)
    assert sorted(destination.messages()) == ["a", "b", "c"]


def test_what_another_process_holds_is_looked_for_again(spool: Spool, clock: ManualClock) -> None:
    """It may die with it: once in a while is often enough."""
    held = [kept for _ in range(3) if (kept := spool.claim()) is not None]
    destination, ledger = Destination(clock), Ledger()
    found = recovery(spool, destination, clock)
    assert found.step(ledger, LOCK) == LOOK_SECONDS
    for kept in held:
        kept.release()
    clock.advance(LOOK_SECONDS)
    assert found.step(ledger, LOCK) == 0.0
    assert destination.messages() == ["a"]


def test_what_is_no_batch_is_passed(spool: Spool, clock: ManualClock) -> None:
    """It is told of and set aside; the others arrive."""
    (spool.folder / "0000000000000-1-00000100.batch").write_text("torn")
    destination, ledger = Destination(clock), Ledger()
    found = recovery(spool, destination, clock)
    while found.step(ledger, LOCK) is not None:
        pass
    assert destination.messages() == ["a", "b", "c"]
    assert [path.suffix for path in spool.folder.iterdir()] == [".bad"]
