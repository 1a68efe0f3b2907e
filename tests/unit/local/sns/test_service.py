"""SNS on disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud


@pytest.fixture
def topic(cloud: Cloud) -> str:
    """A topic."""
    return cloud.sns.create_topic(Name="t")["TopicArn"]


def subscribe(cloud: Cloud, topic: str, name: str, **attributes: str) -> str:
    """A queue that is subscribed; its URL."""
    url = cloud.sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    cloud.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    return url


def test_a_message_reaches_each_queue_in_its_envelope(cloud: Cloud, topic: str) -> None:
    """The envelope's keys are SNS's, in its order; attributes come as Type and Value."""
    urls = [subscribe(cloud, topic, name) for name in "ab"]
    attributes: Any = {"RequestID": {"DataType": "String", "StringValue": "r-1"}}
    sent = cloud.sns.publish(TopicArn=topic, Message="hello", Subject="s", MessageAttributes=attributes)
    for url in urls:
        (message,) = cloud.sqs.receive_message(QueueUrl=url)["Messages"]
        envelope = json.loads(message["Body"])
        assert list(envelope) == [
            "Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature",
            "SigningCertURL", "UnsubscribeURL", "MessageAttributes",
        ]  # fmt: skip
        assert envelope["Message"] == "hello"
        assert envelope["MessageId"] == sent["MessageId"]
        assert envelope["MessageAttributes"] == {"RequestID": {"Type": "String", "Value": "r-1"}}


def test_raw_delivery_is_the_message_itself(cloud: Cloud, topic: str) -> None:
    """With raw delivery the body is the message, and its attributes are the queue's."""
    url = subscribe(cloud, topic, "raw", RawMessageDelivery="true")
    attributes: Any = {"a": {"DataType": "String", "StringValue": "b"}}
    cloud.sns.publish(TopicArn=topic, Message="hello", MessageAttributes=attributes)
    (message,) = cloud.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == "hello"
    assert message["MessageAttributes"] == attributes


def test_topics_and_subscriptions_are_listed_and_go(cloud: Cloud, topic: str) -> None:
    """What is made is listed once, and a deleted topic takes its subscriptions along."""
    assert cloud.sns.create_topic(Name="t")["TopicArn"] == topic
    subscribe(cloud, topic, "a")
    subscribe(cloud, topic, "a")
    (found,) = cloud.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert cloud.sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "1"
    cloud.sns.unsubscribe(SubscriptionArn=found["SubscriptionArn"])
    assert cloud.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    cloud.sns.delete_topic(TopicArn=topic)
    assert cloud.sns.list_topics()["Topics"] == []
    with pytest.raises(cloud.sns.exceptions.NotFoundException):
        cloud.sns.publish(TopicArn=topic, Message="x")


@pytest.mark.parametrize(("message", "text"), [("", "Empty message"), ("x" * 262_145, "Message too long")])
def test_a_message_has_a_size(cloud: Cloud, topic: str, message: str, text: str) -> None:
    """Empty and over-long messages are refused."""
    with pytest.raises(cloud.sns.exceptions.InvalidParameterException, match=text):
        cloud.sns.publish(TopicArn=topic, Message=message)


def test_other_protocols_are_refused(cloud: Cloud, topic: str) -> None:
    """A protocol that is not delivered here is not accepted either."""
    with pytest.raises(cloud.sns.exceptions.InvalidParameterException, match="email"):
        cloud.sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")


def test_what_nests_without_end_is_refused(cloud: Cloud, topic: str) -> None:
    """As what is no JSON at all: a message of several texts, a subscription's policies."""
    subscribe(cloud, topic, "q")
    (found,) = cloud.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    deep = "[" * 20_000
    with pytest.raises(cloud.sns.exceptions.InvalidParameterException, match="failed to parse"):
        cloud.sns.publish(TopicArn=topic, Message=deep, MessageStructure="json")
    for name in ("DeliveryPolicy", "RedrivePolicy"):
        with pytest.raises(cloud.sns.exceptions.InvalidParameterException, match="failed to parse"):
            cloud.sns.set_subscription_attributes(
                SubscriptionArn=found["SubscriptionArn"], AttributeName=name, AttributeValue=deep
            )
