"""SQS's contract: FIFO queues."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.sqs.conftest import receive
from tests.refusals import refusal

if TYPE_CHECKING:
    from tests.contract.conftest import Backend


@pytest.fixture
def fifo(sqs: Any) -> str:
    """A FIFO queue."""
    found: str = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    return found


def send(sqs: Any, url: str, body: str, group: str = "g", dedup: str | None = None) -> Any:
    """Send to a FIFO queue."""
    return sqs.send_message(
        QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=dedup or body
    )


def test_a_group_comes_in_order_and_one_hand(backend: Backend, sqs: Any, fifo: str) -> None:
    """While a message of a group is in flight, none behind it is given out; other groups are."""
    if backend.name == "moto":
        pytest.skip("moto orders what was sent within a millisecond by chance")
    for body, group in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        sent = send(sqs, fifo, body, group)
        assert len(sent["SequenceNumber"]) == 20
    first = receive(sqs, fifo)
    second = receive(sqs, fifo)
    assert [message["Body"] for message in first + second] == ["a1", "b1"]
    assert first[0]["Attributes"].items() >= {"MessageGroupId": "a", "MessageDeduplicationId": "a1"}.items()
    assert receive(sqs, fifo) == []
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=first[0]["ReceiptHandle"])
    (third,) = receive(sqs, fifo)
    assert third["Body"] == "a2"
    assert int(third["Attributes"]["SequenceNumber"]) > int(first[0]["Attributes"]["SequenceNumber"])


@pytest.mark.moto_deviates("moto gives a duplicate an id of its own")
def test_a_duplicate_is_accepted_and_not_kept(sqs: Any, fifo: str) -> None:
    """It gets the first one's id, also past its deletion, and in another group."""
    sent = send(sqs, fifo, "x", "a", "d")
    assert send(sqs, fifo, "other", "b", "d")["MessageId"] == sent["MessageId"]
    (message,) = receive(sqs, fifo, MaxNumberOfMessages=10)
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=message["ReceiptHandle"])
    again = send(sqs, fifo, "x", "a", "d")
    assert (again["MessageId"], again["SequenceNumber"]) == (sent["MessageId"], sent["SequenceNumber"])
    assert receive(sqs, fifo) == []


def test_the_same_content_is_a_duplicate(sqs: Any, fifo: str) -> None:
    """With content-based deduplication the id is the body's SHA-256; a given id goes before it."""
    sqs.set_queue_attributes(QueueUrl=fifo, Attributes={"ContentBasedDeduplication": "true"})
    for dedup in ({}, {}, {"MessageDeduplicationId": "own"}):
        sqs.send_message(QueueUrl=fifo, MessageBody="m", MessageGroupId="g", **dedup)
    found = receive(sqs, fifo, MaxNumberOfMessages=10)
    assert [message["Attributes"]["MessageDeduplicationId"] for message in found] == [
        hashlib.sha256(b"m").hexdigest(),
        "own",
    ]


@pytest.mark.moto_deviates("moto asks for the parameters in another order")
def test_what_a_fifo_queue_asks_for(sqs: Any, fifo: str) -> None:
    """A group, a deduplication id unless the content tells, and no delay of its own; in a batch for all of it."""
    for params, text in (
        ({}, "The request must contain the parameter MessageGroupId."),
        (
            {"MessageGroupId": "g"},
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        ),
        (
            {"MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 2},
            (
                "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for "
                "this queue type."
            ),
        ),
    ):
        assert refusal(sqs.send_message, QueueUrl=fifo, MessageBody="m", **params)[1] == text
        assert refusal(
            sqs.send_message_batch, QueueUrl=fifo, Entries=[{"Id": "1", "MessageBody": "m"} | params]
        ) == ("InvalidParameterValue", text)
    assert refusal(sqs.set_queue_attributes, QueueUrl=fifo, Attributes={"FifoQueue": "false"}) == (
        "InvalidAttributeValue",
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
    )
