"""The shortest way of the three operations: nobody can tell it from the general one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from lambdalog.arn import Scope
from lambdalog.lineage import current_trace
from lambdalog.local.sqs import Sqs
from lambdalog.local.sqs.receiving import ReceiveOperations
from lambdalog.local.sqs.sending import SendOperations
from tests.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.clock import ManualClock
    from tests.unit.local.sqs.conftest import Desk

# Parameters that change nothing, and that only the general way knows.
SENT_GENERALLY = {"DelaySeconds": 0}
RECEIVED_GENERALLY = {"VisibilityTimeout": 30}
UNCOMMON = ("é ☃ \U0001f600", "two\nlines\tand\ra half", "x" * 5000)


@pytest.fixture
def two(desk: Desk, store_path: Path, clock: ManualClock) -> Iterator[tuple[Any, Any, str]]:
    """Two clients of one store, both of which know the queue, and its URL."""
    url = desk.queue()
    other: Any = Sqs(store_path, scope=Scope(), clock=clock)
    other.receive_message(QueueUrl=url)
    yield desk.sqs, other, url
    other.close()


@pytest.mark.parametrize("body", ["plain", *UNCOMMON])
@pytest.mark.parametrize("asked", [{}, {"AttributeNames": ["All"], "MessageAttributeNames": ["All"]}])
def test_both_ways_tell_the_same(desk: Desk, body: str, asked: dict[str, Any]) -> None:
    """Sent, received and deleted either way, a message has the same fields with the same values but for what is its own."""
    url = desk.queue()
    told = []
    for sent, received in (({}, {}), (SENT_GENERALLY, RECEIVED_GENERALLY)):
        answer = desk.sqs.send_message(QueueUrl=url, MessageBody=body, **sent)
        found = desk.sqs.receive_message(QueueUrl=url, **asked, **received)
        (message,) = found["Messages"]
        assert message.pop("MessageId") == answer.pop("MessageId")
        handle = message.pop("ReceiptHandle")
        gone = desk.sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
        for response in (answer, found, gone):
            assert len(response["ResponseMetadata"].pop("RequestId")) == 36
        told.append((answer, found, gone))
    assert told[0] == told[1]
    assert desk.look(url) == []


def test_what_is_plain_takes_the_shortest_way(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body alone is sent, received in tens with all attributes, with a redrive policy too, and deleted in few steps."""
    url = desk.queue()
    desk.queue("dead")
    desk.redrive(url, "dead", 3)
    desk.receive(url)
    for general in (SendOperations, ReceiveOperations):
        for name in ("send_message", "receive_message", "delete_message"):
            monkeypatch.delattr(general, name, raising=False)
    for body in ("plain", *UNCOMMON[:2]):
        desk.send(url, body)
    found = desk.receive(url, 10, WaitTimeSeconds=20)
    assert sorted(message["Body"] for message in found) == sorted(("plain", *UNCOMMON[:2]))
    for message in found:
        desk.delete(url, message)
    assert desk.look(url) == []


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("send_message", {"MessageBody": 1}),
        ("send_message", {"MessageBody": "a\ud800b"}),
        ("send_message", {"MessageBodies": "a"}),
        ("receive_message", {"MaxNumberOfMessages": "1"}),
        ("receive_message", {"MessageAttributeNames": ["a\ud800b"]}),
        ("receive_message", {"MessageAttributeNames": [1]}),
        ("receive_message", {"Messages": 1}),
        ("delete_message", {"ReceiptHandle": None}),
        ("delete_message", {"ReceiptHandle": "\ud800"}),
    ],
)
def test_wrong_parameters_are_botocores_to_refuse(
    two: tuple[Any, Any, str], operation: str, params: dict[str, Any]
) -> None:
    """A value of a wrong type, an unknown name or half a surrogate pair is refused, though the queue is known; nothing is done."""
    _, sqs, url = two
    with pytest.raises(ParamValidationError):
        getattr(sqs, operation)(QueueUrl=url, **params)
    with pytest.raises(TypeError, match="only accepts keyword arguments"):
        getattr(sqs, operation)(url, **params)
    assert sqs.peek_messages(QueueUrl=url)["Messages"] == []


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("send_message", {"MessageBody": ""}, "MissingParameter"),
        ("send_message", {"MessageBody": "a\x00"}, "InvalidMessageContents"),
        ("send_message", {"MessageBody": "é" * 600}, "InvalidParameterValue"),
        ("receive_message", {"MaxNumberOfMessages": 11}, "InvalidParameterValue"),
        ("receive_message", {"WaitTimeSeconds": 21}, "InvalidParameterValue"),
        ("delete_message", {"ReceiptHandle": "none"}, "ReceiptHandleIsInvalid"),
    ],
)
def test_broken_rules_are_refused_in_the_services_words(
    desk: Desk, operation: str, params: dict[str, Any], code: str
) -> None:
    """What SQS's rules forbid is refused with its code."""
    url = desk.queue(MaximumMessageSize="1024")
    desk.receive(url)
    assert refusal(getattr(desk.sqs, operation), QueueUrl=url, **params)[0] == code


def test_a_queue_that_another_changed_is_looked_at_again(two: tuple[Any, Any, str]) -> None:
    """Delay, visibility and size hold for who knew the queue before; a queue that is gone is none."""
    one, other, url = two
    one.set_queue_attributes(
        QueueUrl=url, Attributes={"DelaySeconds": "5", "VisibilityTimeout": "7", "MaximumMessageSize": "1024"}
    )
    with pytest.raises(ClientError, match="shorter than 1024 bytes"):
        other.send_message(QueueUrl=url, MessageBody="x" * 1025)
    other.send_message(QueueUrl=url, MessageBody="m")
    other.clock.advance(4)
    assert "Messages" not in other.receive_message(QueueUrl=url)
    other.clock.advance(1)
    (message,) = other.receive_message(QueueUrl=url)["Messages"]
    other.clock.advance(6)
    assert "Messages" not in other.receive_message(QueueUrl=url)
    one.delete_queue(QueueUrl=url)
    for call, params in (
        (other.send_message, {"MessageBody": "m"}),
        (other.receive_message, {}),
        (other.delete_message, {"ReceiptHandle": message["ReceiptHandle"]}),
    ):
        assert refusal(call, QueueUrl=url, **params)[0] == "AWS.SimpleQueueService.NonExistentQueue"


def test_what_an_invocation_sends_is_of_its_chain(desk: Desk) -> None:
    """The trace header of the request that is served goes along, though the call doesn't name it."""
    url = desk.queue()
    desk.receive(url)
    header = "Root=1-5759e988-bd862e3fe1be46a994272793"
    token = current_trace.set(header)
    try:
        desk.send(url, "m")
    finally:
        current_trace.reset(token)
    (message,) = desk.receive(url)
    assert message["Attributes"]["AWSTraceHeader"] == header


def test_who_finds_nothing_again_keeps_no_sender_waiting(two: tuple[Any, Any, str], store_path: Path) -> None:
    """After an empty receive the next one only looks, also while the database is being written to, and sees what is sent."""
    one, other, url = two
    with closing(sqlite3.connect(store_path / "queues.sqlite", isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        assert "Messages" not in other.receive_message(QueueUrl=url)
        db.execute("ROLLBACK")
    one.send_message(QueueUrl=url, MessageBody="m")
    assert [message["Body"] for message in other.receive_message(QueueUrl=url)["Messages"]] == ["m"]
