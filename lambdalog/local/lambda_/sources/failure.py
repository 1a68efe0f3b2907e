"""What is told of records of a stream that a function never got through: where they are, not what they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from lambdalog.runtime import Outcome

Condition = Literal["RetryAttemptsExhausted", "RecordAgeExceeded"]


@dataclass(frozen=True, slots=True)
class Exhausted:
    """A batch that was given up. `arrived` are epoch seconds of its first and last record; no outcome: never invoked."""

    condition: Condition
    invocations: int
    outcome: Outcome | None
    shard: str
    stream: str
    first: str
    last: str
    arrived: tuple[float | None, float | None]
    size: int


def invocation_record(exhausted: Exhausted, function_arn: str, now: float) -> str:
    """The JSON that Lambda sends to a mapping's on-failure destination, keys in Lambda's order."""
    outcome = exhausted.outcome
    context: dict[str, Any] = {} if outcome is None else {"requestId": outcome.request_id}
    context |= {
        "functionArn": function_arn,
        "condition": exhausted.condition,
        "approximateInvokeCount": exhausted.invocations,
    }
    record: dict[str, Any] = {"requestContext": context}
    if outcome is not None:
        record["responseContext"] = {
            "statusCode": 200,
            "executedVersion": outcome.executed_version,
            "functionError": outcome.function_error,
        }
    record |= {"version": "1.0", "timestamp": _time(now, "milliseconds")}
    first, last = exhausted.arrived
    record["DDBStreamBatchInfo"] = {
        "shardId": exhausted.shard,
        "startSequenceNumber": exhausted.first,
        "endSequenceNumber": exhausted.last,
        "approximateArrivalOfFirstRecord": None if first is None else _time(first, "seconds"),
        "approximateArrivalOfLastRecord": None if last is None else _time(last, "seconds"),
        "batchSize": exhausted.size,
        "streamArn": exhausted.stream,
    }
    return json.dumps(record)


def _time(seconds: float, precision: str) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec=precision).replace("+00:00", "Z")
