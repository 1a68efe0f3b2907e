"""Getting and filtering events: tokens, bounds, order; and what groups and streams tell of them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.store.maintenance import maintain
from tests.refusals import refusal

if TYPE_CHECKING:
    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud


@pytest.fixture
def logs(manual_cloud: Cloud) -> Any:
    """A client with one group of two streams."""
    client = manual_cloud.logs
    client.create_log_group(logGroupName="g")
    for stream in ("s", "t"):
        client.create_log_stream(logGroupName="g", logStreamName=stream)
    return client


def write(logs: Any, *events: tuple[int, str], stream: str = "s") -> None:
    """(time, message) pairs."""
    logs.put_log_events(
        logGroupName="g",
        logStreamName=stream,
        logEvents=[{"timestamp": time, "message": message} for time, message in events],
    )


def texts(response: Any) -> list[str]:
    """The messages in a response."""
    return [event["message"] for event in response["events"]]


def seal(cloud: Cloud) -> None:
    """Seal everything."""
    assert cloud.store is not None
    cloud.store.release(0)
    maintain(cloud.store, everything=True)


@pytest.mark.parametrize("descending", [False, True])
def test_filter_tokens_survive_sealing(
    logs: Any, manual_cloud: Cloud, clock: ManualClock, descending: bool
) -> None:
    """Pages lead on over sealing and new events, in both orders, without loss or doubles; many share a millisecond."""
    now = clock.now_ms()
    rnd = random.Random(4)
    for stream in ("s", "t"):
        times = sorted(now - rnd.randrange(20) for _ in range(60))
        write(logs, *[(time, f"{stream}{number}") for number, time in enumerate(times)], stream=stream)
    search: dict[str, Any] = {"logGroupName": "g", "startFromHead": not descending}
    whole = texts(logs.filter_log_events(**search))
    assert len(whole) == 120
    found: list[str] = []
    token: dict[str, Any] = {}
    for turn in range(100):
        page = logs.filter_log_events(**search, limit=7, **token)
        found += texts(page)
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
        if turn % 5 == 2:
            seal(manual_cloud)
    assert found == whole
    assert logs.filter_log_events(**search)["searchedLogStreams"] == []


def test_a_token_belongs_to_its_search(logs: Any, clock: ManualClock) -> None:
    """With another pattern, or made up, it is refused."""
    write(logs, (clock.now_ms(), "a"), (clock.now_ms(), "b"))
    token = logs.filter_log_events(logGroupName="g", limit=1)["nextToken"]
    for params in ({"filterPattern": "b", "nextToken": token}, {"nextToken": "e30"}, {"nextToken": "é"}):
        assert refusal(logs.filter_log_events, logGroupName="g", **params) == (
            "InvalidParameterException",
            "The specified nextToken is invalid.",
        )
    for bad in ("f/12", "x/" + "1" * 56, "f/" + "x" * 56):
        found = refusal(logs.get_log_events, logGroupName="g", logStreamName="s", nextToken=bad)
        assert found == ("InvalidParameterException", "The specified nextToken is invalid.")


def test_names_and_prefix_exclude_each_other(logs: Any) -> None:
    """FilterLogEvents takes one of them."""
    found = refusal(logs.filter_log_events, logGroupName="g", logStreamNames=["s"], logStreamNamePrefix="s")
    assert found[0] == "InvalidParameterException"
    assert "mutually exclusive" in found[1]
    assert refusal(logs.filter_log_events)[0] == "ValidationException"
    assert (
        refusal(logs.filter_log_events, logGroupName="g", logGroupIdentifier="g")[0] == "ValidationException"
    )


def test_get_tokens_survive_sealing_and_new_events(
    logs: Any, manual_cloud: Cloud, clock: ManualClock
) -> None:
    """At the end the same token comes back until there is more; backwards it leads to the very first event."""
    now = clock.now_ms()
    where = {"logGroupName": "g", "logStreamName": "s"}
    write(logs, *[(now - 5, f"{number}") for number in range(10)])
    page = logs.get_log_events(**where, startFromHead=True, limit=4)
    assert texts(page) == ["0", "1", "2", "3"]
    seal(manual_cloud)
    rest = logs.get_log_events(**where, startFromHead=True, nextToken=page["nextForwardToken"])
    assert texts(rest) == [str(number) for number in range(4, 10)]
    end = logs.get_log_events(**where, startFromHead=True, nextToken=rest["nextForwardToken"])
    assert (texts(end), end["nextForwardToken"]) == ([], rest["nextForwardToken"])
    write(logs, (now, "new"))
    more = logs.get_log_events(**where, startFromHead=True, nextToken=end["nextForwardToken"])
    assert texts(more) == ["new"]
    back = logs.get_log_events(**where, nextToken=rest["nextBackwardToken"], limit=3)
    assert texts(back) == ["1", "2", "3"]
    first = logs.get_log_events(**where, nextToken=back["nextBackwardToken"])
    assert texts(first) == ["0"]
    begin = logs.get_log_events(**where, nextToken=first["nextBackwardToken"])
    assert (texts(begin), begin["nextBackwardToken"]) == ([], first["nextBackwardToken"])


def test_a_page_is_at_most_a_megabyte(logs: Any, clock: ManualClock) -> None:
    """Large events make short pages, and one that is larger than all is a page of its own."""
    for number in range(3):
        write(logs, (clock.now_ms(), f"{number}" + "x" * 600_000))
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName="g")
    assert [len(page["events"]) for page in pages] == [1, 1, 1]


@pytest.mark.parametrize("head", [True, False])
@pytest.mark.parametrize(
    ("character", "counts"),
    [("x", [104, 104, 42]), ("\x01", [104, 104, 42]), ("ü", [52, 52, 52, 52, 42])],
)
def test_a_stream_s_page_is_at_most_a_megabyte(
    logs: Any, clock: ManualClock, character: str, counts: list[int], head: bool
) -> None:
    """Bytes of UTF-8 count, however many the disk has of each: pages are as long as they can be, in both directions."""
    messages = [f"{number:03d}" + character * 9_971 for number in range(250)]
    for begin in range(0, 250, 50):
        write(logs, *[(clock.now_ms(), message) for message in messages[begin : begin + 50]])
    where = {"logGroupName": "g", "logStreamName": "s", "startFromHead": head}
    found: list[list[str]] = []
    token: dict[str, Any] = {}
    for _ in counts:
        page = logs.get_log_events(**where, **token)
        found.append(texts(page))
        token = {"nextToken": page["nextForwardToken" if head else "nextBackwardToken"]}
    assert [len(one) for one in found] == counts
    assert [text for one in (found if head else found[::-1]) for text in one] == messages


def test_expired_events_are_not_returned(logs: Any, clock: ManualClock) -> None:
    """Retention hides events at once, removed or not; a new policy shows what is still there."""
    now = clock.now_ms()
    write(logs, (now - 3 * 86_400_000, "old"))
    write(logs, (now, "new"))
    logs.put_retention_policy(logGroupName="g", retentionInDays=1)
    assert texts(logs.filter_log_events(logGroupName="g")) == ["new"]
    assert texts(logs.get_log_events(logGroupName="g", logStreamName="s")) == ["new"]
    logs.delete_retention_policy(logGroupName="g")
    assert texts(logs.filter_log_events(logGroupName="g")) == ["old", "new"]
    bad = refusal(logs.put_retention_policy, logGroupName="g", retentionInDays=2)
    assert bad[0] == "InvalidParameterException"
    assert "Value '2' at 'retentionInDays'" in bad[1]


def test_streams_are_ordered_by_their_last_event(logs: Any, clock: ManualClock) -> None:
    """Newest first where that is asked for; pages lead on; a stream that was never written comes last."""
    logs.create_log_stream(logGroupName="g", logStreamName="never")
    write(logs, (clock.now_ms() - 10, "x"), stream="t")
    write(logs, (clock.now_ms(), "x"), stream="s")
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName="g", orderBy="LastEventTime", descending=True, PaginationConfig={"PageSize": 2}
    )
    found = [stream for page in pages for stream in page["logStreams"]]
    assert [stream["logStreamName"] for stream in found] == ["s", "t", "never"]
    assert found[2].keys() == {"arn", "creationTime", "logStreamName", "storedBytes"}


def test_groups_are_found_by_parts_of_their_names(logs: Any) -> None:
    """By prefix or by what is in the name, case and all; not by both."""
    for name in ("/aws/lambda/Orders", "/aws/lambda/users"):
        logs.create_log_group(logGroupName=name)

    def described(**params: Any) -> list[str]:
        return [each["logGroupName"] for each in logs.describe_log_groups(**params)["logGroups"]]

    assert described(logGroupNamePattern="Order") == ["/aws/lambda/Orders"]
    assert described(logGroupNamePattern="order") == []
    assert described(logGroupNamePrefix="/aws") == ["/aws/lambda/Orders", "/aws/lambda/users"]
    assert refusal(logs.describe_log_groups, logGroupNamePattern="a", logGroupNamePrefix="a") == (
        "InvalidParameterException",
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
    )
    assert refusal(logs.describe_log_groups, limit=51)[0] == "InvalidParameterException"


def test_a_protected_group_is_not_deleted(logs: Any) -> None:
    """Until its protection is lifted."""
    logs.put_log_group_deletion_protection(logGroupIdentifier="g", deletionProtectionEnabled=True)
    assert logs.describe_log_groups()["logGroups"][0]["deletionProtectionEnabled"] is True
    assert refusal(logs.delete_log_group, logGroupName="g")[0] == "ValidationException"
    logs.put_log_group_deletion_protection(logGroupIdentifier="g", deletionProtectionEnabled=False)
    logs.delete_log_group(logGroupName="g")


def test_tags_are_those_of_both_apis(logs: Any) -> None:
    """The older operations and the newer ones see the same tags; fifty are the most; the ARN has no star."""
    arn = logs.describe_log_groups()["logGroups"][0]["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    logs.tag_log_group(logGroupName="g", tags={"c": "3"})
    logs.untag_log_group(logGroupName="g", tags=["a"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2", "c": "3"}
    assert logs.list_tags_log_group(logGroupName="g")["tags"] == {"b": "2", "c": "3"}
    many = {f"k{number}": "v" for number in range(49)}
    assert refusal(logs.tag_resource, resourceArn=arn, tags=many)[0] == "TooManyTagsException"
    assert refusal(logs.list_tags_for_resource, resourceArn=f"{arn}:*")[0] == "InvalidParameterException"


def test_an_operation_that_is_not_there(logs: Any) -> None:
    """Is answered as one that AWS doesn't know."""
    found = refusal(logs.put_delivery_source, name="d", resourceArn="arn:aws:s3:::b", logType="x")
    assert found[0] == "UnknownOperationException"
