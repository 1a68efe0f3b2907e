"""FIFO queues over time: groups, duplicates, handles, attempts, delays."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.local.sqs.conftest import Desk


def test_a_receive_takes_as_many_of_a_group_as_there_are(desk: Desk) -> None:
    """In order; then the group is blocked until all of them are gone or visible again."""
    url = desk.queue("q.fifo")
    desk.send(url, "a1", "a2", "a3", group="a")
    desk.send(url, "b1", group="b")
    first = desk.receive(url, 2)
    assert [message["Body"] for message in first] == ["a1", "a2"]
    assert desk.counts(url) == (2, 2, 0)
    assert desk.bodies(url) == ["b1"]
    desk.delete(url, first[0])
    assert desk.bodies(url) == []
    desk.delete(url, first[1])
    assert desk.bodies(url) == ["a3"]


def test_a_group_comes_back_in_its_order(desk: Desk) -> None:
    """What was not deleted within the visibility timeout is given out again before what is behind it."""
    url = desk.queue("q.fifo")
    desk.send(url, "1", "2", "3")
    assert desk.bodies(url, 2) == ["1", "2"]
    desk.clock.advance(30)
    assert desk.bodies(url) == ["1", "2", "3"]


@pytest.mark.parametrize(("given_back", "expected"), [(0, []), (1, ["1"]), (2, ["1", "2"])])
def test_a_group_shows_what_is_before_the_first_hidden_one(
    desk: Desk, given_back: int, expected: list[str]
) -> None:
    """Of three in flight, the first few given back are visible; what is behind a hidden one is not."""
    url = desk.queue("q.fifo")
    desk.send(url, "1", "2", "3")
    taken = desk.receive(url)
    for message in taken[:given_back]:
        desk.sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    assert desk.bodies(url) == expected


def test_a_handle_expires(desk: Desk) -> None:
    """Past its visibility, or after another receive, it deletes nothing and says so; extended, it still deletes."""
    url = desk.queue("q.fifo")
    desk.send(url, "m")
    (old,) = desk.receive(url)
    desk.clock.advance(31)
    with pytest.raises(ClientError, match=r"Reason: The receipt handle has expired\."):
        desk.delete(url, old)
    (new,) = desk.receive(url)
    with pytest.raises(ClientError, match="has expired"):
        desk.delete(url, old)
    desk.sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=new["ReceiptHandle"], VisibilityTimeout=100
    )
    desk.clock.advance(60)
    desk.delete(url, new)
    assert desk.look(url) == []
    desk.delete(url, new)


def test_duplicates_are_known_for_five_minutes(desk: Desk) -> None:
    """Past the message's deletion; then the same id is a new message."""
    url = desk.queue("q.fifo")
    desk.send(url, "m")
    desk.delete(url, desk.receive(url)[0])
    desk.clock.advance(299)
    desk.send(url, "m")
    assert desk.look(url) == []
    desk.clock.advance(2)
    desk.send(url, "m")
    assert desk.look(url) == ["m"]


def test_high_throughput_looks_for_duplicates_in_the_group(desk: Desk) -> None:
    """By group once the scope is the group; what was sent while it was the queue is remembered for all groups."""
    url = desk.queue("q.fifo")

    def send(body: str, group: str, dedup: str) -> None:
        desk.sqs.send_message(
            QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=dedup
        )

    send("1", "a", "d")
    send("2", "b", "d")
    desk.sqs.set_queue_attributes(
        QueueUrl=url,
        Attributes={"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"},
    )
    send("3", "b", "d")
    send("4", "a", "e")
    send("5", "b", "e")
    send("6", "b", "e")
    assert desk.look(url) == ["1", "4", "5"]
    desk.sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"}
    )
    send("7", "a", "e")
    assert desk.look(url) == ["1", "4", "5", "7"]


def test_a_receive_is_retried_by_its_attempt_id(desk: Desk) -> None:
    """The same attempt within five minutes gets the same messages, hidden anew, unless one was touched since."""
    url = desk.queue("q.fifo")
    desk.send(url, "1", "2")
    first = desk.receive(url, 1, ReceiveRequestAttemptId="try")
    again = desk.receive(url, 1, ReceiveRequestAttemptId="try")
    assert [message["Body"] for message in again] == ["1"]
    assert again[0]["MessageId"] == first[0]["MessageId"]
    assert desk.receive(url, 1, ReceiveRequestAttemptId="other") == []
    desk.delete(url, again[0])
    assert desk.bodies(url, 1, ReceiveRequestAttemptId="try") == ["2"]


def test_the_delay_of_a_fifo_queue_is_the_queues(desk: Desk) -> None:
    """A new delay holds for what waits in it already; a zero delay of a message is none of its own."""
    url = desk.queue("q.fifo", DelaySeconds="60")
    desk.send(url, "1", "2")
    desk.sqs.send_message(
        QueueUrl=url, MessageBody="3", MessageGroupId="h", MessageDeduplicationId="3", DelaySeconds=0
    )
    assert desk.counts(url) == (0, 0, 3)
    desk.sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "5"})
    desk.clock.advance(4)
    assert desk.bodies(url) == []
    desk.clock.advance(1)
    assert sorted(desk.bodies(url)) == ["1", "2", "3"]


def test_a_wait_ends_when_a_delayed_message_is_due(desk: Desk) -> None:
    """A long poll on a FIFO queue sleeps until then, not longer."""
    url = desk.queue("q.fifo", DelaySeconds="3")
    desk.send(url, "m")
    begin = desk.clock.now()
    assert desk.bodies(url, WaitTimeSeconds=20) == ["m"]
    assert desk.clock.now() - begin == pytest.approx(3, abs=0.1)


def test_a_poisoned_message_lets_its_group_go_on(desk: Desk) -> None:
    """Received too often it goes to the dead-letter queue, with its group and count; the next one comes."""
    url, dead = desk.queue("q.fifo"), desk.queue("dead.fifo")
    desk.redrive(url, "dead.fifo", 2)
    desk.send(url, "poison", "next")
    for _ in range(2):
        assert desk.bodies(url, 1) == ["poison"]
        desk.clock.advance(31)
    assert desk.bodies(url, 1) == ["next"]
    (found,) = desk.receive(dead)
    assert found["Body"] == "poison"
    assert found["Attributes"]["ApproximateReceiveCount"] == "3"
    assert found["Attributes"]["MessageGroupId"] == "g"
    assert found["Attributes"]["DeadLetterQueueSourceArn"].endswith(":q.fifo")


def test_old_messages_leave_their_group(desk: Desk) -> None:
    """What outlived the retention period is gone, and blocks nothing."""
    url = desk.queue("q.fifo", MessageRetentionPeriod="60")
    desk.send(url, "old")
    desk.clock.advance(40)
    desk.send(url, "young")
    desk.clock.advance(21)
    assert desk.bodies(url) == ["young"]


def test_a_purged_queue_remembers_duplicates(desk: Desk) -> None:
    """A purge removes messages; a duplicate of one stays a duplicate."""
    url = desk.queue("q.fifo")
    desk.send(url, "m", "n")
    desk.sqs.purge_queue(QueueUrl=url)
    desk.send(url, "m")
    assert desk.look(url) == []
    assert desk.counts(url) == (0, 0, 0)


def test_a_queue_that_is_gone(desk: Desk, store_path: Any) -> None:
    """What another process deleted takes and gives nothing more."""
    for name in ("q.fifo", "q"):
        url = desk.queue(name)
        desk.send(url, "m")
        (message,) = desk.receive(url)
        other = Desk(store_path, desk.clock)
        other.sqs.delete_queue(QueueUrl=url)
        other.sqs.close()
        gone = desk.sqs.exceptions.QueueDoesNotExist
        with pytest.raises(gone):
            desk.send(url, "n")
        with pytest.raises(gone):
            desk.receive(url)
        with pytest.raises(gone):
            desk.delete(url, message)
