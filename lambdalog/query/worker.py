"""A process that reads a share of a store's logs for another one. It reads, and nothing else: it may be ended at any time.

It is told where, which segments, and the text of what is asked; it gives back what it found as plain values.
"""

from __future__ import annotations

import heapq
import os
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lambdalog.clock import SYSTEM, ManualClock
from lambdalog.store import Event, LogStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection

    from lambdalog.query.division import Share
    from lambdalog.query.pattern import Wording
    from lambdalog.store import Scan

# What is found is said when it is so much, or after so long: the line holds a few times as much, and then it is waited.
SAID_BYTES: Final = 64 * 1024
SAID_SECONDS: Final = 0.05
# What an event takes beside its message.
_AROUND: Final = 100


class EventsTask(NamedTuple):
    """All events of some scans that match a wording, by position: lists of them."""

    root: str
    now: int
    wording: Wording
    scans: tuple[Scan, ...]

    def work(self, store: LogStore) -> Iterator[list[tuple[Any, ...]]]:
        """Bit by bit."""
        from dataclasses import replace

        from lambdalog.query.wording import meant

        matches = meant(self.wording).matches
        batch: list[tuple[Any, ...]] = []
        size, said = 0, SYSTEM.monotonic()
        for event in merged(store, [replace(scan, match=matches) for scan in self.scans]):
            batch.append(tuple(event))
            size += len(event.message) + _AROUND
            if size >= SAID_BYTES or SYSTEM.monotonic() - said >= SAID_SECONDS:
                yield batch
                batch, size, said = [], 0, SYSTEM.monotonic()
        yield batch


class StatsTask(NamedTuple):
    """The first `stats` of a query, of a share of what it is asked of: one Partial."""

    root: str
    now: int
    text: str
    start: int | None
    end: int | None
    share: Share

    def work(self, store: LogStore) -> Iterator[Any]:
        """All at once."""
        from lambdalog.query.insights import Run, read

        yield Run(read(self.text), store, list(self.share), start=self.start, end=self.end).partial(
            self.share
        )


def merged(store: LogStore, scans: Sequence[Scan]) -> Iterator[Event]:
    """The events of scans of several groups, of which none may be there any more, by position."""
    parts = [_read(store, scan) for scan in scans]
    try:
        if len(parts) == 1:
            yield from parts[0]
        else:
            descending = any(scan.descending for scan in scans)
            yield from heapq.merge(*parts, reverse=descending)
    finally:
        for part in parts:
            part.close()  # type: ignore[attr-defined]  # a generator


def _read(store: LogStore, scan: Scan) -> Iterator[Event]:
    try:
        yield from store.scan(scan)
    except KeyError:
        return  # deleted since it was listed


def serve(line: Connection) -> None:
    """Work on the task that comes over the line, and end with it."""
    task: EventsTask | StatsTask = line.recv()
    threading.Thread(target=_end_with, args=(line,), daemon=True).start()
    with LogStore(Path(task.root), clock=ManualClock(task.now / 1000)) as store:
        told = 0
        for found in task.work(store):
            if store.damage[told:]:
                line.send(("damage", store.damage[told:]))
                told = len(store.damage)
            line.send(("found", found))
    line.send(("end", None))


def _end_with(line: Connection) -> None:
    """Nothing more is said to this process; when the line ends, nobody waits for it."""
    try:
        line.recv()
    except (EOFError, OSError):
        os._exit(0)


def main(descriptor: str) -> None:
    """Serve on an inherited socket."""
    from multiprocessing.connection import Connection

    with Connection(int(descriptor)) as line:
        try:
            serve(line)
        except (EOFError, OSError):
            os._exit(1)  # nobody hears
        except Exception as error:  # noqa: BLE001 - whatever it is, its parent reads the share itself, and meets it there
            line.send(("failed", f"{type(error).__name__}: {error}"))


if __name__ == "__main__":
    # What it is told and answers are the module's classes, not those of the one that was started.
    import_module("lambdalog.query.worker").main(*sys.argv[1:])
