"""The endpoint beside other endpoints: requests a second and how long one takes, over boto3 and raw HTTP, 1 and 16 clients.

Raw HTTP is the bytes that boto3 would send, sent again and again from one thread: what is measured is the server, where boto3
itself takes most of the time of one request. How much of it, the rows beside a server tell that has our answer ready made.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.bench.harness import Bench, Figure, Row
from tests.bench.load import Load, load, middle
from tests.bench.raw import Raw, captured, repeated
from tests.bench.servers import Server, canned, ministack, moto, ours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# For each round.
SECONDS: Final = float(os.environ.get("LAMBDALOG_BENCH_SECONDS", "0.3"))
CLIENTS: Final = (1, 16)
ROUNDS: Final = 3
# Who has taken as long over some rounds is not asked again.
ENOUGH_SECONDS: Final = 3.0
BODY: Final = json.dumps({"order": 12345, "items": ["a"] * 20, "pad": "x" * 150})
TENS: Final = [{"Id": str(n), "MessageBody": BODY} for n in range(10)]
EVENTS: Final = 10_000
# For the cost as a store grows.
MESSAGES: Final = 100_000
PUTS: Final = 50
CODE: Final = "def handler(event, context):\n    return event\n"


class Asked(NamedTuple):
    """An operation: its name in the table, its service, and what makes ready for it and tells how boto3's client is asked."""

    what: str
    service: str
    ready: Callable[[Server], Callable[[Any], object]]


class Cell(NamedTuple):
    """One measurement of a server."""

    what: str
    how: str
    clients: int

    def __str__(self) -> str:
        return f"endpoint: {self.what}, {self.how}, {self.clients} client{'s' if self.clients > 1 else ''}"


def _measured(server: Server, service: str, call: Callable[[Any], object], how: str, clients: int) -> Load:
    client = server.client(service, max_pool_connections=max(CLIENTS))
    call(client)  # what client and server load when they are first asked is not measured
    if how == "boto3":
        return load(clients, SECONDS, lambda: partial(call, client))
    return repeated(server.url, captured(client, call), clients, SECONDS)


def _beside(folder: Path, asked: list[Asked]) -> Iterator[Row]:
    """Each operation at each server, in turns: what else the machine does falls on all of them."""
    with ExitStack() as stack:
        servers = [stack.enter_context(start(folder)) for start in (ours, moto, ministack)]
        if None in servers:
            yield Row("endpoint: beside ministack", Figure(0, ""), "ministack: not installed")
        for one in asked:
            ready = [(server, one.ready(server)) for server in servers if server is not None]
            with canned(folder, _answer(*ready[0], one.service)) as alone:
                for how in ("raw HTTP", "boto3"):
                    # No server is quicker over boto3 than one that has the answer already.
                    beside = ready if how == "raw HTTP" else [*ready, (alone, ready[0][1])]
                    for clients in CLIENTS:
                        yield from _rows(Cell(one.what, how, clients), one.service, beside)


def _answer(server: Server, call: Callable[[Any], object], service: str) -> bytes:
    with Raw(server.url, captured(server.client(service), call)) as raw:
        return raw()


def _rows(cell: Cell, service: str, servers: list[tuple[Server, Callable[[Any], object]]]) -> Iterator[Row]:
    """Ours, which is the first one, beside each of the others."""
    found: dict[str, list[Load]] = {server.name: [] for server, _ in servers}
    spent = dict.fromkeys(found, 0.0)
    for _ in range(ROUNDS):
        for server, call in servers:
            if spent[server.name] < ENOUGH_SECONDS:
                began = time.monotonic()
                found[server.name].append(_measured(server, service, call, cell.how, cell.clients))
                spent[server.name] += time.monotonic() - began
    mine, *peers = [(name, middle(loads)) for name, loads in found.items()]
    for peer, theirs in peers:
        yield Row(str(cell), Figure(mine[1].rate, "/s"), peer, Figure(theirs.rate, "/s"))
    there = dict(peers)["moto server"]
    yield Row(f"{cell}, median", _ms(mine[1].median), "moto server", _ms(there.median))
    yield Row(f"{cell}, 99th percentile", _ms(mine[1].slow), "moto server", _ms(there.slow))


def _ms(seconds: float) -> Figure:
    return Figure(seconds * 1000, "ms")


# --- what is asked


def _queue(server: Server) -> str:
    """The URL of a queue that holds some messages. A new one each time: moto's get slower with what they hold."""
    sqs = server.client("sqs")
    url: str = sqs.create_queue(QueueName=f"q{uuid.uuid4().hex}")["QueueUrl"]
    for _ in range(4):
        sqs.send_message_batch(QueueUrl=url, Entries=TENS)
    return url


def _send(server: Server) -> Callable[[Any], object]:
    url = _queue(server)
    return lambda sqs: sqs.send_message(QueueUrl=url, MessageBody=BODY)


def _send_tens(server: Server) -> Callable[[Any], object]:
    url = _queue(server)
    return lambda sqs: sqs.send_message_batch(QueueUrl=url, Entries=TENS)


def _receive(server: Server) -> Callable[[Any], object]:
    """Ten at a time, which stay visible: a queue that runs empty would be answered sooner."""
    url = _queue(server)
    return lambda sqs: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)


def _identity(server: Server) -> Callable[[Any], object]:
    """What HTTP, signature and protocol cost where there is nothing to do."""
    del server
    return lambda sts: sts.get_caller_identity()


def _publish(server: Server) -> Callable[[Any], object]:
    arn = server.client("sns").create_topic(Name="t")["TopicArn"]
    return lambda sns: sns.publish(TopicArn=arn, Message=BODY)


def _stream(server: Server) -> dict[str, str]:
    """A new stream in a new group."""
    logs = server.client("logs")
    name = {"logGroupName": uuid.uuid4().hex, "logStreamName": "s"}
    logs.create_log_group(logGroupName=name["logGroupName"])
    logs.create_log_stream(**name)
    return name


def _events(count: int, ago: int = 0) -> list[dict[str, Any]]:
    """One each millisecond, the last one so many batches ago."""
    begin = time.time_ns() // 1_000_000 - count * (1 + ago)
    return [{"timestamp": begin + n, "message": f"{n:05d} {'x' * 64}"} for n in range(count)]


def _put(server: Server, count: int) -> Callable[[Any], object]:
    asked = {**_stream(server), "logEvents": _events(count)}
    return lambda logs: logs.put_log_events(**asked)


def _get(server: Server) -> Callable[[Any], object]:
    name = _stream(server)
    server.client("logs").put_log_events(**name, logEvents=_events(200))
    return lambda logs: logs.get_log_events(**name, startFromHead=True, limit=100)


def _invoke(server: Server) -> Callable[[Any], object]:
    """Of a function that gives its event back. moto runs none: it answers with a fixed text."""
    role = "arn:aws:iam::000000000000:role/r"
    if not server.ours:
        iam = server.client("iam")
        role = iam.create_role(RoleName=uuid.uuid4().hex, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("app.py", CODE)
    client, name = server.client("lambda"), uuid.uuid4().hex
    client.create_function(
        FunctionName=name,
        Role=role,
        Runtime=f"python{sys.version_info[0]}.{sys.version_info[1]}",
        Handler="app.handler",
        Timeout=60,
        Code={"ZipFile": code.getvalue()},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name)

    def call(found: Any) -> None:
        found.invoke(FunctionName=name, Payload=BODY)["Payload"].read()

    # As many environments as there are clients start before anything is measured.
    with ThreadPoolExecutor(max(CLIENTS)) as pool:
        list(pool.map(call, [client] * max(CLIENTS)))
    return call


# --- as the store grows


def growth(folder: Path) -> Iterator[Row]:
    """What one request costs at a store that holds little, and at the same when it holds much."""
    with ours(folder) as server:
        queue, name, read = _queue(server), _stream(server), _stream(server)
        tens: Callable[[Any], object] = lambda sqs: sqs.send_message_batch(QueueUrl=queue, Entries=TENS)  # noqa: E731
        put: Callable[[Any], object] = lambda logs: logs.put_log_events(**name, logEvents=_events(EVENTS))  # noqa: E731
        asked: list[tuple[str, str, Callable[[Any], object]]] = [
            ("SendMessageBatch of 10", "sqs", tens),
            (
                "ReceiveMessage of 10",
                "sqs",
                # They stay visible: of few messages none would be left, which is answered sooner.
                lambda sqs: sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0),
            ),
            ("PutLogEvents of 10,000", "logs", put),
            ("GetLogEvents of 100, the newest", "logs", lambda logs: logs.get_log_events(**read, limit=100)),
        ]
        logs = server.client("logs", parameter_validation=False)
        logs.put_log_events(**read, logEvents=_events(EVENTS, PUTS))
        few = [_measured(server, service, call, "raw HTTP", 1) for _, service, call in asked]
        with Raw(server.url, captured(server.client("sqs"), tens)) as raw:
            for _ in range(MESSAGES // 10):
                raw()
        for number in range(PUTS // 2):
            put(logs)
            logs.put_log_events(**read, logEvents=_events(EVENTS, PUTS // 2 - number))
        for (what, service, call), before in zip(asked, few, strict=True):
            after = _measured(server, service, call, "raw HTTP", 1)
            much = f"{MESSAGES:,} messages" if service == "sqs" else f"{PUTS * EVENTS:,} events"
            yield Row(
                f"endpoint: {what}, {much} held",
                Figure(after.rate, "/s"),
                "ours, with few",
                Figure(before.rate, "/s"),
            )


def benches() -> list[Bench]:
    """All of them."""
    queue = [
        Asked("SendMessage", "sqs", _send),
        Asked("SendMessageBatch of 10", "sqs", _send_tens),
        Asked("ReceiveMessage of 10", "sqs", _receive),
    ]
    logs = [
        Asked("PutLogEvents of 1", "logs", partial(_put, count=1)),
        Asked("PutLogEvents of 10,000", "logs", partial(_put, count=EVENTS)),
        Asked("GetLogEvents of 100", "logs", _get),
    ]
    small = [Asked("GetCallerIdentity", "sts", _identity), Asked("Publish", "sns", _publish)]
    return [
        Bench("endpoint-queue", partial(_beside, asked=queue)),
        Bench("endpoint-logs", partial(_beside, asked=logs)),
        Bench("endpoint-small", partial(_beside, asked=small)),
        Bench("endpoint-invoke", partial(_beside, asked=[Asked("Invoke", "lambda", _invoke)])),
        Bench("endpoint-growth", growth),
    ]
