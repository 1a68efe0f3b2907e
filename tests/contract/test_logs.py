"""CloudWatch Logs' contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.contract.conftest import Backend


@pytest.fixture
def logs(backend: Backend) -> Any:
    """A client with one group and one stream."""
    client = backend.client("logs")
    client.create_log_group(logGroupName="g")
    client.create_log_stream(logGroupName="g", logStreamName="s")
    return client


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    """The code and text with which an operation is refused."""
    with pytest.raises(ClientError) as info:
        call(**params)
    error = info.value.response["Error"]
    return error["Code"], error["Message"]


def put(logs: Any, now: int, *messages: str, stream: str = "s") -> None:
    """Write messages, a ms apart."""
    events = [{"timestamp": now - 1000 + index, "message": message} for index, message in enumerate(messages)]
    logs.put_log_events(logGroupName="g", logStreamName=stream, logEvents=events)


def texts(response: Any) -> list[str]:
    """The messages in a response."""
    return [event["message"] for event in response["events"]]


def test_a_group_exists_once(logs: Any) -> None:
    """A second group of the name is refused."""
    assert refusal(logs.create_log_group, logGroupName="g") == (
        "ResourceAlreadyExistsException",
        "The specified log group already exists",
    )


@pytest.mark.moto_deviates("moto speaks of a group where it means a stream")
def test_a_stream_exists_once(logs: Any) -> None:
    """A second stream of the name is refused."""
    assert refusal(logs.create_log_stream, logGroupName="g", logStreamName="s") == (
        "ResourceAlreadyExistsException",
        "The specified log stream already exists",
    )


@pytest.mark.moto_deviates("moto speaks of a group where it means a stream")
def test_what_is_not_there(logs: Any, backend: Backend) -> None:
    """Operations on a group or stream that doesn't exist say so."""
    group = ("ResourceNotFoundException", "The specified log group does not exist.")
    stream = ("ResourceNotFoundException", "The specified log stream does not exist.")
    events = [{"timestamp": backend.now, "message": "x"}]
    assert refusal(logs.create_log_stream, logGroupName="no", logStreamName="s") == group
    assert refusal(logs.describe_log_streams, logGroupName="no") == group
    assert refusal(logs.delete_log_group, logGroupName="no") == group
    assert refusal(logs.filter_log_events, logGroupName="no") == group
    assert refusal(logs.get_log_events, logGroupName="g", logStreamName="no") == stream
    assert refusal(logs.put_log_events, logGroupName="g", logStreamName="no", logEvents=events) == stream


def test_groups_are_described(logs: Any) -> None:
    """A group's record has its ARNs, with and without the star; prefixes choose, pages go on."""
    for name in ("g2", "h"):
        logs.create_log_group(logGroupName=name)
    (first,) = logs.describe_log_groups(logGroupNamePrefix="g", limit=1)["logGroups"]
    assert first["logGroupName"] == "g"
    assert first["arn"].endswith(":log-group:g:*")
    names = [
        group["logGroupName"]
        for page in logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 2})
        for group in page["logGroups"]
    ]
    assert names == ["g", "g2", "h"]


def test_a_written_stream_tells_its_times(logs: Any, backend: Backend) -> None:
    """First and last event show once there are events."""
    put(logs, backend.now, "a", "b")
    (stream,) = logs.describe_log_streams(logGroupName="g")["logStreams"]
    assert stream["lastEventTimestamp"] - stream["firstEventTimestamp"] == 1


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


def test_too_new_events_are_named(logs: Any, backend: Backend) -> None:
    """An event more than two hours ahead is refused, the call succeeds."""
    events = [{"timestamp": backend.now + 3 * 3_600_000, "message": "x"}]
    response = logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)
    assert response["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 0}


def test_retention_and_tags_are_kept(logs: Any) -> None:
    """What is set shows in the record, and goes when deleted."""
    logs.put_retention_policy(logGroupName="g", retentionInDays=7)
    (group,) = logs.describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 7
    arn = group["arn"].removesuffix(":*")
    logs.tag_resource(resourceArn=arn, tags={"team": "a", "env": "b"})
    logs.untag_resource(resourceArn=arn, tagKeys=["env"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "a"}
    logs.delete_retention_policy(logGroupName="g")
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]


def test_prefix_and_order_exclude_each_other(logs: Any) -> None:
    """Streams can't be ordered by time and chosen by prefix."""
    found = refusal(
        logs.describe_log_streams, logGroupName="g", orderBy="LastEventTime", logStreamNamePrefix="s"
    )
    assert found == ("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix.")
