"""SNS's contract: subscriptions and their confirmation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.sns.conftest import invalid, queue, subscribe
from tests.refusals import refused


@pytest.mark.moto_deviates("moto counts no subscriptions")
def test_a_queue_is_subscribed_at_once(sns: Any, sqs: Any, topic: str) -> None:
    """A queue needs no confirmation; subscribed again it is the same subscription; it is listed everywhere."""
    _, arn = subscribe(sns, sqs, topic)
    assert subscribe(sns, sqs, topic)[1] == arn
    (found,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert sns.list_subscriptions()["Subscriptions"] == [found]
    assert (found["SubscriptionArn"], found["Protocol"], found["TopicArn"]) == (arn, "sqs", topic)
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    expected = {"PendingConfirmation": "false", "RawMessageDelivery": "false", "TopicArn": topic}
    assert attributes.items() >= expected.items()
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "1"
    sns.unsubscribe(SubscriptionArn=arn)
    sns.unsubscribe(SubscriptionArn=arn)
    assert sns.list_subscriptions()["Subscriptions"] == []
    code, text, status = refused(sns.get_subscription_attributes, SubscriptionArn=arn)
    assert (code, text, status) == ("NotFound", "Subscription does not exist", 404)


ENDPOINTS: list[Any] = [
    ("nonsense", "x", "Amazon SNS does not support this protocol string: nonsense"),
    ("sqs", "https://sqs.us-east-1.amazonaws.com/000000000000/q", "SQS endpoint ARN"),
    ("lambda", "f", "Lambda endpoint ARN"),
    ("http", "https://example.com/", "Endpoint must match the specified protocol"),
    (
        "sqs",
        "arn:aws:sqs:us-east-1:000000000000:q.fifo",
        "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
    ),
]


@pytest.mark.moto_deviates("moto subscribes whatever it is given")
def test_an_endpoint_suits_its_protocol(sns: Any, topic: str) -> None:
    """What can't be delivered to is not subscribed."""
    for protocol, endpoint, text in ENDPOINTS:
        found = refused(sns.subscribe, TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
        assert found == invalid(text), protocol
    assert sns.list_subscriptions()["Subscriptions"] == []


BAD_ATTRIBUTES: list[Any] = [
    ({"Nonsense": "x"}, "Attributes Reason: AttributeName"),
    (
        {"RawMessageDelivery": "maybe"},
        "Attributes Reason: RawMessageDelivery: Invalid value [maybe]. Must be true or false.",
    ),
    (
        {"FilterPolicyScope": "Body"},
        (
            "Attributes Reason: FilterPolicyScope: Invalid value [Body]. Please use either MessageBody or "
            "MessageAttributes"
        ),
    ),
    ({"RedrivePolicy": "{"}, "Attributes Reason: RedrivePolicy: failed to parse JSON."),
    (
        {"RedrivePolicy": '{"deadLetterTargetArn": "q"}'},
        "Attributes Reason: RedrivePolicy: deadLetterTargetArn is an invalid arn",
    ),
    (
        {"FilterPolicy": '{"a": {"b": ["c"]}}'},
        "Filter policy scope MessageAttributes does not support nested filter policy",
    ),
]


@pytest.mark.moto_deviates("moto has other texts, or none")
def test_attributes_of_a_subscription_are_checked(sns: Any, sqs: Any, topic: str) -> None:
    """Each in SNS's words; nothing is subscribed."""
    where = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": queue(sqs)[1]}
    for attributes, text in BAD_ATTRIBUTES:
        assert refused(sns.subscribe, **where, Attributes=attributes) == invalid(text)
    assert sns.list_subscriptions()["Subscriptions"] == []


@pytest.mark.moto_deviates("moto has other texts")
def test_a_subscription_is_named_by_its_arn(sns: Any, topic: str) -> None:
    """An ARN that is none, or is a topic's."""
    reason = "SubscriptionArn Reason: An ARN must have at least 6 elements, not {}"
    assert refused(sns.unsubscribe, SubscriptionArn="x") == invalid(reason.format(1))
    assert refused(sns.unsubscribe, SubscriptionArn="arn:aws:sns:us-east-1:x") == invalid(reason.format(5))
    assert refused(sns.unsubscribe, SubscriptionArn=topic) == invalid("SubscriptionId")


def test_a_web_endpoint_has_to_confirm(sns: Any, topic: str) -> None:
    """Over HTTP a subscription is pending; its ARN is told only if asked for."""
    where = {"TopicArn": topic, "Protocol": "https", "Endpoint": "https://example.com/hook"}
    arn = sns.subscribe(**where, ReturnSubscriptionArn=True)["SubscriptionArn"]
    assert arn.startswith(f"{topic}:")


@pytest.mark.moto_deviates("moto confirms at once, with any token")
def test_a_confirmation_needs_the_token(sns: Any, topic: str) -> None:
    """Without it the subscription stays pending."""
    where = {"TopicArn": topic, "Protocol": "https", "Endpoint": "https://example.com/hook"}
    assert sns.subscribe(**where)["SubscriptionArn"] == "pending confirmation"
    (found,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert found["SubscriptionArn"] == "PendingConfirmation"
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsPending"] == "1"
    assert refused(sns.confirm_subscription, TopicArn=topic, Token="x") == (
        "InvalidParameter",
        "Invalid token",
        400,
    )
    other = b"us-east-1".hex() + "00" * 64
    assert refused(sns.confirm_subscription, TopicArn=topic, Token=other) == invalid("Token")


@pytest.mark.moto_deviates("moto looks at no token")
def test_a_token_that_is_none_confirms_nothing(sns: Any, topic: str) -> None:
    """Whoever makes one up is refused."""
    assert refused(sns.confirm_subscription, TopicArn=topic, Token="a" * 64) == (
        "InvalidParameter",
        "Invalid token",
        400,
    )
