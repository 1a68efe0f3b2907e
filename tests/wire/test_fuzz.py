"""A served store under malformed requests: answered or dropped, in the service's own shape, and nothing is changed by any."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from lambdalog.cloud import Cloud, connect
from lambdalog.server.instance import running
from lambdalog.server.keys import load_keys
from lambdalog.server.service import Service, Settings
from lambdalog.server.signature import Keys
from tests.functions import zipped
from tests.wire.mutants import KINDS, Mutants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.clock import ManualClock

SHORT, LONG, WARM, BATCH = 440, 110_000, 22_000, 11_000
_HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]+\r\n((?:[a-z0-9-]+: [^\r\n]*\r\n)*)\r\n", re.IGNORECASE)


def fill(cloud: Cloud) -> None:
    """One of each."""
    cloud.logs.create_log_group(logGroupName="g")
    cloud.logs.create_log_stream(logGroupName="g", logStreamName="s")
    events: Any = [{"timestamp": time.time_ns() // 1_000_000, "message": "kept"}]
    cloud.logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)
    url = cloud.sqs.create_queue(QueueName="q")["QueueUrl"]
    cloud.sqs.send_message(QueueUrl=url, MessageBody="kept")
    cloud.sns.create_topic(Name="t")
    cloud.lambda_.create_function(
        FunctionName="f",
        Role="arn:aws:iam::000000000000:role/r",
        Runtime="python3.11",
        Handler="a.b",
        Code={"ZipFile": zipped(a="x = 1")},
    )


@pytest.fixture
def served(store_path: Path, clock: ManualClock) -> Iterator[tuple[Cloud, Service]]:
    """A store with one of each. The clock of its door stands, so that no signature grows old."""
    with connect(f"disk:{store_path}") as cloud:
        fill(cloud)
        with Service(cloud, Settings(port=0, threads=1)) as service:
            service._endpoint._clock = clock
            yield cloud, service


def state(cloud: Cloud) -> dict[str, Any]:
    """What a store holds: by its services, and by the names of its files."""
    url = cloud.sqs.get_queue_url(QueueName="q")["QueueUrl"]
    assert cloud.root is not None
    found: dict[str, Any] = {
        "groups": cloud.logs.describe_log_groups()["logGroups"],
        "streams": cloud.logs.describe_log_streams(logGroupName="g")["logStreams"],
        "events": cloud.logs.filter_log_events(logGroupName="g")["events"],
        "queues": cloud.sqs.list_queues()["QueueUrls"],
        "queue": cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"],
        "topics": cloud.sns.list_topics()["Topics"],
        "subscriptions": cloud.sns.list_subscriptions()["Subscriptions"],
        "functions": cloud.lambda_.list_functions()["Functions"],
        "layers": cloud.lambda_.list_layers()["Layers"],
        "mappings": cloud.lambda_.list_event_source_mappings()["EventSourceMappings"],
    }
    files = {str(path.relative_to(cloud.root)) for path in cloud.root.rglob("*") if path.is_file()}
    # SQLite's own files come and go with its connections, and upkeep packs logs: of those the groups' folders are told.
    found["files"] = {
        "/".join(name.split("/")[:2]) if name.startswith("logs/") else name
        for name in files
        if not name.endswith(("-wal", "-shm", "-journal"))
    }
    return found


def ask(host: str, data: bytes) -> bytes:
    """Send it, say that this was all, and read what comes until the server hangs up."""
    name, port = host.split(":")
    with socket.create_connection((name, int(port)), timeout=60) as peer:
        answer = b""
        try:
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            while part := peer.recv(65536):
                answer += part
        except (ConnectionResetError, BrokenPipeError):
            pass  # it was refused before all of it was sent
        return answer


def objection(kind: str, sent: bytes, answer: bytes, secret: bytes) -> str | None:
    """What is wrong with an answer; None if nothing is."""
    for text in (secret, b"Traceback", b'File "', b"site-packages"):
        if text in answer:
            return f"tells {text!r}"
    at = 0
    while at < len(answer):
        head = _HEAD.match(answer, at)
        if head is None:
            return f"is no HTTP: {answer[at : at + 80]!r}"
        at = head.end()
        status = int(head[1])
        if status >= 500:
            return f"is {answer[:400]!r}"
        if status == 100:
            continue
        headers = dict(line.lower().split(b": ", 1) for line in head[2].split(b"\r\n") if line)
        length = int(headers.get(b"content-length", b"0"))
        body = b"" if sent.startswith(b"HEAD") else answer[at : at + length]
        at += len(body)
        if status >= 400 and body and (wrong := _shapeless(headers, body)) is not None:
            return wrong
    return None


def _shapeless(headers: dict[bytes, bytes], body: bytes) -> str | None:
    """Why an error isn't shaped as one of a service's; what is for no service has no shape."""
    content = headers.get(b"content-type", b"")
    if content == b"text/plain":
        return None
    if b"xml" in content:
        root = ET.fromstring(body)  # our own answer
        # In a namespace or, for a service that isn't here, in none.
        codes = [part for part in root.iter() if part.tag.rpartition("}")[2] == "Code"]
        return None if codes else f"has no code: {body!r}"
    found = json.loads(body)
    if "__type" in found or b"x-amzn-errortype" in headers:
        return None
    return f"has no type: {body!r}"


def test_malformed_requests_change_nothing(served: tuple[Cloud, Service], clock: ManualClock) -> None:
    """A short run: some of each kind."""
    cloud, service = served
    before = state(cloud)
    now = datetime.fromtimestamp(clock.now(), UTC)
    assert pelt(service.url, cloud, range(SHORT), str(cloud.root).encode(), now) == []
    assert state(cloud) == before
    while service._http.connections:
        threading.Event().wait(0.01)  # their threads see the end of each
    assert service._http.budget._taken == 0


@pytest.mark.long
def test_a_hundred_thousand_malformed_requests(store_path: Path) -> None:
    """The long run, on a server in a process of its own: its memory, threads and files don't grow with it."""
    with connect(f"disk:{store_path}") as cloud:
        fill(cloud)
        with process_serving(cloud) as (url, pid):
            secret = str(cloud.root).encode()
            # By then the server has made its own files.
            assert pelt(url, cloud, range(SHORT), secret) == []
            before = state(cloud)
            assert pelt(url, cloud, range(LONG, LONG + WARM), secret) == []
            warm = held(pid)
            for begin in range(0, LONG, BATCH):
                assert pelt(url, cloud, range(begin, begin + BATCH), secret) == []
                print(begin + BATCH, held(pid), flush=True)
            after = held(pid)
        assert state(cloud) == before
    assert after["MB"] - warm["MB"] < 32
    assert after["threads"] <= warm["threads"] + 4
    assert after["files"] <= warm["files"] + 8


@contextmanager
def process_serving(cloud: Cloud) -> Iterator[tuple[str, int]]:
    """`lambdalog serve` on a cloud's store: where it listens, and its process."""
    assert cloud.store is not None
    command = [sys.executable, "-m", "lambdalog", "serve", "--quiet", "--port", "0", "--grace", "1"]
    with subprocess.Popen([*command, "--store", f"disk:{cloud.root}"]) as process:
        try:
            while (found := running(cloud.store.layout.endpoint)) is None:
                assert process.poll() is None
                time.sleep(0.05)
            yield found.url, process.pid
        finally:
            process.terminate()


def pelt(url: str, cloud: Cloud, numbers: range, secret: bytes, now: datetime | None = None) -> list[str]:
    """Send these by four threads, signed at `now`; what is wrong with the answers."""
    assert cloud.store is not None
    host = url.removeprefix("http://")
    mutants = Mutants(load_keys(cloud.store.layout.endpoint_keys), host, now or datetime.now(UTC))
    wrong: list[str] = []

    def send(number: int) -> None:
        kind, data = mutants.make(number)
        said = objection(kind, data, ask(host, data), secret)
        if said is not None:
            wrong.append(f"{number} ({kind}): {said}")

    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(send, numbers):
            pass
    return wrong


def held(pid: int) -> dict[str, int]:
    """Memory, threads and open files of a process."""
    process = Path("/proc") / str(pid)
    pages = int((process / "statm").read_text(encoding="ascii").split()[1])
    return {
        "MB": pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000,
        "threads": len(list((process / "task").iterdir())),
        "files": len(list((process / "fd").iterdir())),
    }


def test_what_they_are_made_of_comes_in(served: tuple[Cloud, Service], clock: ManualClock) -> None:
    """Unspoiled, each is let in and understood, and changes nothing: it asks for what can't be done, or only reads."""
    cloud, service = served
    before = state(cloud)
    host = service.url.removeprefix("http://")
    mutants = Mutants(service.keys, host, datetime.fromtimestamp(clock.now(), UTC))
    heads = [ask(host, whole) for whole in mutants._whole]
    assert [
        head for head in heads if b"ignature" in head or b"UnknownOperation" in head or b"Serial" in head
    ] == []
    statuses = {int(head[9:12]) for head in heads}
    assert statuses <= {200, 400, 404}
    assert 200 in statuses
    assert state(cloud) == before


def test_the_kinds_are_what_they_say(clock: ManualClock) -> None:
    """A number gives the same request each time."""
    mutants = Mutants(Keys("LLOGX", "secret"), "127.0.0.1:1", datetime.fromtimestamp(clock.now(), UTC))
    assert {mutants.make(number)[0] for number in range(len(KINDS))} == {
        kind.__name__.strip("_") for kind in KINDS
    }
    assert [mutants.make(number) for number in range(40)] == [mutants.make(number) for number in range(40)]
