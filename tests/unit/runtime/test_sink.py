"""What an environment's log stream hands to a client of CloudWatch Logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.runtime.output import Written
from lambdalog.runtime.sink import LogSink

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud

GROUP, STREAM = "/aws/lambda/f", "2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef"
DAY_MS = 24 * 3_600_000


class PutAlone:
    """A client as AWS has it: it knows operations, and no shorter way; how many events each call put is noted."""

    def __init__(self, logs: Any) -> None:
        self.exceptions = logs.exceptions
        self.create_log_group = logs.create_log_group
        self.create_log_stream = logs.create_log_stream
        self.puts: list[int] = []
        self._logs = logs

    def put_log_events(self, **asked: Any) -> Any:
        """PutLogEvents, with all of its limits."""
        self.puts.append(len(asked["logEvents"]))
        return self._logs.put_log_events(**asked)


@pytest.fixture
def client(cloud: Cloud) -> PutAlone:
    """One of a store on disk."""
    return PutAlone(cloud.logs)


@pytest.fixture
def sink(client: PutAlone, cloud: Cloud) -> LogSink:
    """A stream that is written by it."""
    return LogSink(client, GROUP, STREAM, cloud.clock)


def texts(cloud: Cloud) -> list[str]:
    """What came of it."""
    pages = cloud.logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP)
    return [event["message"] for page in pages for event in page["events"]]


@pytest.mark.parametrize(
    "given",
    [
        ["one", "two"],
        [""] * 12_000 + ["last"],
        [f"line {number}" for number in range(25_000)],
        ["x" * 199_999] * 12,
        ["\N{OLD ITALIC LETTER A}" * 65_000] * 9,
    ],
    ids=["few", "empty", "many", "long", "wide"],
)
def test_no_batch_is_more_than_is_taken(
    sink: LogSink, client: PutAlone, cloud: Cloud, given: list[str]
) -> None:
    """Many, long, wide and empty texts are put in batches that PutLogEvents takes, in their order; few are put at once."""
    now = cloud.clock.now_ms()
    sink.add([Written(now, text) for text in given])
    sink.flush()
    assert sink.lost == 0
    assert texts(cloud) == [text or " " for text in given]
    assert len(client.puts) == 1 or max(client.puts) <= 10_000
    assert (len(client.puts) == 1) == (len(given) == 2)


def test_what_is_too_long_is_cut(sink: LogSink, cloud: Cloud) -> None:
    """A text of more than 1 MB is several events, whatever its characters take; together with others they are no batch too large."""
    for count in range(262_060, 262_144, 6):
        sink.add([Written(cloud.clock.now_ms(), "\N{OLD ITALIC LETTER A}" * count)])
        sink.flush()
    assert sink.lost == 0
    found = texts(cloud)
    assert len(found) == 28
    assert sum(text.count("\N{OLD ITALIC LETTER A}") for text in found) == sum(range(262_060, 262_144, 6))


def test_a_batch_spans_no_more_than_a_day(sink: LogSink, client: PutAlone, cloud: Cloud) -> None:
    """What a clock that was set meanwhile tells is put apart."""
    now = cloud.clock.now_ms()
    sink.add([Written(now - DAY_MS - 1, "before"), Written(now, "after")])
    sink.flush()
    assert client.puts == [1, 1]
    assert texts(cloud) == ["before", "after"]
