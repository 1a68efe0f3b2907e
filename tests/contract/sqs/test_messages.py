"""SQS's contract: messages, alone and in batches."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.contract.sqs.conftest import receive
from tests.refusals import refusal


def test_a_message_comes_back_as_it_was_sent(sqs: Any, url: str) -> None:
    """Body, attributes and digests are those of the send."""
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": "r-1"},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    sent = sqs.send_message(QueueUrl=url, MessageBody="naïve", MessageAttributes=attributes)
    (message,) = receive(sqs, url)
    assert message["Body"] == "naïve"
    assert message["MessageId"] == sent["MessageId"]
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"] == hashlib.md5("naïve".encode()).hexdigest()
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["MessageAttributes"] == attributes
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_received_message_is_hidden_until_deleted(sqs: Any, url: str) -> None:
    """While it is in flight no one else gets it; deleted, no one ever does."""
    sqs.send_message(QueueUrl=url, MessageBody="a")
    (message,) = receive(sqs, url)
    assert receive(sqs, url) == []
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_a_message_can_be_given_back(sqs: Any, url: str) -> None:
    """Visibility 0 lets the next receive have it, counted."""
    sqs.send_message(QueueUrl=url, MessageBody="a")
    (message,) = receive(sqs, url)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    (again,) = receive(sqs, url)
    assert again["MessageId"] == message["MessageId"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def test_batches_succeed_and_fail_entry_by_entry(sqs: Any, url: str) -> None:
    """What is sent in a batch is received in batches and deleted in one."""
    sent = sqs.send_message_batch(
        QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": f"m{n}"} for n in range(10)]
    )
    assert [entry["Id"] for entry in sent["Successful"]] == [str(n) for n in range(10)]
    messages = receive(sqs, url, MaxNumberOfMessages=10)
    entries = [
        {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)
    ]
    assert len(sqs.delete_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 10


@pytest.mark.parametrize(
    ("count", "code"),
    [
        (0, "AWS.SimpleQueueService.EmptyBatchRequest"),
        (20, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
    ],
)
def test_a_batch_has_one_to_ten_entries(sqs: Any, url: str, count: int, code: str) -> None:
    """An empty or an overfull batch is refused whole."""
    entries = [{"Id": str(n), "MessageBody": "m"} for n in range(count)]
    assert refusal(sqs.send_message_batch, QueueUrl=url, Entries=entries)[0] == code


@pytest.mark.moto_deviates("moto words the maximum of a receive in its own way")
def test_a_receive_asks_for_one_to_ten(sqs: Any, url: str) -> None:
    """Eleven messages at once are refused in AWS's words."""
    assert refusal(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=11) == (
        "InvalidParameterValue",
        "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
    )


def test_a_message_has_a_largest_size(sqs: Any, url: str) -> None:
    """A message over the queue's maximum is refused."""
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MaximumMessageSize": "1024"})
    assert refusal(sqs.send_message, QueueUrl=url, MessageBody="x" * 1025) == (
        "InvalidParameterValue",
        "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
    )


@pytest.mark.moto_deviates("moto takes many of them")
def test_a_message_that_is_not_taken(sqs: Any, url: str) -> None:
    """Bodies, attributes and numbers that break a rule; each has its text, and the queue stays empty."""
    text = {"DataType": "String", "StringValue": "x"}
    for params, expected in (
        ({"MessageBody": ""}, ("MissingParameter", "The request must contain the parameter MessageBody.")),
        (
            {"MessageBody": "a￿"},
            (
                "InvalidMessageContents",
                (
                    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to "
                    "#xFFFD | #x10000 to #x10FFFF"
                ),
            ),
        ),
        (
            {"MessageBody": "m", "DelaySeconds": 901},
            (
                "InvalidParameterValue",
                "Value 901 for parameter DelaySeconds is invalid. Reason: Must be >= 0 and <= 900, if provided.",
            ),
        ),
        (
            {"MessageBody": "m", "MessageGroupId": "a b"},
            (
                "InvalidParameterValue",
                (
                    "Value a b for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric "
                    "and punctuation characters. 1 to 128 in length."
                ),
            ),
        ),
        (
            {"MessageBody": "m", "MessageDeduplicationId": "d"},
            (
                "InvalidParameterValue",
                (
                    "Value d for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is "
                    "not valid for this queue type."
                ),
            ),
        ),
        (
            {"MessageBody": "m", "MessageAttributes": {"E": {"DataType": "String", "StringValue": ""}}},
            (
                "InvalidParameterValue",
                "Message (user) attribute 'E' must contain a non-empty value of type 'String'.",
            ),
        ),
        (
            {"MessageBody": "m", "MessageAttributes": {"AWS.x": text}},
            ("InvalidParameterValue", "Message (user) attribute name 'AWS.x' is invalid."),
        ),
        (
            {"MessageBody": "m", "MessageAttributes": {f"a{n}": text for n in range(11)}},
            ("InvalidParameterValue", "Number of message attributes [11] exceeds the allowed maximum [10]."),
        ),
        (
            {"MessageBody": "x" * 1_048_577},
            (
                "InvalidParameterValue",
                "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
            ),
        ),
    ):
        assert refusal(sqs.send_message, QueueUrl=url, **params) == expected
    assert receive(sqs, url) == []


@pytest.mark.moto_deviates("moto refuses a batch whole")
def test_one_bad_entry_leaves_the_others(sqs: Any, url: str) -> None:
    """A batch succeeds and fails entry by entry: sent, hidden, deleted."""
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MaximumMessageSize": "1024"})
    sent = sqs.send_message_batch(
        QueueUrl=url,
        Entries=[{"Id": "large", "MessageBody": "x" * 1025}, {"Id": "right", "MessageBody": "m"}],
    )
    assert [entry["Id"] for entry in sent["Successful"]] == ["right"]
    assert sent["Failed"] == [
        {
            "Id": "large",
            "SenderFault": True,
            "Code": "InvalidParameterValue",
            "Message": "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.",
        }
    ]
    (message,) = receive(sqs, url)
    entries: list[Any] = [
        {"Id": "bad", "ReceiptHandle": "no handle", "VisibilityTimeout": 5},
        {"Id": "long", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 43_201},
        {"Id": "right", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 60},
    ]
    hidden = sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in hidden["Successful"]] == ["right"]
    assert [entry["Code"] for entry in hidden["Failed"]] == [
        "ReceiptHandleIsInvalid",
        "InvalidParameterValue",
    ]
    for entry in entries:
        del entry["VisibilityTimeout"]
    deleted = sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in deleted["Successful"]] == ["long", "right"]
    assert [entry["Message"] for entry in deleted["Failed"]] == ["The input receipt handle is invalid."]


@pytest.mark.moto_deviates("moto does not check every id")
def test_the_entries_of_a_batch_are_checked(sqs: Any, url: str) -> None:
    """Ids are distinct and plain; together they are no longer than one message."""

    def batch(*ids: str, body: str = "m") -> tuple[str, str]:
        entries = [{"Id": entry, "MessageBody": body} for entry in ids]
        return refusal(sqs.send_message_batch, QueueUrl=url, Entries=entries)

    plain = (
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters "
        "long."
    )
    prefix = "AWS.SimpleQueueService"
    assert batch("a:b") == (f"{prefix}.InvalidBatchEntryId", plain)
    assert batch("a" * 81) == (f"{prefix}.InvalidBatchEntryId", plain)
    assert batch("a", "a") == (f"{prefix}.BatchEntryIdsNotDistinct", "Id a repeated.")
    assert batch("a", "b", body="x" * 600_000) == (
        f"{prefix}.BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes.",
    )
    assert refusal(
        sqs.delete_message_batch,
        QueueUrl=url,
        Entries=[{"Id": str(n), "ReceiptHandle": "x"} for n in range(11)],
    ) == (
        f"{prefix}.TooManyEntriesInBatchRequest",
        "Maximum number of entries per request are 10. You have sent 11.",
    )


def test_only_the_attributes_that_are_asked_for_come(sqs: Any, url: str) -> None:
    """By name, by prefix, or all; system attributes by name."""
    text = {"DataType": "String", "StringValue": "x"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
    sqs.send_message(
        QueueUrl=url, MessageBody="m", MessageAttributes={"Foo": text, "Foo.Bar": text, "Baz": text}
    )
    for names, expected in (
        ([], set()),
        (["Foo"], {"Foo"}),
        (["Foo.*"], {"Foo", "Foo.Bar"}),
        (["All"], {"Foo", "Foo.Bar", "Baz"}),
    ):
        (message,) = sqs.receive_message(
            QueueUrl=url, MessageAttributeNames=names, AttributeNames=["SentTimestamp"]
        )["Messages"]
        assert message.get("MessageAttributes", {}).keys() == expected
        assert message["Attributes"].keys() == {"SentTimestamp"}
        assert ("MD5OfMessageAttributes" in message) == bool(expected)


def test_a_trace_header_is_carried_on(sqs: Any, url: str) -> None:
    """AWSTraceHeader is a system attribute of the message."""
    header = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1"
    sqs.send_message(
        QueueUrl=url,
        MessageBody="m",
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": header}},
    )
    (message,) = receive(sqs, url)
    assert message["Attributes"]["AWSTraceHeader"] == header


def test_a_handle_that_is_none(sqs: Any, url: str) -> None:
    """It is refused, by name of the error."""
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        sqs.delete_message(QueueUrl=url, ReceiptHandle="garbage")
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle="garbage", VisibilityTimeout=3)
