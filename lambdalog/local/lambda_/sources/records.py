"""Records as Lambda hands them to functions, from what queues and streams give; and which of them a filter lets through."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lambdalog.arn import Arn
from lambdalog.local.lambda_.event_pattern import EventPattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def sqs_record(message: Mapping[str, Any], queue_arn: str) -> dict[str, Any]:
    """A message of ReceiveMessage, all attributes asked for, as a record."""
    attributes = dict(message.get("Attributes", {}))
    given = message.get("MessageAttributes", {})
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": attributes,
        "messageAttributes": {name: _attribute(value) for name, value in given.items()},
        "md5OfMessageAttributes": message.get("MD5OfMessageAttributes"),
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": Arn.parse(queue_arn).region,
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if "StringValue" in value:
        made["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        made["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return made | {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def stream_record(record: Mapping[str, Any], stream_arn: str) -> dict[str, Any]:
    """A record of DynamoDB Streams' GetRecords as a function gets it: times as seconds, binary values as base64."""
    made: dict[str, Any] = _plain(dict(record))
    return made | {"eventSourceARN": stream_arn}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.timestamp()
    return value


def event(records: list[dict[str, Any]]) -> bytes:
    """The payload of a batch."""
    return json.dumps({"Records": records}, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "replace"
    )


class Filters:
    """The filters of a mapping: a record passes if one of them matches, or if there are none."""

    def __init__(self, criteria: Mapping[str, Any] | None) -> None:
        filters = (criteria or {}).get("Filters", [])
        self._patterns = [EventPattern(found["Pattern"]) for found in filters if found.get("Pattern")]

    def passes(self, record: dict[str, Any]) -> bool:
        """Whether a record, as a function would get it, is let through."""
        return not self._patterns or any(_matches(pattern, record) for pattern in self._patterns)


def _matches(pattern: EventPattern, record: dict[str, Any]) -> bool:
    wanted = pattern.pattern.get("body")
    if wanted is None or record.get("eventSource") != "aws:sqs":
        return pattern.matches(record)
    # A pattern for JSON drops bodies that are none, and a pattern for text drops bodies that are JSON.
    body = record["body"]
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    structured = isinstance(parsed, dict | list)
    if structured != isinstance(wanted, dict):
        return False
    return pattern.matches(record | {"body": parsed if structured else body})


def batches(records: Iterable[dict[str, Any]], most: int, limit: int) -> Iterable[list[dict[str, Any]]]:
    """Cut records into batches of at most `most`, whose payload has at most `limit` bytes; a large one goes alone."""
    batch: list[dict[str, Any]] = []
    size = 0
    for record in records:
        length = len(event([record]))
        if batch and (len(batch) == most or size + length > limit):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += length
    if batch:
        yield batch
