"""Dead-letter queues and the way back: what is buried, and move tasks over time, processes and restarts."""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lambdalog.arn import Scope
from lambdalog.clock import SYSTEM
from lambdalog.local.sqs import Sqs
from tests.unit.local.sqs.conftest import Desk

if TYPE_CHECKING:
    from pathlib import Path

DEAD = Scope().queue("dead")


@pytest.fixture
def pair(desk: Desk) -> tuple[str, str]:
    """A queue and its dead-letter queue: one receive is allowed."""
    url, dead = desk.queue("q", VisibilityTimeout="10"), desk.queue("dead")
    desk.redrive(url, "dead", 1)
    return url, dead


def bury(desk: Desk, url: str, *bodies: str) -> None:
    """Let messages fail."""
    for body in bodies:
        desk.send(url, body)
    for _ in range(-(-len(bodies) // 10)):
        desk.receive(url)
    desk.clock.advance(11)
    while desk.receive(url):
        raise AssertionError("what was received too often was given out again")


def task(desk: Desk) -> Any:
    """The last task of the dead-letter queue."""
    return desk.sqs.list_message_move_tasks(SourceArn=DEAD)["Results"][0]


def test_what_is_buried_is_the_same_message(desk: Desk, pair: tuple[str, str]) -> None:
    """Id, body, attributes, trace and time of sending stay; its count goes on; it tells where it came from."""
    url, dead = pair
    attributes = {"a": {"DataType": "String", "StringValue": "b"}}
    trace = {
        "AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}
    }
    sent = desk.sqs.send_message(
        QueueUrl=url, MessageBody="x" * 5000, MessageAttributes=attributes, MessageSystemAttributes=trace
    )
    sent_at = str(desk.clock.now_ms())
    desk.receive(url)
    desk.clock.advance(11)
    assert desk.receive(url) == []
    (found,) = desk.receive(dead)
    assert (found["MessageId"], found["Body"]) == (sent["MessageId"], "x" * 5000)
    assert found["MessageAttributes"] == attributes
    assert (
        found["Attributes"].items()
        >= {
            "AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793",
            "ApproximateReceiveCount": "2",
            "DeadLetterQueueSourceArn": Scope().queue("q"),
            "SentTimestamp": sent_at,
        }.items()
    )


def test_a_dead_letter_queue_that_is_gone_loses_nothing(desk: Desk, pair: tuple[str, str]) -> None:
    """Messages stay where they are, and are given out."""
    url, dead = pair
    desk.send(url, "m")
    desk.sqs.delete_queue(QueueUrl=dead)
    for _ in range(3):
        assert desk.bodies(url) == ["m"]
        desk.clock.advance(11)


def test_what_is_buried_makes_room_in_the_same_receive(desk: Desk, pair: tuple[str, str]) -> None:
    """A receive gives as many as it was asked for, in order, though those before them were received too often."""
    url, dead = pair
    desk.send(url, "a", "b", "c", "d")
    assert desk.bodies(url, 2) == ["a", "b"]
    desk.clock.advance(11)
    desk.send(url, "e")
    assert sorted(desk.bodies(url, 3)) == ["c", "d", "e"]
    assert sorted(desk.look(dead)) == ["a", "b"]


def test_what_is_not_hidden_is_given_once_in_a_receive(desk: Desk, pair: tuple[str, str]) -> None:
    """With a visibility timeout of 0 too: what comes after something buried is neither given twice nor buried with it."""
    url, dead = pair
    desk.send(url, "a")
    desk.receive(url)
    desk.clock.advance(11)
    desk.send(url, "b")
    assert desk.bodies(url, 10, VisibilityTimeout=0) == ["b"]
    assert (desk.look(url), desk.look(dead)) == (["b"], ["a"])


def test_who_dies_before_it_buries_loses_nothing(
    desk: Desk, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was claimed and not buried is buried by the next receive that could have it."""
    url, dead = pair
    desk.send(url, "m")
    desk.receive(url)
    desk.clock.advance(11)
    with monkeypatch.context() as patch:
        patch.setattr(desk.sqs._exchange, "_bury_claimed", lambda *_: sys.exit("killed"))
        with pytest.raises(SystemExit):
            desk.receive(url)
    assert (desk.look(url), desk.look(dead)) == (["m"], [])
    desk.clock.advance(11)
    assert desk.receive(url) == []
    assert (desk.look(url), desk.look(dead)) == ([], ["m"])


def test_a_task_brings_messages_back_as_new_ones(desk: Desk, pair: tuple[str, str]) -> None:
    """With a new id, time and count, without the mark of where they came from; then the task is done."""
    url, dead = pair
    bury(desk, url, "a", "b")
    ids = {message["MessageId"] for message in desk.sqs.peek_messages(QueueUrl=dead)["Messages"]}
    desk.sqs.start_message_move_task(SourceArn=DEAD)
    desk.clock.advance(1)
    found = desk.receive(url)
    assert {message["Body"] for message in found} == {"a", "b"}
    assert not ids & {message["MessageId"] for message in found}
    for message in found:
        assert message["Attributes"]["ApproximateReceiveCount"] == "1"
        assert "DeadLetterQueueSourceArn" not in message["Attributes"]
    done = task(desk)
    assert (done["Status"], done["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 2)
    assert "TaskHandle" not in done


def test_a_task_keeps_its_rate_and_can_be_cancelled(desk: Desk, pair: tuple[str, str]) -> None:
    """Two a second; what has moved stays moved; one task of a source at a time."""
    url, dead = pair
    bury(desk, url, *(str(n) for n in range(10)))
    start = {"SourceArn": DEAD, "MaxNumberOfMessagesPerSecond": 2}
    handle = desk.sqs.start_message_move_task(**start)["TaskHandle"]
    with pytest.raises(ClientError, match="There is already a task running"):
        desk.sqs.start_message_move_task(**start)
    desk.clock.advance(1.6)
    running = task(desk)
    assert (
        running.items()
        >= {
            "Status": "RUNNING",
            "TaskHandle": handle,
            "MaxNumberOfMessagesPerSecond": 2,
            "ApproximateNumberOfMessagesMoved": 3,
            "ApproximateNumberOfMessagesToMove": 10,
        }.items()
    )
    desk.clock.advance(1)
    assert desk.sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] == 5
    desk.clock.advance(100)
    assert (len(desk.look(url)), len(desk.look(dead))) == (5, 5)
    assert task(desk)["Status"] == "CANCELLED"
    with pytest.raises(ClientError, match="Only active tasks can be cancelled"):
        desk.sqs.cancel_message_move_task(TaskHandle=handle)
    desk.sqs.start_message_move_task(SourceArn=DEAD)


def test_a_task_outlives_its_process(desk: Desk, pair: tuple[str, str], store_path: Path) -> None:
    """Whoever opens the store next goes on with it."""
    url, _ = pair
    bury(desk, url, *(str(n) for n in range(6)))
    desk.sqs.start_message_move_task(SourceArn=DEAD, MaxNumberOfMessagesPerSecond=2)
    desk.clock.advance(1)
    assert task(desk)["ApproximateNumberOfMessagesMoved"] == 2
    desk.sqs.close()
    next_one = Desk(store_path, desk.clock)
    desk.clock.advance(5)
    assert sorted(next_one.bodies(url)) == [str(n) for n in range(6)]
    assert task(next_one)["Status"] == "COMPLETED"
    next_one.sqs.close()


def test_who_waits_for_messages_moves_them(desk: Desk, pair: tuple[str, str]) -> None:
    """A long poll on the target of a task ends with its next message."""
    url, _ = pair
    bury(desk, url, "a", "b")
    desk.sqs.start_message_move_task(SourceArn=DEAD, MaxNumberOfMessagesPerSecond=1)
    assert len(desk.bodies(url, WaitTimeSeconds=20)) == 1
    assert len(desk.bodies(url, WaitTimeSeconds=20)) == 1


def test_a_task_to_another_queue(desk: Desk, pair: tuple[str, str]) -> None:
    """With its delay; a message without a source of its own can go there, too."""
    _, dead = pair
    other = desk.queue("other", DelaySeconds="5")
    desk.send(dead, "by hand", "x" * 2000)
    desk.sqs.start_message_move_task(SourceArn=DEAD, DestinationArn=Scope().queue("other"))
    desk.clock.advance(1)
    assert task(desk)["DestinationArn"] == Scope().queue("other")
    assert desk.counts(other) == (0, 0, 2)
    desk.clock.advance(5)
    assert sorted(desk.bodies(other)) == ["by hand", "x" * 2000]


def test_a_task_that_can_not_go_on_has_failed(desk: Desk, pair: tuple[str, str]) -> None:
    """A message without a source, or whose source is gone: it stays, and the task says why."""
    url, dead = pair
    desk.send(dead, "by hand")
    desk.sqs.start_message_move_task(SourceArn=DEAD)
    desk.clock.advance(1)
    assert (task(desk)["Status"], task(desk)["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert desk.look(dead) == ["by hand"]
    desk.sqs.purge_queue(QueueUrl=dead)
    bury(desk, url, "m")
    keeper = desk.queue("keeper")
    desk.redrive(keeper, "dead", 3)
    desk.sqs.delete_queue(QueueUrl=url)
    desk.sqs.start_message_move_task(SourceArn=DEAD)
    desk.clock.advance(1)
    assert task(desk)["FailureReason"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert desk.look(dead) == ["m"]


def test_fifo_messages_move_in_order(desk: Desk) -> None:
    """Group by group, with new numbers, ready in their old order."""
    url, dead = desk.queue("q.fifo"), desk.queue("dead.fifo")
    desk.redrive(url, "dead.fifo", 1)
    desk.send(url, "1", "2", "3")
    for _ in range(4):
        desk.receive(url)
        desk.clock.advance(31)
    assert desk.look(dead) == ["1", "2", "3"]
    desk.sqs.start_message_move_task(SourceArn=Scope().queue("dead.fifo"))
    desk.clock.advance(1)
    assert desk.bodies(url) == ["1", "2", "3"]


def test_only_so_many_tasks_are_remembered(desk: Desk, pair: tuple[str, str]) -> None:
    """The last ten, newest first."""
    for number in range(12):
        desk.sqs.start_message_move_task(SourceArn=DEAD, MaxNumberOfMessagesPerSecond=number + 1)
        desk.clock.advance(2)
        task(desk)
    found = desk.sqs.list_message_move_tasks(SourceArn=DEAD, MaxResults=10)["Results"]
    assert [one["MaxNumberOfMessagesPerSecond"] for one in found] == list(range(12, 2, -1))
    with pytest.raises(ClientError, match="Must be between 1 and 10"):
        desk.sqs.list_message_move_tasks(SourceArn=DEAD, MaxResults=11)


def test_a_task_goes_on_by_itself_where_the_store_is_served(tmp_path: Path) -> None:
    """With the loop running nobody has to use the queues."""
    sqs: Any = Sqs(tmp_path, scope=Scope(), clock=SYSTEM)
    home = sqs.create_queue(QueueName="home")["QueueUrl"]
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": DEAD, "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=home, Attributes={"RedrivePolicy": policy})
    for n in range(20):
        sqs.send_message(QueueUrl=dead, MessageBody=str(n))
    stop = threading.Event()
    ((_, run),) = sqs.background()
    thread = threading.Thread(target=run, args=(stop,))
    thread.start()
    try:
        sqs.start_message_move_task(SourceArn=DEAD, DestinationArn=Scope().queue("home"))
        task_id = sqs._exchange.moves.of_source(DEAD, 1)[0].id
        for _ in range(3000):
            if sqs._exchange.moves.find(task_id).status != "RUNNING":
                break
            stop.wait(0.02)
    finally:
        stop.set()
        thread.join(60)
    assert sqs._exchange.moves.find(task_id).status == "COMPLETED"
    assert len(sqs.peek_messages(QueueUrl=home)["Messages"]) == 20
    sqs.close()
