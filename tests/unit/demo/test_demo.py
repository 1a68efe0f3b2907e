"""The demo's parts."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

import pytest

from lambdalog.clock import ManualClock
from lambdalog.cloud import connect
from lambdalog.demo.run import Demo
from lambdalog.demo.summary import Tally, percentile, rows
from lambdalog.demo.traffic import MIX, SAMPLES, Traffic, samples_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_the_mix_has_every_sample_and_every_event_is_there() -> None:
    """Nothing in the mix is missing on disk, and no sample is left out."""
    folder = samples_folder()
    assert {function for function, *_ in MIX} == set(SAMPLES)
    for function, event, _, _ in MIX:
        assert (folder / function / "events" / f"{event}.json").is_file()


def test_the_same_seed_draws_the_same_traffic() -> None:
    """Two runs with one seed call the same functions with the same events."""
    folder = samples_folder()
    first, second = (Traffic(folder, random.Random(3)) for _ in range(2))
    assert [first.next() for _ in range(50)] == [second.next() for _ in range(50)]
    assert first.pause(10) > 0


@pytest.mark.parametrize(
    ("values", "share", "expected"), [([], 0.5, 0.0), ([3.0], 0.95, 3.0), ([1.0, 2.0, 3.0, 4.0], 0.5, 3.0)]
)
def test_percentiles(values: list[float], share: float, expected: float) -> None:
    """The value that the share of values does not exceed."""
    assert percentile(values, share) == expected


def test_a_row_is_a_tally_and_its_letters() -> None:
    """Counts go into the row as they are."""
    tally = Tally([5.0, 1.0], errors=1, cold_starts=1, throttles=2, replayed=3)
    (row,) = rows({"f": tally}, {"f": 4})
    assert (row.invocations, row.errors, row.throttles, row.dead_letters, row.replayed) == (2, 1, 2, 4, 3)
    assert row.p95 == 5.0


def test_the_store_is_looked_after_meanwhile(tmp_path: Path) -> None:
    """What is no longer written is sealed while the samples run, though nobody serves the store."""
    clock = ManualClock(time.time())  # a minute passes as soon as it is waited for
    with connect(f"disk:{tmp_path}", clock=clock) as cloud:
        assert cloud.store is not None
        logs = cloud.logs
        logs.create_log_group(logGroupName="g")
        logs.create_log_stream(logGroupName="g", logStreamName="s")
        logs.put_log_events(
            logGroupName="g",
            logStreamName="s",
            logEvents=[{"timestamp": clock.now_ms(), "message": "a line"}],
        )
        cloud.store.close()
        group = cloud.store.layout.group("g")
        demo = Demo(cloud, samples_folder())
        upkeep = threading.Thread(target=demo._upkeep)
        upkeep.start()
        until = time.monotonic() + 30
        while list(group.live.iterdir()) and time.monotonic() < until:
            threading.Event().wait(0.01)
        demo._stop.set()
        upkeep.join()
        assert list(group.live.iterdir()) == []
        assert len(list(group.sealed.glob("*.zst"))) == 1
