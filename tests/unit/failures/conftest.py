"""A function whose failures lie in its dead-letter queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.failures import Desk, Inbox
from lambdalog.local.lambda_ import Lambda
from lambdalog.local.lambda_.deploy import deploy
from lambdalog.runtime.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.cloud import Cloud

CODE = """
import os
import lambdalog

class Declined(Exception):
    pass

@lambdalog.handler
def handler(event, context):
    if os.environ.get("WORKS") == "yes" and event.get("fail") != "always":
        return "fine"
    if event.get("fail") == "exit":
        os._exit(3)
    if event.get("fail") == "other":
        raise LookupError("nothing there")
    raise Declined(f"order {event['id']} declined")
"""


class Pay:
    """A function `pay` with a dead-letter queue `pay-dlq`."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        client: Any = cloud.client("lambda")
        assert isinstance(client, Lambda)
        self.client = client
        folder.mkdir()
        (folder / "app.py").write_text(CODE)
        deploy(client, cloud.sqs, Project("pay", "app.handler", folder, retries=0))
        self.url = cloud.sqs.get_queue_url(QueueName="pay-dlq")["QueueUrl"]

    def fail(self, *events: dict[str, Any]) -> list[str]:
        """Invoke with events that fail; their request ids, once they are in the queue."""
        requests = [
            self.client.invoke(FunctionName="pay", InvocationType="Event", Payload=json.dumps(event))
            for event in events
        ]
        self.client.worker(delay_scale=0).drain()
        return [response["ResponseMetadata"]["RequestId"] for response in requests]

    def repair(self) -> None:
        """From now on only what fails always fails."""
        self.client.update_function_configuration(
            FunctionName="pay", Environment={"Variables": {"WORKS": "yes"}}
        )

    def left(self) -> list[str]:
        """The bodies that are still in the queue."""
        page: Any = self.client._sqs
        return [message["Body"] for message in page.peek_messages(QueueUrl=self.url)["Messages"]]


@pytest.fixture
def pay(cloud: Cloud, tmp_path: Path) -> Pay:
    """The function."""
    return Pay(cloud, tmp_path / "pay")


@pytest.fixture
def inbox(cloud: Cloud) -> Inbox:
    """The inbox of the store."""
    return Inbox(cloud)


@pytest.fixture
def desk(cloud: Cloud) -> Iterator[Desk]:
    """Everything that can be done about failures of the store."""
    with Desk(cloud) as opened:
        yield opened


class Moved:
    """A queue `work` whose messages were received too often, and lie in `work-dlq`."""

    def __init__(self, cloud: Cloud, *, fifo: bool = False) -> None:
        self.sqs: Any = cloud.client("sqs")
        end = ".fifo" if fifo else ""
        extra = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {}
        self.dlq = f"work-dlq{end}"
        self.dead = self.sqs.create_queue(QueueName=self.dlq, Attributes=extra)["QueueUrl"]
        policy = {"deadLetterTargetArn": cloud.scope.queue(self.dlq), "maxReceiveCount": 1}
        self.url = self.sqs.create_queue(
            QueueName=f"work{end}",
            Attributes=extra | {"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": "0"},
        )["QueueUrl"]
        self.fifo = fifo

    def fail(self, *bodies: str) -> None:
        """Send bodies, and receive them once too often."""
        for number, body in enumerate(bodies):
            group = {"MessageGroupId": f"g{number % 2}"} if self.fifo else {}
            self.sqs.send_message(
                QueueUrl=self.url,
                MessageBody=body,
                MessageAttributes={"n": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}},
                **group,
            )
        for _ in range(4 * len(bodies) + 4):
            self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        assert len(self.bodies(self.dead)) >= len(bodies)

    def bodies(self, url: str) -> list[str]:
        """What lies in a queue."""
        return [looked.body for looked in self.sqs.browse_messages(QueueUrl=url)]


@pytest.fixture
def moved(cloud: Cloud) -> Moved:
    """The two queues."""
    return Moved(cloud)
