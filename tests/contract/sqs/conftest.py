"""Clients and queues of SQS's contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.conftest import Backend


@pytest.fixture
def sqs(backend: Backend) -> Any:
    """A client."""
    return backend.client("sqs")


@pytest.fixture
def url(sqs: Any) -> str:
    """A queue."""
    found: str = sqs.create_queue(QueueName="q")["QueueUrl"]
    return found


def receive(sqs: Any, url: str, **params: Any) -> list[Any]:
    """The messages of one receive, with all attributes."""
    found: list[Any] = sqs.receive_message(
        QueueUrl=url, MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"], **params
    ).get("Messages", [])
    return found


def arn_of(sqs: Any, url: str) -> str:
    """A queue's ARN."""
    found: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return found


def attributes_of(sqs: Any, url: str, *names: str) -> dict[str, str]:
    """Some attributes of a queue."""
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names)).get(
        "Attributes", {}
    )
    return found
