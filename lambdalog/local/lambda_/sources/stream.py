"""A reader of a DynamoDB stream for a function: shard by shard in order, with retries, bisection and checkpoints.

A batch that fails is tried again, and holds its shard up, until it succeeds, its retries are used up, or its records are
too old; then what is known of it goes to the on-failure destination and the shard goes on (Lambda developer guide,
"Process DynamoDB records with Lambda").
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import ClientError

from lambdalog.clock import SYSTEM
from lambdalog.local.lambda_.sources.failure import Exhausted
from lambdalog.local.lambda_.sources.partial import failed_items
from lambdalog.local.lambda_.sources.queue import PAYLOAD_MAX, Busy, Refused
from lambdalog.local.lambda_.sources.records import Filters, batches, event, stream_record

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from lambdalog.clock import Clock
    from lambdalog.local.lambda_.sources.failure import Condition
    from lambdalog.runtime import Outcome

    Invoke = Callable[[bytes, str | None], Outcome]

logger = logging.getLogger(__name__)

# Lambda polls shards "at a base rate of 4 times per second".
POLL_SECONDS: Final = 0.25
# Shards come and go; how often a stream is described again.
SHARDS_SECONDS: Final = 10.0
# A failed batch waits this long before it is tried again, then twice as long, up to the last.
RETRY_SECONDS: Final = (0.5, 60.0)
_GET_RECORDS_MAX: Final = 1000


class Checkpoints(Protocol):
    """Where each shard of a mapping stands: {"sequence"?, "since"?, "done"?}."""

    def load(self, shard: str) -> dict[str, Any] | None:
        """What was saved last."""
        ...

    def save(self, shard: str, checkpoint: dict[str, Any]) -> None:
        """Keep it past a restart."""
        ...


@dataclass(frozen=True, slots=True)
class StreamSource:
    """What a mapping says of its stream. -1 retries or seconds of age mean without end; the window is in seconds."""

    arn: str
    start: str = "TRIM_HORIZON"
    batch_size: int = 100
    window: float = 0.0
    filters: Filters | None = None
    report_failures: bool = False
    retries: int = -1
    max_age: int = -1
    bisect: bool = False


@dataclass(slots=True)
class _Shard:
    """A shard that is being read: its iterator, and what was read and is not yet worked on."""

    id: str
    iterator: str | None = None
    pending: deque[_Batch] = field(default_factory=deque)
    gathered: list[dict[str, Any]] = field(default_factory=list)
    gathering_since: float = 0.0
    last_read: str | None = None
    exhausted: bool = False


@dataclass(slots=True)
class _Batch:
    """Records that go to the function together, how often they went, and when they may again (monotonic)."""

    records: list[dict[str, Any]]
    invocations: int = 0
    retries: int = 0
    due: float = 0.0
    # The sequence number that the shard stands at once this batch is through.
    through: str = ""


class StreamReader:
    """Reads one stream for one mapping. `invoke(payload, trace)` raises Busy where the function is throttled, or Refused."""

    def __init__(
        self,
        streams: Any,
        source: StreamSource,
        invoke: Invoke,
        checkpoints: Checkpoints,
        on_failure: Callable[[Exhausted], None],
        *,
        progress: Callable[[str], None] = lambda _: None,
        clock: Clock = SYSTEM,
    ) -> None:
        self._streams = streams
        self._source = source
        self._invoke = invoke
        self._checkpoints = checkpoints
        self._on_failure = on_failure
        self._progress = progress
        self._clock = clock
        self._filters = source.filters or Filters(None)
        self._shards: dict[str, _Shard] = {}
        self._described = -SHARDS_SECONDS

    def run(self, stop: threading.Event) -> None:
        """Read until the event is set."""
        while not stop.is_set():
            if not self.step():
                self._clock.wait(stop, POLL_SECONDS)

    def step(self) -> bool:
        """Let each shard that can be read take its next step; whether any did something."""
        if self._clock.monotonic() - self._described >= SHARDS_SECONDS:
            self._describe()
        worked = False
        for shard in list(self._shards.values()):
            worked = self._advance(shard) or worked
        return worked

    # --- shards

    def _describe(self) -> None:
        """Look which shards there are; a child is read when its parent is through."""
        shards: list[dict[str, Any]] = []
        last: str | None = None
        while True:
            more = {} if last is None else {"ExclusiveStartShardId": last}
            found = self._streams.describe_stream(StreamArn=self._source.arn, **more)["StreamDescription"]
            shards += found.get("Shards", [])
            last = found.get("LastEvaluatedShardId")
            if last is None:
                break
        known = {shard["ShardId"] for shard in shards}
        for shard in shards:
            name, parent = shard["ShardId"], shard.get("ParentShardId")
            if name in self._shards or self._done(name):
                continue
            if parent in known and not self._done(str(parent)):
                continue
            self._shards[name] = _Shard(name)
        self._described = self._clock.monotonic()

    def _done(self, shard: str) -> bool:
        return bool((self._checkpoints.load(shard) or {}).get("done"))

    def _open(self, shard: _Shard) -> str:
        """An iterator from where the shard stands."""
        checkpoint = self._checkpoints.load(shard.id)
        wanted: dict[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}
        if shard.last_read is not None:
            wanted = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": shard.last_read}
        elif checkpoint is None and self._source.start == "LATEST":
            # There is no number to remember yet: a restart goes by the time at which reading began.
            self._checkpoints.save(shard.id, {"since": self._clock.now()})
            wanted = {"ShardIteratorType": "LATEST"}
        elif checkpoint is not None and "sequence" in checkpoint:
            wanted = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": checkpoint["sequence"]}
        try:
            answer = self._streams.get_shard_iterator(StreamArn=self._source.arn, ShardId=shard.id, **wanted)
        except ClientError as error:
            if error.response["Error"]["Code"] != "TrimmedDataAccessException":
                raise
            logger.error("records of %s after %s were trimmed before they were read", shard.id, wanted)  # noqa: TRY400
            answer = self._streams.get_shard_iterator(
                StreamArn=self._source.arn, ShardId=shard.id, ShardIteratorType="TRIM_HORIZON"
            )
        iterator: str = answer["ShardIterator"]
        return iterator

    # --- one step

    def _advance(self, shard: _Shard) -> bool:
        worked = False
        if not shard.pending and not shard.exhausted:
            worked = self._read(shard)
        if shard.pending:
            return self._work(shard) or worked
        if shard.exhausted and not shard.gathered:
            checkpoint = self._checkpoints.load(shard.id) or {}
            self._checkpoints.save(shard.id, checkpoint | {"done": True})
            del self._shards[shard.id]
            self._described = -SHARDS_SECONDS  # its children may be read now
            return True
        return worked

    def _read(self, shard: _Shard) -> bool:
        """Read on, and make batches of what came once there are enough or the window is over."""
        if shard.iterator is None:
            shard.iterator = self._open(shard)
        try:
            answer = self._streams.get_records(
                ShardIterator=shard.iterator, Limit=min(self._source.batch_size, _GET_RECORDS_MAX)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in {
                "ExpiredIteratorException",
                "TrimmedDataAccessException",
            }:
                raise
            shard.iterator = None
            return True
        shard.iterator = answer.get("NextShardIterator")
        shard.exhausted = shard.iterator is None
        records = [stream_record(record, self._source.arn) for record in answer["Records"]]
        if records:
            shard.last_read = _sequence(records[-1])
            if not shard.gathered:
                shard.gathering_since = self._clock.monotonic()
            shard.gathered += self._new(shard, records)
        full = len(shard.gathered) >= self._source.batch_size
        over = self._clock.monotonic() - shard.gathering_since >= self._source.window
        if shard.gathered and (full or over or shard.exhausted):
            self._make_batches(shard)
        return bool(records)

    def _new(self, shard: _Shard, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Without what was there before a mapping began at LATEST."""
        since = (self._checkpoints.load(shard.id) or {}).get("since")
        if since is None:
            return records
        return [
            record
            for record in records
            # Streams know whole seconds.
            if record["dynamodb"].get("ApproximateCreationDateTime", since) >= int(since)
        ]

    def _make_batches(self, shard: _Shard) -> None:
        gathered, shard.gathered = shard.gathered, []
        passing = [record for record in gathered if self._filters.passes(record)]
        made = [_Batch(batch) for batch in batches(passing, self._source.batch_size, PAYLOAD_MAX)]
        for batch in made:
            batch.through = _sequence(batch.records[-1])
        if made:
            made[-1].through = _sequence(gathered[-1])
            shard.pending.extend(made)
        else:
            self._save(shard, _sequence(gathered[-1]))

    def _work(self, shard: _Shard) -> bool:
        """Give the first batch to the function; whether its time had come."""
        batch = shard.pending[0]
        now = self._clock.monotonic()
        if now < batch.due:
            return False
        if (old := self._too_old(batch)) > 0:
            self._give_up(shard, batch, old, "RecordAgeExceeded", None)
            return True
        try:
            outcome = self._invoke(event(batch.records), None)
        except Busy:
            batch.due = now + RETRY_SECONDS[0]
            return True
        except Refused as refused:
            logger.warning("a batch of %s was refused: %s", self._source.arn, refused)
            self._progress("PROBLEM: Function call failed")
            batch.invocations += 1
            self._again(shard, batch, 0, None)
            return True
        batch.invocations += 1
        left = self._failed_from(batch, outcome)
        if left is None:
            shard.pending.popleft()
            self._save(shard, batch.through)
            self._progress("OK")
            return True
        self._progress("PROBLEM: Function call failed")
        self._again(shard, batch, left, outcome)
        return True

    def _failed_from(self, batch: _Batch, outcome: Outcome) -> int | None:
        """The position of the first record that failed; None if the batch is through."""
        if outcome.function_error is not None:
            return 0
        if not self._source.report_failures:
            return None
        numbers = [_sequence(record) for record in batch.records]
        failed = failed_items(outcome.payload, numbers)
        if failed is None:
            return 0
        return min((numbers.index(number) for number in failed), default=None)

    def _again(self, shard: _Shard, batch: _Batch, left: int, outcome: Outcome | None) -> None:
        """What becomes of a failed batch: the rest of it, its halves, another try, or the destination."""
        if left > 0:
            # "Lambda uses the lowest sequence number as the checkpoint": what lies before is through.
            self._save(shard, _sequence(batch.records[left - 1]))
            rest = _Batch(batch.records[left:], batch.invocations, 0, through=batch.through)
            shard.pending[0] = batch = rest
        if self._source.retries >= 0 and batch.retries >= self._source.retries and not self._can_split(batch):
            self._give_up(shard, batch, len(batch.records), "RetryAttemptsExhausted", outcome)
            return
        if self._can_split(batch):
            # "Splitting a batch does not count towards the retry quota."
            middle = len(batch.records) // 2
            first = _Batch(
                batch.records[:middle], batch.invocations, through=_sequence(batch.records[middle - 1])
            )
            second = _Batch(batch.records[middle:], batch.invocations, through=batch.through)
            shard.pending.popleft()
            shard.pending.extendleft((second, first))
            return
        batch.retries += 1
        first_wait, longest = RETRY_SECONDS
        batch.due = self._clock.monotonic() + min(first_wait * 2 ** min(batch.retries - 1, 20), longest)

    def _can_split(self, batch: _Batch) -> bool:
        return self._source.bisect and len(batch.records) > 1

    def _too_old(self, batch: _Batch) -> int:
        """How many of a batch's first records are too old."""
        if self._source.max_age < 0:
            return 0
        oldest = self._clock.now() - self._source.max_age
        count = 0
        for record in batch.records:
            if record["dynamodb"].get("ApproximateCreationDateTime", oldest) >= oldest:
                break
            count += 1
        return count

    def _give_up(
        self, shard: _Shard, batch: _Batch, count: int, condition: Condition, outcome: Outcome | None
    ) -> None:
        """Tell the destination of a batch's first `count` records, and go on behind them."""
        given_up = batch.records[:count]
        whole = count == len(batch.records)
        self._on_failure(
            Exhausted(
                condition=condition,
                invocations=batch.invocations,
                outcome=outcome,
                shard=shard.id,
                stream=self._source.arn,
                first=_sequence(given_up[0]),
                last=_sequence(given_up[-1]),
                arrived=(_created(given_up[0]), _created(given_up[-1])),
                size=count,
            )
        )
        self._save(shard, batch.through if whole else _sequence(given_up[-1]))
        if whole:
            shard.pending.popleft()
        else:
            shard.pending[0] = _Batch(batch.records[count:], through=batch.through)

    def _save(self, shard: _Shard, sequence: str) -> None:
        self._checkpoints.save(shard.id, {"sequence": sequence})


def _sequence(record: dict[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def _created(record: dict[str, Any]) -> float | None:
    found = record["dynamodb"].get("ApproximateCreationDateTime")
    return found.timestamp() if isinstance(found, datetime) else found
