"""Half a surrogate pair in a parameter: refused with its place, before anything is done."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ParamValidationError

from lambdalog.local.halves import half_at
from tests.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambdalog.cloud import Cloud

HALF = "a\ud800b"
TOPIC = "arn:aws:sns:us-east-1:000000000000:t"
ROLE = "arn:aws:iam::000000000000:role/r"
ASKED: dict[str, tuple[str, Callable[[Cloud], Any]]] = {
    "logs, a name": (
        "logStreamName",
        lambda c: c.logs.create_log_stream(logGroupName="g", logStreamName=HALF),
    ),
    "logs, a tag's name": (
        "tags.a\\ud800b",
        lambda c: c.logs.create_log_group(logGroupName="h", tags={HALF: "v"}),
    ),
    "logs, a policy": (
        "policyDocument",
        lambda c: c.logs.put_resource_policy(policyName="p", policyDocument=HALF),
    ),
    "sqs, a body": ("MessageBody", lambda c: c.sqs.send_message(QueueUrl="q", MessageBody=HALF)),
    "sqs, one of a batch": (
        "Entries[1].MessageBody",
        lambda c: c.sqs.send_message_batch(
            QueueUrl="q", Entries=[{"Id": "1", "MessageBody": "m"}, {"Id": "2", "MessageBody": HALF}]
        ),
    ),
    "sqs, a tag": ("tags.k", lambda c: c.sqs.create_queue(QueueName="r", tags={"k": HALF})),
    "sns, a subject": (
        "Subject",
        lambda c: c.sns.publish(TopicArn=TOPIC, Message="m", Subject=HALF),
    ),
    "sns, a tag": (
        "Tags[0].Value",
        lambda c: c.sns.tag_resource(ResourceArn=TOPIC, Tags=[{"Key": "k", "Value": HALF}]),
    ),
    "lambda, a description": (
        "Description",
        lambda c: c.lambda_.create_function(
            FunctionName="f", Role=ROLE, Code={"ZipFile": b""}, Description=HALF
        ),
    ),
}


def held(cloud: Cloud) -> list[Any]:
    """What the services list."""
    sqs, sns = cloud.sqs, cloud.sns
    url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    return [
        cloud.logs.describe_log_groups()["logGroups"],
        cloud.logs.describe_log_streams(logGroupName="g")["logStreams"],
        cloud.logs.describe_resource_policies()["resourcePolicies"],
        sqs.list_queues()["QueueUrls"],
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"],
        sns.list_tags_for_resource(ResourceArn=TOPIC)["Tags"],
        cloud.lambda_.list_functions()["Functions"],
    ]


@pytest.mark.parametrize("name", ASKED)
def test_it_is_refused_and_nothing_is_changed(cloud: Cloud, name: str) -> None:
    """Whatever the service, the parameter is named, and the store holds what it held."""
    cloud.logs.create_log_group(logGroupName="g")
    cloud.sqs.create_queue(QueueName="q")
    cloud.sns.create_topic(Name="t")
    before = held(cloud)
    where, ask = ASKED[name]
    with pytest.raises(ParamValidationError) as raised:
        ask(cloud)
    assert f"parameter {where}: half a surrogate pair" in str(raised.value)
    assert held(cloud) == before


def test_no_stream_has_such_a_name(cloud: Cloud) -> None:
    """Events for one are refused as for any that is not there."""
    cloud.logs.create_log_group(logGroupName="g")
    events = [{"timestamp": 1, "message": "m"}]
    assert refusal(cloud.logs.put_log_events, logGroupName="g", logStreamName=HALF, logEvents=events) == (
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )


def test_what_is_no_text_is_passed_over(tmp_path: Path) -> None:
    """Bytes, files, times and large numbers hold no half, and text of any plane is whole."""
    file = tmp_path / "f"
    file.write_bytes(b"x")
    with file.open("rb") as opened:
        params = {"a": b"\xff", "b": opened, "c": datetime.now(UTC), "d": 10**30, "e": "\U0001f600"}
        assert half_at(params) is None
        assert half_at({**params, "f": [{"g": HALF}]}) == "f[0].g"
