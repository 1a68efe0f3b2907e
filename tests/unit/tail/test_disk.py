"""Lines of a store."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest

from lambdalog.query import crew, division
from lambdalog.query.pattern import parse
from lambdalog.store import LogStore
from lambdalog.tail.disk import DiskSource
from lambdalog.tail.wanted import Wanted

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.query.worker import EventsTask, StatsTask

T0 = 1_700_000_000_000
LINES = 1200


@pytest.fixture
def store(store_path: Path) -> LogStore:
    """Two groups of two streams, of which all have lines all the time."""
    store = LogStore(store_path)
    for group in ("g", "h"):
        store.create_group(group)
        for stream in ("a", "b"):
            store.create_stream(group, stream)
    for number in range(LINES):
        store.append(
            "gh"[number % 2], "ab"[number // 2 % 2], [(T0 + number * 100, f"number {number} " + "." * 50)]
        )
    store.close()
    return store


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[EventsTask | StatsTask]:
    """What workers are told, of which there is one more for all that can be divided."""
    told: list[EventsTask | StatsTask] = []

    class Told(crew.Worker):
        def __init__(self, store: LogStore, task: EventsTask | StatsTask) -> None:
            told.append(task)
            super().__init__(store, task)

    monkeypatch.setenv("LAMBDALOG_PROCESSES", "2")
    monkeypatch.setattr(division, "NEAR_BYTES", 4096)
    monkeypatch.setattr(division, "count", lambda _, most: max(most, 1))
    monkeypatch.setattr(crew, "Worker", Told)
    return told


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(("groups", "streams"), [((), ""), (("g",), ""), ((), "a*")])
def test_a_long_search_is_divided(
    store: LogStore, tasks: list[EventsTask | StatsTask], groups: tuple[str, ...], streams: str, descending: bool
) -> None:  # fmt: skip
    """It gives the very lines that a page does, which is read by one process, and so does one that is left early."""
    source = DiskSource(store, Wanted(groups, streams, parse("%[0-4] %")))
    page = source.page(T0 + 1000, None, LINES, descending=descending)
    assert len(page) > 50
    assert not tasks
    assert list(source.lines(T0 + 1000, None, descending=descending)) == page
    assert len(tasks) == 1
    lines = source.lines(T0 + 1000, None, descending=descending)
    assert list(islice(lines, 40)) == page[:40]
    lines.close()  # type: ignore[attr-defined]  # a generator


def test_what_is_shown_as_it_is_read_is_not_divided(
    store: LogStore, tasks: list[EventsTask | StatsTask]
) -> None:
    """Lines without a filter, and those of a request, come from one process."""
    assert len(list(DiskSource(store, Wanted()).lines(None, None))) == LINES
    assert list(DiskSource(store, Wanted(request="number 7 ")).lines(None, None))
    assert not tasks
