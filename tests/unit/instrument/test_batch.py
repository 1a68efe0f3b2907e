"""Batches, record by record."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from lambdalog import get_logger, handler
from lambdalog.instrument.batch import answer, lanes, source_of
from tests.unit.instrument.heard import Context

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambdalog.cloud import Cloud

log = get_logger()


@pytest.fixture(autouse=True)
def _in_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")


def sqs(*bodies: str, fifo: bool = False, groups: str = "") -> dict[str, Any]:
    """An event of SQS; `groups` names each record's group by a letter."""
    return {
        "Records": [
            {
                "messageId": f"m-{index}",
                "body": body,
                "attributes": {"MessageGroupId": groups[index]} if groups else {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:orders{'.fifo' if fifo else ''}",
            }
            for index, body in enumerate(bodies)
        ]
    }


def kinesis(*bodies: str, keys: str = "") -> dict[str, Any]:
    """An event of a Kinesis stream."""
    return {
        "Records": [
            {
                "eventID": f"shard:{index}",
                "body": body,
                "kinesis": {"sequenceNumber": f"s-{index}", "partitionKey": keys[index] if keys else "k"},
                "eventSource": "aws:kinesis",
            }
            for index, body in enumerate(bodies)
        ]
    }


def dynamodb(*bodies: str) -> dict[str, Any]:
    """An event of a DynamoDB stream."""
    return {
        "Records": [
            {
                "body": body,
                "dynamodb": {"SequenceNumber": f"s-{index}", "Keys": {"id": {"S": str(index)}}},
                "eventSource": "aws:dynamodb",
            }
            for index, body in enumerate(bodies)
        ]
    }


class Recorder:
    """Handles records: those whose body begins with "bad" fail."""

    def __init__(self) -> None:
        self.handled: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, record: dict[str, Any]) -> None:
        """Fail or note."""
        if record["body"].startswith("bad"):
            raise ValueError(f"record {record['body']}")
        with self._lock:
            self.handled.append(record["body"])


def failed(result: dict[str, Any]) -> list[str]:
    """The records that an answer names."""
    return [item["itemIdentifier"] for item in result["batchItemFailures"]]


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was written."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("workers", [1, 4])
def test_only_those_that_failed_come_again(workers: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a standard queue: each failure is told with its record and fingerprint, and none hides another."""
    recorder = Recorder()
    wrapped: Any = handler.batch(workers=workers)(recorder)
    assert failed(wrapped(sqs("a", "bad 1", "b", "bad 2"), Context())) == ["m-1", "m-3"]
    assert sorted(recorder.handled) == ["a", "b"]
    told = sorted(lines(capsys), key=lambda line: line["recordId"])
    assert [(line["recordId"], line["errorMessage"], line["requestId"]) for line in told] == [
        ("m-1", "record bad 1", "req-1"),
        ("m-3", "record bad 2", "req-1"),
    ]
    assert told[0]["failure"]["event"]["Records"][0]["messageId"] == "m-1"
    assert told[0]["failure"]["fingerprint"] == told[1]["failure"]["fingerprint"]


def test_a_batch_that_goes_well_says_so() -> None:
    """No failures, no lines, an empty list; an empty batch too."""
    wrapped: Any = handler.batch(Recorder())
    assert wrapped(sqs("a", "b"), Context()) == {"batchItemFailures": []}
    assert wrapped({"Records": []}, Context()) == {"batchItemFailures": []}


@pytest.mark.parametrize("workers", [1, 4])
def test_a_fifo_group_waits_for_its_failure(workers: int) -> None:
    """What stands behind a failure in its group isn't handled and comes again; other groups go on, in their order."""
    recorder = Recorder()
    wrapped: Any = handler.batch(workers=workers)(recorder)
    event = sqs("a1", "bad b1", "a2", "b2", "c1", "b3", "a3", fifo=True, groups="ababcba")
    assert failed(wrapped(event, Context())) == ["m-1", "m-3", "m-5"]
    assert [body for body in recorder.handled if body.startswith("a")] == ["a1", "a2", "a3"]
    assert sorted(recorder.handled) == ["a1", "a2", "a3", "c1"]


@pytest.mark.parametrize("make", [kinesis, dynamodb])
def test_a_stream_stops_at_its_failure(make: Callable[..., dict[str, Any]]) -> None:
    """Lambda goes on from the lowest sequence number that is named: what is behind it comes again, so it isn't handled."""
    recorder = Recorder()
    wrapped: Any = handler.batch(recorder)
    assert failed(wrapped(make("a", "bad 1", "b", "bad 2"), Context())) == ["s-1"]
    assert recorder.handled == ["a"]


def test_a_streams_lowest_failure_is_named() -> None:
    """With threads, by partition key in order: of several failures the first one in the shard counts."""
    recorder = Recorder()
    wrapped: Any = handler.batch(workers=3)(recorder)
    assert failed(wrapped(kinesis("a1", "b1", "bad a2", "c1", "bad b2", keys="abacb"), Context())) == ["s-2"]
    assert {"a1", "b1"} <= set(recorder.handled)


def test_threads_work_side_by_side_with_the_invocations_keys(capsys: pytest.CaptureFixture[str]) -> None:
    """Two records meet in two threads; each line has the request's id and its own record's."""
    meeting = threading.Barrier(2, timeout=10)

    @handler.batch(workers=2)
    def together(record: dict[str, Any]) -> None:
        meeting.wait()
        with log.block(body=record["body"]):
            log.info("met")

    together(sqs("a", "b"), Context())
    found = sorted((line["recordId"], line["body"], line["requestId"]) for line in lines(capsys))
    assert found == [("m-0", "a", "req-1"), ("m-1", "b", "req-1")]


def test_records_of_a_coroutine_share_a_loop() -> None:
    """Of this batch and the next one; what a client keeps open for the next record lives in it."""
    loops = []

    @handler.batch
    async def process(record: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())
        if record["body"] == "bad":
            raise ValueError("no order")

    assert failed(process(sqs("a", "bad", "b"), Context())) == ["m-1"]
    assert failed(process(sqs("c"), Context())) == []
    assert len(set(loops)) == 1

    async def called_in_a_loop() -> list[str]:
        return failed(process(sqs("a", "bad"), Context()))

    assert asyncio.run(called_in_a_loop()) == ["m-1"]


class Shop:
    """Batches by methods."""

    handled: ClassVar[list[Any]] = []

    @handler.batch
    def plain(self, record: Any) -> None:
        """Of an object."""
        self.handled.append((type(self), record["body"]))

    @handler.batch
    def with_context(self, record: Any, context: Any) -> None:
        """Of an object, with the context."""
        self.handled.append((context.aws_request_id, record["body"]))

    @handler.batch
    @classmethod
    def of_class(cls, record: Any) -> None:
        """Of the class."""
        cls.handled.append((cls, record["body"]))

    @staticmethod
    @handler.batch
    def static(record: Any) -> None:
        """Of nobody."""
        Shop.handled.append((None, record["body"]))


@pytest.mark.parametrize(
    ("name", "expected"), [("plain", Shop), ("with_context", "req-1"), ("of_class", Shop), ("static", None)]
)
def test_a_method_may_handle_records(name: str, expected: Any) -> None:
    """Of an object, a class or nobody; the answer is of the records, whoever has handled them."""
    Shop.handled.clear()
    call: Any = getattr(Shop(), name)
    assert call(sqs("a", "b"), Context()) == {"batchItemFailures": []}
    assert Shop.handled == [(expected, "a"), (expected, "b")]


def test_what_is_no_exception_ends_the_batch() -> None:
    """sys.exit() in a record's function is no failure of one record."""

    def leave(record: Any) -> None:
        raise SystemExit(3)

    for workers in (1, 2):
        wrapped: Any = handler.batch(workers=workers)(leave)
        with pytest.raises(SystemExit):
            wrapped(sqs("a", "b"), Context())


def test_a_record_without_a_name_fails_the_batch() -> None:
    """An answer with an empty identifier would fail it all the same; the others are handled, the exception is told."""
    recorder = Recorder()
    wrapped: Any = handler.batch(recorder)
    event = sqs("a", "bad", "b")
    del event["Records"][1]["messageId"]
    with pytest.raises(ValueError, match="record bad"):
        wrapped(event, Context())
    assert recorder.handled == ["a", "b"]


@pytest.mark.parametrize(
    "event", [{}, None, [], {"Records": "x"}, {"Records": [{"eventSource": "aws:s3"}]}, {"Records": [7]}]
)
def test_what_is_no_batch_is_refused(event: Any) -> None:
    """With what it takes, before anything is done."""
    wrapped: Any = handler.batch(Recorder())
    with pytest.raises(ValueError, match="SQS, Kinesis and DynamoDB"):
        wrapped(event, Context())


def test_hostile_records_do_not_hide_others() -> None:
    """A record that is no object fails like others: it has no name, and the rest was handled."""
    recorder = Recorder()
    wrapped: Any = handler.batch(recorder)
    event = sqs("a", "b")
    event["Records"].insert(1, 7)
    with pytest.raises(TypeError):
        wrapped(event, Context())
    assert recorder.handled == ["a", "b"]


def test_the_context_is_given_to_who_takes_it() -> None:
    """function(record, context) gets both, function(record) one; a coroutine is run."""
    seen: list[Any] = []

    @handler.batch
    def both(record: Any, context: Any) -> None:
        seen.append((record["body"], context.aws_request_id))

    @handler.batch
    async def later(record: Any) -> None:
        seen.append(record["body"])
        if record["body"] == "bad":
            raise ValueError("bad")

    both(sqs("a"), Context())
    assert failed(later(sqs("b", "bad"), Context())) == ["m-1"]
    assert seen == [("a", "req-1"), "b", "bad"]


class Invalid(Exception):
    """Never right."""


def test_permanent_records_are_dead_lettered(
    cloud: Cloud, store_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They don't come again; the letter is an event with this record alone; without the queue they do come again."""
    monkeypatch.setenv("LAMBDALOG_STORE", f"disk:{store_path}")

    @handler.batch(permanent=Invalid, dead_letter="orders-dlq")
    def orders(record: dict[str, Any]) -> None:
        raise {"never": Invalid, "again": ValueError}[record["body"]](record["body"])

    event = sqs("never", "again")
    wrapped = orders
    assert failed(wrapped(event, Context())) == ["m-0", "m-1"]
    url = cloud.sqs.create_queue(QueueName="orders-dlq")["QueueUrl"]
    assert failed(wrapped(event, Context())) == ["m-1"]
    (message,) = cloud.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert json.loads(message["Body"]) == {"Records": event["Records"][:1]}
    assert len(message["MessageAttributes"]) <= 10
    assert [line.get("deadLetter") for line in lines(capsys)][2] == message["MessageId"]


def test_the_kill_switch_leaves_the_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Switched off, records are still handled one by one, as the source expects; nothing is told."""
    monkeypatch.setenv("LAMBDALOG_DISABLED", "1")
    wrapped: Any = handler.batch(Recorder())
    assert failed(wrapped(sqs("a", "bad"), Context())) == ["m-1"]
    assert lines(capsys) == []


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, "2"])
def test_a_wrong_number_of_workers_is_refused(workers: Any) -> None:
    """When the function is defined."""
    with pytest.raises(ValueError, match="workers is a number from 1"):
        handler.batch(workers=workers)


def test_lanes_keep_the_order_that_the_source_keeps() -> None:
    """A standard queue has none; FIFO by group; a record without a group is in one with its like."""
    event = sqs("a", "b", "c", fifo=True, groups="xyx")["Records"]
    assert [lane.places for lane in lanes(event, source_of(event))] == [[0, 2], [1]]
    del event[0]["attributes"]
    event[2].pop("attributes")
    assert [lane.places for lane in lanes(event, source_of(event))] == [[0, 2], [1]]
    event = sqs("a", "b")["Records"]
    assert [lane.places for lane in lanes(event, source_of(event))] == [[0], [1]]
    assert answer([1, 0], event, source_of(event)) == {
        "batchItemFailures": [{"itemIdentifier": "m-0"}, {"itemIdentifier": "m-1"}]
    }
