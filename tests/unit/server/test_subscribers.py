"""Web endpoints that are subscribed to a topic of a served store: they confirm as they do on AWS, by visiting a URL."""

from __future__ import annotations

import json
import queue
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.server.service import Service, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.cloud import Cloud

FREE = Settings(port=0, threads=1)


@pytest.fixture
def subscriber() -> Iterator[tuple[str, queue.Queue[dict[str, Any]]]]:
    """A web server's address, and what is posted to it."""
    posted: queue.Queue[dict[str, Any]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", posted
        finally:
            server.shutdown()
            thread.join()


def visit(url: str, *, data: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """The answer to a request without a signature."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=data, headers=named, method="GET")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_an_endpoint_confirms_by_visiting_its_url(
    cloud: Cloud, subscriber: tuple[str, queue.Queue[dict[str, Any]]]
) -> None:
    """It gets its token and the served store's address; the visit needs no signature; then messages come by themselves."""
    url, posted = subscriber
    with Service(cloud, FREE) as service:
        topic = cloud.sns.create_topic(Name="t")["TopicArn"]
        cloud.sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
        asked = posted.get(timeout=60)
        assert asked["SubscribeURL"].startswith(f"{service.url}/?Action=ConfirmSubscription&")
        status, body = visit(asked["SubscribeURL"])
        assert status == 200
        assert f"<SubscriptionArn>{topic}:".encode() in body
        cloud.sns.publish(TopicArn=topic, Message="hello")
        assert posted.get(timeout=60)["Message"] == "hello"


def test_a_visit_opens_no_other_door(cloud: Cloud) -> None:
    """A wrong token is refused, and nothing else comes in unsigned under the name of a confirmation."""
    with Service(cloud, FREE) as service:
        topic = cloud.sns.create_topic(Name="t")["TopicArn"]
        url = cloud.sqs.create_queue(QueueName="q")["QueueUrl"]
        confirm = f"{service.url}/?Action=ConfirmSubscription&TopicArn={topic}&Token=00"
        assert visit(confirm)[0] == 400
        delete = json.dumps({"QueueUrl": url}).encode()
        target: dict[str, Any] = {
            "X_Amz_Target": "AmazonSQS.DeleteQueue",
            "Content_Type": "application/x-amz-json-1.0",
        }
        form = f"Action=DeleteTopic&Version=2010-03-31&TopicArn={topic}".encode()
        for attempt in (
            visit(confirm, data=delete, **target),
            visit(confirm, **target),
            visit(confirm, data=form),
            visit(f"{confirm}&Action=DeleteTopic"),
            visit(f"{confirm}&AuthenticateOnUnsubscribe=true"),
            visit(confirm, Origin="https://example.com"),
            visit(confirm, Host="example.com"),
        ):
            assert attempt[0] >= 400
        assert cloud.sqs.list_queues()["QueueUrls"] == [url]
        assert cloud.sns.list_topics()["Topics"] == [{"TopicArn": topic}]
