"""What becomes of a message: delivered, tried again, buried, dropped and counted; in order where it must be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lambdalog.arn import Scope
from lambdalog.lineage import current_trace

if TYPE_CHECKING:
    from pathlib import Path
from tests.unit.local.sns.rooms import FUNCTION, Room, service_error


def test_a_failed_delivery_is_tried_again_on_schedule(room: Room) -> None:
    """Four times at once, then after 1 s, 1 s, and growing pauses; a publish does not fail for it."""
    arn = room.subscribe("sqs", room.queue())
    room.flaky.failure = service_error(503)
    room.publish()
    assert room.flaky.tried == 4
    assert room.state(arn) == {"Waiting": 1, "Dropped": {}}
    room.clock.advance(0.9)
    assert room.sns.deliver() == 0
    room.clock.advance(0.2)
    assert room.sns.deliver() == 1
    room.clock.advance(1)
    assert room.sns.deliver() == 1
    room.flaky.failure = None
    room.clock.advance(1)
    assert room.sns.deliver() == 1
    assert len(room.bodies()) == 1
    assert room.state(arn) == {"Waiting": 0, "Dropped": {}}
    assert room.sns.deliver() == 0


def test_who_publishes_also_delivers_what_is_due(room: Room) -> None:
    """Without a loop beside it, a retry is made by the next publish."""
    room.subscribe("sqs", room.queue(), RawMessageDelivery="true")
    room.flaky.failure = service_error(503)
    room.publish("first")
    room.flaky.failure = None
    room.clock.advance(5)
    room.publish("second")
    assert sorted(room.bodies()) == ["first", "second"]


def test_deliveries_outlive_their_process(tmp_path: Path) -> None:
    """What was published and not delivered is delivered by whoever opens the store next."""
    before = Room(tmp_path)
    before.subscribe("sqs", before.queue())
    before.flaky.failure = service_error(500)
    before.publish()
    before.close()
    after = Room(tmp_path)
    after.clock.advance(60)
    assert after.sns.deliver() == 1
    assert len(after.bodies()) == 1
    after.close()


def test_what_an_endpoint_refuses_is_not_tried_again(room: Room) -> None:
    """A queue that is gone gets one attempt; without a dead-letter queue the message is dropped, and counted."""
    arn = room.subscribe("sqs", Scope().queue("gone"))
    room.publish()
    room.publish()
    assert room.state(arn) == {"Waiting": 0, "Dropped": {"NonExistentQueue": 2}}
    assert room.sns.deliver() == 0


@pytest.mark.parametrize("raw", ["true", "false"])
def test_what_can_not_be_delivered_goes_to_the_dead_letter_queue(room: Room, raw: str) -> None:
    """As the endpoint would have got it."""
    policy = json.dumps({"deadLetterTargetArn": room.queue("dead")})
    arn = room.subscribe("sqs", Scope().queue("gone"), RedrivePolicy=policy, RawMessageDelivery=raw)
    attributes = {"a": {"DataType": "Number", "StringValue": "1"}}
    room.publish("lost", MessageAttributes=attributes)
    url = room.sqs.get_queue_url(QueueName="dead")["QueueUrl"]
    (found,) = room.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    if raw == "true":
        assert (found["Body"], found["MessageAttributes"]) == ("lost", attributes)
    else:
        body = json.loads(found["Body"])
        assert (body["Message"], body["MessageAttributes"]) == (
            "lost",
            {"a": {"Type": "Number", "Value": "1"}},
        )
    assert room.state(arn) == {"Waiting": 0, "Dropped": {}}


def test_a_dead_letter_queue_that_is_gone_too(room: Room) -> None:
    """Both reasons are counted."""
    policy = json.dumps({"deadLetterTargetArn": Scope().queue("dead")})
    arn = room.subscribe("lambda", FUNCTION, RedrivePolicy=policy)
    room.flaky.failure = service_error(404, "ResourceNotFoundException")
    room.publish()
    (reason,) = room.state(arn)["Dropped"]
    assert reason == "ResourceNotFoundException; dead-letter queue: NonExistentQueue"


def test_after_the_last_retry(room: Room) -> None:
    """A schedule that is used up ends in the dead-letter queue."""
    policy = json.dumps({"deadLetterTargetArn": room.queue("dead")})
    room.subscribe("http", "http://127.0.0.1:1/x", RedrivePolicy=policy)
    arn = room.sns.list_subscriptions()["Subscriptions"][0]
    assert arn["SubscriptionArn"] == "PendingConfirmation"
    # The confirmation itself is given up after four attempts, and is no dead letter.
    for _ in range(6):
        room.sns.deliver()
        room.clock.advance(20)
    assert room.bodies("dead") == []
    assert room.sns.deliver() == 0


def test_functions_are_invoked_asynchronously(room: Room) -> None:
    """With Lambda's event for SNS, and the publisher's trace."""
    arn = room.subscribe("lambda", FUNCTION)
    token = current_trace.set("Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=1:00000000:3")
    try:
        room.publish("hello", MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}})
    finally:
        current_trace.reset(token)
    (call,) = room.flaky.invoked
    assert (call["FunctionName"], call["InvocationType"]) == (FUNCTION, "Event")
    (record,) = json.loads(call["Payload"])["Records"]
    assert list(record) == ["EventSource", "EventVersion", "EventSubscriptionArn", "Sns"]
    assert record["EventSubscriptionArn"] == arn
    assert record["Sns"]["Subject"] is None
    assert record["Sns"]["MessageAttributes"] == {"a": {"Type": "String", "Value": "b"}}
    assert {"SigningCertUrl", "UnsubscribeUrl"} <= record["Sns"].keys()
    assert room.flaky.traces == ["Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=1:00000000:3"]


def test_a_throttled_function_is_tried_again(room: Room) -> None:
    """429 is no refusal."""
    arn = room.subscribe("lambda", FUNCTION)
    room.flaky.failure = service_error(429, "TooManyRequestsException")
    room.publish()
    assert room.state(arn)["Waiting"] == 1


def test_the_trace_goes_on_through_a_queue(room: Room) -> None:
    """A publish's trace header is the message's AWSTraceHeader."""
    room.subscribe("sqs", room.queue())
    token = current_trace.set("Root=1-5759e988-bd862e3fe1be46a994272793")
    try:
        room.publish()
    finally:
        current_trace.reset(token)
    url = room.sqs.get_queue_url(QueueName="q")["QueueUrl"]
    (found,) = room.sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["AWSTraceHeader"])[
        "Messages"
    ]
    assert found["Attributes"] == {"AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793"}


def test_a_failed_message_holds_up_its_group(room: Room) -> None:
    """What is behind it waits; another group goes on; then all arrive in their order."""
    topic = room.sns.create_topic(Name="t.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    room.subscribe("sqs", room.queue("q.fifo"), topic, RawMessageDelivery="true")
    room.flaky.failure = service_error(500)
    room.publish("a1", TopicArn=topic, MessageGroupId="a", MessageDeduplicationId="1")
    room.flaky.failure = None
    room.publish("a2", TopicArn=topic, MessageGroupId="a", MessageDeduplicationId="2")
    room.publish("b1", TopicArn=topic, MessageGroupId="b", MessageDeduplicationId="3")
    assert room.bodies("q.fifo") == ["b1"]
    room.clock.advance(1)
    assert room.sns.deliver() == 2
    assert room.bodies("q.fifo") == ["b1", "a1", "a2"]


def test_duplicates_are_known_for_five_minutes(room: Room) -> None:
    """By topic or, if it says so, by group."""
    attributes = {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    topic = room.sns.create_topic(Name="t.fifo", Attributes=attributes)["TopicArn"]
    room.subscribe("sqs", room.queue("q"), topic, RawMessageDelivery="true")
    for _ in range(2):
        room.publish("x", TopicArn=topic, MessageGroupId="a")
    assert room.bodies() == ["x"]
    room.clock.advance(301)
    room.publish("x", TopicArn=topic, MessageGroupId="a")
    assert room.bodies() == ["x"] * 2
    room.sns.set_topic_attributes(
        TopicArn=topic, AttributeName="FifoThroughputScope", AttributeValue="MessageGroup"
    )
    for group in "bb":
        room.publish("x", TopicArn=topic, MessageGroupId=group)
    assert room.bodies() == ["x"] * 3


def test_a_group_of_a_standard_topic_reaches_the_queue(room: Room) -> None:
    """For fair queues; the queue needs no order."""
    room.subscribe("sqs", room.queue())
    room.publish(MessageGroupId="tenant-1")
    url = room.sqs.get_queue_url(QueueName="q")["QueueUrl"]
    (found,) = room.sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["MessageGroupId"])[
        "Messages"
    ]
    assert found["Attributes"] == {"MessageGroupId": "tenant-1"}
