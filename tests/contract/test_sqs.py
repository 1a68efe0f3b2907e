"""SQS's contract."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.contract.conftest import Backend


@pytest.fixture
def sqs(backend: Backend) -> Any:
    """A client."""
    return backend.client("sqs")


@pytest.fixture
def url(sqs: Any) -> str:
    """A queue."""
    found: str = sqs.create_queue(QueueName="q")["QueueUrl"]
    return found


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    """The code and text with which an operation is refused."""
    with pytest.raises(ClientError) as info:
        call(**params)
    error = info.value.response["Error"]
    return error["Code"], error["Message"]


def receive(sqs: Any, url: str, **params: Any) -> list[Any]:
    """The messages of one receive, with all attributes."""
    found: list[Any] = sqs.receive_message(
        QueueUrl=url, MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"], **params
    ).get("Messages", [])
    return found


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


def test_what_is_not_there(sqs: Any) -> None:
    """A queue that doesn't exist is AWS's error, by code and by class."""
    found = refusal(sqs.get_queue_url, QueueName="none")
    assert found[0] == "AWS.SimpleQueueService.NonExistentQueue"
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="none")


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


@pytest.mark.moto_deviates("moto does not name the attribute that differs")
def test_the_same_queue_can_be_created_again(sqs: Any, url: str) -> None:
    """The same attributes give the same queue; others are refused with the attribute's name."""
    assert sqs.create_queue(QueueName="q", Attributes={})["QueueUrl"] == url
    found = refusal(sqs.create_queue, QueueName="q", Attributes={"DelaySeconds": "3"})
    assert found == (
        "QueueAlreadyExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
    )


def test_a_message_received_too_often_goes_to_the_dead_letter_queue(sqs: Any, url: str) -> None:
    """With a redrive policy, the receive after the last one allowed moves the message, its id and count kept."""
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
    sent = sqs.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(2):
        assert len(receive(sqs, url, VisibilityTimeout=0)) == 1
    assert receive(sqs, url) == []
    (message,) = receive(sqs, dead)
    assert message["MessageId"] == sent["MessageId"]
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]


def test_queues_are_listed_by_prefix(sqs: Any, url: str) -> None:
    """Only names with the prefix come."""
    other = sqs.create_queue(QueueName="other")["QueueUrl"]
    assert sqs.list_queues(QueueNamePrefix="o")["QueueUrls"] == [other]
    assert sqs.list_queues()["QueueUrls"] == [other, url] or sqs.list_queues()["QueueUrls"] == [url, other]
