"""The processes that read a store's logs together: this one, and workers for as long as it takes.

Only what is read to its end is divided, and only where much is left to read. What a worker that ended early has not said is
read in this process: nothing is lost, and the log tells.
"""

from __future__ import annotations

import heapq
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from lambdalog import settings
from lambdalog.forked import after_fork
from lambdalog.query import division
from lambdalog.query.worker import EventsTask, StatsTask, merged
from lambdalog.store import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lambdalog.query.division import File
    from lambdalog.query.pattern import Wording
    from lambdalog.store import LogStore, Scan

# How often whoever waits for a worker is asked whether it still does.
_POLL_SECONDS: Final = 0.2
# What it takes to tell another process of an event: where most lines are meant, nothing is gained by that.
_TELLING_SECONDS: Final = 6e-6


class Gone(Exception):
    """A worker ended before it had said everything."""


class Worker:
    """A process that works on a task."""

    def __init__(self, store: LogStore, task: EventsTask | StatsTask) -> None:
        from lambdalog.child import Child  # only where something is divided

        self._store = store
        self._child: Child | None = None
        self._why = ""
        try:
            self._child = Child("-m", "lambdalog.query.worker")
            self._child.connection.send(task)
        except OSError as error:
            self._why = str(error)

    def found(self, waiting: Callable[[], None] = lambda: None) -> Iterator[Any]:
        """What it finds, as it comes; `waiting` is called now and then meanwhile. Gone if it ended early."""
        try:
            while self._child is not None:
                while not self._child.connection.poll(_POLL_SECONDS):
                    waiting()
                kind, value = self._child.connection.recv()
                if kind == "found":
                    yield value
                elif kind == "damage":
                    for damage in value:
                        self._store.report(damage)
                elif kind == "end":
                    return
                else:
                    self._why = value
                    break
        except (EOFError, OSError):
            self._why = "the line to it broke"
        import logging  # takes longer to load than all else here, and is hardly ever needed

        logging.getLogger(__name__).warning(
            "a process that read a part of the logs ended early (%s); its part is read here", self._why
        )
        raise Gone

    def kill(self) -> None:
        """End it."""
        if self._child is not None:
            self._child.kill()


class _Places:
    """How many workers may run beside this process, whatever asks for them: one fewer than processes may read."""

    def __init__(self) -> None:
        self._renew()
        after_fork(self._renew)

    def _renew(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0

    @contextmanager
    def taken(self, wanted: int) -> Iterator[int]:
        """So many of the wanted ones as are free, held meanwhile."""
        with self._lock:
            count = max(min(wanted, settings.processes() - 1 - self._taken), 0)
            self._taken += count
        try:
            yield count
        finally:
            with self._lock:
                self._taken -= count


_places = _Places()


@contextmanager
def shares(files: Sequence[File], seconds: float) -> Iterator[int]:
    """Into how many shares the files should be divided: one is read here, each other one by a worker meanwhile.

    `seconds` is how long one process would take.
    """
    most = min(settings.processes(), len(files))
    with _places.taken(division.count(seconds, most) - 1) as workers:
        yield workers + 1


@contextmanager
def workers(store: LogStore, tasks: Sequence[EventsTask | StatsTask]) -> Iterator[list[Worker]]:
    """A worker for each task; none of them outlives this."""
    with ExitStack() as ends:
        begun = []
        for task in tasks:
            worker = Worker(store, task)
            ends.callback(worker.kill)
            begun.append(worker)
        yield begun


def files_of(store: LogStore, scans: Sequence[Scan]) -> list[File]:
    """What the scans have to read; groups that are not there any more have nothing."""
    found: list[File] = []
    for scan in scans:
        try:
            found += [(scan.group, extent) for extent in store.extents(scan)]
        except KeyError:
            continue
    return found


class Stopwatch:
    """How long some files took to read, from which is told how long others will take."""

    def __init__(self, store: LogStore) -> None:
        self._now = store.clock.monotonic
        self._spent = 0.0
        self._found = 0

    def timed(self, events: Iterator[Event]) -> Iterator[Event]:
        """The events; what becomes of them doesn't count."""
        began = self._now()
        for event in events:
            self._spent += self._now() - began
            self._found += 1
            yield event
            began = self._now()
        self._spent += self._now() - began

    @contextmanager
    def running(self) -> Iterator[None]:
        """All that is done meanwhile counts."""
        began = self._now()
        yield
        self._spent += self._now() - began

    def expected(self, read: int, left: int) -> float:
        """The seconds that `left` bytes will take, when `read` have been, without what it takes to tell others of events."""
        return max(self._spent - self._found * _TELLING_SECONDS, 0.0) * left / max(read, 1)


def events(store: LogStore, scans: Sequence[Scan], wording: Wording | None) -> Iterator[Event]:
    """All events of scans of as many groups, merged by position. Close it.

    The scans are alike but for the group; `wording` is what their `match` was made from, None where that can't be said.
    """
    files = [] if wording is None or settings.processes() < 2 else files_of(store, scans)
    size = division.size_of(files)
    if wording is None or size <= division.NEAR_BYTES:
        yield from merged(store, scans)
        return
    descending = any(scan.descending for scan in scans)
    time = division.near(files, descending=descending)
    files = division.beyond(files, time, descending=descending)
    left = division.size_of(files)
    watch = Stopwatch(store)
    yield from watch.timed(merged(store, [_nearer(scan, time) for scan in scans]))
    scans = [_farther(scan, time) for scan in scans]
    with shares(files, watch.expected(size - left, left)) as count:
        if count > 1:
            divided = division.in_turn(files, count, descending=descending)
            yield from _together(store, scans, wording, divided)
        else:
            yield from merged(store, scans)


def _together(
    store: LogStore, scans: Sequence[Scan], wording: Wording, divided: Sequence[division.Share]
) -> Iterator[Event]:
    own, *others = [
        [replace(scan, segments=share[scan.group]) for scan in scans if scan.group in share]
        for share in divided
    ]
    now = store.clock.now_ms()
    tasks = [
        EventsTask(
            str(store.root),
            now,
            wording,
            # Which streams are meant is known: theirs are the segments.
            tuple(replace(scan, match=None, stream_named=None) for scan in other),
        )
        for other in others
    ]
    with workers(store, tasks) as begun:
        parts = [_said(store, worker, other) for worker, other in zip(begun, others, strict=True)]
        descending = any(scan.descending for scan in scans)
        yield from heapq.merge(merged(store, own), *parts, reverse=descending)


def _said(store: LogStore, worker: Worker, scans: Sequence[Scan]) -> Iterator[Event]:
    """What a worker finds; if it ends early, the rest of it is found here."""
    last: Event | None = None
    try:
        for batch in worker.found():
            for event in map(Event._make, batch):
                last = event
                yield event
    except Gone:
        if last is not None:
            scans = [replace(scan, after=last.position) for scan in scans]
        yield from merged(store, scans)


def _nearer(scan: Scan, time: int) -> Scan:
    if scan.descending:
        return replace(scan, start=time if scan.start is None else max(scan.start, time))
    return replace(scan, end=time if scan.end is None else min(scan.end, time))


def _farther(scan: Scan, time: int) -> Scan:
    if scan.descending:
        return replace(scan, end=time if scan.end is None else min(scan.end, time))
    return replace(scan, start=time if scan.start is None else max(scan.start, time))
