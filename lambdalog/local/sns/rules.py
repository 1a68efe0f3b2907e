"""SNS's limits and what it says of their breach. Pure: a rule takes values and gives a `Breach`, or None."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lambdalog.arn import Arn
from lambdalog.local.sqs.rules import NUMBER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MESSAGE_MAX: Final = 262_144
# What a topic's MaximumMessageSize may raise it to.
MESSAGE_MAX_RAISED: Final = 1_048_576
SUBJECT_MAX: Final = 99
BATCH_MAX: Final = 10
TAGS_MAX: Final = 50

_TOPIC: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FIFO_TOPIC: Final = re.compile(r"[A-Za-z0-9_-]{1,251}\.fifo")
_NAME_CHARACTER: Final = re.compile(r"[A-Za-z0-9_.-]")
_KIND: Final = re.compile(r"(String|Number|Binary)(\..+)?")
_IDENTITY: Final = re.compile(r"[!-~]{1,128}")
_ENTRY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Breach(NamedTuple):
    """A broken rule: SNS's error code, text and HTTP status."""

    code: str
    message: str
    status: int = 400


def invalid(what: str) -> Breach:
    """InvalidParameter, as SNS words it."""
    return Breach("InvalidParameter", f"Invalid parameter: {what}")


def arn(parameter: str, text: str, region: str) -> Breach | None:
    """An ARN of SNS in this region."""
    parts = text.split(":")
    if len(parts) < 6:
        return invalid(f"{parameter} Reason: An ARN must have at least 6 elements, not {len(parts)}")
    try:
        found = Arn.parse(text)
    except ValueError:
        return invalid(parameter)
    return None if found.service == "sns" and found.region == region else invalid(parameter)


def topic_name(name: str, *, fifo: bool) -> Breach | None:
    """A new topic's name: `.fifo` at its end if it is a FIFO topic, and only then."""
    return None if (_FIFO_TOPIC if fifo else _TOPIC).fullmatch(name) else invalid("Topic Name")


def subject(text: str | None) -> Breach | None:
    """A subject: less than 100 characters, no line breaks or control characters."""
    if text is None or (0 < len(text) <= SUBJECT_MAX and not _CONTROL.search(text)):
        return None
    return invalid("Subject")


def structured(message: str) -> Breach | None:
    """A message with MessageStructure json: an object with a text for `default`."""
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return invalid("Message Structure - JSON message body failed to parse")
    if not isinstance(found.get("default"), str):
        return invalid("Message Structure - No default entry in JSON message body")
    return None


def order(entry: Mapping[str, Any], *, fifo: bool, content_based: bool) -> Breach | None:
    """What a publish says of groups and duplicates, against the kind of its topic."""
    group, dedup = entry.get("MessageGroupId"), entry.get("MessageDeduplicationId")
    if fifo and group is None:
        return invalid("The MessageGroupId parameter is required for FIFO topics")
    if fifo and dedup is None and not content_based:
        return invalid(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
        )
    if not fifo and dedup is not None:
        return invalid(
            "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for "
            "this topic type"
        )
    for name, value in (("MessageGroupId", group), ("MessageDeduplicationId", dedup)):
        if value is not None and not _IDENTITY.fullmatch(value):
            return invalid(
                f"{name} Reason: {name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
            )
    return None


def message_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> Breach | None:
    """The attributes of a message."""
    for name, value in attributes.items():
        if (text := _attribute_name(name) or _attribute_value(name, value)) is not None:
            return Breach("ParameterValueInvalid", text)
    return None


def _attribute_name(name: str) -> str | None:
    if len(name.encode()) > 256:
        return "Length of message attribute name must be less than 256 bytes."
    for character in name:
        if not _NAME_CHARACTER.match(character):
            return (
                f"Invalid non-alphanumeric character '#x{ord(character):X}' was found in the message attribute name. "
                "Can only include alphanumeric characters, hyphens, underscores, or dots."
            )
    if name.startswith("."):
        return "Invalid message attribute name starting with character '.' was found."
    if name.endswith("."):
        return "Invalid message attribute name ending with character '.' was found."
    return "Message attribute name can not have successive '.' character." if ".." in name else None


def _attribute_value(name: str, value: Mapping[str, Any]) -> str | None:
    kind = value.get("DataType", "")
    if not _KIND.fullmatch(kind):
        return (
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String."
        )
    empty = (
        f"The message attribute '{name}' must contain non-empty message attribute value for message attribute type "
        f"'{kind}'."
    )
    if "StringValue" not in value and "BinaryValue" not in value:
        return empty
    field = "Binary" if kind.startswith("Binary") else "String"
    if f"{field}Value" not in value:
        return f"The message attribute '{name}' with type '{kind}' must use field '{field}'."
    content = value[f"{field}Value"]
    if kind.startswith("Number") and content and not NUMBER.fullmatch(content):
        return f"Could not cast message attribute '{name}' value to number."
    return None if content else empty


def size(message: str, attributes: Mapping[str, Mapping[str, Any]]) -> int:
    """The bytes of a message that count: body, and names, types and values of attributes."""
    total = len(message.encode())
    for name, value in attributes.items():
        total += len(name.encode()) + len(value.get("DataType", "").encode())
        total += len(value.get("StringValue", "").encode()) + len(bytes(value.get("BinaryValue", b"")))
    return total


def batch(ids: Sequence[str]) -> Breach | None:
    """The entries of a PublishBatch."""
    if not ids:
        return Breach("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(ids) > BATCH_MAX:
        return Breach(
            "TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible."
        )
    if len(set(ids)) < len(ids):
        return Breach(
            "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id."
        )
    if not all(_ENTRY_ID.fullmatch(entry) for entry in ids):
        return Breach(
            "InvalidBatchEntryId",
            "The Id of a batch entry in a batch request doesn't abide by the specification.",
        )
    return None


def batch_size(total: int, most: int) -> Breach | None:
    """All messages of a PublishBatch together."""
    if total <= most:
        return None
    return Breach(
        "BatchRequestTooLong", "The length of all the messages put together is more than the limit."
    )


def tags(given: Sequence[Mapping[str, str]]) -> Breach | None:
    """Tags of one request."""
    keys = [tag["Key"] for tag in given]
    return invalid("Duplicated keys are not allowed.") if len(set(keys)) < len(keys) else None


def tag_count(count: int) -> Breach | None:
    """All tags of a topic."""
    if count <= TAGS_MAX:
        return None
    return Breach("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
