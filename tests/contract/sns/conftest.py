"""Clients, topics and queues of SNS's contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.conftest import Backend


POLICY = "Invalid parameter: Attributes Reason: FilterPolicy: "


@pytest.fixture
def sns(backend: Backend) -> Any:
    """A client."""
    return backend.client("sns")


@pytest.fixture
def sqs(backend: Backend) -> Any:
    """A client of the queues that are subscribed."""
    return backend.client("sqs")


@pytest.fixture
def topic(sns: Any) -> str:
    """A topic."""
    found: str = sns.create_topic(Name="t")["TopicArn"]
    return found


def invalid(what: str) -> tuple[str, str, int]:
    """InvalidParameter as SNS words it."""
    return "InvalidParameter", f"Invalid parameter: {what}", 400


def queue(sqs: Any, name: str = "q") -> tuple[str, str]:
    """(URL, ARN) of a new queue."""
    attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def subscribe(sns: Any, sqs: Any, topic: str, name: str = "q", **attributes: str) -> tuple[str, str]:
    """A new queue that is subscribed: (URL, subscription's ARN)."""
    url, arn = queue(sqs, name)
    response = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    return url, response["SubscriptionArn"]


def receive(sqs: Any, url: str) -> list[Any]:
    """The messages of a queue, with all attributes."""
    found: list[Any] = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    ).get("Messages", [])
    return found


def bodies(sqs: Any, url: str) -> list[str]:
    """The bodies of the messages of a queue."""
    return [message["Body"] for message in receive(sqs, url)]
