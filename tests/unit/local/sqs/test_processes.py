"""Several processes on one store of queues: waits, kills, and what a power cut leaves."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import pytest

from lambdalog.arn import Scope
from lambdalog.clock import SYSTEM, ManualClock
from lambdalog.cloud import connect
from lambdalog.local.sqs import Sqs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD = """
import sys, os, json
from pathlib import Path
from lambdalog.arn import Scope
from lambdalog.local.sqs import Sqs
sqs = Sqs(Path(sys.argv[1]), scope=Scope())
url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
say = lambda *words: print(*words, flush=True)
"""

SENDER = """
n = int(sys.argv[2])
while True:
    if n % 3:
        sqs.send_message(QueueUrl=url, MessageBody=str(n) + " " * (900 * (n % 2)))
        say(n)
        n += 1
    else:
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(k), "MessageBody": str(n + k)} for k in range(4)])
        say(*range(n, n + 4))
        n += 4
"""

RECEIVER = """
while True:
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=5, VisibilityTimeout=0 if os.getpid() % 2 else 1)
    for message in got.get("Messages", []):
        n = int(message["Body"])
        say("got", n)
        if n % 2:
            say("deleting", n)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            say("deleted", n)
"""

MOVER = """
dead = Scope().queue("dead")
for _ in range(10_000):
    try:
        sqs.start_message_move_task(SourceArn=dead)
    except Exception:
        pass
    sqs.list_message_move_tasks(SourceArn=dead)
    say("moved")
"""


@contextmanager
def process(code: str, *arguments: object) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """A process that runs code on a store; killed at the end, if it still runs."""
    command = [sys.executable, "-c", HEAD + code, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ), text=True) as started:
        assert started.stdout is not None
        try:
            yield started, started.stdout
        finally:
            started.kill()


def rounds(count: int) -> list[Any]:
    """Seeds for tests that kill at random: a few in CI, many in the long run."""
    return [*range(2), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, count))]


@pytest.fixture
def sqs(store_path: Path) -> Iterator[Any]:
    """A client on the machine's clock."""
    client = Sqs(store_path, scope=Scope())
    client.create_queue(QueueName="q")
    yield client
    client.close()


def url_of(sqs: Any, name: str = "q") -> str:
    """A queue's URL."""
    found: str = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    return found


def numbers(sqs: Any, name: str = "q") -> list[int]:
    """The numbers in the messages of a queue."""
    messages = sqs.peek_messages(QueueUrl=url_of(sqs, name), MaxNumberOfMessages=1_000_000)["Messages"]
    return [int(message["Body"]) for message in messages]


@pytest.mark.parametrize("seed", rounds(40))
def test_killed_senders_lose_nothing_acknowledged(sqs: Any, store_path: Path, seed: int) -> None:
    """Kill -9 of a sender at any moment: each message that was answered for is there once, a batch whole or not at all."""
    chance = random.Random(seed)
    with process(SENDER, store_path, 0) as (sender, told):
        lines = [told.readline() for _ in range(chance.randint(1, 60))]
        time.sleep(chance.random() * 0.002)
        sender.kill()
        lines += told.readlines()
    acknowledged = {int(n) for line in lines if line.endswith("\n") for n in line.split()}
    found = numbers(sqs)
    assert len(found) == len(set(found))
    assert set(found) >= acknowledged
    assert sorted(found) == list(range(len(found)))


@pytest.mark.parametrize("seed", rounds(40))
def test_killed_receivers_lose_nothing(sqs: Any, store_path: Path, seed: int) -> None:
    """Kill -9 of a receiver: what it did not delete is still there; what it says it deleted is gone."""
    chance, url = random.Random(seed), url_of(sqs)
    for start in range(0, 200, 10):
        entries = [{"Id": str(n), "MessageBody": str(start + n)} for n in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    with process(RECEIVER, store_path) as (receiver, told):
        lines = [told.readline() for _ in range(chance.randint(1, 120))]
        receiver.kill()
        lines += told.readlines()
    words = [line.split() for line in lines if line.endswith("\n")]
    deleting, deleted = ({int(n) for word, n in words if word == kind} for kind in ("deleting", "deleted"))
    found = set(numbers(sqs))
    assert found.isdisjoint(deleted)
    assert found >= set(range(200)) - deleting
    assert sqs._tables.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("seed", rounds(20))
def test_killed_movers_lose_nothing(sqs: Any, store_path: Path, seed: int) -> None:
    """Kill -9 of whoever works on a move task: each message is in one of the queues, once; another goes on with the task."""
    chance = random.Random(seed)
    sqs.create_queue(QueueName="dead")
    policy = json.dumps({"deadLetterTargetArn": Scope().queue("dead"), "maxReceiveCount": 1})
    sqs.set_queue_attributes(
        QueueUrl=url_of(sqs), Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"}
    )
    for start in range(0, 300, 10):
        entries = [{"Id": str(n), "MessageBody": str(start + n)} for n in range(10)]
        sqs.send_message_batch(QueueUrl=url_of(sqs), Entries=entries)
    for _ in range(30):
        sqs.receive_message(QueueUrl=url_of(sqs), MaxNumberOfMessages=10)
    with process(MOVER, store_path) as (mover, told):
        for _ in range(chance.randint(1, 30)):
            told.readline()
        mover.kill()
        mover.wait()
    while True:
        (task,) = sqs.list_message_move_tasks(SourceArn=Scope().queue("dead"))["Results"]
        if task["Status"] != "RUNNING":
            break
        time.sleep(0.01)
    assert sorted(numbers(sqs) + numbers(sqs, "dead")) == list(range(300))


def test_a_wait_ends_with_a_send_of_another_process(sqs: Any, store_path: Path) -> None:
    """A long poll is woken by it, long before its time is over, and uses hardly any CPU meanwhile."""
    url, got = url_of(sqs), []
    used: list[float] = []

    def wait() -> None:
        begin = time.thread_time()
        got.append((sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20), time.monotonic()))
        used.append(time.thread_time() - begin)

    waiter = threading.Thread(target=wait)
    begin = time.monotonic()
    waiter.start()
    send = 'sqs.send_message(QueueUrl=url, MessageBody="m")\nsay("sent")'
    with process(send, store_path) as (_, told):
        assert told.readline() == "sent\n"
        waiter.join(60)
    response, at = got[0]
    assert [message["Body"] for message in response["Messages"]] == ["m"]
    assert at - begin < 19
    assert used[0] < 1


@pytest.mark.parametrize("end", ["close", "end_waits"])
def test_waits_can_be_ended(store_path: Path, end: str) -> None:
    """Another thread's long poll ends when its client is closed, or the store is no longer served; not 20 seconds later."""
    client: Any = Sqs(store_path, scope=Scope())
    url = client.create_queue(QueueName="q")["QueueUrl"]
    waiting = threading.Event()
    original = client._arrivals.wait

    def wait(seen: int, seconds: float) -> None:
        waiting.set()
        original(seen, seconds)

    client._arrivals.wait = wait
    done = threading.Event()

    def receive() -> None:
        client.receive_message(QueueUrl=url, WaitTimeSeconds=20)
        done.set()

    threading.Thread(target=receive, daemon=True).start()
    assert waiting.wait(60)
    begin = time.monotonic()
    getattr(client, end)()
    assert done.wait(60)
    assert time.monotonic() - begin < 19
    client.close()


# --- power cuts


def test_what_reaches_a_dead_letter_queue_is_written_fully(store_path: Path) -> None:
    """Sends to it, burials into it and Lambda's dead letters commit with synchronous=FULL; other sends do not."""
    clock = ManualClock()
    client: Any = Sqs(store_path, scope=Scope(), clock=clock)
    url, dead = (client.create_queue(QueueName=name)["QueueUrl"] for name in ("q", "dead"))
    policy = json.dumps({"deadLetterTargetArn": Scope().queue("dead"), "maxReceiveCount": 1})
    client.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
    for queue in (url, dead):
        client.get_queue_attributes(
            QueueUrl=queue
        )  # so that no send is made twice for what is known of its queue
    levels: list[int] = []
    db = client._tables.connection
    # Whatever writes into the messages' table tells the level that it is written with: 2 is FULL.
    watching = False

    def look(statement: str) -> None:
        nonlocal watching
        if not watching and "INTO state" in statement:
            watching = True
            levels.append(db.execute("PRAGMA synchronous").fetchone()[0])
            watching = False

    db.set_trace_callback(look)
    client.send_message(QueueUrl=url, MessageBody="m")
    assert levels == [1]
    letter: Any = {
        "RequestID": {"DataType": "String", "StringValue": "r"},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
    }
    client.send_message(QueueUrl=url, MessageBody="m", MessageAttributes=letter)
    client.send_message(QueueUrl=dead, MessageBody="m")
    with client.durably():
        client.send_message(QueueUrl=url, MessageBody="m")
    assert levels == [1, 2, 2, 2]
    client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    clock.advance(31)
    client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    assert levels[4:] == [2, 2, 2]
    assert db.execute("PRAGMA synchronous").fetchone() == (1,)
    db.set_trace_callback(None)
    client.close()


def test_a_claim_is_never_synced(store_path: Path) -> None:
    """With FULL, sends and deletes are; a receive that a power cut undoes is only made again."""
    client: Any = Sqs(store_path, scope=Scope(), durability="FULL")
    url = client.create_queue(QueueName="q")["QueueUrl"]
    db, levels = client._tables.connection, []
    watching = False

    def look(statement: str) -> None:
        nonlocal watching
        word = statement.split(maxsplit=1)[0]
        if not watching and word in {"INSERT", "UPDATE", "DELETE"} and " state " in statement:
            watching = True
            levels.append((word, db.execute("PRAGMA synchronous").fetchone()[0]))
            watching = False

    db.set_trace_callback(look)
    client.send_message(QueueUrl=url, MessageBody="m")
    (message,) = client.receive_message(QueueUrl=url)["Messages"]
    client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    db.set_trace_callback(None)
    assert levels == [("INSERT", 2), ("UPDATE", 1), ("DELETE", 2)]
    client.close()


@pytest.mark.parametrize(("word", "level"), [("normal", 1), ("full", 2)])
def test_users_choose_how_safely_is_written(
    store_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, level: int
) -> None:
    """LAMBDALOG_DURABILITY holds for the queues and topics of `connect()`."""
    monkeypatch.setenv("LAMBDALOG_DURABILITY", word)
    with connect(f"disk:{store_path}") as cloud:
        for client in (cloud.client("sqs"), cloud.client("sns")):
            assert client._tables.connection.execute("PRAGMA synchronous").fetchone() == (level,)


LETTERS = """
letter = {"RequestID": {"DataType": "String", "StringValue": "r"}, "ErrorCode": {"DataType": "Number", "StringValue": "200"}}
wal = Path(sys.argv[1]) / "queues.sqlite-wal"
n = 0
while True:
    sqs.send_message(QueueUrl=url, MessageBody=str(n), MessageAttributes=letter)
    say(n, wal.stat().st_size)
    n += 1
"""


@pytest.mark.parametrize("seed", rounds(30))
def test_a_power_cut_keeps_dead_letters(sqs: Any, store_path: Path, tmp_path: Path, seed: int) -> None:
    """The files as they are at any moment, without all that came after the last answer, hold each letter answered for."""
    chance = random.Random(seed)
    with process(LETTERS, store_path) as (sender, told):
        last = [told.readline() for _ in range(chance.randint(1, 40))][-1]
        sender.send_signal(signal.SIGSTOP)
        copy = tmp_path / "after"
        shutil.copytree(store_path, copy)
        acknowledged, safe = map(int, last.split())
    log = copy / "queues.sqlite-wal"
    size = log.stat().st_size
    # What was not synced may be there in part, and may be rubbish.
    cut = chance.randint(safe, max(safe, size))
    data = bytearray(log.read_bytes()[:cut])
    for place in range(safe, len(data)):
        if chance.random() < 0.3:
            data[place] = chance.randrange(256)
    log.write_bytes(data)
    (copy / "queues.sqlite-shm").unlink(missing_ok=True)
    after: Any = Sqs(copy, scope=Scope(), clock=SYSTEM)
    found = numbers(after)
    assert after._tables.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    after.close()
    assert set(found) >= set(range(acknowledged + 1))
