"""The shipper and a real boto3 client against an endpoint that fails: every event delivered, spooled or counted."""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.shipper import Shipper, Spool
from lambdalog.shipper.retry import Backoff
from lambdalog.shipper.spool import Kept
from tests.unit.shipper.endpoint import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

QUICK = Backoff(first=0.005, longest=0.05, first_of_somebody=0.005)
# Far more than any of this takes; a loaded machine has it.
PATIENT = 120.0
AMBIGUOUS = {"fail-after", "cut", "stall"}


def shipper(endpoint: Endpoint, **options: Any) -> Shipper:
    """A shipper in small batches, quick to try again."""
    given: dict[str, Any] = {
        "group": "g",
        "stream": "s",
        "interval": 0.01,
        "batch_events": 50,
        "backoff": QUICK,
    }
    return Shipper(endpoint.client, **given | options)


@pytest.mark.parametrize("mood", ["throttle", "stall", "reset", "fail", "fail-after", "cut"])
def test_whatever_the_endpoint_does_every_event_arrives(mood: str) -> None:
    """Each misbehaviour on a third of the requests: its record has every event, and the ledger says so.

    Twice is only there what was taken before its answer was lost: PutLogEvents can't tell.
    """
    # A stalled call takes the client's whole timeout.
    every = 8 if mood == "stall" else 3
    with Endpoint(lambda number: mood if number % every == 1 else None) as endpoint:
        endpoint.timeout = 0.5 if mood == "stall" else endpoint.timeout
        found = shipper(endpoint)
        for number in range(500):
            found.put(f"event {number}")
        found.flush(PATIENT)
        found.close(PATIENT)
        assert endpoint.done[mood] >= 2
        record = Counter(endpoint.record)
    assert set(record) == {f"event {number}" for number in range(500)}
    if mood not in AMBIGUOUS:
        assert set(record.values()) == {1}
    ledger = found.ledger
    assert (ledger.accepted, ledger.delivered, ledger.pending) == (500, 500, 0)


def test_an_endpoint_that_dies_mid_batch_is_waited_for() -> None:
    """It is gone in the middle of a request, for a while nobody listens, it comes back: nothing is missing or doubled."""
    with Endpoint(lambda number: "die" if number == 3 else None) as endpoint:
        found = shipper(endpoint)
        for number in range(500):
            found.put(f"event {number}")
        assert endpoint.died.wait(PATIENT)
        assert found.ledger.pending > 0
        endpoint.revive()
        found.flush(PATIENT)
        found.close(PATIENT)
        assert sorted(endpoint.record) == sorted(f"event {number}" for number in range(500))
    assert found.ledger.delivered == 500


def test_refused_streams_keep_their_events(tmp_path: Path) -> None:
    """CreateLogStream is refused: the events are spooled with the time up, and sent by the next shipper."""
    with Endpoint() as endpoint:
        endpoint.refused_streams = True
        first = shipper(endpoint, spool=tmp_path / "spool")
        for number in range(200):
            first.put(f"event {number}", stream=f"s{number % 4}")
        first.close(0.2)
        ledger = first.ledger
        assert (ledger.accepted, ledger.spooled, ledger.pending) == (200, 200, 0)
        assert endpoint.record == []
        endpoint.refused_streams = False
        with shipper(endpoint, spool=tmp_path / "spool") as second:
            second.put("new")
            second.flush(PATIENT)
            while len(Spool(tmp_path / "spool")):
                second.turn()
            assert (second.ledger.recovered, second.ledger.delivered) == (200, 1)
        assert sorted(endpoint.record) == sorted(["new", *(f"event {number}" for number in range(200))])


def test_a_dead_destination_leaves_everything_in_the_spool(tmp_path: Path) -> None:
    """Nobody ever answers: at the exit's deadline each event lies in the spool, as often as the ledger says."""
    with Endpoint(lambda _: "stall") as endpoint:
        found = shipper(endpoint, spool=tmp_path / "spool")
        for number in range(300):
            found.put(f"event {number}")
        found.close(0.1)
        assert (found.ledger.spooled, found.ledger.pending) == (300, 0)
        spooled = [message for _, _, entries in read(tmp_path / "spool") for _, message, *_ in entries]
        assert sorted(spooled) == sorted(f"event {number}" for number in range(300))


def read(folder: Path) -> list[Any]:
    """What lies in a spool, whoever holds it."""
    found = []
    for path in sorted(folder.glob("*.batch")):
        kept = Kept(path, os.open(path, os.O_RDONLY))
        found.append(kept.read())
        kept.release()
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_a_mixture_of_everything_meets_the_endpoints_record(seed: int, tmp_path: Path) -> None:
    """Any misbehaviour at any time, several streams, a small memory, a spool: the sums meet the endpoint's own record."""
    storm(seed, 400, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 30))
def test_a_long_mixture_of_everything(seed: int, tmp_path: Path) -> None:
    """The same, twenty times and longer."""
    storm(seed, 5000, tmp_path)


def storm(seed: int, count: int, folder: Path) -> None:
    """Ship through a storm, then check everybody's books."""
    chance = random.Random(seed)
    moods = [None, None, None, "throttle", "reset", "fail", "fail-after", "cut"]
    with Endpoint(lambda _: chance.choice(moods)) as endpoint:
        found = shipper(endpoint, spool=folder / "spool", patience=0.1, batch_events=20)
        for number in range(count):
            found.put(f"event {number}", stream=f"s{number % 5}")
            if number % 150 == 149:
                found.flush(chance.random() / 50)
        found.close(0.05)
        ledger = found.ledger
        assert ledger.accepted == count == ledger.delivered + ledger.spooled
        endpoint.mood = lambda _: None
        with shipper(endpoint, spool=folder / "spool") as second:
            while len(Spool(folder / "spool")):
                second.turn()
            recovered = ledger.recovered + second.ledger.recovered
        # What was spooled while it was under way may have been taken all the same.
        assert recovered >= ledger.spooled
        assert set(endpoint.record) == {f"event {number}" for number in range(count)}
