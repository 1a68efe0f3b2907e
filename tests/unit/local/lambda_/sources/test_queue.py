"""A queue read for a function: what is deleted, what stays, and in which batches it comes."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.local.lambda_.sources.queue import Busy, QueueReader, QueueSource, Refused
from lambdalog.local.lambda_.sources.records import Filters
from tests.unit.local.lambda_.sources.conftest import outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud
    from lambdalog.runtime import Outcome

ARN = "arn:aws:sqs:us-east-1:000000000000:q"


class Function:
    """Answers by what it is told, and keeps what it got."""

    def __init__(self, answer: Callable[[list[dict[str, Any]]], Outcome] | None = None) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.traces: list[str | None] = []
        self._answer = answer or (lambda _: outcome())
        self._lock = threading.Lock()

    def __call__(self, payload: bytes, trace: str | None) -> Outcome:
        """What a reader calls."""
        records = json.loads(payload)["Records"]
        with self._lock:
            self.batches.append(records)
            self.traces.append(trace)
        return self._answer(records)

    @property
    def bodies(self) -> list[list[str]]:
        """The bodies of each batch."""
        return [[record["body"] for record in batch] for batch in self.batches]


@pytest.fixture
def url(manual_cloud: Cloud) -> str:
    """A queue on a manual clock."""
    return manual_cloud.sqs.create_queue(QueueName="q")["QueueUrl"]


@pytest.fixture
def reader(manual_cloud: Cloud, url: str, clock: ManualClock) -> Callable[..., QueueReader]:
    """Makes readers of the queue."""

    def make(function: Any, **settings: Any) -> QueueReader:
        source = QueueSource(ARN, url, **settings)
        return QueueReader(manual_cloud.sqs, source, function, clock=clock)

    return make


def send(cloud: Cloud, url: str, *bodies: str, **params: Any) -> None:
    """Send messages."""
    for body in bodies:
        cloud.sqs.send_message(QueueUrl=url, MessageBody=body, **params)


def waiting(cloud: Cloud, url: str) -> tuple[int, int]:
    """(messages to be had, messages in flight)."""
    names: list[Any] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(found[names[0]]), int(found[names[1]])


def test_a_record_has_what_lambda_gives(manual_cloud: Cloud, url: str, reader: Any) -> None:
    """Keys, attributes in small letters, digests, source and region."""
    function = Function()
    attributes: Any = {
        "Author": {"DataType": "String", "StringValue": "John Grisham"},
        "Raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    manual_cloud.sqs.send_message(QueueUrl=url, MessageBody="ü", MessageAttributes=attributes)
    assert reader(function).step() == 1
    ((record,),) = function.batches
    assert list(record) == [
        "messageId",
        "receiptHandle",
        "body",
        "attributes",
        "messageAttributes",
        "md5OfMessageAttributes",
        "md5OfBody",
        "eventSource",
        "eventSourceARN",
        "awsRegion",
    ]
    assert record["messageAttributes"]["Author"] == {
        "stringValue": "John Grisham",
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "String",
    }
    assert record["messageAttributes"]["Raw"]["binaryValue"] == "AP8="
    assert record["attributes"].keys() >= {
        "ApproximateReceiveCount",
        "SentTimestamp",
        "SenderId",
        "ApproximateFirstReceiveTimestamp",
    }
    assert (record["body"], record["eventSource"], record["eventSourceARN"], record["awsRegion"]) == (
        "ü",
        "aws:sqs",
        ARN,
        "us-east-1",
    )


def test_what_succeeds_is_deleted(manual_cloud: Cloud, url: str, reader: Any) -> None:
    """A batch of ten at most without a window; an empty queue is no invocation."""
    function = Function()
    send(manual_cloud, url, *map(str, range(12)))
    read = reader(function)
    assert [read.step(), read.step(), read.step()] == [10, 2, 0]
    assert [len(batch) for batch in function.batches] == [10, 2]
    assert waiting(manual_cloud, url) == (0, 0)


def test_what_fails_comes_back_when_its_visibility_ends(
    manual_cloud: Cloud, url: str, reader: Any, clock: ManualClock
) -> None:
    """A function error leaves the batch in the queue, hidden until its time; then it is counted as received again."""
    function = Function(lambda _: outcome(error=True))
    send(manual_cloud, url, "a")
    read = reader(function)
    read.step()
    assert waiting(manual_cloud, url) == (0, 1)
    assert read.step() == 0
    clock.advance(31)
    read.step()
    assert [batch[0]["attributes"]["ApproximateReceiveCount"] for batch in function.batches] == ["1", "2"]


def test_a_partial_response_keeps_what_failed(
    manual_cloud: Cloud, url: str, reader: Any, clock: ManualClock
) -> None:
    """Only the named records come back; a response that names nothing that can be keeps all of them."""
    send(manual_cloud, url, "good", "bad")
    function = Function(
        lambda records: outcome(
            {
                "batchItemFailures": [
                    {"itemIdentifier": record["messageId"]} for record in records if record["body"] == "bad"
                ]
            }
        )
    )
    reader(function, report_failures=True).step()
    assert waiting(manual_cloud, url) == (0, 1)
    clock.advance(31)
    reader(
        Function(lambda _: outcome({"batchItemFailures": [{"itemIdentifier": "no"}]})), report_failures=True
    ).step()
    assert waiting(manual_cloud, url) == (0, 1)
    clock.advance(31)
    ignored = Function(lambda _: outcome({"batchItemFailures": [{"itemIdentifier": "no"}]}))
    reader(ignored).step()
    assert ignored.bodies == [["bad"]]
    assert waiting(manual_cloud, url) == (0, 0)


def test_a_window_gathers_up_to_the_batch_size(
    manual_cloud: Cloud, url: str, reader: Any, clock: ManualClock
) -> None:
    """More than ten come together, and the batch goes when it is full or the window is over."""
    function = Function()
    send(manual_cloud, url, *map(str, range(25)))
    read = reader(function, batch_size=20, window=5)
    before = clock.monotonic()
    assert read.step() == 20
    assert clock.monotonic() == before
    assert read.step() == 5
    assert clock.monotonic() - before >= 5
    assert [len(batch) for batch in function.batches] == [20, 5]


def test_filtered_messages_are_deleted_unseen(manual_cloud: Cloud, url: str, reader: Any) -> None:
    """What no filter lets through never reaches the function, and is gone."""
    function = Function()
    send(manual_cloud, url, '{"n": 105}', '{"n": 5}', "text")
    criteria = {"Filters": [{"Pattern": '{"body": {"n": [{"numeric": [">", 100]}]}}'}]}
    reader(function, filters=Filters(criteria)).step()
    assert function.bodies == [['{"n": 105}']]
    assert waiting(manual_cloud, url) == (0, 0)


@pytest.mark.parametrize(
    ("pattern", "body", "passes"),
    [
        ({"body": {"a": ["x"]}}, '{"a": "x"}', True),
        ({"body": {"a": ["x"]}}, "a=x", False),
        ({"body": ["plain"]}, "plain", True),
        ({"body": ["plain"]}, '{"plain": 1}', False),
        ({"body": ["12"]}, "12", True),
        ({"attributes": {"ApproximateReceiveCount": ["1"]}}, "whatever", True),
        ({"messageAttributes": {"kind": {"stringValue": ["a"]}}}, "whatever", False),
        ({"eventSource": ["aws:sqs"]}, '{"a": 1}', True),
    ],
)
def test_a_filter_reads_bodies_as_lambda_does(pattern: Any, body: str, passes: bool) -> None:
    """JSON is held against JSON patterns, text against text patterns; metadata against either."""
    record = {
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }
    assert Filters({"Filters": [{"Pattern": json.dumps(pattern)}]}).passes(record) is passes


def test_a_throttled_batch_is_tried_again_while_it_is_held(
    manual_cloud: Cloud, url: str, reader: Any, clock: ManualClock
) -> None:
    """A busy function is asked again with growing waits, and the message is not received more often for it."""
    left = [3]

    def answer(_: Any) -> Outcome:
        left[0] -= 1
        if left[0] > 0:
            raise Busy
        return outcome()

    function = Function(answer)
    send(manual_cloud, url, "a")
    before = clock.monotonic()
    reader(function).step()
    assert clock.monotonic() - before == pytest.approx(0.3)
    assert [batch[0]["attributes"]["ApproximateReceiveCount"] for batch in function.batches] == ["1"] * 3
    assert waiting(manual_cloud, url) == (0, 0)


def test_a_batch_is_given_back_before_another_reader_may_have_it(
    manual_cloud: Cloud, url: str, reader: Any, clock: ManualClock
) -> None:
    """A function that stays busy, or refuses, leaves its messages in the queue within their visibility timeout."""

    def busy(_: Any) -> Outcome:
        raise Busy

    def refused(_: Any) -> Outcome:
        raise Refused

    send(manual_cloud, url, "a")
    before = clock.monotonic()
    reader(Function(busy), visibility=30.0, function_timeout=3.0).step()
    assert 20 < clock.monotonic() - before < 30
    clock.advance(31)
    function = Function(refused)
    reader(function).step()
    assert len(function.batches) == 1
    assert waiting(manual_cloud, url) == (0, 1)


def test_a_trace_goes_along(manual_cloud: Cloud, url: str, reader: Any) -> None:
    """The chain that a message belongs to is told to the invocation."""
    header = "Root=1-5e272390-8c398be037738dc042009320;Parent=94ae789b969f1cc5;Sampled=1"
    attributes: Any = {"AWSTraceHeader": {"DataType": "String", "StringValue": header}}
    manual_cloud.sqs.send_message(QueueUrl=url, MessageBody="a", MessageSystemAttributes=attributes)
    function = Function()
    reader(function).step()
    assert function.traces == [header]


def test_a_groups_order_is_kept_over_failures(manual_cloud: Cloud, clock: ManualClock) -> None:
    """Of a FIFO queue: what was reported comes again first, its group waits behind it, another group goes on."""
    sqs: Any = manual_cloud.sqs
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "30"}
    url = sqs.create_queue(QueueName="q.fifo", Attributes=attributes)["QueueUrl"]
    for body in ("a1", "a2", "b1", "a3"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=body[0])
    failing = {"a2"}

    def answer(records: list[dict[str, Any]]) -> Outcome:
        bodies = [record["body"] for record in records]
        bad = [r for r in records if r["body"] in failing or (r["body"] == "a3" and "a2" in bodies)]
        if any(r["body"] in failing for r in records):
            return outcome({"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in bad]})
        return outcome()

    function = Function(answer)
    source = QueueSource(f"{ARN}.fifo", url, report_failures=True)
    reader = QueueReader(sqs, source, function, clock=clock)
    reader.step()
    sqs.send_message(QueueUrl=url, MessageBody="a4", MessageGroupId="a")
    sqs.send_message(QueueUrl=url, MessageBody="b2", MessageGroupId="b")
    reader.step()
    failing.clear()
    clock.advance(31)
    reader.step()
    order = [body for batch in function.bodies for body in batch]
    assert [body for body in order if body[0] == "b"] == ["b1", "b2"]
    assert [body for body in order if body[0] == "a"] == ["a1", "a2", "a3", "a2", "a3", "a4"]
    records = function.batches[0]
    assert records[0]["attributes"].keys() >= {"MessageGroupId", "MessageDeduplicationId", "SequenceNumber"}
    assert waiting(manual_cloud, url) == (0, 0)


def test_no_more_run_than_the_maximum_concurrency(cloud: Cloud) -> None:
    """With a maximum of 2, two batches run at once, never three, and all are worked on."""
    url = cloud.sqs.create_queue(QueueName="q")["QueueUrl"]
    running, most, both = [0], [0], threading.Barrier(2)
    lock = threading.Lock()

    def answer(_: Any) -> Outcome:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        both.wait(30)
        with lock:
            running[0] -= 1
        return outcome()

    function = Function(answer)
    send(cloud, url, *map(str, range(8)))
    reader = QueueReader(cloud.sqs, QueueSource(ARN, url, batch_size=1, concurrency=2), function)
    stop = threading.Event()
    thread = threading.Thread(target=reader.run, args=(stop,))
    thread.start()
    for _ in range(3000):
        if waiting(cloud, url) == (0, 0):
            break
        stop.wait(0.02)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert most == [2]
    assert sorted(body for (body,) in function.bodies) == list("01234567")
