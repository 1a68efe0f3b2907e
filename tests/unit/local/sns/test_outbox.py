"""What waits to be delivered outlives whoever was to deliver it."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.arn import Scope
from lambdalog.clock import SYSTEM, ManualClock
from lambdalog.local.sns import Sns
from lambdalog.local.sqs import Sqs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
from tests.unit.local.sns.rooms import Room, Web


def test_the_loops_deliver_and_end(tmp_path: Path) -> None:
    """With the loops running, what another client publishes over HTTP arrives; they end soon after they are told to."""
    web, stop = Web(), threading.Event()
    sqs = Sqs(tmp_path, scope=Scope())
    served, other = (Sns(tmp_path, scope=Scope(), clock=SYSTEM, sqs=sqs) for _ in range(2))
    threads = [threading.Thread(target=run, args=(stop,)) for _, run in served.background()]
    for thread in threads:
        thread.start()
    try:
        with web.serve() as url:
            topic = other.create_topic(Name="t")["TopicArn"]
            other.subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
            assert web.posted.wait(60)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
        served.close()
        other.close()
        sqs.close()
    assert not any(thread.is_alive() for thread in threads)
    assert json.loads(web.got[0][1])["Type"] == "SubscriptionConfirmation"


PUBLISHER = """
import sys, lambdalog
cloud = lambdalog.connect(sys.argv[1])
topic = cloud.sns.create_topic(Name="t")["TopicArn"]
n = 0
while True:
    cloud.sns.publish(TopicArn=topic, Message=str(n))
    n += 1
    print(n, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 12])
def test_a_killed_publisher_loses_nothing_acknowledged(store_path: Path, lines: int) -> None:
    """Kill -9: every publish that was answered for reaches both queues, at least once."""
    sqs = Sqs(store_path, scope=Scope())
    sns: Any = Sns(store_path, scope=Scope(), sqs=sqs)
    topic = sns.create_topic(Name="t")["TopicArn"]
    for name in "ab":
        sqs.create_queue(QueueName=name)
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=Scope().queue(name),
            Attributes={"RawMessageDelivery": "true"},
        )
    with subprocess.Popen(
        [sys.executable, "-c", PUBLISHER, f"disk:{store_path}"], stdout=subprocess.PIPE, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.kill()
        sent = lines + process.stdout.read().count(b"\n")
    clock = ManualClock(start=SYSTEM.now() + 3600)
    later: Any = Sns(store_path, scope=Scope(), clock=clock, sqs=sqs)
    later.deliver()
    for name in "ab":
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        messages = sqs.peek_messages(QueueUrl=url, MaxNumberOfMessages=100_000)["Messages"]
        assert {int(message["Body"]) for message in messages} >= set(range(sent))
    for client in (sns, later, sqs):
        client.close()


LETTER: Any = {
    "RequestID": {"DataType": "String", "StringValue": "r"},
    "ErrorCode": {"DataType": "Number", "StringValue": "200"},
}


@contextmanager
def levels(client: Any, table: str) -> Iterator[list[int]]:
    """With what `synchronous` each row is written into a table, and each is deleted: 1 is NORMAL, 2 FULL."""
    db, found, watching = client._tables.connection, [], False

    def look(statement: str) -> None:
        nonlocal watching
        if not watching and any(f"{word} {table}" in statement for word in ("INSERT INTO", "DELETE FROM")):
            watching = True
            found.append(db.execute("PRAGMA synchronous").fetchone()[0])
            watching = False

    db.set_trace_callback(look)
    yield found
    db.set_trace_callback(None)


@pytest.mark.parametrize("raw", ["true", "false"])
def test_a_dead_letter_is_written_fully_on_its_whole_way(room: Room, raw: str) -> None:
    """Put down, delivered and settled with synchronous=FULL; other messages are not."""
    room.subscribe("sqs", room.queue(), RawMessageDelivery=raw)
    with levels(room.sns, "deliveries") as outbox, levels(room.sqs, "state") as queue:
        room.publish("m")
        assert (outbox, queue) == ([1, 1], [1])
        room.sns.publish(TopicArn=room.topic, Message="m", MessageAttributes=LETTER)
        assert (outbox[2:], queue[1:]) == ([2, 2], [2])


def test_what_an_endpoint_refused_is_buried_fully(room: Room) -> None:
    """A message of any kind that reaches a subscription's dead-letter queue outlives a power cut."""
    policy = json.dumps({"deadLetterTargetArn": room.queue("dead")})
    room.subscribe("sqs", Scope().queue("nowhere"), RedrivePolicy=policy)
    with levels(room.sqs, "state") as queue:
        room.publish("m")
    assert queue == [2]
    assert len(room.bodies("dead")) == 1


LETTERS = """
import sys, lambdalog
from pathlib import Path
cloud = lambdalog.connect("disk:" + sys.argv[1])
topic = cloud.sns.create_topic(Name="t")["TopicArn"]
letter = {"RequestID": {"DataType": "String", "StringValue": "r"}, "ErrorCode": {"DataType": "Number", "StringValue": "200"}}
logs = [Path(sys.argv[1]) / name for name in ("topics.sqlite-wal", "queues.sqlite-wal")]
for n in range(40):
    cloud.sns.publish(TopicArn=topic, Message=str(n), MessageAttributes=letter)
    print(n, *(log.stat().st_size for log in logs), flush=True)
"""


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 30))]
)
def test_a_power_cut_keeps_dead_letters_in_the_outbox(store_path: Path, tmp_path: Path, seed: int) -> None:
    """The files as they are at any moment, without all that came after the last answer, still bring each letter to both queues."""
    chance = random.Random(seed)
    sqs = Sqs(store_path, scope=Scope())
    sns: Any = Sns(store_path, scope=Scope(), sqs=sqs)
    topic = sns.create_topic(Name="t")["TopicArn"]
    for name in "ab":
        sqs.create_queue(QueueName=name)
        raw = {"RawMessageDelivery": "true"}
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=Scope().queue(name), Attributes=raw)
    copy = tmp_path / "after"
    with subprocess.Popen(
        [sys.executable, "-c", LETTERS, str(store_path)], stdout=subprocess.PIPE, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None
        last = [process.stdout.readline() for _ in range(chance.randint(1, 20))][-1]
        process.send_signal(signal.SIGSTOP)
        shutil.copytree(store_path, copy)
        process.kill()
    sns.close()
    sqs.close()
    acknowledged, *sizes = map(int, last.split())
    for name, safe in zip(("topics", "queues"), sizes, strict=True):
        log = copy / f"{name}.sqlite-wal"
        # What was not synced may be there in part, and may be rubbish.
        data = bytearray(log.read_bytes()[: chance.randint(safe, max(safe, log.stat().st_size))])
        for place in range(safe, len(data)):
            if chance.random() < 0.3:
                data[place] = chance.randrange(256)
        log.write_bytes(data)
        (copy / f"{name}.sqlite-shm").unlink(missing_ok=True)
    queues = Sqs(copy, scope=Scope())
    later: Any = Sns(copy, scope=Scope(), clock=ManualClock(start=SYSTEM.now() + 3600), sqs=queues)
    later.deliver()
    for name in "ab":
        url = queues.get_queue_url(QueueName=name)["QueueUrl"]
        messages = queues.peek_messages(QueueUrl=url, MaxNumberOfMessages=1000)["Messages"]
        assert {int(message["Body"]) for message in messages} >= set(range(acknowledged + 1))
    later.close()
    queues.close()


def test_an_older_store_is_brought_up(tmp_path: Path) -> None:
    """Topics and subscriptions of the first format are still there, and get messages."""
    import sqlite3

    old = sqlite3.connect(tmp_path / "topics.sqlite")
    old.executescript("""
        CREATE TABLE topics (arn TEXT PRIMARY KEY, attributes TEXT NOT NULL, tags TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE subscriptions (
            arn TEXT PRIMARY KEY, topic TEXT NOT NULL, protocol TEXT NOT NULL, endpoint TEXT NOT NULL, attributes TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO topics VALUES ('arn:aws:sns:us-east-1:000000000000:old', '{}', '{"k": "v"}');
        INSERT INTO subscriptions VALUES ('arn:aws:sns:us-east-1:000000000000:old:1',
            'arn:aws:sns:us-east-1:000000000000:old', 'sqs', 'arn:aws:sqs:us-east-1:000000000000:q', '{}');
        PRAGMA user_version=1;
    """)
    old.close()
    room = Room(tmp_path)
    room.queue()
    room.publish("m", TopicArn=Scope().topic("old"))
    assert len(room.bodies()) == 1
    assert room.sns.list_tags_for_resource(ResourceArn=Scope().topic("old"))["Tags"] == [
        {"Key": "k", "Value": "v"}
    ]
    room.close()
