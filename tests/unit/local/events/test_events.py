"""Events as AWS's services make them: keys, order, types."""

from __future__ import annotations

import pytest

from lambdalog.local.events.api_gateway import Call, version_1, version_2
from lambdalog.local.events.bucket import ObjectChange, keys_of, notification
from lambdalog.local.events.dynamodb import stream_event, typed
from lambdalog.local.events.messages import queue_event, topic_event

AT = 1_700_000_000.25
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:q"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:t"


def test_s3s_keys_come_back_as_they_were() -> None:
    """Quoted in the event, read by its reader."""
    keys = ["a b/ü+%.png", "plain", "日本/?&="]
    changes = [ObjectChange("bucket", key, "ObjectCreated:Put", AT) for key in keys]
    event = notification(changes, region="eu-west-1", account="123456789012")
    assert keys_of(event) == keys
    assert event["Records"][0]["eventTime"] == "2023-11-14T22:13:20.250Z"
    with pytest.raises(ValueError, match="not an S3 notification"):
        keys_of({"Records": [1]})


def test_values_are_written_in_dynamodbs_types() -> None:
    """Each JSON type has one."""
    assert typed({"a": [1, "x", None, True, 1.5]}) == {
        "M": {"a": {"L": [{"N": "1"}, {"S": "x"}, {"NULL": True}, {"BOOL": True}, {"N": "1.5"}]}}
    }
    with pytest.raises(ValueError, match="bytes is no value"):
        typed(b"x")


def test_a_change_has_the_images_that_its_kind_has() -> None:
    """Old and new as they are given, keys always."""
    event = stream_event(
        "MODIFY",
        stream_arn="arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/x",
        keys={"id": "1"},
        old={"id": "1", "n": 1},
        new={"id": "1", "n": 2},
        at=AT,
        region="eu-west-1",
        event_id="e",
    )
    (record,) = event["Records"]
    assert record["dynamodb"]["NewImage"]["n"] == {"N": "2"}
    assert record["dynamodb"]["OldImage"]["n"] == {"N": "1"}
    assert record["dynamodb"]["ApproximateCreationDateTime"] == 1_700_000_000.0
    assert record["eventSource"] == "aws:dynamodb"


def test_a_queues_event_has_a_record_a_message() -> None:
    """Digest, region and account by the queue's ARN, attributes in small letters."""
    event = queue_event(["a", "b"], queue_arn=QUEUE, at=AT, message_ids=["1", "2"], attributes={"k": "v"})
    first, second = event["Records"]
    assert (first["md5OfBody"], first["awsRegion"]) == ("0cc175b9c0f1b6a831c399e269772661", "eu-west-1")
    assert first["attributes"]["SentTimestamp"] == "1700000000250"
    assert second["messageAttributes"]["k"]["stringValue"] == "v"


def test_a_topics_event_has_lambdas_spelling() -> None:
    """SigningCertUrl and UnsubscribeUrl, and MessageAttributes always."""
    event = topic_event("m", topic_arn=TOPIC, at=AT, message_id="1", subject=None, attributes={})
    found = event["Records"][0]["Sns"]
    assert {"SigningCertUrl", "UnsubscribeUrl"} <= found.keys()
    assert (found["MessageAttributes"], found["Subject"], found["Timestamp"]) == (
        {},
        None,
        "2023-11-14T22:13:20.250Z",
    )


def test_an_apis_events_are_of_their_versions() -> None:
    """Version 1 has both kinds of parameters, version 2 joins them and writes header names small."""
    call = Call(
        "POST",
        "/orders",
        "{}",
        AT,
        "r",
        "123456789012",
        "eu-west-1",
        (("a", "1"), ("a", "2")),
        {"X-Key": "k"},
    )
    one, two = version_1(call), version_2(call)
    assert (one["queryStringParameters"], one["multiValueQueryStringParameters"]) == (
        {"a": "2"},
        {"a": ["1", "2"]},
    )
    assert (one["headers"]["X-Key"], one["multiValueHeaders"]["X-Key"]) == ("k", ["k"])
    assert one["requestContext"]["requestTime"] == "14/Nov/2023:22:13:20 +0000"
    assert (two["version"], two["rawQueryString"], two["queryStringParameters"]) == (
        "2.0",
        "a=1&a=2",
        {"a": "1,2"},
    )
    assert two["headers"]["x-key"] == "k"
    assert two["requestContext"]["http"]["method"] == "POST"
