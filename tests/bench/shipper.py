"""The shipper: a hundred thousand events, end to end, to disk and to an endpoint on loopback; beside watchtower.

Both sides are done when the last event is counted where it arrives. The endpoint is a process of its own that does
little: what is measured is who sends. Three ways in: the Shipper's own `put`, a handler of standard logging under a
logger, and what a call costs the thread that logs.
"""

from __future__ import annotations

import importlib
import logging
import subprocess
import sys
import threading
import time
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from lambdalog.cloud import connect
from lambdalog.shipper import CloudWatchLogHandler, Shipper
from tests.bench.harness import MICROSECONDS, Bench, Figure, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

EVENTS: Final = 100_000
LINE: Final = (
    '{"timestamp":"2026-01-01T00:00:00.000Z","level":"INFO","message":"charging","requestId":'
    '"7f0d8e1e-0000-4000-8000-000000000000","function":"orders","version":"7","coldStart":false,"order_id":"o-1"}'
)
# A service that counts PutLogEvents' events by their key (in a message its quotes are escaped), and is content with all
# else. GET gives the count.
ENDPOINT: Final = """
import asyncio

class Answering(asyncio.Protocol):
    count = 0

    def connection_made(self, transport):
        self.transport, self.data, self.wanted = transport, bytearray(), -1

    def data_received(self, data):
        self.data += data
        if self.wanted < 0 and (end := self.data.find(b"\\r\\n\\r\\n")) >= 0:
            self.head = bytes(self.data[:end]).lower()
            length = self.head.partition(b"content-length:")[2].partition(b"\\r\\n")[0].strip()
            self.wanted = end + 4 + int(length or 0)
            if b"100-continue" in self.head:
                self.transport.write(b"HTTP/1.1 100 Continue\\r\\n\\r\\n")
        if 0 <= self.wanted <= len(self.data):
            body = b"{}"
            if self.head.startswith(b"get"):
                body = b"%d" % Answering.count
            elif b"putlogevents" in self.head:
                Answering.count += self.data.count(b'"timestamp":')
            self.data, self.wanted = bytearray(), -1
            self.transport.write(
                b"HTTP/1.1 200 OK\\r\\nContent-Type: application/x-amz-json-1.1\\r\\nContent-Length: %d\\r\\n\\r\\n%s"
                % (len(body), body)
            )

async def main():
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


class Endpoint:
    """The service, in a process of its own."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def client(self) -> Any:
        """boto3's client of it."""
        return boto3.client(
            "logs",
            region_name="eu-west-1",
            endpoint_url=self.url,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def count(self) -> int:
        """How many events it has."""
        import urllib.request

        with urllib.request.urlopen(self.url) as answer:
            return int(answer.read())


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """A service that counts."""
    with subprocess.Popen([sys.executable, "-c", ENDPOINT], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Endpoint(int(process.stdout.readline()))
        finally:
            process.kill()


def put(client: Any) -> tuple[Callable[[], None], Callable[[], None]]:
    """The Shipper's own way in."""
    shipper = Shipper(client, group="g", stream="ours")

    def log() -> None:
        for _ in range(EVENTS):
            shipper.put(LINE)

    return log, lambda: shipper.close(600)


def through(handler: logging.Handler) -> tuple[Callable[[], None], Callable[[], None]]:
    """A handler of standard logging, under a logger of its own."""
    logger = logging.getLogger(f"bench.{type(handler).__module__}")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.handlers = [handler]

    def log() -> None:
        for _ in range(EVENTS):
            logger.info(LINE)

    def close() -> None:
        logger.handlers = []
        handler.close()

    return log, close


def ours(client: Any) -> tuple[Callable[[], None], Callable[[], None]]:
    """Our handler of standard logging."""
    return through(CloudWatchLogHandler("g", "handler", boto3_client=client))


def watchtower(client: Any) -> tuple[Callable[[], None], Callable[[], None]] | None:
    """Watchtower's; None where it isn't installed."""
    try:
        peer = importlib.import_module("watchtower")
    except ImportError:
        return None
    # It waits for its thread; a shutdown in between would be its end.
    peer.CloudWatchLogHandler.FLUSH_TIMEOUT = 600
    return through(peer.CloudWatchLogHandler("g", "watchtower", boto3_client=client))


class Taken:
    """What one run took: all of it, in the calls, and of this process's CPU (seconds); and how many events arrived."""

    def __init__(self, whole: float, calls: float, cpu: float, arrived: int) -> None:
        self.whole, self.calls, self.cpu, self.arrived = whole, calls, cpu, arrived

    @property
    def rate(self) -> float:
        """Events a second; one that was dropped was quick, and counts for nothing."""
        return self.arrived / self.whole

    def each(self, seconds: float) -> Figure:
        """What an event took of some time."""
        return Figure(seconds / self.arrived * 1e6, MICROSECONDS)


def taken(client: Any, way: Callable[[Any], Any], count: Callable[[], int]) -> Taken | None:
    """The best of three runs; None where there is no such peer."""
    runs: list[Taken] = []
    for _ in range(3):
        before = count()
        made = way(client)
        if made is None:
            return None
        log, close = made
        begin, cpu, caller = time.perf_counter(), time.process_time(), time.thread_time()
        log()
        calls = time.thread_time() - caller
        close()
        whole, spent = time.perf_counter() - begin, time.process_time() - cpu
        runs.append(Taken(whole, calls, spent, count() - before))
    return max(runs, key=lambda run: run.rate)


def rows(where: str, client: Any, count: Callable[[], int]) -> Iterator[Row]:
    """Each way in beside watchtower's only one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = taken(client, watchtower, count)
    who = "watchtower" if peer is not None else "watchtower: not installed"
    if peer is not None and peer.arrived < EVENTS:
        # What is logged while it makes its stream is dropped.
        who = f"watchtower, which lost {EVENTS - peer.arrived}"
    for name, way in (("put", put), ("standard logging", ours)):
        mine = taken(client, way, count)
        assert mine is not None
        if mine.arrived < EVENTS:
            raise AssertionError(f"{name}: {EVENTS - mine.arrived} of {EVENTS} events did not arrive")
        what = f"shipper: {EVENTS:,} events to {where}, {name}"
        yield Row(what, Figure(mine.rate, "/s"), who, None if peer is None else Figure(peer.rate, "/s"))
        for label, attribute in (("CPU an event", "cpu"), ("CPU in the caller", "calls")):
            yield Row(
                f"… {label}",
                mine.each(getattr(mine, attribute)),
                who,
                None if peer is None else peer.each(getattr(peer, attribute)),
            )


def to_endpoint(_: Path) -> Iterator[Row]:
    """By boto3's client to the endpoint."""
    with endpoint() as found:
        yield from rows("an endpoint", found.client(), found.count)


def to_disk(folder: Path) -> Iterator[Row]:
    """By our client to a store."""
    with connect(f"disk:{folder}") as cloud:
        client = Counting(cloud.logs)
        yield from rows("disk", client, client.count)


class Counting:
    """A client, and how many events it took."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_log_events(self, **params: Any) -> Any:
        """Take a batch."""
        answer = self._client.put_log_events(**params)
        with self._lock:
            self._count += len(params["logEvents"])
        return answer

    def count(self) -> int:
        """How many events it took."""
        return self._count


def benches() -> list[Bench]:
    """The benches of this room."""
    return [Bench("shipper-endpoint", to_endpoint), Bench("shipper-disk", to_disk)]
