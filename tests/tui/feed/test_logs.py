"""Log lines as the dashboard reads them from a store."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from lambdalog.store.followed import Followed
from tests.tui.feeds import unexpected
from tui.feed import Bar, Query
from tui.feed.logs import StoreLogs
from tui.logs.matching import compiled
from tui.logs.mode import Mode

if TYPE_CHECKING:
    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud
    from lambdalog.tail import Line

T0 = 1_700_000_040_000


@pytest.fixture
def logs(manual_cloud: Cloud, clock: ManualClock) -> StoreLogs:
    """Two groups of three hundred lines each, two lines a second, every tenth an error."""
    clock.advance(T0 / 1000 + 600 - clock.now())
    for group in ("a", "b"):
        manual_cloud.logs.create_log_group(logGroupName=group)
        manual_cloud.logs.create_log_stream(logGroupName=group, logStreamName="s")
        events = [
            {
                "timestamp": T0 + number * 500,
                "message": f"{'ERROR' if number % 10 == 0 else 'INFO'} {group} {number}",
            }
            for number in range(300)
        ]
        manual_cloud.logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)  # type: ignore[arg-type]
    return StoreLogs(manual_cloud)


@pytest.mark.parametrize("descending", [True, False])
def test_all_matches_once_and_in_order(logs: StoreLogs, descending: bool) -> None:
    """Page by page, none is left out or given twice where pages end within one millisecond."""
    query = Query(pattern=compiled("INFO", Mode.TEXT))
    found = [
        line for lines in logs.matches(query, threading.Event(), descending=descending) for line in lines
    ]
    assert len(found) == len({line.id for line in found}) == 540
    assert [line.timestamp for line in found] == sorted(
        (line.timestamp for line in found), reverse=descending
    )


def test_a_search_ends_when_told_to(logs: StoreLogs) -> None:
    """Once the event is set no further page is read."""
    stop = threading.Event()
    pages = logs.matches(Query(), stop, descending=True)
    assert len(next(pages)) == 200
    stop.set()
    assert list(pages) == []


def test_groups_streams_and_ranges_narrow(logs: StoreLogs) -> None:
    """A query's own range and the page's both hold."""
    query = Query(("a",), "s", start=T0 + 1000, end=T0 + 3000)
    page = logs.page(query, T0 + 2000, None, 100, descending=False)
    assert [line.message for line in page] == ["INFO a 4", "INFO a 5"]
    assert logs.groups() == ["a", "b"]


def test_bars_count_levels(logs: StoreLogs) -> None:
    """Each bar has the lines of its stretch, and how many of them are errors."""
    assert logs.bars(Query(), T0, 10_000, 3) == [Bar(40, 0, 4)] * 3
    assert logs.bars(Query(("a",), pattern=compiled("ERROR", Mode.TEXT)), T0, 60_000, 1) == [Bar(12, 0, 12)]


def test_context_is_of_the_same_stream(logs: StoreLogs) -> None:
    """The lines around one are those of its own stream, in order."""
    (line,) = logs.page(Query(pattern=compiled("a 42", Mode.TEXT)), None, None, 1, descending=False)
    around = logs.context(line, 2)
    assert [one.message.split()[1:] for one in around] == [["a", str(number)] for number in range(40, 45)]


def test_following_hands_over_what_comes(logs: StoreLogs, manual_cloud: Cloud) -> None:
    """Lines of the chosen groups, until it is told to stop; the filter is the view's business."""
    stop = threading.Event()
    got: list[str] = []

    def deliver(lines: list[Line], notes: list[str]) -> None:
        got.extend(line.message for line in lines)
        if "new" in got:
            stop.set()

    event = {"timestamp": T0 + 500_000, "message": "new"}
    manual_cloud.logs.put_log_events(logGroupName="b", logStreamName="s", logEvents=[event])  # type: ignore[list-item]
    query = Query(("b",), pattern=compiled("nothing", Mode.TEXT))
    logs.follow(query, T0 + 149_000, deliver, stop, unexpected)
    assert got == ["INFO b 298", "INFO b 299", "new"]


def test_following_goes_on_after_a_failure(
    logs: StoreLogs, manual_cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that can't be read for a while: it is told each time, then overcome, and each line comes once."""
    stop = threading.Event()
    got: list[str] = []
    told: list[str] = []
    overcome: list[int] = []
    read = Followed._read_live

    def write(number: int) -> None:
        event = {"timestamp": T0 + 500_000 + number, "message": f"new {number}"}
        manual_cloud.logs.put_log_events(logGroupName="b", logStreamName="s", logEvents=[event])  # type: ignore[list-item]

    def refuse(*given: object) -> None:
        raise OSError("no route to the store")

    def deliver(lines: list[Line], notes: list[str]) -> None:
        got.extend(line.message for line in lines)
        if told and not overcome:
            overcome.append(len(told))
        if not told:
            monkeypatch.setattr(Followed, "_read_live", refuse)
            write(1)
        elif "new 2" in got:
            stop.set()

    def failed(error: Exception) -> None:
        told.append(str(error))
        if len(told) == 3:
            write(2)
            monkeypatch.setattr(Followed, "_read_live", read)

    logs.follow(Query(("b",)), T0 + 149_000, deliver, stop, failed)
    assert told == ["no route to the store"] * 3
    assert overcome == [3]
    assert got == ["INFO b 298", "INFO b 299", "new 1", "new 2"]


def test_the_total_is_told_by_rollups(logs: StoreLogs) -> None:
    """How many lines there are is known without reading them, whatever the filter; not of a part of a minute."""
    pattern = compiled("nothing", Mode.TEXT)
    assert logs.total(Query(pattern=pattern)) == 600
    assert logs.total(Query(groups=("a",))) == 300
    assert logs.total(Query(start=1)) is None
    assert logs.total(Query(streams="s")) is None
