"""Logs read by several processes at once."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdalog.clock import ManualClock
from lambdalog.query import crew, division
from lambdalog.query.insights import Run, read
from lambdalog.query.pattern import parse
from lambdalog.query.worker import SAID_BYTES, EventsTask, merged
from lambdalog.store import LogStore, Scan
from tests.unit.query.filled import EVENTS, GROUPS, T0

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambdalog.query.pattern import Pattern
    from lambdalog.query.worker import StatsTask
    from lambdalog.store import Event


class Recorded(crew.Worker):
    """A worker whose process is known, and which may be killed after so many answers."""

    begun: ClassVar[list[subprocess.Popen[bytes]]] = []
    after: ClassVar[int | None] = None

    def __init__(self, store: LogStore, task: EventsTask | StatsTask) -> None:
        super().__init__(store, task)
        if self._child is not None:
            self.begun.append(self._child.process)
            if self.after == 0:
                self._child.process.kill()

    def found(self, waiting: Callable[[], None] = lambda: None) -> Iterator[Any]:
        """What it finds as long as it is let."""
        for number, value in enumerate(super().found(waiting)):
            yield value
            if number + 1 == self.after and self._child is not None:
                self._child.process.kill()
                self._child.connection.close()  # what it said meanwhile is lost with it


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that were begun, of which there are as many as may be."""
    monkeypatch.setenv("LAMBDALOG_PROCESSES", "3")
    monkeypatch.setattr(division, "NEAR_BYTES", 16 * 1024)
    monkeypatch.setattr(division, "count", lambda _, most: max(most, 1))
    monkeypatch.setattr(Recorded, "begun", [])
    monkeypatch.setattr(Recorded, "after", None)
    monkeypatch.setattr(crew, "Worker", Recorded)
    return Recorded.begun


def scans_of(pattern: Pattern, **scan: Any) -> list[Scan]:
    """A scan of each group."""
    return [Scan(group, match=pattern.matches, literals=pattern.literals, **scan) for group in GROUPS]


def in_one(store: LogStore, scans: list[Scan]) -> tuple[list[Event], list[Any]]:
    """What one process finds, and what it can't read."""
    with LogStore(store.root, clock=store.clock) as fresh:
        return list(merged(fresh, scans)), sorted(fresh.damage, key=str)


def gone(processes: list[subprocess.Popen[bytes]]) -> bool:
    """Whether all of them have ended and are waited for."""
    return all(process.returncode is not None for process in processes)


times = st.none() | st.integers(T0 - 100, T0 + EVENTS * 10 + 3000)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    pattern=st.sampled_from(
        ['{ $.level = "ERROR" }', "{ $.ms > 97.5 }", "%n.: [0-9]+5,%", "plain", "-plain", "nothing like it"]
    ),
    start=times,
    end=times,
    streams=st.none() | st.frozensets(st.sampled_from("abcd"), max_size=3),
    descending=st.booleans(),
)
def test_several_find_what_one_finds(
    store: LogStore, begun: list[subprocess.Popen[bytes]], pattern: str, start: int | None, end: int | None,
    streams: frozenset[str] | None, descending: bool,
) -> None:  # fmt: skip
    """The same events in the same order, of live and sealed segments, and the same damage; and no process is left."""
    asked = parse(pattern)
    scans = scans_of(asked, start=start, end=end, streams=streams, descending=descending)
    expected, damage = in_one(store, scans)
    with LogStore(store.root, clock=store.clock) as fresh:
        assert list(crew.events(fresh, scans, asked.wording)) == expected
        assert sorted(fresh.damage, key=str) == damage
    assert gone(begun)


def test_damage_is_told_of(store: LogStore, begun: list[subprocess.Popen[bytes]]) -> None:
    """What a worker can't read is known here, as if it had been read here."""
    asked = parse("{ $.ms > 50 }")
    scans = scans_of(asked)
    expected, damage = in_one(store, scans)
    assert list(crew.events(store, scans, asked.wording)) == expected
    assert len(begun) == 2
    assert [one.group for one in damage] == ["h"]
    assert store.damage == damage


def test_streams_are_chosen_by_whatever(store: LogStore, begun: list[subprocess.Popen[bytes]]) -> None:
    """A choice of streams that can't be said to another process is made here."""
    asked = parse("{ $.ms > 50 }")
    scans = scans_of(asked, stream_named=lambda stream: stream in "bc")
    expected, _ = in_one(store, scans)
    assert list(crew.events(store, scans, asked.wording)) == expected
    assert {event.stream for event in expected} == {"b", "c"}
    assert begun


def test_who_has_enough_ends_them_all(store: LogStore, begun: list[subprocess.Popen[bytes]]) -> None:
    """A page that is full before the rest is divided begins no process; one that is full later leaves none."""
    asked = parse("{ $.ms > 50 }")
    expected, _ = in_one(store, scans_of(asked))
    for count in (1, 1500):
        events = crew.events(store, scans_of(asked), asked.wording)
        assert list(islice(events, count)) == expected[:count]
        assert len(begun) == (0 if count == 1 else 2)
        events.close()  # type: ignore[attr-defined]
        assert gone(begun)


@pytest.mark.parametrize("after", [0, 1], ids=["before it said anything", "after its first answer"])
@pytest.mark.parametrize("descending", [False, True])
def test_what_a_killed_worker_has_not_said_is_read_here(
    store: LogStore, begun: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture, after: int, descending: bool,
) -> None:  # fmt: skip
    """Nothing is lost or doubled, and the log says what happened."""
    monkeypatch.setattr(Recorded, "after", after)
    asked = parse("-nothing")
    scans = scans_of(asked, descending=descending)
    expected, damage = in_one(store, scans)
    with caplog.at_level(logging.WARNING):
        assert list(crew.events(store, scans, asked.wording)) == expected
    assert sorted(store.damage, key=str) == damage
    assert len(begun) == 2
    assert gone(begun)
    assert [record.message.split(" (")[0] for record in caplog.records] == ["a process that read a part of the logs ended early"] * 2  # fmt: skip


def test_where_no_process_can_be_begun_this_one_reads(
    store: LogStore, begun: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter that isn't there costs nobody an event."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    asked = parse("{ $.ms > 50 }")
    scans = scans_of(asked)
    assert list(crew.events(store, scans, asked.wording)) == in_one(store, scans)[0]
    assert not begun


@pytest.mark.parametrize(
    "environ", [{"LAMBDALOG_PROCESSES": "1"}, {"AWS_LAMBDA_FUNCTION_NAME": "f"}], ids=["off", "in a function"]
)
def test_none_is_begun_where_none_may(
    store: LogStore, begun: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:  # fmt: skip
    """Where it is turned off, and in a function on Lambda, one process reads all."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    asked = parse("{ $.ms > 50 }")
    assert list(crew.events(store, scans_of(asked), asked.wording)) == in_one(store, scans_of(asked))[0]
    assert list(Run(read("stats count(*) by level"), store, GROUPS, start=None, end=None).rows())
    assert not begun


def test_no_more_are_begun_than_may_run(store: LogStore, begun: list[subprocess.Popen[bytes]]) -> None:
    """Who asks while others' workers run has none left, and reads all by itself."""
    asked = parse("{ $.ms > 50 }")
    expected, _ = in_one(store, scans_of(asked))
    first, second = (crew.events(store, scans_of(asked), asked.wording) for _ in range(2))
    assert list(islice(first, 1500)) == expected[:1500]
    assert list(second) == expected
    assert len(begun) == 2
    assert list(first) == expected[1500:]
    assert list(crew.events(store, scans_of(asked), asked.wording)) == expected
    assert len(begun) == 4


def test_what_is_said_at_once_is_bounded(store: LogStore) -> None:
    """A worker says what it found before that is more than a batch, however much it is."""
    asked = parse("-nothing")
    assert asked.wording is not None
    task = EventsTask(str(store.root), T0, asked.wording, tuple(Scan(group) for group in GROUPS))
    batches = list(task.work(store))
    longest = max(len(event[4]) for batch in batches for event in batch)
    assert len(batches) > 5
    assert max(sum(len(event[2]) for event in batch) for batch in batches) <= SAID_BYTES + longest
    assert list(chain(*batches)) == [
        tuple(event) for event in merged(store, [Scan(group) for group in GROUPS])
    ]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read in /proc")
def test_memory_stays_bounded(
    store_path: Path, begun: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that finds much more than anybody has taken yet waits: it holds no more of it than the line does."""
    monkeypatch.setenv("LAMBDALOG_PROCESSES", "2")
    with LogStore(store_path) as store:
        store.create_group("g")
        for stream in "ab":
            store.create_stream("g", stream)
            for number in range(0, 500, 20):
                store.append("g", stream, [(T0 + (number + n) * 1000, "x" * 100_000) for n in range(20)])
        asked = parse("x")
        events = crew.events(store, [Scan("g", match=asked.matches)], asked.wording)
        # 50 MB each; of those that the worker reads the last few are left in the line.
        assert len(list(islice(events, 990))) == 990
        (process,) = begun
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        assert peak < 64 * 1024
        assert len(list(events)) == 10
    assert gone(begun)


_SCRIPT = """
import os, sys, time
from pathlib import Path
from lambdalog.query import crew, division
from lambdalog.query.pattern import parse
from lambdalog.store import LogStore, Scan
division.NEAR_BYTES, division.count = 1024, lambda _, most: most
os.environ["LAMBDALOG_PROCESSES"] = "2"
asked = parse("{ $.ms > 50 }")
with LogStore(Path(sys.argv[1])) as store:
    events = crew.events(store, [Scan(group, match=asked.matches) for group in "gh"], asked.wording)
    made, begin = [], crew.Worker.__init__
    def init(self, *given):
        begin(self, *given)
        made.append(self._child.process.pid)
    crew.Worker.__init__ = init
    while not made:
        next(events)
    print(made[0], flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_no_process_outlives_its_parent(root: Path, how: signal.Signals) -> None:
    """However a program ends that reads with others, they end too."""
    with subprocess.Popen([sys.executable, "-c", _SCRIPT, str(root)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:  # fmt: skip
        assert program.stdout is not None
        worker = int(program.stdout.readline())
        os.kill(worker, 0)
        program.send_signal(how)
        program.wait(30)
        # Its process is nobody's child here: that it is gone can only be looked for.
        until = time.monotonic() + 30
        while _runs(worker):
            assert time.monotonic() < until
            time.sleep(0.02)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
        status = Path(f"/proc/{process}/status")
        return not (status.exists() and "State:\tZ" in status.read_text())
    except (ProcessLookupError, FileNotFoundError):
        return False


QUERIES = (
    "stats count(*), sum(n), min(ms), max(ms), count_distinct(level) as d by level",
    "stats avg(ms), pct(ms, 99), stddev(ms), earliest(n), latest(n) by bin(10s)",
    'filter level = "ERROR" | stats count(*) as n, sortsFirst(text) as s by @log, @logStream | sort n desc | limit 3',
    "parse @message '\"ms\": *,' as took | filter took > 50 | stats count(*), max(took) by bin(1m)",
    'filter @message like "plain" | stats count(*) by bin(20s) | stats sum(`count(*)`)',
    "fields abs(n) as m | stats count_distinct(m)",
)  # fmt: skip


@pytest.mark.parametrize("text", QUERIES)
@pytest.mark.parametrize("killed", [None, 0, 1], ids=["whole", "killed", "killed when all was said"])
def test_stats_are_those_of_one_process(
    store: LogStore, begun: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch, text: str, killed: int | None
) -> None:  # fmt: skip
    """Rows and statistics of a query that several evaluate are those that one comes to, also when workers are killed."""

    def asked() -> tuple[list[Any], Any]:
        with LogStore(store.root, clock=store.clock) as fresh:
            run = Run(read(text), fresh, GROUPS, start=T0 + 500, end=T0 + EVENTS * 9)
            return [dict(row) for row in run.rows()], (run.statistics, sorted(fresh.damage, key=str))

    found, took = asked()
    assert len(begun) == 2
    assert gone(begun)
    if killed is not None:
        monkeypatch.setattr(Recorded, "after", killed)
        found, took = asked()
    monkeypatch.setenv("LAMBDALOG_PROCESSES", "1")
    expected, expected_took = asked()
    assert took == expected_took
    assert [row.keys() for row in found] == [row.keys() for row in expected]
    for row, one in zip(found, expected, strict=True):
        for name, value in one.items():
            assert row[name] == value or float(row[name]) == pytest.approx(float(value), rel=1e-12)


def test_a_query_that_is_stopped_leaves_no_process(
    store: LogStore, begun: list[subprocess.Popen[bytes]]
) -> None:
    """Who stops a query while workers are at it stops them."""
    from lambdalog.query.insights import Cancelled

    run = Run(
        read("stats count(*) by level"), store, GROUPS, start=None, end=None, stopped=lambda: len(begun) == 2
    )
    with pytest.raises(Cancelled):
        list(run.rows())
    assert gone(begun)


def test_telling_of_events_is_not_time_that_others_save(store_path: Path) -> None:
    """Where as much is found as is read, others would have to tell of all of it: less is expected of them than of a search."""
    clock = ManualClock(T0 / 1000)

    def found(count: int) -> Iterator[int]:
        yield from range(count)
        clock.advance(1.0)

    with LogStore(store_path, clock=clock) as store:
        search, list_all = crew.Stopwatch(store), crew.Stopwatch(store)
        for watch, count in ((search, 10), (list_all, 1_000_000)):
            for _ in watch.timed(found(count)):  # type: ignore[arg-type]  # of anything
                pass
        assert search.expected(1, 10) == pytest.approx(10, rel=0.01)
        assert list_all.expected(1, 10) == 0
