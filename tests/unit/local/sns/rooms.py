"""A topic service on a manual clock, whose neighbours can be told to fail, and a web endpoint that can, too."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lambdalog.arn import Scope
from lambdalog.clock import ManualClock
from lambdalog.lineage import current_trace
from lambdalog.local.sns import Sns
from lambdalog.local.sqs import Sqs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"


class Flaky:
    """Clients of queues and functions that can be told to fail; what reaches them is kept."""

    def __init__(self, sqs: Sqs) -> None:
        self._sqs = sqs
        self.failure: Exception | None = None
        self.tried = 0
        self.invoked: list[dict[str, Any]] = []
        self.traces: list[str | None] = []

    def send_message(self, **entry: Any) -> dict[str, Any]:
        """SQS's SendMessage."""
        self.tried += 1
        if self.failure is not None:
            raise self.failure
        return self._sqs.send_message(**entry)

    def invoke(self, **params: Any) -> dict[str, Any]:
        """Lambda's Invoke."""
        self.tried += 1
        if self.failure is not None:
            raise self.failure
        self.invoked.append(params)
        self.traces.append(current_trace.get())
        return {"StatusCode": 202}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sqs, name)


def service_error(status: int, code: str = "InternalError") -> ClientError:
    """A botocore error with a status."""
    response: Any = {
        "Error": {"Code": code, "Message": code},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "SendMessage")


class Room:
    """A topic service on a manual clock, with flaky neighbours."""

    def __init__(self, root: Path, *, trusted: bool = False) -> None:
        self.root = root
        self.clock = ManualClock()
        self.sqs = Sqs(root, scope=Scope(), clock=self.clock)
        self.flaky = Flaky(self.sqs)
        self.sns: Any = Sns(
            root,
            scope=Scope(),
            clock=self.clock,
            sqs=self.flaky,
            lambda_=lambda: self.flaky,
            trusted=trusted,
        )
        self.topic: str = self.sns.create_topic(Name="t")["TopicArn"]

    def queue(self, name: str = "q") -> str:
        """A queue's ARN."""
        attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        self.sqs.create_queue(QueueName=name, Attributes=attributes)
        return Scope().queue(name)

    def subscribe(self, protocol: str, endpoint: str, topic: str = "", **attributes: str) -> str:
        """A subscription's ARN."""
        arn: str = self.sns.subscribe(
            TopicArn=topic or self.topic,
            Protocol=protocol,
            Endpoint=endpoint,
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return arn

    def publish(self, message: str = "m", **more: Any) -> None:
        """Publish to the topic."""
        self.sns.publish(**({"TopicArn": self.topic, "Message": message} | more))

    def bodies(self, name: str = "q") -> list[str]:
        """The bodies in a queue, untouched."""
        url = self.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        return [message["Body"] for message in self.sqs.peek_messages(QueueUrl=url)["Messages"]]

    def state(self, arn: str) -> dict[str, Any]:
        """What waits for a subscription, and what it never got."""
        found: dict[str, Any] = self.sns.subscription_deliveries(SubscriptionArn=arn)
        return found

    def close(self) -> None:
        """Let go of the files."""
        self.sns.close()
        self.sqs.close()


class Web:
    """A web server that keeps what is posted to it, and answers as it is told."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[dict[str, str], str]] = []
        self.posted = threading.Event()

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Its address, while it runs."""
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                web.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(web.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                web.posted.set()

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/hook"
            finally:
                server.shutdown()
                thread.join()
