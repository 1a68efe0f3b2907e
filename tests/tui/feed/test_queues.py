"""Queues and topics as the dashboard reads them from a store and from AWS, and what it does about them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tui.feed.queues import METRICS_SECONDS, StoreQueues
from tui.queues.told import place_text

if TYPE_CHECKING:
    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud


@pytest.fixture
def cloud(manual_cloud: Cloud) -> Cloud:
    """A store on disk, on a manual clock."""
    return manual_cloud


@pytest.fixture
def queues(cloud: Cloud) -> StoreQueues:
    """The room under test, on a queue with its dead-letter queue."""
    sqs: Any = cloud.sqs
    dead = sqs.create_queue(QueueName="orders-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"deadLetterTargetArn": arn, "maxReceiveCount": 1}
    sqs.create_queue(QueueName="orders", Attributes={"RedrivePolicy": json.dumps(policy)})
    return StoreQueues(cloud)


def _url(cloud: Cloud, name: str) -> str:
    return cloud.sqs.get_queue_url(QueueName=name)["QueueUrl"]


def test_counts_ages_and_roles(cloud: Cloud, queues: StoreQueues, clock: ManualClock) -> None:
    """A queue tells what is ready, in flight and delayed, since when, and where its failures go."""
    url = _url(cloud, "orders")
    sent = clock.now_ms()
    for body in ("a", "b"):
        cloud.sqs.send_message(QueueUrl=url, MessageBody=body)
    clock.advance(60)
    cloud.sqs.send_message(QueueUrl=url, MessageBody="c", DelaySeconds=30)
    cloud.sqs.receive_message(QueueUrl=url)
    orders, dead = queues.queues()
    assert (orders.name, orders.ready, orders.in_flight, orders.delayed) == ("orders", 1, 1, 1)
    assert orders.oldest is not None
    assert abs(orders.oldest - sent) < 1000
    assert (orders.dead, orders.receives) == ("orders-dead", 1)
    assert dead.sources == ("orders",)
    assert dead.failures
    assert dead.oldest is None


def test_rates_of_a_store(cloud: Cloud, queues: StoreQueues, clock: ManualClock) -> None:
    """What was sent and deleted in the last whole minute, from CloudWatch as on AWS; a minute later nothing of it."""
    url = _url(cloud, "orders")
    for body in ("a", "b", "c"):
        cloud.sqs.send_message(QueueUrl=url, MessageBody=body)
    (message,) = cloud.sqs.receive_message(QueueUrl=url)["Messages"]
    cloud.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert queues.queues()[0].sent is None
    clock.advance(60)
    orders, dead = queues.queues()
    assert (orders.sent, orders.deleted, dead.sent) == (3, 1, None)
    assert "3 sent, 1 deleted" in place_text(orders).plain
    assert queues.notes() == []
    clock.advance(60)
    assert queues.queues()[0].sent is None


def test_looking_takes_nothing(cloud: Cloud, queues: StoreQueues) -> None:
    """Messages are shown with their attributes; they can be received as if no one had looked."""
    url = _url(cloud, "orders")
    kind: Any = {"kind": {"DataType": "String", "StringValue": "new"}}
    cloud.sqs.send_message(QueueUrl=url, MessageBody="first", MessageAttributes=kind)
    orders = queues.queues()[0]
    (message,) = queues.look(orders).messages
    assert (message.body, message.receives, message.attributes) == ("first", 0, {"kind": "new"})
    received: Any = cloud.sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
    assert received[0]["Attributes"]["ApproximateReceiveCount"] == "1"


def test_moving_back_and_purging(cloud: Cloud, queues: StoreQueues, clock: ManualClock) -> None:
    """A move brings a dead-letter queue's messages to another queue, and is listed; a purge leaves nothing."""
    cloud.sqs.send_message(QueueUrl=_url(cloud, "orders-dead"), MessageBody="x")
    dead = queues.queues()[1]
    queues.move(dead, "orders")
    # On disk a task goes on with each look at it, at a rate by the clock, or where the store is served.
    for _ in range(3):
        queues.tasks(dead)
        clock.advance(1)
    (task,) = queues.tasks(dead)
    assert (task.status, task.moved, task.to) == ("COMPLETED", 1, "orders")
    orders = queues.queues()[0]
    assert orders.ready == 1
    queues.purge(orders)
    assert queues.queues()[0].depth == 0
    with pytest.raises(LookupError):
        queues.cancel(dead)


def test_rates_of_many_queues(cloud: Cloud, queues: StoreQueues, clock: ManualClock) -> None:
    """Each queue has its own rate, though CloudWatch is asked of a hundred queues at a time."""
    for number in range(101):
        cloud.sqs.create_queue(QueueName=f"many-{number:03}")
    for name in ("many-099", "many-100"):
        cloud.sqs.send_message(QueueUrl=_url(cloud, name), MessageBody="x")
    clock.advance(METRICS_SECONDS)
    assert [queue.name for queue in queues.queues() if queue.sent] == ["many-099", "many-100"]


def test_topics_and_who_is_subscribed(cloud: Cloud, queues: StoreQueues) -> None:
    """A topic tells how many are subscribed, and who."""
    arn = cloud.sns.create_topic(Name="alarms")["TopicArn"]
    dead = queues.queues()[1]
    cloud.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=dead.arn)
    (topic,) = queues.topics()
    assert (topic.name, topic.confirmed, topic.pending) == ("alarms", 1, 0)
    (one,) = queues.subscriptions(topic)
    assert (one.protocol, one.endpoint, one.state) == ("sqs", dead.arn, "confirmed")


class _Told:
    """CloudWatch, as far as it is asked: an age, and one message sent."""

    def __init__(self) -> None:
        self.asked = 0

    def get_paginator(self, operation: str) -> _Told:
        assert operation == "get_metric_data"
        return self

    def paginate(self, **asked: Any) -> list[Any]:
        self.asked += 1
        values = {"ApproximateAgeOfOldestMessage": [90.0, 30.0], "NumberOfMessagesSent": [1.0]}
        return [
            {
                "MetricDataResults": [
                    {
                        "Id": query["Id"],
                        "Values": values.get(query["MetricStat"]["Metric"]["MetricName"], []),
                    }
                    for query in asked["MetricDataQueries"]
                ]
            }
        ]


class _Elsewhere:
    """A cloud that isn't on disk: the clients of one, and a CloudWatch."""

    root = None

    def __init__(self, cloud: Cloud, told: Any) -> None:
        self.clock, self.sqs, self.sns, self._cloud, self._told = (
            cloud.clock,
            cloud.sqs,
            cloud.sns,
            cloud,
            told,
        )

    def client(self, service: str) -> Any:
        if service != "cloudwatch":
            return self._cloud.client(service)
        if isinstance(self._told, Exception):
            raise self._told
        return self._told


def test_on_aws_cloudwatch_tells_ages(cloud: Cloud, queues: StoreQueues, clock: ManualClock) -> None:
    """The age of the oldest message and the messages sent come from CloudWatch, asked for at most once a minute."""
    cloud.sqs.send_message(QueueUrl=_url(cloud, "orders"), MessageBody="x")
    told = _Told()
    room = StoreQueues(_Elsewhere(cloud, told))  # type: ignore[arg-type]
    assert not room.free_looks
    room.queues()
    orders = room.queues()[0]
    assert told.asked == 1
    assert orders.oldest == clock.now_ms() - 90_000
    assert (orders.sent, orders.deleted) == (1, None)
    clock.advance(METRICS_SECONDS)
    room.queues()
    assert told.asked == 2


def test_without_cloudwatch_all_else_is_there(cloud: Cloud, queues: StoreQueues) -> None:
    """Who may not ask CloudWatch sees the counts, and a note."""
    room = StoreQueues(_Elsewhere(cloud, PermissionError("not allowed")))  # type: ignore[arg-type]
    assert [queue.name for queue in room.queues()] == ["orders", "orders-dead"]
    assert room.notes() == ["ages and rates: not allowed"]


def test_on_aws_a_look_gives_back(cloud: Cloud, queues: StoreQueues) -> None:
    """Looking where nothing else is possible receives each message once, and gives it back at once."""
    url = _url(cloud, "orders-dead")
    for number in range(12):
        cloud.sqs.send_message(QueueUrl=url, MessageBody=str(number))
    room = StoreQueues(_Elsewhere(cloud, _Told()))  # type: ignore[arg-type]
    dead = room.queues()[1]
    assert sorted(int(message.body) for message in room.look(dead).messages) == list(range(12))
    assert room.queues()[1].ready == 12
