"""One stream of lines from many groups: on disk, and on AWS as moto plays it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from lambdalog.clock import ManualClock
from lambdalog.cloud import connect
from lambdalog.query.pattern import parse
from lambdalog.store.maintenance import maintain
from lambdalog.tail import open_source
from lambdalog.tail.aws import AwsSource
from lambdalog.tail.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.cloud import Cloud
    from lambdalog.tail import Following, Line


@pytest.fixture(params=["disk", "aws"])
def place(
    request: pytest.FixtureRequest, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cloud]:
    """A cloud with two groups of three lines each."""
    if request.param == "aws":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        with mock_aws(), connect("aws:us-east-1", clock=ManualClock(time.time())) as cloud:
            fill(cloud)
            yield cloud
    else:
        with connect(f"disk:{store_path}") as cloud:
            fill(cloud)
            yield cloud


def fill(cloud: Cloud) -> None:
    """Two groups, their lines interleaved in time."""
    for group in ("/aws/lambda/a", "/aws/lambda/b"):
        cloud.logs.create_log_group(logGroupName=group)
        cloud.logs.create_log_stream(logGroupName=group, logStreamName="s")
    for number in range(3):
        write(cloud, "a", f"a{number}", number * 10)
        write(cloud, "b", f"b{number}", number * 10 + 5)


def write(cloud: Cloud, function: str, message: str, offset: int) -> None:
    """One event, `offset` ms after a minute ago."""
    cloud.logs.put_log_events(
        logGroupName=f"/aws/lambda/{function}",
        logStreamName="s",
        logEvents=[
            {"timestamp": cloud.clock.now_ms() // 60_000 * 60_000 - 60_000 + offset, "message": message}
        ],
    )


def take(following: Following, count: int) -> list[Line]:
    """Poll until there are so many lines; a bounded number of times."""
    found: list[Line] = []
    for _ in range(100):
        found += following.poll(0.1)
        if len(found) >= count:
            break
    return found


def test_groups_are_merged_by_time(place: Cloud) -> None:
    """A page has the lines of all groups in one order, from either end, and no more than it may."""
    source = open_source(place)
    assert [line.message for line in source.page(None, None, 100)] == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert [line.message for line in source.page(None, None, 2)] == ["a0", "b0"]
    if place.root is not None:  # moto does not know startFromHead
        assert [line.message for line in source.page(None, None, 2, descending=True)] == ["b2", "a2"]
    first = source.page(None, None, 1)[0]
    assert [line.message for line in source.page(first.timestamp + 5, first.timestamp + 20, 9)] == [
        "b0",
        "a1",
        "b1",
    ]


def test_lines_are_read_as_they_are_asked_for(place: Cloud) -> None:
    """An iterator over a range, either way, that can be left in the middle."""
    source = open_source(place)
    lines = source.lines(None, None)
    assert [next(lines).message for _ in range(3)] == ["a0", "b0", "a1"]
    lines.close()  # type: ignore[attr-defined]
    every = [line.message for line in source.lines(None, None)]
    assert every == ["a0", "b0", "a1", "b1", "a2", "b2"]
    if place.root is not None:  # moto does not know startFromHead
        assert [line.message for line in source.lines(None, None, descending=True)] == every[::-1]


def test_neighbours_are_of_the_same_stream(place: Cloud) -> None:
    """Before and after a line, whatever the pattern; nothing at the ends."""
    source = open_source(place, pattern=parse("a1"))
    (line,) = source.page(None, None, 9)
    assert [one.message for one in source.after(line, 5)] == ["a2"]
    if place.root is not None:
        assert [one.message for one in source.before(line, 5)] == ["a0"]
    (last,) = source.after(line, 1)
    assert source.after(last, 3) == []


def test_minutes_come_from_the_rollups(place: Cloud) -> None:
    """Events and errors by the minute, of live and sealed lines alike; None where lines would have to be read."""
    source = open_source(place)
    minute = source.page(None, None, 1)[0].timestamp // 60_000 * 60_000
    if place.store is None:
        assert source.minutes(minute, minute + 60_000) is None
        return
    write(place, "a", "[ERROR] bad", 7)
    assert source.minutes(minute, minute + 60_000) == {minute: (7, 1)}
    place.store.close()
    maintain(place.store)
    write(place, "b", "[ERROR] worse", 60_000)
    assert source.minutes(minute, minute + 120_000) == {minute: (7, 1), minute + 60_000: (1, 1)}
    assert source.minutes(minute + 1, minute + 60_000) == {}
    assert open_source(place, groups=["b"]).minutes(minute, minute + 60_000) == {minute: (3, 0)}
    assert open_source(place, pattern=parse("x")).minutes(minute, minute + 1) is None
    assert open_source(place, streams="s").minutes(minute, minute + 1) is None


def test_one_budget_for_all_sources_of_a_cloud() -> None:
    """What AWS counts together is counted together, whoever asks."""
    with mock_aws(), connect("aws:us-east-1") as cloud:
        one, other = open_source(cloud), open_source(cloud, groups=["x"])
        assert isinstance(one, AwsSource)
        assert isinstance(other, AwsSource)
        assert one.budget is other.budget


def test_groups_and_patterns_choose(place: Cloud) -> None:
    """Names of functions, globs and patterns leave the rest out."""
    assert {line.message[0] for line in open_source(place, groups=["a"]).page(None, None, 9)} == {"a"}
    assert open_source(place, groups=["/aws/lambda/*"]).groups() == ["/aws/lambda/a", "/aws/lambda/b"]
    assert [line.message for line in open_source(place, pattern=parse("2")).page(None, None, 9)] == [
        "a2",
        "b2",
    ]


@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        ("2026/", ["latest", "seven"]),
        ("*[$LATEST]*", ["latest"]),
        ("2026/*x", ["latest", "seven"]),
        ("?", ["a0"]),
    ],
)
def test_streams_are_chosen_by_their_beginning_or_a_glob(
    place: Cloud, streams: str, expected: list[str]
) -> None:
    """The same lines are read, followed, and taken from a follower that leaves them undecoded."""
    now = place.clock.now_ms()
    for name, message in (("2026/[$LATEST]x", "latest"), ("2026/[7]x", "seven")):
        place.logs.create_log_stream(logGroupName="/aws/lambda/a", logStreamName=name)
        place.logs.put_log_events(
            logGroupName="/aws/lambda/a",
            logStreamName=name,
            logEvents=[{"timestamp": now, "message": message}],
        )
    source = open_source(place, groups=["a"], streams=streams)
    assert [
        line.message for line in source.page(None, None, 9) if line.message not in {"a1", "a2"}
    ] == expected
    if place.root:
        for undecoded in (False, True):
            following = source.follow(now - 120_000, undecoded=undecoded)
            found = {line.message for line in take(following, len(expected))}
            following.close()
            assert found - {"a1", "a2"} == set(expected)


def test_a_page_of_globbed_streams_takes_no_call_for_each_few_lines(
    place: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS counts the lines that a glob leaves out: it isn't asked for as few as the page may hold."""
    asked = []
    answer = place.logs.filter_log_events

    def counted(**params: Any) -> Any:
        asked.append(params)
        return answer(**params)

    monkeypatch.setattr(place.logs, "filter_log_events", counted)
    source = AwsSource(place.logs, Wanted(("a",), streams="*x"), clock=place.clock)
    assert source.page(None, None, 1) == []
    assert len(asked) == 1


def test_following_gives_each_line_once(place: Cloud) -> None:
    """The past from `since` on and what is written meanwhile come once each."""
    source = open_source(place)
    since = source.page(None, None, 1)[0].timestamp if place.root else place.clock.now_ms() - 9000
    following = source.follow(since)
    now = place.clock.now_ms()
    for number in range(3):
        place.logs.put_log_events(
            logGroupName="/aws/lambda/a",
            logStreamName="s",
            logEvents=[{"timestamp": now + number, "message": f"new{number}"}],
        )
    found = take(following, 9 if place.root else 3)
    assert [line.message for line in found][-3:] == ["new0", "new1", "new2"]
    assert len({line.id for line in found}) == len(found)
    assert following.poll(3 if not place.root else 0) == []
    following.close()


def test_streams_by_their_newest_events(place: Cloud) -> None:
    """Those of the groups that are meant, the newest first; that there are others is told."""
    now = place.clock.now_ms()
    place.logs.create_log_stream(logGroupName="/aws/lambda/a", logStreamName="silent")
    for number in range(3):
        name = f"more-{number}"
        place.logs.create_log_stream(logGroupName="/aws/lambda/b", logStreamName=name)
        place.logs.put_log_events(
            logGroupName="/aws/lambda/b",
            logStreamName=name,
            logEvents=[{"timestamp": now - 1000 * number, "message": "x"}],
        )
    found = open_source(place).streams()
    assert [(one.group[-1], one.name) for one in found.newest] == [
        ("b", "more-0"),
        ("b", "more-1"),
        ("b", "more-2"),
        ("b", "s"),
        ("a", "s"),
        ("a", "silent"),
    ]
    assert (found.newest[1].last, found.newest[-1].last, found.more) == (now - 1000, None, False)
    assert [one.name for one in open_source(place, groups=["b"], streams="more").streams().newest] == [
        "more-0",
        "more-1",
        "more-2",
    ]
    chosen = open_source(place, groups=["b"], streams=("more-1", "s"))
    assert sorted({line.stream for line in chosen.page(None, None, 100)}) == ["more-1", "s"]


def test_no_more_streams_are_listed_than_a_page_of_a_few_groups(
    place: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On AWS one call a group, of ten groups at most; on disk the newest thousand. Both tell that there are more."""
    if place.store is not None:
        monkeypatch.setattr("lambdalog.tail.streams.STREAMS_MOST", 1)
        found = open_source(place).streams()
        assert ([one.group for one in found.newest], found.more) == (["/aws/lambda/b"], True)
        return
    calls: list[str] = []
    describe = place.logs.describe_log_streams

    def counted(**params: Any) -> Any:
        calls.append(params["logGroupName"])
        return describe(**params)

    monkeypatch.setattr(place.logs, "describe_log_streams", counted)
    for number in range(60):
        place.logs.create_log_stream(logGroupName="/aws/lambda/a", logStreamName=f"n{number}")
    found = open_source(place, groups=["a"]).streams()
    assert (len(found.newest), found.more, calls) == (50, True, ["/aws/lambda/a"])
    for number in range(12):
        place.logs.create_log_group(logGroupName=f"c{number:02d}")
    calls.clear()
    assert open_source(place).streams().more
    assert len(calls) == 10
