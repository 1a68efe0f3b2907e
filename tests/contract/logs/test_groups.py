"""CloudWatch Logs' contract: groups and streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.logs.conftest import put, texts
from tests.refusals import refusal

if TYPE_CHECKING:
    from tests.contract.conftest import Backend


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


@pytest.mark.moto_deviates("moto has no deletion protection")
def test_a_protected_group_stays(logs: Any) -> None:
    """It is deleted once the protection is taken from it."""
    logs.put_log_group_deletion_protection(logGroupIdentifier="g", deletionProtectionEnabled=True)
    assert logs.describe_log_groups()["logGroups"][0]["deletionProtectionEnabled"] is True
    assert refusal(logs.delete_log_group, logGroupName="g")[0] == "ValidationException"
    logs.put_log_group_deletion_protection(logGroupIdentifier="g", deletionProtectionEnabled=False)
    logs.delete_log_group(logGroupName="g")
    assert logs.describe_log_groups()["logGroups"] == []


def test_names_are_what_they_are(logs: Any, backend: Backend) -> None:
    """Long names, names that differ in case alone, that look like paths, and unicode streams: each is its own."""
    groups = ["a", "A", "a/b", ".", "..", "a/../b", "/", "#", "G", "x" * 512]
    streams = [
        "[$LATEST]",
        "2026/01/02/[$LATEST]0a",
        ".",
        "..",
        "a/b",
        "S",
        "ß",
        "日本語 🎉",
        "a%2Fb",
        "y" * 512,
    ]
    for name in groups:
        logs.create_log_group(logGroupName=name)
    for name in streams:
        logs.create_log_stream(logGroupName="..", logStreamName=name)
        events = [{"timestamp": backend.now, "message": f"of {name}"}]
        logs.put_log_events(logGroupName="..", logStreamName=name, logEvents=events)
    pages = logs.get_paginator("describe_log_groups").paginate()
    assert [each["logGroupName"] for page in pages for each in page["logGroups"]] == sorted([*groups, "g"])
    found = logs.describe_log_streams(logGroupName="..")["logStreams"]
    assert [each["logStreamName"] for each in found] == sorted(streams)
    for name in streams:
        assert texts(logs.get_log_events(logGroupName="..", logStreamName=name)) == [f"of {name}"]
    assert texts(logs.filter_log_events(logGroupName=".")) == []
    logs.delete_log_group(logGroupName=".")
    assert len(logs.filter_log_events(logGroupName="..")["events"]) == len(streams)


LAX = pytest.mark.moto_deviates("moto asks nothing but the length of a name")


@pytest.mark.parametrize(
    "name", ["x" * 513, *(pytest.param(name, marks=LAX) for name in ("aws/lambda", "a b", "é", "a*"))]
)
def test_names_that_cannot_be(logs: Any, name: str) -> None:
    """Too long, reserved, or with characters that groups' names don't have."""
    assert refusal(logs.create_log_group, logGroupName=name)[0] == "InvalidParameterException"


@LAX
@pytest.mark.parametrize("name", ["a:b", "a*b"])
def test_streams_that_cannot_be(logs: Any, name: str) -> None:
    """No colon and no star."""
    assert refusal(logs.create_log_stream, logGroupName="g", logStreamName=name)[0] == (
        "InvalidParameterException"
    )


@pytest.mark.moto_deviates("moto speaks of a group where it means a stream")
def test_a_stream_is_deleted_once(logs: Any) -> None:
    """With its events; then it isn't there."""
    logs.delete_log_stream(logGroupName="g", logStreamName="s")
    assert logs.describe_log_streams(logGroupName="g")["logStreams"] == []
    assert refusal(logs.delete_log_stream, logGroupName="g", logStreamName="s") == (
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )


def test_tags_by_the_groups_name(logs: Any) -> None:
    """The older operations see what the newer ones do."""
    logs.tag_log_group(logGroupName="g", tags={"team": "shop", "env": "dev"})
    logs.untag_log_group(logGroupName="g", tags=["env"])
    assert logs.list_tags_log_group(logGroupName="g")["tags"] == {"team": "shop"}
    arn = logs.describe_log_groups()["logGroups"][0]["logGroupArn"]
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "shop"}


@pytest.mark.moto_deviates("moto doesn't have ListLogGroups")
def test_groups_are_listed_by_pattern(logs: Any) -> None:
    """By a part of the name."""
    logs.create_log_group(logGroupName="/aws/lambda/orders")
    found = logs.list_log_groups(logGroupNamePattern="orders")["logGroups"]
    assert [group["logGroupName"] for group in found] == ["/aws/lambda/orders"]
    assert logs.list_log_groups(logGroupNamePattern="users")["logGroups"] == []


@pytest.mark.moto_deviates(
    "moto's records lack the deletion protection, and are the same however they are found"
)
def test_a_groups_record_is_awss(logs: Any) -> None:
    """Every field of it, in a group that has nothing set; found by a part of its name it has fewer."""
    (group,) = logs.describe_log_groups(logGroupNamePrefix="g")["logGroups"]
    short = {
        "logGroupName": "g",
        "creationTime": group["creationTime"],
        "metricFilterCount": 0,
        "arn": group["logGroupArn"] + ":*",
        "logGroupArn": group["logGroupArn"],
        "logGroupClass": "STANDARD",
    }
    assert group == short | {"storedBytes": 0, "deletionProtectionEnabled": False}
    logs.put_retention_policy(logGroupName="g", retentionInDays=3)
    assert logs.describe_log_groups(logGroupNamePattern="g")["logGroups"] == [short]


def test_a_stream_that_was_never_written_has_four_fields(logs: Any) -> None:
    """Its name, its time, its ARN without a star, and no bytes."""
    (stream,) = logs.describe_log_streams(logGroupName="g")["logStreams"]
    (group,) = logs.describe_log_groups()["logGroups"]
    assert stream == {
        "logStreamName": "s",
        "creationTime": stream["creationTime"],
        "arn": group["logGroupArn"] + ":log-stream:s",
        "storedBytes": 0,
    }


def test_resource_policies_are_kept(logs: Any) -> None:
    """Put, described, deleted once."""
    document = '{"Version":"2012-10-17","Statement":[]}'
    logs.put_resource_policy(policyName="p", policyDocument=document)
    (found,) = logs.describe_resource_policies()["resourcePolicies"]
    assert (found["policyName"], found["policyDocument"]) == ("p", document)
    logs.delete_resource_policy(policyName="p")
    assert refusal(logs.delete_resource_policy, policyName="p")[0] == "ResourceNotFoundException"


@pytest.mark.moto_deviates("moto doesn't have deletion protection")
def test_a_protected_group_is_not_deleted(logs: Any) -> None:
    """Until its protection is taken off."""
    logs.put_log_group_deletion_protection(logGroupIdentifier="g", deletionProtectionEnabled=True)
    assert refusal(logs.delete_log_group, logGroupName="g")[0] == "ValidationException"
    logs.put_log_group_deletion_protection(logGroupIdentifier="g", deletionProtectionEnabled=False)
    logs.delete_log_group(logGroupName="g")
