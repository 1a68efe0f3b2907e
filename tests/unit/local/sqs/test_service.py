"""SQS on disk: time, several processes, and what AWS does not have."""

from __future__ import annotations

import base64
import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lambdalog.arn import Scope
from lambdalog.local.sqs import Sqs
from tests.refusals import refused

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud


@pytest.fixture
def sqs(manual_cloud: Cloud) -> Any:
    """A client on a manual clock."""
    return manual_cloud.sqs


@pytest.fixture
def url(sqs: Any) -> str:
    """A queue."""
    found: str = sqs.create_queue(QueueName="q")["QueueUrl"]
    return found


def bodies(response: Any) -> list[str]:
    """The bodies in a response."""
    return [message["Body"] for message in response.get("Messages", [])]


def test_a_message_comes_back_after_its_visibility(sqs: Any, url: str, clock: ManualClock) -> None:
    """Not deleted in 30 seconds, it is received again; the old handle deletes nothing then."""
    sqs.send_message(QueueUrl=url, MessageBody="a")
    (first,) = sqs.receive_message(QueueUrl=url)["Messages"]
    clock.advance(29.9)
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
    clock.advance(0.2)
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["a"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    clock.advance(31)
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["a"]


def test_a_delayed_message_waits(sqs: Any, url: str, clock: ManualClock) -> None:
    """A delay hides a message from its first receive, and counts it as delayed."""
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=5)
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"
    assert bodies(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=4)) == []
    assert bodies(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2)) == ["later"]


def test_old_messages_expire(sqs: Any, url: str, clock: ManualClock) -> None:
    """After the retention period a message is gone."""
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
    sqs.send_message(QueueUrl=url, MessageBody="a")
    clock.advance(61)
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
    assert bodies(sqs.peek_messages(QueueUrl=url)) == []


def test_a_deleted_name_is_free_after_a_minute(sqs: Any, url: str, clock: ManualClock) -> None:
    """Creating a queue of a name that was just deleted is refused for sixty seconds; its messages are gone."""
    sqs.send_message(QueueUrl=url, MessageBody="a")
    sqs.delete_queue(QueueUrl=url)
    with pytest.raises(sqs.exceptions.QueueDeletedRecently):
        sqs.create_queue(QueueName="q")
    clock.advance(60)
    sqs.create_queue(QueueName="q")
    assert bodies(sqs.receive_message(QueueUrl=url)) == []


def test_a_purge_is_allowed_once_a_minute(sqs: Any, url: str, clock: ManualClock) -> None:
    """A second purge within the minute is refused."""
    sqs.send_message(QueueUrl=url, MessageBody="a")
    sqs.purge_queue(QueueUrl=url)
    assert bodies(sqs.peek_messages(QueueUrl=url)) == []
    with pytest.raises(sqs.exceptions.PurgeQueueInProgress):
        sqs.purge_queue(QueueUrl=url)
    clock.advance(60)
    sqs.purge_queue(QueueUrl=url)


def test_peeking_takes_nothing(sqs: Any, url: str) -> None:
    """Looking shows every message, in flight too, and leaves receive counts and visibility alone."""
    for number in range(5):
        sqs.send_message(QueueUrl=url, MessageBody=f"m{number}")
    sqs.receive_message(QueueUrl=url)
    page = sqs.peek_messages(QueueUrl=url, MaxNumberOfMessages=3)
    rest = sqs.peek_messages(QueueUrl=url, MaxNumberOfMessages=3, NextToken=page["NextToken"])
    assert bodies(page) + bodies(rest) == [f"m{number}" for number in range(5)]
    assert "NextToken" not in rest
    counts = [message["Attributes"]["ApproximateReceiveCount"] for message in page["Messages"]]
    assert sorted(counts) == ["0", "0", "1"]


@pytest.mark.parametrize(
    ("body", "attributes", "text"),
    [
        ("", {}, "The request must contain the parameter MessageBody."),
        ("a\x00b", {}, "Invalid characters found"),
        ("a", {"AWS.x": {"DataType": "String", "StringValue": "y"}}, "name 'AWS.x' is invalid"),
        (
            "a",
            {"x": {"DataType": "String", "StringValue": ""}},
            "must contain a non-empty value of type 'String'",
        ),
        ("a", {"x": {"DataType": "Odd", "StringValue": "y"}}, "invalid message attribute type"),
        (
            "a",
            {"x": {"DataType": "Number", "StringValue": "Hello"}},
            r"Can't cast the value of message \(user\) attribute 'x' to a number\.",
        ),
        ("a", {"x": {"DataType": "Number.int", "StringValue": "1 "}}, "attribute 'x' to a number"),
        ("a", {f"x{n}": {"DataType": "String", "StringValue": "y"} for n in range(11)}, r"\[11\] exceeds"),
    ],
)
def test_a_bad_message_is_refused_and_not_kept(
    sqs: Any, url: str, body: str, attributes: dict[str, Any], text: str
) -> None:
    """Each broken rule has its text, and leaves the queue as it was."""
    with pytest.raises(ClientError, match=text):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
    assert bodies(sqs.peek_messages(QueueUrl=url)) == []


@pytest.mark.parametrize("number", ["0", "-230.000000000000000001", "+1.", ".5", "1e126", "-1E-128"])
def test_numbers_are_kept_as_they_were_written(sqs: Any, url: str, number: str) -> None:
    """An attribute of type Number is a number in any of its writings, and is given back as it was sent."""
    attributes = {"x": {"DataType": "Number", "StringValue": number}}
    sqs.send_message(QueueUrl=url, MessageBody="a", MessageAttributes=attributes)
    (found,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["x"])["Messages"]
    assert found["MessageAttributes"] == attributes


def test_several_threads_share_no_message(cloud: Cloud) -> None:
    """Four receivers at once get each message exactly once."""
    sqs = cloud.sqs
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for start in range(0, 200, 10):
        entries: Any = [{"Id": str(n), "MessageBody": str(start + n)} for n in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    got: list[str] = []

    def take() -> None:
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=7).get("Messages"):
            got.extend(message["Body"] for message in messages)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, got)) == list(range(200))


def test_only_so_many_messages_are_in_flight(sqs: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit a receive is refused with OverLimit; of a FIFO queue it gets nothing. What is deleted makes room."""
    monkeypatch.setattr("lambdalog.local.sqs.mailbox.IN_FLIGHT_MAX", 4)
    monkeypatch.setattr("lambdalog.local.sqs.fifo.IN_FLIGHT_MAX", 4)
    fifo = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for number in range(6):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
        order = {"MessageGroupId": str(number), "MessageDeduplicationId": str(number)}
        sqs.send_message(QueueUrl=fifo, MessageBody=str(number), **order)
    taken = [sqs.receive_message(QueueUrl=url)["Messages"][0] for _ in range(4)]
    with pytest.raises(sqs.exceptions.OverLimit):
        sqs.receive_message(QueueUrl=url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=taken[0]["ReceiptHandle"])
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["4"]
    for _ in range(4):
        sqs.receive_message(QueueUrl=fifo)
    assert bodies(sqs.receive_message(QueueUrl=fifo)) == []


def test_the_queues_own_wait_and_visibility_hold_at_once(sqs: Any, url: str, clock: ManualClock) -> None:
    """A change of the attributes is seen by the next receive, also where the queue was looked up before."""
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"ReceiveMessageWaitTimeSeconds": "7", "VisibilityTimeout": "3"}
    )
    begin = clock.now()
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
    assert clock.now() - begin == pytest.approx(7, abs=0.1)
    sqs.send_message(QueueUrl=url, MessageBody="m")
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["m"]
    clock.advance(3)
    assert bodies(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0)) == ["m"]


def test_visibility_has_a_largest_sum(sqs: Any, url: str, clock: ManualClock) -> None:
    """From the receive on, twelve hours in all."""
    sqs.send_message(QueueUrl=url, MessageBody="m")
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    change = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
    sqs.change_message_visibility(**change, VisibilityTimeout=43_200)
    clock.advance(10)
    with pytest.raises(
        ClientError, match=r"Total VisibilityTimeout for the message is beyond the limit \[43200 seconds\]"
    ):
        sqs.change_message_visibility(**change, VisibilityTimeout=43_195)
    sqs.change_message_visibility(**change, VisibilityTimeout=43_190)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    with pytest.raises(ClientError, match="Message does not exist or is not available"):
        sqs.change_message_visibility(**change, VisibilityTimeout=5)


def test_processes_that_draw_the_same_numbers_lose_nothing(tmp_path: Path, clock: ManualClock) -> None:
    """Two clients whose numbers are the same at the same moment both send, alone and in batches."""
    clients: list[Any] = [Sqs(tmp_path, scope=Scope(), clock=clock) for _ in range(2)]
    numbers = [client._exchange.mailbox.numbers for client in clients]
    url = clients[0].create_queue(QueueName="q")["QueueUrl"]
    for large in ("", "x" * 2000):
        numbers[1]._salt, numbers[1]._last = numbers[0]._salt, numbers[0]._last
        for number, client in enumerate(clients):
            client.send_message(QueueUrl=url, MessageBody=f"one {number}{large}")
        numbers[1]._salt, numbers[1]._last = numbers[0]._salt, numbers[0]._last
        for number, client in enumerate(clients):
            entries = [{"Id": str(n), "MessageBody": f"{number}.{n}{large}"} for n in range(10)]
            assert len(client.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 10
    found = [message["Body"] for message in clients[0].peek_messages(QueueUrl=url)["Messages"]]
    assert len(set(found)) == len(found) == 44
    for client in clients:
        client.close()


@pytest.mark.parametrize("name", ["Policy", "RedrivePolicy", "RedriveAllowPolicy"])
def test_what_nests_without_end_is_refused(sqs: Any, url: str, name: str) -> None:
    """As what is no JSON at all."""
    assert (
        refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={name: "[" * 20_000}).code
        == refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={name: "{"}).code
    )


def test_a_task_handle_that_nests_without_end_is_none(sqs: Any) -> None:
    """As one that is no handle at all."""
    handles = (base64.b64encode(b"[" * 20_000).decode(), "x")
    first, second = (refused(sqs.cancel_message_move_task, TaskHandle=handle) for handle in handles)
    assert first.code == second.code
