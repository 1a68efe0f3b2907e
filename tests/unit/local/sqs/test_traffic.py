"""How many messages queues were sent, gave out and had deleted."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.arn import Scope
from lambdalog.local.sqs import Sqs
from lambdalog.local.sqs.traffic import KEPT_MINUTES, MINUTE_MS
from lambdalog.store.tables import transaction

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud
    from tests.unit.local.sqs.conftest import Desk


def counts(sqs: Any, queue: str = "q") -> list[tuple[int, int, int]]:
    """(sent, received, deleted) of each minute of a queue."""
    return [minute[1:] for minute in sqs.traffic.since(0).get(queue, [])]


def send_five(store_path: Path, url: str, *then: str) -> None:
    """Send five messages from a process of its own, which closes nothing before it ends."""
    code = (
        "import os, sys; from pathlib import Path; from lambdalog.arn import Scope; from lambdalog.local.sqs import Sqs",
        "sqs = Sqs(Path(sys.argv[1]), scope=Scope())",
        "for _ in range(5): sqs.send_message(QueueUrl=sys.argv[2], MessageBody='m')",
        *then,
    )
    subprocess.run([sys.executable, "-c", "\n".join(code), str(store_path), url], check=True)


@pytest.mark.parametrize("name", ["q", "q.fifo"])
def test_each_minute_has_its_counts(desk: Desk, name: str) -> None:
    """One by one and in batches, of both kinds of queue; what was done is in the minute in which it was done."""
    url = desk.queue(name)
    desk.send(url, "a", "b", "c")
    first, *rest = desk.receive(url)
    desk.delete(url, first)
    desk.clock.advance(60)
    entries = [
        {"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]}
        for number, one in enumerate(desk.receive(url))
    ]
    desk.sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    assert len(rest) == len(entries) == 2
    assert counts(desk.sqs, name) == [(3, 3, 1), (0, 2, 2)]
    (before, _) = desk.sqs.traffic.since(0)[name]
    assert [one.at for one in desk.sqs.traffic.since(before.at + MINUTE_MS, name)[name]] == [
        before.at + MINUTE_MS
    ]


def test_what_did_not_happen_is_not_counted(desk: Desk) -> None:
    """Empty receives, handles that are none, messages that were refused; nor what a redrive policy moves."""
    url, dead = desk.queue(VisibilityTimeout="0"), desk.queue("dead")
    desk.redrive(url, "dead", 1)
    desk.send(url, "a")
    assert desk.receive(url)
    assert not desk.receive(url)
    assert desk.look(dead) == ["a"]
    for call, params in (
        (desk.sqs.send_message, {"MessageBody": ""}),
        (desk.sqs.delete_message, {"ReceiptHandle": "none"}),
    ):
        with pytest.raises(desk.sqs.exceptions.ClientError):
            call(QueueUrl=url, **params)
    assert counts(desk.sqs) == [(1, 1, 0)]
    assert counts(desk.sqs, "dead") == []


def test_clients_count_together(store_path: Path, desk: Desk, clock: ManualClock) -> None:
    """What another client has counted is there a second later, and what is left when it is closed."""
    url = desk.queue()
    other: Any = Sqs(store_path, scope=Scope(), clock=clock)
    for number in range(3):
        other.send_message(QueueUrl=url, MessageBody=str(number))
    desk.send(url, "mine")
    assert counts(desk.sqs) == [(2, 0, 0)]
    clock.advance(1)
    other.send_message(QueueUrl=url, MessageBody="m")
    assert counts(desk.sqs) == [(5, 0, 0)]
    other.send_message(QueueUrl=url, MessageBody="m")
    other.close()
    assert counts(desk.sqs) == [(6, 0, 0)]


@pytest.mark.parametrize("wait", [0, 2])
def test_who_waits_for_more_holds_nothing_back(
    store_path: Path, desk: Desk, clock: ManualClock, wait: int
) -> None:
    """A consumer deletes its message, and no other comes: others read of that a second later, as long as it asks."""
    url = desk.queue()
    desk.send(url, "m")
    other: Any = Sqs(store_path, scope=Scope(), clock=clock)
    (message,) = other.receive_message(QueueUrl=url)["Messages"]
    other.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert counts(desk.sqs) == [(1, 1, 0)]
    if not wait:
        clock.advance(1)
    assert "Messages" not in other.receive_message(QueueUrl=url, WaitTimeSeconds=wait)
    assert counts(desk.sqs) == [(1, 1, 1)]
    other.close()


def test_a_client_that_nobody_closed_counts_too(store_path: Path, desk: Desk) -> None:
    """As the process ends."""
    url = desk.queue()
    send_five(store_path, url)
    assert sum(sent for sent, _, _ in counts(desk.sqs)) == 5


def test_cloudwatch_tells_it(manual_cloud: Cloud, clock: ManualClock) -> None:
    """By SQS's own names: each minute's sum, and which queues there are."""
    sqs, cloudwatch = manual_cloud.sqs, manual_cloud.client("cloudwatch")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for seconds in (0, 60, 60):
        clock.advance(seconds)
        sqs.send_message(QueueUrl=url, MessageBody="m")
    metric = {
        "Namespace": "AWS/SQS",
        "MetricName": "NumberOfMessagesSent",
        "Dimensions": [{"Name": "QueueName", "Value": "q"}],
    }
    assert metric in cloudwatch.list_metrics(Namespace="AWS/SQS")["Metrics"]
    for period, sums in ((60, [1, 1, 1]), (3600, [3])):
        found = cloudwatch.get_metric_statistics(
            **metric, StartTime=clock.now() - 1800, EndTime=clock.now() + 1, Period=period, Statistics=["Sum"]
        )
        assert [point["Sum"] for point in found["Datapoints"]] == sums
        assert {point["Unit"] for point in found["Datapoints"]} == {"Count"}
    other = {"MetricName": "SentMessageSize", "Namespace": "AWS/SQS", "Dimensions": metric["Dimensions"]}
    query: Any = {"Id": "a", "MetricStat": {"Metric": other, "Period": 60, "Stat": "Sum"}}
    found = cloudwatch.get_metric_data(MetricDataQueries=[query], StartTime=0, EndTime=clock.now())
    assert found["MetricDataResults"][0]["Values"] == []


def test_asking_writes_nothing(desk: Desk, store_path: Path) -> None:
    """Of a store in which nothing was counted, as of one that can't be written to, there is nothing to tell."""
    desk.queue()
    before = [(path.name, path.stat().st_size) for path in sorted(store_path.iterdir())]
    assert desk.sqs.traffic.since(0) == {}
    assert [(path.name, path.stat().st_size) for path in sorted(store_path.iterdir())] == before


def test_a_day_is_kept(desk: Desk) -> None:
    """Older minutes go."""
    url = desk.queue()
    desk.send(url, "a")
    desk.clock.advance(KEPT_MINUTES * 60 + 60)
    desk.send(url, "b")
    assert counts(desk.sqs) == [(1, 0, 0)]


def test_a_count_that_cannot_be_written_waits(desk: Desk, store_path: Path) -> None:
    """Whoever sent a message is told that it was sent; the count is written the next time."""
    url = desk.queue()
    desk.send(url, "a")
    desk.clock.advance(2)
    with sqlite3.connect(store_path / "queues.sqlite") as db:
        db.execute("CREATE TRIGGER broken BEFORE INSERT ON traffic BEGIN SELECT * FROM absent; END")
    desk.send(url, "b")
    with sqlite3.connect(store_path / "queues.sqlite") as db:
        db.execute("DROP TRIGGER broken")
    assert desk.look(url) == ["a", "b"]
    assert counts(desk.sqs) == [(2, 0, 0)]


def test_a_first_count_that_cannot_be_written_waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the table was not made after all, it is made the next time."""

    @contextmanager
    def full(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        with transaction(connection):
            yield connection
            raise sqlite3.OperationalError("database or disk is full")

    url = desk.queue()
    with monkeypatch.context() as patched:
        patched.setattr("lambdalog.local.sqs.traffic.transaction", full)
        desk.send(url, "a")
        assert desk.sqs.traffic.since(0) == {}
    assert counts(desk.sqs) == [(1, 0, 0)]


def test_a_forked_child_counts_for_itself(store_path: Path, desk: Desk) -> None:
    """What its parent had counted and not written yet is written by the parent alone."""
    url = desk.queue()
    send_five(store_path, url, "child = os.fork()", "if child: os.waitpid(child, 0)")
    assert sum(sent for sent, _, _ in counts(desk.sqs)) == 5
