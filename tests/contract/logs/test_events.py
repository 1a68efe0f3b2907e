"""CloudWatch Logs' contract: events, put, got and filtered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.logs.conftest import put, texts
from tests.refusals import refusal

if TYPE_CHECKING:
    from tests.contract.conftest import Backend


def test_events_come_back_in_order(logs: Any, backend: Backend) -> None:
    """GetLogEvents gives a stream's events; the newest page first unless told otherwise."""
    put(logs, backend.now, "a", "b", "c")
    assert texts(logs.get_log_events(logGroupName="g", logStreamName="s", startFromHead=True)) == [
        "a",
        "b",
        "c",
    ]
    assert texts(logs.get_log_events(logGroupName="g", logStreamName="s", limit=2)) == ["b", "c"]


def test_tokens_go_both_ways_and_stop_at_the_end(logs: Any, backend: Backend) -> None:
    """The forward token leads on, at the end the same token comes back, and the backward one leads back."""
    put(logs, backend.now, *"abcde")
    where = {"logGroupName": "g", "logStreamName": "s", "startFromHead": True}
    first = logs.get_log_events(**where, limit=3)
    second = logs.get_log_events(**where, limit=3, nextToken=first["nextForwardToken"])
    assert texts(second) == ["d", "e"]
    last = logs.get_log_events(**where, limit=3, nextToken=second["nextForwardToken"])
    assert texts(last) == []
    assert last["nextForwardToken"] == second["nextForwardToken"]
    back = logs.get_log_events(**where, limit=3, nextToken=second["nextBackwardToken"])
    assert texts(back) == ["a", "b", "c"]


def test_a_bad_token_is_refused(logs: Any) -> None:
    """A token that was never given is an error."""
    found = refusal(logs.get_log_events, logGroupName="g", logStreamName="s", nextToken="f/nope")
    assert found == ("InvalidParameterException", "The specified nextToken is invalid.")


@pytest.mark.moto_deviates("moto's endTime of GetLogEvents is inclusive")
def test_the_end_of_get_is_exclusive(logs: Any, backend: Backend) -> None:
    """GetLogEvents leaves out its endTime, FilterLogEvents takes it in."""
    now = backend.now
    logs.put_log_events(
        logGroupName="g",
        logStreamName="s",
        logEvents=[{"timestamp": now - 2, "message": "a"}, {"timestamp": now - 1, "message": "b"}],
    )
    got = logs.get_log_events(logGroupName="g", logStreamName="s", startTime=now - 2, endTime=now - 1)
    assert texts(got) == ["a"]
    assert texts(logs.filter_log_events(logGroupName="g", startTime=now - 2, endTime=now - 1)) == ["a", "b"]


@pytest.mark.moto_deviates("moto does not look at logStreamNamePrefix")
def test_filtering_goes_over_streams(logs: Any, backend: Backend) -> None:
    """FilterLogEvents merges streams by time and takes a pattern, names or a prefix."""
    logs.create_log_stream(logGroupName="g", logStreamName="t")
    now = backend.now
    put(logs, now, "ERROR one", "fine")
    put(logs, now + 500, "ERROR two", stream="t")
    assert texts(logs.filter_log_events(logGroupName="g", filterPattern="ERROR")) == [
        "ERROR one",
        "ERROR two",
    ]
    assert texts(logs.filter_log_events(logGroupName="g", logStreamNames=["t"])) == ["ERROR two"]
    assert texts(logs.filter_log_events(logGroupName="g", logStreamNamePrefix="s")) == ["ERROR one", "fine"]


def test_filter_pages_go_on(logs: Any, backend: Backend) -> None:
    """Pages follow each other without loss, and end without a token."""
    put(logs, backend.now, *"abcdefg")
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="g", PaginationConfig={"PageSize": 3}
    )
    assert [texts(page) for page in pages] == [["a", "b", "c"], ["d", "e", "f"], ["g"]]


def test_events_have_ids_that_stay(logs: Any, backend: Backend) -> None:
    """An event's id is the same at each look, and no other event's."""
    put(logs, backend.now, "a", "b")
    first = [event["eventId"] for event in logs.filter_log_events(logGroupName="g")["events"]]
    assert first == [event["eventId"] for event in logs.filter_log_events(logGroupName="g")["events"]]
    assert len(set(first)) == 2


def test_a_batch_out_of_order_is_refused(logs: Any, backend: Backend) -> None:
    """Events must come in chronological order."""
    now = backend.now
    events = [{"timestamp": now, "message": "b"}, {"timestamp": now - 1, "message": "a"}]
    assert refusal(logs.put_log_events, logGroupName="g", logStreamName="s", logEvents=events) == (
        "InvalidParameterException",
        "Log events in a single PutLogEvents request must be in chronological order.",
    )


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        (3, {"tooNewLogEventStartIndex": 0}),
        pytest.param(
            -15 * 24,
            {"tooOldLogEventEndIndex": 1},
            marks=pytest.mark.moto_deviates("moto names the last one, AWS the one after it"),
        ),
    ],
)
def test_too_new_and_too_old_events_are_named(
    logs: Any, backend: Backend, hours: int, told: dict[str, int]
) -> None:
    """An event more than two hours ahead, or more than a fortnight old, is refused; the call succeeds, with a token."""
    events = [{"timestamp": backend.now + hours * 3_600_000, "message": "x"}]
    response = logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)
    assert response["rejectedLogEventsInfo"] == told
    assert response["nextSequenceToken"]


@pytest.mark.moto_deviates("moto asks nothing of a batch's span")
def test_a_batch_that_is_too_long_is_refused(logs: Any, backend: Backend) -> None:
    """Events that lie more than a day apart, and more bytes than a batch may have: the whole batch is refused."""
    now = backend.now
    span = [{"timestamp": now - 86_400_001, "message": "a"}, {"timestamp": now, "message": "b"}]
    assert refusal(logs.put_log_events, logGroupName="g", logStreamName="s", logEvents=span) == (
        "InvalidParameterException",
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
    )
    size = [{"timestamp": now, "message": "x" * 524_288}] * 2
    assert refusal(logs.put_log_events, logGroupName="g", logStreamName="s", logEvents=size)[0] == (
        "InvalidParameterException"
    )
    assert texts(logs.get_log_events(logGroupName="g", logStreamName="s", startFromHead=True)) == []


@pytest.mark.moto_deviates("moto knows no order but the oldest first")
def test_filtering_goes_backwards(logs: Any, backend: Backend) -> None:
    """With startFromHead false the newest events come first, page after page."""
    put(logs, backend.now, *"abcde")
    found: list[str] = []
    token: dict[str, str] = {}
    for _ in range(10):
        page = logs.filter_log_events(logGroupName="g", startFromHead=False, limit=2, **token)
        found += texts(page)
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert found == list("edcba")


@pytest.mark.moto_deviates("moto takes both")
def test_streams_are_named_or_have_a_prefix(logs: Any) -> None:
    """Not both."""
    found = refusal(logs.filter_log_events, logGroupName="g", logStreamNames=["s"], logStreamNamePrefix="s")
    assert found[0] == "InvalidParameterException"
