"""SNS's contract: publishing, alone and in batches."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.contract.sns.conftest import bodies, invalid, receive, subscribe
from tests.refusals import refused

# Attribute n, a Number, 99.12, as SQS digests it.
NUMBER_99 = b"\0\0\0\x01n\0\0\0\x06Number\x01\0\0\0\x0599.12"


def test_a_queue_gets_the_envelope(sns: Any, sqs: Any, topic: str) -> None:
    """Keys, types and values as SNS has them; binary attributes as base64."""
    url, _ = subscribe(sns, sqs, topic)
    attributes = {
        "n": {"DataType": "Number", "StringValue": "99.12"},
        "b": {"DataType": "Binary", "BinaryValue": b"\x02\x03\x04"},
    }
    sent = sns.publish(TopicArn=topic, Message="naïve", Subject="s", MessageAttributes=attributes)
    (body,) = bodies(sqs, url)
    found = json.loads(body)
    assert found["Type"] == "Notification"
    assert (found["MessageId"], found["TopicArn"]) == (sent["MessageId"], topic)
    assert (found["Message"], found["Subject"]) == ("naïve", "s")
    assert found["MessageAttributes"] == {
        "n": {"Type": "Number", "Value": "99.12"},
        "b": {"Type": "Binary", "Value": "AgME"},
    }
    assert {"Timestamp", "SignatureVersion", "Signature", "SigningCertURL"} <= found.keys()
    assert f"Action=Unsubscribe&SubscriptionArn={topic.rpartition(':')[0]}" in found["UnsubscribeURL"]


def test_raw_delivery(sns: Any, sqs: Any, topic: str) -> None:
    """The message itself; its attributes are the queue's."""
    url, arn = subscribe(sns, sqs, topic, RawMessageDelivery="true")
    attributes = {"n": {"DataType": "Number", "StringValue": "99.12"}}
    sns.publish(TargetArn=topic, Message="m", MessageAttributes=attributes)
    (found,) = receive(sqs, url)
    assert (found["Body"], found["MessageAttributes"]) == ("m", attributes)
    assert found["MD5OfMessageAttributes"] == hashlib.md5(NUMBER_99, usedforsecurity=False).hexdigest()
    sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="false"
    )
    sns.publish(TopicArn=topic, Message="m")
    assert json.loads(bodies(sqs, url)[0])["Message"] == "m"


def test_a_message_for_each_protocol(sns: Any, sqs: Any, topic: str) -> None:
    """With MessageStructure json an endpoint gets the text of its protocol, or the default."""
    url, _ = subscribe(sns, sqs, topic, RawMessageDelivery="true")
    for texts in ({"default": "d", "sqs": "for a queue"}, {"default": "d", "lambda": "no"}):
        sns.publish(TopicArn=topic, Message=json.dumps(texts), MessageStructure="json")
    assert sorted(bodies(sqs, url)) == ["d", "for a queue"]


BAD_MESSAGES: list[Any] = [
    ({"Message": ""}, "Empty message"),
    ({"Message": "m", "Subject": ""}, "Subject"),
    ({"Message": "m", "Subject": "s" * 100}, "Subject"),
    ({"Message": "m", "Subject": "a\nb"}, "Subject"),
    ({"Message": "x" * 262_145}, "Message too long"),
    (
        {"Message": "{", "MessageStructure": "json"},
        "Message Structure - JSON message body failed to parse",
    ),
    (
        {"Message": '{"sqs": "x"}', "MessageStructure": "json"},
        "Message Structure - No default entry in JSON message body",
    ),
    (
        {"Message": '{"default": 1}', "MessageStructure": "json"},
        "Message Structure - No default entry in JSON message body",
    ),
    (
        {"Message": "m", "MessageDeduplicationId": "d"},
        (
            "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for "
            "this topic type"
        ),
    ),
]


@pytest.mark.moto_deviates("moto has other texts, or none")
def test_a_message_that_is_not_taken(sns: Any, sqs: Any, topic: str) -> None:
    """Each broken rule has its text, and nothing is delivered."""
    url, _ = subscribe(sns, sqs, topic)
    for params, text in BAD_MESSAGES:
        assert refused(sns.publish, TopicArn=topic, **params) == invalid(text)
    assert bodies(sqs, url) == []


BAD_MESSAGE_ATTRIBUTES: list[Any] = [
    (
        "attr1",
        {"DataType": "Binary", "StringValue": "x"},
        "The message attribute 'attr1' with type 'Binary' must use field 'Binary'.",
    ),
    (
        "attr1",
        {"DataType": "Number", "BinaryValue": b"x"},
        "The message attribute 'attr1' with type 'Number' must use field 'String'.",
    ),
    (
        "attr1",
        {"DataType": "String", "StringValue": ""},
        (
            "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type "
            "'String'."
        ),
    ),
    (
        "attr1",
        {"DataType": "String"},
        (
            "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type "
            "'String'."
        ),
    ),
    (
        "attr1",
        {"DataType": "Stringprefixed", "StringValue": "x"},
        (
            "The message attribute 'attr1' has an invalid message attribute type, the set of supported type prefixes is "
            "Binary, Number, and String."
        ),
    ),
    (
        "attr1",
        {"DataType": "Number", "StringValue": "Hello"},
        "Could not cast message attribute 'attr1' value to number.",
    ),
    (
        "attr^1",
        {"DataType": "String", "StringValue": "x"},
        (
            "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include "
            "alphanumeric characters, hyphens, underscores, or dots."
        ),
    ),
    (
        ".attr1",
        {"DataType": "String", "StringValue": "x"},
        "Invalid message attribute name starting with character '.' was found.",
    ),
    (
        "attr1.",
        {"DataType": "String", "StringValue": "x"},
        "Invalid message attribute name ending with character '.' was found.",
    ),
    (
        "a..b",
        {"DataType": "String", "StringValue": "x"},
        "Message attribute name can not have successive '.' character.",
    ),
    (
        "a" * 257,
        {"DataType": "String", "StringValue": "x"},
        "Length of message attribute name must be less than 256 bytes.",
    ),
]


@pytest.mark.moto_deviates("moto checks names by another pattern")
def test_message_attributes_are_checked(sns: Any, topic: str) -> None:
    """One by one and in batches, in SNS's words."""
    for name, value, text in BAD_MESSAGE_ATTRIBUTES:
        expected = ("ParameterValueInvalid", text, 400)
        entry = {"Message": "m", "MessageAttributes": {name: value}}
        assert refused(sns.publish, TopicArn=topic, **entry) == expected
        batch = [{"Id": "1"} | entry]
        assert refused(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=batch) == expected


def test_a_batch_is_published(sns: Any, sqs: Any, topic: str) -> None:
    """Each entry has an id of its own in the answer, and arrives."""
    url, _ = subscribe(sns, sqs, topic, RawMessageDelivery="true")
    entries = [{"Id": str(n), "Message": f"m{n}"} for n in range(10)]
    told = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [entry["Id"] for entry in told["Successful"]] == [str(n) for n in range(10)]
    assert told["Failed"] == []
    assert sorted(bodies(sqs, url)) == [f"m{n}" for n in range(10)]


@pytest.mark.moto_deviates("moto words an empty batch, and sizes, in its own way")
def test_a_batch_that_is_not_taken(sns: Any, topic: str) -> None:
    """Number, ids and size of a batch."""

    def batch(*ids: str, message: str = "m") -> str:
        entries = [{"Id": entry, "Message": message} for entry in ids]
        return refused(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=entries)[1]

    assert batch() == "The batch request doesn't contain any entries."
    assert batch(*(str(n) for n in range(11))) == "The batch request contains more entries than permissible."
    assert batch("a", "a") == "Two or more batch entries in the request have the same Id."
    assert batch("a b") == "The Id of a batch entry in a batch request doesn't abide by the specification."
    assert batch("a", "b", message="x" * 140_000) == (
        "The length of all the messages put together is more than the limit."
    )
