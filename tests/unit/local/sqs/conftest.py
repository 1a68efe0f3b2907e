"""A queue service on a manual clock, and what tests do with it again and again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.arn import Scope
from lambdalog.local.sqs import Sqs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.clock import ManualClock


class Desk:
    """One client, and shorter names for its operations."""

    def __init__(self, root: Path, clock: ManualClock) -> None:
        self.clock = clock
        self.sqs: Any = Sqs(root, scope=Scope(), clock=clock)

    def queue(self, name: str = "q", **attributes: str) -> str:
        """A new queue's URL."""
        if name.endswith(".fifo"):
            attributes["FifoQueue"] = "true"
        url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def redrive(self, url: str, target: str, receives: int) -> None:
        """Let what was received so often go to a dead-letter queue."""
        policy = json.dumps({"deadLetterTargetArn": Scope().queue(target), "maxReceiveCount": receives})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})

    def send(self, url: str, *bodies: str, group: str = "g") -> None:
        """Send messages; to a FIFO queue with their body as deduplication id."""
        for body in bodies:
            order = {"MessageGroupId": group, "MessageDeduplicationId": body} if url.endswith(".fifo") else {}
            self.sqs.send_message(QueueUrl=url, MessageBody=body, **order)

    def receive(self, url: str, count: int = 10, **params: Any) -> list[Any]:
        """The messages of one receive, with all attributes."""
        found: list[Any] = self.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=count,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            **params,
        ).get("Messages", [])
        return found

    def bodies(self, url: str, count: int = 10, **params: Any) -> list[str]:
        """The bodies of one receive."""
        return [message["Body"] for message in self.receive(url, count, **params)]

    def look(self, url: str) -> list[str]:
        """The bodies of all messages, untouched."""
        return [message["Body"] for message in self.sqs.peek_messages(QueueUrl=url)["Messages"]]

    def delete(self, url: str, message: Any) -> None:
        """Delete a received message."""
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def counts(self, url: str) -> tuple[int, int, int]:
        """How many messages can be received, are in flight, are delayed."""
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        visible, flying, delayed = (
            int(found[f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible", "Delayed")
        )
        return visible, flying, delayed


@pytest.fixture
def desk(store_path: Path, clock: ManualClock) -> Iterator[Desk]:
    """A queue service."""
    made = Desk(store_path, clock)
    yield made
    made.sqs.close()
