"""Queues by what a user calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambdalog.errors import ConfigError
from lambdalog.printable import printable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def queue_name(text: str) -> str:
    """The name in a name, an ARN or a URL."""
    return text.rpartition("/" if "/" in text else ":")[2]


def find_queue(sqs: SQSClient, text: str) -> tuple[str, str]:
    """(name, URL) of a queue. ConfigError if there is none."""
    name = queue_name(text)
    try:
        return name, sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        raise ConfigError(
            f"no queue is called {printable(name)}; see them with: lambdalog queue list"
        ) from None


def attributes_of(sqs: SQSClient, url: str, *names: str) -> dict[str, str]:
    """Attributes of a queue; all, without names."""
    wanted: Any = list(names) or ["All"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted).get("Attributes", {})
    return {str(name): value for name, value in found.items()}


def arn_of(sqs: SQSClient, url: str) -> str:
    """A queue's ARN."""
    return attributes_of(sqs, url, "QueueArn")["QueueArn"]
