"""A DynamoDB stream read for a function: moto's streams by boto3's client, and shards that split."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from lambdalog.local.lambda_.sources.failure import invocation_record
from lambdalog.local.lambda_.sources.queue import Busy, Refused
from lambdalog.local.lambda_.sources.records import Filters
from lambdalog.local.lambda_.sources.stream import StreamReader, StreamSource
from tests.unit.local.lambda_.sources.conftest import outcome
from tests.unit.local.lambda_.sources.test_queue import Function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.clock import ManualClock
    from lambdalog.local.lambda_.sources.failure import Exhausted
    from lambdalog.runtime import Outcome


class Kept:
    """Checkpoints in memory."""

    def __init__(self) -> None:
        self.shards: dict[str, dict[str, Any]] = {}

    def load(self, shard: str) -> dict[str, Any] | None:
        """What was saved last."""
        return self.shards.get(shard)

    def save(self, shard: str, checkpoint: dict[str, Any]) -> None:
        """Keep it."""
        self.shards[shard] = checkpoint


class Table:
    """A table of moto's with a stream, and what reads it."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.kept = Kept()
        self.given_up: list[Exhausted] = []
        self.results: list[str] = []
        self._dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        made = self._dynamodb.create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self.arn: str = made["TableDescription"]["LatestStreamArn"]
        self.streams = boto3.client("dynamodbstreams", region_name="us-east-1")

    def put(self, *ids: str, **more: Any) -> None:
        """Write items."""
        for name in ids:
            self._dynamodb.put_item(TableName="t", Item={"id": {"S": name}} | more)

    def remove(self, name: str) -> None:
        """Delete an item."""
        self._dynamodb.delete_item(TableName="t", Key={"id": {"S": name}})

    def reader(self, function: Any, **settings: Any) -> StreamReader:
        """A reader that goes on where the last one stood."""
        return StreamReader(
            self.streams,
            StreamSource(self.arn, **settings),
            function,
            self.kept,
            self.given_up.append,
            progress=self.results.append,
            clock=self.clock,
        )


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch, clock: ManualClock) -> Iterator[Table]:
    """A table with a stream."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    # moto knows no host names that begin with an account.
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    with mock_aws():
        yield Table(clock)


def ids(function: Function) -> list[list[str]]:
    """The keys of each batch."""
    return [[record["dynamodb"]["Keys"]["id"]["S"] for record in batch] for batch in function.batches]


def steps(reader: StreamReader, clock: ManualClock, count: int = 40) -> None:
    """Let a reader go on, with time passing between its steps."""
    for _ in range(count):
        if not reader.step():
            clock.advance(1)


def test_records_come_as_lambda_gives_them(table: Table) -> None:
    """Inserts, changes and removals in order, times as seconds, binary as base64, with the stream's ARN."""
    function = Function()
    table.put("a", raw={"B": b"foobar"})
    table.put("a", n={"N": "2"})
    table.remove("a")
    steps(table.reader(function), table.clock, 4)
    records = [record for batch in function.batches for record in batch]
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    first = records[0]
    assert first["dynamodb"]["NewImage"]["raw"] == {"B": "Zm9vYmFy"}
    assert isinstance(first["dynamodb"]["ApproximateCreationDateTime"], float)
    assert first["eventSource"] == "aws:dynamodb"
    assert first["eventSourceARN"] == table.arn
    assert first.keys() >= {"eventID", "eventVersion", "awsRegion"}


def test_a_checkpoint_survives_a_restart(table: Table) -> None:
    """A new reader goes on behind what succeeded; nothing comes twice, nothing is left out."""
    function = Function()
    table.put("a", "b")
    steps(table.reader(function, batch_size=1), table.clock)
    table.put("c")
    steps(table.reader(function, batch_size=1), table.clock)
    assert ids(function) == [["a"], ["b"], ["c"]]


def test_a_restart_in_the_middle_loses_nothing(table: Table) -> None:
    """Stopped after any step, the next reader continues: each record comes at least once, in order."""
    for number in range(6):
        table.put(f"k{number}")
    function = Function()
    for _ in range(30):
        table.reader(function, batch_size=2).step()
    seen: list[str] = []
    for batch in ids(function):
        seen += [name for name in batch if name not in seen]
    assert seen == [f"k{number}" for number in range(6)]


def test_latest_begins_with_what_comes(table: Table) -> None:
    """What was there before is not read; what comes while no reader runs is."""
    table.put("before")
    function = Function()
    reader = table.reader(function, start="LATEST")
    reader.step()
    table.put("after")
    steps(reader, table.clock)
    table.put("while away")
    steps(table.reader(function, start="LATEST"), table.clock)
    assert ids(function) == [["after"], ["while away"]]


def test_a_failed_batch_holds_its_shard_until_it_is_given_up(table: Table) -> None:
    """With one retry it is tried twice, told to the destination, and the next one follows."""
    function = Function(
        lambda records: outcome(
            error=any(record["dynamodb"]["Keys"]["id"]["S"] == "bad" for record in records)
        )
    )
    table.put("good", "bad", "next")
    steps(table.reader(function, batch_size=1, retries=1), table.clock)
    assert ids(function) == [["good"], ["bad"], ["bad"], ["next"]]
    (exhausted,) = table.given_up
    assert (exhausted.condition, exhausted.invocations, exhausted.size) == ("RetryAttemptsExhausted", 2, 1)
    assert table.results[-1] == "OK"
    assert "PROBLEM: Function call failed" in table.results


def test_bisection_finds_the_one_that_fails(table: Table) -> None:
    """Halves are tried apart, without using up retries; only the bad record is given up."""
    function = Function(
        lambda records: outcome(
            error=any(record["dynamodb"]["Keys"]["id"]["S"] == "k2" for record in records)
        )
    )
    table.put(*(f"k{number}" for number in range(4)))
    steps(table.reader(function, bisect=True, retries=0), table.clock)
    assert ids(function) == [["k0", "k1", "k2", "k3"], ["k0", "k1"], ["k2", "k3"], ["k2"], ["k3"]]
    assert [(found.size, found.condition) for found in table.given_up] == [(1, "RetryAttemptsExhausted")]


def test_a_partial_response_moves_the_checkpoint(table: Table) -> None:
    """What lies before the lowest failed record is through; the rest is tried again, and reported at the end."""

    def answer(records: list[dict[str, Any]]) -> Outcome:
        bad = [r for r in records if r["dynamodb"]["Keys"]["id"]["S"] == "bad"]
        return outcome(
            {"batchItemFailures": [{"itemIdentifier": r["dynamodb"]["SequenceNumber"]} for r in bad]}
        )

    function = Function(answer)
    table.put("a", "b", "bad", "c")
    steps(table.reader(function, report_failures=True, retries=1), table.clock)
    assert ids(function) == [["a", "b", "bad", "c"], ["bad", "c"]]
    (exhausted,) = table.given_up
    assert exhausted.size == 2
    assert exhausted.outcome is not None
    assert exhausted.outcome.function_error is None


def test_records_that_are_too_old_are_given_up_unseen(table: Table) -> None:
    """Older than the mapping allows: no invocation, the destination is told."""
    table.put("old")
    table.clock.advance(datetime.now(UTC).timestamp() - table.clock.now() + 3600)
    function = Function()
    steps(table.reader(function, max_age=60), table.clock, 4)
    assert function.batches == []
    (exhausted,) = table.given_up
    assert (exhausted.condition, exhausted.outcome) == ("RecordAgeExceeded", None)


def test_filters_let_some_through_and_the_shard_goes_on(table: Table) -> None:
    """Removals alone reach the function; the checkpoint passes what was filtered."""
    table.put("a", "b")
    table.remove("a")
    table.put("c")
    function = Function()
    criteria = {"Filters": [{"Pattern": '{"eventName": ["REMOVE"]}'}]}
    steps(table.reader(function, filters=Filters(criteria)), table.clock)
    assert ids(function) == [["a"]]
    again = Function()
    steps(table.reader(again, filters=Filters(criteria)), table.clock, 4)
    assert again.batches == []


def test_a_window_gathers(table: Table) -> None:
    """Records wait for the window, and go together."""
    function = Function()
    reader = table.reader(function, window=5.0)
    table.put("a")
    reader.step()
    table.put("b")
    reader.step()
    assert function.batches == []
    table.clock.advance(6)
    steps(reader, table.clock, 3)
    assert ids(function) == [["a", "b"]]


@pytest.mark.parametrize(("error", "given_up"), [(Busy, 0), (Refused, 1)])
def test_a_throttle_uses_no_retry_and_a_refusal_does(
    table: Table, error: type[Exception], given_up: int
) -> None:
    """Throttled, a batch is tried again as often as it takes; refused, its retries are used up."""
    left = [4]

    def answer(_: Any) -> Outcome:
        left[0] -= 1
        if left[0] > 0:
            raise error
        return outcome()

    table.put("a")
    steps(table.reader(Function(answer), retries=1), table.clock)
    assert len(table.given_up) == given_up
    assert (left[0] <= 0) is (given_up == 0)


class SplitStream:
    """A stream whose parent shard has ended and has two children; iterators can expire."""

    SHARDS = (
        {"ShardId": "parent"},
        {"ShardId": "left", "ParentShardId": "parent"},
        {"ShardId": "right", "ParentShardId": "parent"},
    )

    def __init__(self) -> None:
        self.expired = {"left"}

    def describe_stream(self, *, StreamArn: str, ExclusiveStartShardId: str | None = None) -> Any:  # noqa: N803
        """One shard a page."""
        names = [shard["ShardId"] for shard in self.SHARDS]
        at = 0 if ExclusiveStartShardId is None else names.index(ExclusiveStartShardId) + 1
        found: dict[str, Any] = {"Shards": [self.SHARDS[at]]}
        if at + 1 < len(self.SHARDS):
            found["LastEvaluatedShardId"] = names[at]
        return {"StreamDescription": found}

    def get_shard_iterator(self, *, ShardId: str, **_: Any) -> Any:  # noqa: N803
        """An iterator is a shard's name."""
        return {"ShardIterator": ShardId}

    def get_records(self, *, ShardIterator: str, Limit: int) -> Any:  # noqa: N803
        """One record, and the shard's end."""
        if ShardIterator in self.expired:
            self.expired.remove(ShardIterator)
            raise ClientError({"Error": {"Code": "ExpiredIteratorException"}}, "GetRecords")
        record = {
            "eventName": "INSERT",
            "dynamodb": {"Keys": {"id": {"S": ShardIterator}}, "SequenceNumber": "1"},
        }
        return {"Records": [record]}


def test_children_are_read_after_their_parent(clock: ManualClock) -> None:
    """The parent's records come first, then both children's, also over an iterator that has expired."""
    function, kept = Function(), Kept()
    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/x"
    reader = StreamReader(SplitStream(), StreamSource(arn), function, kept, lambda _: None, clock=clock)
    steps(reader, clock, 20)
    assert ids(function)[0] == ["parent"]
    assert sorted(ids(function)[1:]) == [["left"], ["right"]]
    assert all(found["done"] for found in kept.shards.values())
    again = Function()
    steps(StreamReader(SplitStream(), StreamSource(arn), again, kept, lambda _: None, clock=clock), clock, 10)
    assert again.batches == []


def test_what_is_told_of_a_batch_that_was_given_up(table: Table) -> None:
    """Keys in Lambda's order; where the records lie, and not what they are."""
    table.put("bad")
    steps(table.reader(Function(lambda _: outcome(error=True)), retries=0), table.clock, 4)
    record = json.loads(invocation_record(table.given_up[0], "arn:f", 1_700_000_000.5))
    assert list(record) == ["requestContext", "responseContext", "version", "timestamp", "DDBStreamBatchInfo"]
    assert record["requestContext"] == {
        "requestId": "r-1",
        "functionArn": "arn:f",
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 1,
    }
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert record["timestamp"] == "2023-11-14T22:13:20.500Z"
    assert list(record["DDBStreamBatchInfo"]) == [
        "shardId",
        "startSequenceNumber",
        "endSequenceNumber",
        "approximateArrivalOfFirstRecord",
        "approximateArrivalOfLastRecord",
        "batchSize",
        "streamArn",
    ]
