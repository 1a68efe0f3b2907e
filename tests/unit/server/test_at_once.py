"""A store served: what waits holds no one else up."""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.config import Config

from lambdalog.server.service import Service, Settings
from tests.unit.server.conftest import WAITS, client, deploy

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud


def test_long_polls_hold_nobody_up(service: Service) -> None:
    """Many wait for messages while others are served; a message reaches one of them."""
    sqs = client(service, "sqs", config=Config(max_pool_connections=30, read_timeout=30))
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    found: list[Any] = []

    def poll() -> None:
        found.append(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=3).get("Messages"))

    pollers = [threading.Thread(target=poll) for _ in range(20)]
    for poller in pollers:
        poller.start()
    begin = time.monotonic()
    client(service, "logs").create_log_group(logGroupName="/g")
    sqs.send_message(QueueUrl=url, MessageBody="wake")
    others = time.monotonic() - begin
    for poller in pollers:
        poller.join()
    assert [messages[0]["Body"] for messages in found if messages] == ["wake"]
    assert others < time.monotonic() - begin


def poll(service: Service, url: str, seconds: int) -> socket.socket:
    """A long poll as a socket of its own; what comes back can be read from it."""
    body = json.dumps({"QueueUrl": url, "WaitTimeSeconds": seconds}).encode()
    head = (
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n"
        f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    peer = socket.create_connection(("127.0.0.1", urlsplit(service.url).port or 0))
    peer.sendall(head.encode() + body)
    return peer


def test_idle_long_polls_cost_nearly_nothing(cloud: Cloud) -> None:
    """200 of them: a thread each, none of which does anything; one message wakes one of them, and a stop all."""
    with ExitStack() as stack:
        service = stack.enter_context(Service(cloud, Settings(port=0, anonymous=True, threads=1)))
        url = cloud.sqs.create_queue(QueueName="q")["QueueUrl"]
        threads = threading.active_count()
        peers = [stack.enter_context(poll(service, url, 20)) for _ in range(200)]
        while service.answering < 200:
            time.sleep(0.01)
        begin, used = time.monotonic(), time.process_time()
        while time.monotonic() < begin + 1:
            time.sleep(0.1)
        # Threads that look now and then, twenty times a second say, would take more than all of a core.
        assert time.process_time() - used < 0.5
        assert threading.active_count() <= threads + 200 + 1  # what watches the database
        cloud.sqs.send_message(QueueUrl=url, MessageBody="wake")
        readable, _, _ = select.select(peers, [], [], 20)
        assert b'"wake"' in readable[0].recv(65536)
        assert service.stop()
        answers = [peer.recv(65536) for peer in peers if peer is not readable[0]]
    assert all(answer.startswith(b"HTTP/1.1 200") and b"Messages" not in answer for answer in answers)


def test_invocations_and_live_tails_hold_nobody_up(service: Service, tmp_path: Path) -> None:
    """While both go on others are answered; a stop ends the tail, and gives the invocation its time."""
    gate = tmp_path / "gate"
    deploy(client(service, "lambda"), tmp_path, WAITS.format(gate=str(gate)))
    logs = client(service, "logs", config=Config(inject_host_prefix=False, read_timeout=60))
    logs.create_log_group(logGroupName="/g")
    group = logs.describe_log_groups(logGroupNamePrefix="/g")["logGroups"][0]["logGroupArn"]
    updates: list[Any] = []
    begun = threading.Event()

    def tail() -> None:
        for update in logs.start_live_tail(logGroupIdentifiers=[group])["responseStream"]:
            updates.append(update)
            begun.set()

    functions = client(service, "lambda", config=Config(read_timeout=60))
    going_on = [
        threading.Thread(target=tail),
        threading.Thread(target=functions.invoke, kwargs={"FunctionName": "f"}),
    ]
    for thread in going_on:
        thread.start()
    assert begun.wait(60)
    while not gate.with_suffix(".begun").exists():
        time.sleep(0.005)
    assert client(service, "sns").list_topics()["Topics"] == []
    assert all(thread.is_alive() for thread in going_on)
    gate.touch()
    assert service.stop()
    for thread in going_on:
        thread.join()
    assert "sessionStart" in updates[0]
