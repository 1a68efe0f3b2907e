"""One stream of lines from many groups: on disk, and on AWS as moto plays it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from lambdalog.clock import ManualClock
from lambdalog.cloud import connect
from lambdalog.query.pattern import parse
from lambdalog.tail import open_source
from lambdalog.tail.aws import AwsSource
from lambdalog.tail.source import matcher

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


def test_groups_and_patterns_choose(place: Cloud) -> None:
    """Names of functions, globs and patterns leave the rest out."""
    assert {line.message[0] for line in open_source(place, groups=["a"]).page(None, None, 9)} == {"a"}
    assert open_source(place, groups=["/aws/lambda/*"]).groups() == ["/aws/lambda/a", "/aws/lambda/b"]
    assert [line.message for line in open_source(place, pattern=parse("2")).page(None, None, 9)] == [
        "a2",
        "b2",
    ]


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


class Late:
    """A CloudWatch whose events become visible some time after their timestamp."""

    class exceptions:  # noqa: N801 - botocore's name
        """Nothing is raised from here."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.events: list[tuple[int, int, str]] = []
        self.throttles = 0

    def get_paginator(self, name: str) -> Any:
        """Only what a source asks for."""
        return self if name == "filter_log_events" else Groups()

    def paginate(self, *, startTime: int, **_: Any) -> list[Any]:  # noqa: N803 - AWS's name
        """The events that are visible by now."""
        if self.throttles:
            self.throttles -= 1
            raise ClientError(
                {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "FilterLogEvents"
            )
        now = self.clock.now_ms()
        return [
            {
                "events": [
                    {
                        "timestamp": at,
                        "ingestionTime": at,
                        "logStreamName": "s",
                        "message": text,
                        "eventId": text,
                    }
                    for at, seen, text in self.events
                    if at >= startTime and seen <= now
                ]
            }
        ]


class Groups:
    """One group."""

    def paginate(self) -> list[Any]:
        """One page."""
        return [{"logGroups": [{"logGroupName": "g"}]}]


def test_events_that_show_up_late_are_not_lost() -> None:
    """Whatever becomes visible within the window is given, once, however late."""
    clock = ManualClock()
    logs = Late(clock)
    following = AwsSource(logs, lambda _: True, None, None, clock=clock).follow(None)
    start = clock.now_ms()
    logs.events = [
        (start + n * 100, start + n * 100 + (8000 if n % 20 == 0 else 300), f"e{n}") for n in range(600)
    ]
    found = [line.message for _ in range(80) for line in following.poll(1)]
    assert sorted(found) == sorted(f"e{n}" for n in range(600))


def test_throttling_backs_off_and_is_said() -> None:
    """A refusal for the rate is waited out, noted, and loses nothing."""
    clock = ManualClock()
    logs = Late(clock)
    logs.throttles = 3
    following = AwsSource(logs, lambda _: True, None, None, clock=clock).follow(None)
    logs.events = [(clock.now_ms() + 1, clock.now_ms(), "kept")]
    assert following.poll(9) == []
    assert following.notes() == [f"AWS throttles: looking again in {s} s" for s in (2, 4, 8)]
    assert [line.message for line in following.poll(60)] == ["kept"]


@pytest.mark.parametrize(
    ("groups", "name", "expected"),
    [
        ([], "anything", True),
        (["orders"], "/aws/lambda/orders", True),
        (["ord*"], "/aws/lambda/orders", True),
        (["/aws/*/orders"], "/aws/lambda/orders", True),
        (["orders"], "/aws/lambda/orders-2", False),
        (["[x"], "[x", True),
    ],
)
def test_a_group_is_meant_by_name_or_glob(groups: list[str], name: str, expected: bool) -> None:
    """Whole names, functions' names, and globs over either."""
    assert matcher(groups)(name) is expected
