"""A store for each case, and clients of it: the doubles, and boto3 by the wire protocols."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.cloud import Cloud, connect
from tests.functions import RUNTIME, zipped
from tests.refusals import Refusal, refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROLE = "arn:aws:iam::000000000000:role/r"
# How something is asked of a world that it makes ready: a client's method, and its parameters.
Ask = Callable[["World"], tuple[Any, dict[str, Any]]]


class World:
    """Clients, and the names of what is there."""

    def __init__(self, cloud: Cloud, *, wire: bool) -> None:
        make = cloud.boto3_client if wire else cloud.client
        self.logs: Any = make("logs")
        self.sqs: Any = make("sqs")
        self.sns: Any = make("sns")
        self.functions: Any = make("lambda")

    def arn(self, service: str, name: str) -> str:
        """The ARN of something of this account."""
        return f"arn:aws:{service}:us-east-1:000000000000:{name}"

    def queue(self, name: str = "q", **attributes: str) -> str:
        """The URL of a new queue."""
        url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def fifo(self, **attributes: str) -> str:
        """The URL of a new FIFO queue."""
        return self.queue("q.fifo", FifoQueue="true", **attributes)

    def topic(self, name: str = "t", **attributes: str) -> str:
        """The ARN of a new topic."""
        arn: str = self.sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
        return arn

    def function(self, name: str = "f", **settings: Any) -> str:
        """The ARN of a new function."""
        arn: str = self.functions.create_function(
            **{
                "FunctionName": name,
                "Role": ROLE,
                "Runtime": RUNTIME,
                "Handler": "a.b",
                "Code": {"ZipFile": zipped(a="x = 1")},
                **settings,
            }
        )["FunctionArn"]
        return arn

    def refusal(self, ask: Ask) -> Refusal:
        """How that is refused; it has to be."""
        call, params = ask(self)
        return refused(call, **params)


@pytest.fixture(params=["double", "wire"])
def world(request: pytest.FixtureRequest, store_path: Path) -> Iterator[World]:
    """A store with nothing in it."""
    with connect(f"disk:{store_path}") as cloud:
        yield World(cloud, wire=request.param == "wire")
