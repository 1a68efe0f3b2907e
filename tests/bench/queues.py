"""Queues beside what else one would queue with on one machine: send, receive, delete."""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import time
import uuid
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from lambdalog.arn import Scope
from lambdalog.local.sqs import Sqs
from lambdalog.local.sqs.message import Draft
from tests.bench.harness import Bench, Figure, Row, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lambdalog.local.durability import Durability

MESSAGES: Final = 3000
# moto answers some hundred requests a second.
FEW: Final = 300
LARGE: Final = int(os.environ.get("LAMBDALOG_BENCH_MESSAGES", "1000000"))
SMALL: Final = 1000
WORKERS: Final = 4
# Messages that go through a full queue to see what one costs.
THROUGH: Final = 400
# What a queue of events holds: an event of some hundred bytes.
BODY: Final = json.dumps(
    {"id": str(uuid.UUID(int=7)), "detail": {"order": 12345, "items": ["a"] * 20}, "pad": "x" * 90}
)


class Peer(Protocol):
    """One queue that can be sent to, and worked off."""

    def send(self, count: int) -> None:
        """Send so many messages, one by one."""
        ...

    def work(self) -> int:
        """Receive one message and delete it; how many that were: 0 or 1."""
        ...


class Ours:
    """lambdalog's SQS."""

    def __init__(self, folder: Path, durability: Durability = "NORMAL") -> None:
        self.sqs: Any = Sqs(folder / "ours", scope=Scope(), durability=durability)
        self.url = self.sqs.create_queue(QueueName="q")["QueueUrl"]

    def send(self, count: int) -> None:
        """One by one."""
        for _ in range(count):
            self.sqs.send_message(QueueUrl=self.url, MessageBody=BODY)

    def work(self) -> int:
        """One message."""
        return _work_one(self.sqs, self.url)

    def send_tens(self, count: int) -> None:
        """In batches of ten."""
        _send_tens(self.sqs, self.url, count)

    def work_tens(self, count: int) -> None:
        """In batches of ten."""
        _work_tens(self.sqs, self.url, count)


def _work_one(sqs: Any, url: str) -> int:
    found = sqs.receive_message(QueueUrl=url).get("Messages")
    if not found:
        return 0
    sqs.delete_message(QueueUrl=url, ReceiptHandle=found[0]["ReceiptHandle"])
    return 1


def _send_tens(sqs: Any, url: str, count: int) -> None:
    entries = [{"Id": str(n), "MessageBody": BODY} for n in range(10)]
    for _ in range(count // 10):
        sqs.send_message_batch(QueueUrl=url, Entries=entries)


def _work_tens(sqs: Any, url: str, count: int) -> None:
    left = count
    while left > 0:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(found)]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        left -= len(found)


class LiteQueue:
    """litequeue."""

    def __init__(self, folder: Path, durability: Durability = "NORMAL") -> None:
        from litequeue import LiteQueue as Queue

        folder.mkdir(exist_ok=True)
        self._queue: Any = Queue(folder / "lite.sqlite", timeout=60)
        self._queue.conn.execute(f"PRAGMA synchronous={durability}")

    def send(self, count: int) -> None:
        """One by one."""
        for _ in range(count):
            self._queue.put(BODY)

    def work(self) -> int:
        """One message."""
        message = self._queue.pop()
        if message is None:
            return 0
        self._queue.done(message.message_id)
        return 1


class PersistQueue:
    """persist-queue's SQLite queue with acknowledgement."""

    def __init__(self, folder: Path, durability: Durability = "NORMAL") -> None:
        from persistqueue import SQLiteAckQueue

        make: Any = SQLiteAckQueue
        self._queue = make(str(folder / "persist"), auto_commit=True)
        self._queue._putter.execute(f"PRAGMA synchronous={durability}")

    def send(self, count: int) -> None:
        """One by one."""
        for _ in range(count):
            self._queue.put(BODY)

    def work(self) -> int:
        """One message."""
        from persistqueue import Empty

        try:
            item = self._queue.get(block=False, raw=True)
        except Empty:
            return 0
        self._queue.ack(id=item["pqid"])
        return 1


class Huey:
    """huey's SQLite storage; it removes a message when it is received, so it never gives one again."""

    def __init__(self, folder: Path, durability: Durability = "NORMAL") -> None:
        from huey.storage import SqliteStorage

        folder.mkdir(exist_ok=True)
        self._storage: Any = SqliteStorage(filename=str(folder / "huey.sqlite"), timeout=60)
        self._storage.conn.execute(f"PRAGMA synchronous={durability}")
        self._data = BODY.encode()

    def send(self, count: int) -> None:
        """One by one."""
        for _ in range(count):
            self._storage.enqueue(self._data)

    def work(self) -> int:
        """One message."""
        return int(self._storage.dequeue() is not None)


PEERS: Final[dict[str, tuple[str, Callable[..., Peer]]]] = {
    "litequeue": ("litequeue", LiteQueue),
    "persist-queue": ("persistqueue", PersistQueue),
    "huey": ("huey", Huey),
}


def _rate(count: int, action: Callable[[], object]) -> Figure:
    """How many a second, from the best of three runs: the machine's other work only ever takes time."""
    return Figure(count / min(seconds(action, times=1) for _ in range(3)), "/s")


def _round(queue: Peer, count: int) -> None:
    queue.send(count)
    for _ in range(count):
        assert queue.work() == 1


def _beside(what: str, ours: Figure, folder: Path, durability: Durability, count: int) -> Iterator[Row]:
    for name, (module, make) in PEERS.items():
        if importlib.util.find_spec(module) is None:
            yield Row(what, ours, f"{name}: not installed")
            continue
        peer = make(folder, durability)
        yield Row(what, ours, name, _rate(count, partial(_round, peer, count)))


@contextmanager
def _moto() -> Iterator[tuple[Any, str]]:
    """boto3 on moto: a client, and a queue's URL."""
    import boto3
    from moto import mock_aws

    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    with mock_aws():
        sqs = boto3.Session(region_name="us-east-1", **keys).client("sqs")
        yield sqs, sqs.create_queue(QueueName="q")["QueueUrl"]


def one_by_one(folder: Path) -> Iterator[Row]:
    """A message sent, received and deleted, each in a call of its own."""
    what = "queue: send, receive, delete, one by one"
    ours = _rate(MESSAGES, partial(_round, Ours(folder), MESSAGES))
    yield from _beside(what, ours, folder, "NORMAL", MESSAGES)
    with _moto() as (sqs, url):

        def work() -> None:
            for _ in range(FEW):
                sqs.send_message(QueueUrl=url, MessageBody=BODY)
                assert _work_one(sqs, url) == 1

        yield Row(what, ours, "moto over boto3", _rate(FEW, work))


def two_commits(folder: Path) -> Iterator[Row]:
    """What huey does, and no more: a message is put down, and taken; ours stays until it is deleted."""
    queue = Ours(folder)
    taken: list[str] = []

    def work() -> None:
        queue.send(MESSAGES)
        for _ in range(MESSAGES):
            found = queue.sqs.receive_message(QueueUrl=queue.url)["Messages"]
            taken.append(found[0]["ReceiptHandle"])

    def figure() -> float:
        passed = seconds(work, times=1)
        while taken:
            queue.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=taken.pop())
        return passed

    what = "queue: send and receive, two commits each"
    ours = Figure(MESSAGES / min(figure() for _ in range(3)), "/s")
    if importlib.util.find_spec("huey") is None:
        yield Row(what, ours, "huey: not installed")
    else:
        yield Row(what, ours, "huey", _rate(MESSAGES, partial(_round, Huey(folder), MESSAGES)))


def in_tens(folder: Path) -> Iterator[Row]:
    """The same in batches of ten; who has no batches does it one by one."""
    what = "queue: send, receive, delete, in tens"
    queue = Ours(folder)

    def work() -> None:
        queue.send_tens(MESSAGES)
        queue.work_tens(MESSAGES)

    ours = _rate(MESSAGES, work)
    yield from _beside(what, ours, folder, "NORMAL", MESSAGES)
    with _moto() as (sqs, url):

        def few() -> None:
            _send_tens(sqs, url, FEW)
            _work_tens(sqs, url, FEW)

        yield Row(what, ours, "moto over boto3", _rate(FEW, few))


def fully_durable(folder: Path) -> Iterator[Row]:
    """One by one and in tens, each write synced: what a dead-letter queue does."""
    count = MESSAGES // 5
    queue = Ours(folder, "FULL")
    ours = _rate(count, partial(_round, queue, count))
    yield from _beside("queue: one by one, synced to the disk", ours, folder, "FULL", count)

    def work() -> None:
        queue.send_tens(count)
        queue.work_tens(count)

    yield from _beside("queue: in tens, synced to the disk", _rate(count, work), folder, "FULL", count)


def _fill(queue: Ours, count: int) -> None:
    exchange = queue.sqs._exchange
    found = exchange.catalog.find("q")
    now = exchange._clock.now_ms()
    for _ in range(count // SMALL):
        drafts = [(Draft(exchange.mailbox.ids.next(), BODY, None, None), now) for _ in range(SMALL)]
        exchange.mailbox.send_many(found, drafts, now)


def backlog(folder: Path) -> Iterator[Row]:
    """What a call takes in a queue that holds a million messages, beside one that holds a thousand."""
    queues = [Ours(folder / str(held)) for held in (LARGE, SMALL)]
    for queue, held in zip(queues, (LARGE, SMALL), strict=True):
        _fill(queue, held)
        _round(queue, THROUGH)
    # In turn, so that whatever else the machine does meets both.
    runs = [[seconds(partial(_round, queue, THROUGH), times=1) for queue in queues] for _ in range(9)]
    found = [Figure(min(column) / THROUGH * 1e6, "us") for column in zip(*runs, strict=True)]
    yield Row(
        f"queue: a message through a queue of {LARGE:,}", found[0], f"ours, a queue of {SMALL:,}", found[1]
    )


def _produce(make: Callable[[Path], Peer], folder: Path, count: int, start: Any) -> None:
    queue = make(folder)
    start.wait()
    queue.send(count)


def _consume(make: Callable[[Path], Peer], folder: Path, left: Any, start: Any) -> None:
    queue = make(folder)
    start.wait()
    while left.value > 0:
        if queue.work():
            with left.get_lock():
                left.value -= 1
        else:
            time.sleep(0.001)


def _crowd(make: Callable[[Path], Peer], folder: Path, count: int) -> Figure:
    """Producers and consumers in processes of their own, all at once."""
    context = multiprocessing.get_context("fork")
    make(folder)
    left, start = context.Value("i", count), context.Event()
    processes = [
        *(
            context.Process(target=_produce, args=(make, folder, count // WORKERS, start))
            for _ in range(WORKERS)
        ),
        *(context.Process(target=_consume, args=(make, folder, left, start)) for _ in range(WORKERS)),
    ]
    for process in processes:
        process.start()
    time.sleep(1)
    begin = time.perf_counter()
    start.set()
    for process in processes:
        process.join()
    return Figure(count / (time.perf_counter() - begin), "/s")


def crowded(folder: Path) -> Iterator[Row]:
    """Four producers and four consumers at once."""
    what = f"queue: {WORKERS} producers and {WORKERS} consumers"
    count = 4000
    ours = _crowd(Ours, folder, count)
    for name in ("litequeue", "huey"):
        module, make = PEERS[name]
        if importlib.util.find_spec(module) is None:
            yield Row(what, ours, f"{name}: not installed")
        else:
            yield Row(what, ours, name, _crowd(make, folder, count))


def benches() -> list[Bench]:
    """All of them."""
    return [
        Bench("queues.one", one_by_one),
        Bench("queues.two", two_commits),
        Bench("queues.tens", in_tens),
        Bench("queues.full", fully_durable),
        Bench("queues.backlog", backlog),
        Bench("queues.crowd", crowded),
    ]
