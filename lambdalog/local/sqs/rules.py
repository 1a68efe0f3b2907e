"""SQS's limits and what it says of their breach. Pure: a rule takes values and gives a `Breach`, or None."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MESSAGE_MAX: Final = 1_048_576
BATCH_MAX: Final = 10
ATTRIBUTES_MAX: Final = 10
IN_FLIGHT_MAX: Final = 120_000

_ENTRY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
# What SendMessage lists as the characters that a body may hold.
_BAD_BODY: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Letters, digits and the punctuation of ASCII.
_IDENTITY: Final = re.compile(r"[!-~]{1,128}")
# "Number attributes can store positive or negative integer and floating point number values" (SQS and SNS alike).
NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_ATTRIBUTE_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,256}")


class Breach(NamedTuple):
    """A broken rule: AWS's error code and text."""

    code: str
    message: str


def between(name: str, value: int, least: int, most: int) -> Breach | None:
    """A number of a request."""
    if least <= value <= most:
        return None
    return Breach(
        "InvalidParameterValue",
        f"Value {value} for parameter {name} is invalid. Reason: Must be >= {least} and <= {most}, if provided.",
    )


def receive_count(value: int) -> Breach | None:
    """MaxNumberOfMessages."""
    if 1 <= value <= 10:
        return None
    return Breach(
        "InvalidParameterValue",
        f"Value {value} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
    )


def message(
    body: str, attributes: Mapping[str, Mapping[str, Any]], most: int, *, batch: bool = False
) -> Breach | None:
    """A message that is to be sent, alone or in a batch."""
    if not body:
        return Breach("MissingParameter", "The request must contain the parameter MessageBody.")
    # Most bodies are printable ASCII, which needs no search.
    if not (body.isascii() and body.isprintable()) and _BAD_BODY.search(body):
        return Breach(
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD "
            "| #x10000 to #x10FFFF",
        )
    if attributes and (breach := message_attributes(attributes)) is not None:
        return breach
    if (len(body) * 4 > most or attributes) and size(body, attributes) > most:
        what = "cannot be validated" if batch else "are invalid"
        return Breach(
            "InvalidParameterValue",
            f"One or more parameters {what}. Reason: Message must be shorter than {most} bytes.",
        )
    return None


def identity(name: str, value: str) -> Breach | None:
    """A MessageGroupId or MessageDeduplicationId."""
    if _IDENTITY.fullmatch(value):
        return None
    return Breach(
        "InvalidParameterValue",
        f"Value {value} for parameter {name} is invalid. Reason: {name} can only include alphanumeric and punctuation "
        "characters. 1 to 128 in length.",
    )


def order(entry: Mapping[str, Any], *, fifo: bool, content_based: bool) -> Breach | None:
    """What a send says of groups, duplicates and delay, against the kind of its queue."""
    group, dedup, delay = (
        entry.get(name) for name in ("MessageGroupId", "MessageDeduplicationId", "DelaySeconds")
    )
    for name, value in (("MessageGroupId", group), ("MessageDeduplicationId", dedup)):
        if value is not None and (breach := identity(name, value)) is not None:
            return breach
    if not fifo:
        return None if dedup is None else _wrong_kind("MessageDeduplicationId", dedup)
    if group is None:
        return Breach("MissingParameter", "The request must contain the parameter MessageGroupId.")
    if delay:
        return _wrong_kind("DelaySeconds", delay)
    if dedup is None and not content_based:
        return Breach(
            "InvalidParameterValue",
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        )
    return None


def _wrong_kind(name: str, value: object) -> Breach:
    return Breach(
        "InvalidParameterValue",
        f"Value {value} for parameter {name} is invalid. Reason: The request include parameter that is not valid for "
        "this queue type.",
    )


def message_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> Breach | None:
    """The attributes of a message."""
    if len(attributes) > ATTRIBUTES_MAX:
        return Breach(
            "InvalidParameterValue",
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{ATTRIBUTES_MAX}].",
        )
    for name, value in attributes.items():
        if (
            not _ATTRIBUTE_NAME.fullmatch(name)
            or name.lower().startswith(("aws.", "amazon."))
            or name[0] == "."
            or name[-1] == "."
            or ".." in name
        ):
            return Breach("InvalidParameterValue", f"Message (user) attribute name '{name}' is invalid.")
        kind = value.get("DataType", "").partition(".")[0]
        if kind not in {"String", "Number", "Binary"}:
            return Breach(
                "InvalidParameterValue",
                f"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
                "is Binary, Number, and String.",
            )
        content = value.get("BinaryValue") if kind == "Binary" else value.get("StringValue")
        if not content:
            return Breach(
                "InvalidParameterValue",
                f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'.",
            )
        if kind == "Number" and not NUMBER.fullmatch(content):
            return Breach(
                "InvalidParameterValue",
                f"Can't cast the value of message (user) attribute '{name}' to a number.",
            )
    return None


def size(body: str, attributes: Mapping[str, Mapping[str, Any]]) -> int:
    """The bytes of a message that count: body, and names, types and values of attributes."""
    total = len(body) if body.isascii() else len(body.encode())
    if not attributes:
        return total
    for name, value in attributes.items():
        total += len(name.encode()) + len(value["DataType"].encode())
        total += (
            len(value["StringValue"].encode())
            if "StringValue" in value
            else len(bytes(value.get("BinaryValue", b"")))
        )
    return total


def batch(ids: list[str]) -> Breach | None:
    """The entries of a batch request."""
    prefix = "AWS.SimpleQueueService."
    if not ids:
        return Breach(f"{prefix}EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(ids) > BATCH_MAX:
        return Breach(
            f"{prefix}TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {BATCH_MAX}. You have sent {len(ids)}.",
        )
    for entry in ids:
        if not _ENTRY_ID.fullmatch(entry):
            return Breach(
                f"{prefix}InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                "It can be at most 80 letters long.",
            )
    for entry in ids:
        if ids.count(entry) > 1:
            return Breach(f"{prefix}BatchEntryIdsNotDistinct", f"Id {entry} repeated.")
    return None


def batch_size(total: int) -> Breach | None:
    """All messages of a SendMessageBatch together."""
    if total <= MESSAGE_MAX:
        return None
    return Breach(
        "AWS.SimpleQueueService.BatchRequestTooLong",
        f"Batch requests cannot be longer than {MESSAGE_MAX} bytes. You have sent {total} bytes.",
    )
