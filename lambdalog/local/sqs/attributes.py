"""A queue's attributes: which there are, their defaults and limits (CreateQueue, SetQueueAttributes). Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from lambdalog.local.sqs import policies
from lambdalog.local.sqs.rules import MESSAGE_MAX, Breach

if TYPE_CHECKING:
    from collections.abc import Mapping

# Default, least, most.
NUMBERS: Final[dict[str, tuple[int, int, int]]] = {
    "DelaySeconds": (0, 0, 900),
    "MaximumMessageSize": (MESSAGE_MAX, 1024, MESSAGE_MAX),
    "MessageRetentionPeriod": (345_600, 60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 0, 20),
    "VisibilityTimeout": (30, 0, 43_200),
}
FIFO_DEFAULTS: Final = {
    "FifoQueue": "true",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}
# What is shown only where it was set.
OPTIONAL: Final = frozenset(
    {"Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"}
)
COUNTED: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
TOLD: Final = frozenset({"QueueArn", "CreatedTimestamp", "LastModifiedTimestamp", *COUNTED})
KNOWN: Final = frozenset({*NUMBERS, *OPTIONAL, *TOLD, *FIFO_DEFAULTS, "SqsManagedSseEnabled"})

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIFO_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,75}\.fifo")
_CHOICES: Final = {
    "ContentBasedDeduplication": ("true", "false"),
    "DeduplicationScope": ("messageGroup", "queue"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
    "SqsManagedSseEnabled": ("true", "false"),
}


def check_name(name: str, *, fifo: bool) -> Breach | None:
    """A new queue's name."""
    if fifo:
        if _FIFO_NAME.fullmatch(name):
            return None
        return Breach(
            "InvalidParameterValue",
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
            "must end with .fifo suffix and be 1 to 80 in length.",
        )
    if _NAME.fullmatch(name):
        return None
    return Breach(
        "InvalidParameterValue",
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
    )


def check(attributes: Mapping[str, str], *, fifo: bool, creating: bool) -> Breach | None:
    """Attributes that are to be set. An empty policy takes the policy away."""
    for name, value in attributes.items():
        if (breach := _check_one(name, value, fifo=fifo, creating=creating)) is not None:
            return breach
    return None


def check_together(attributes: Mapping[str, str], *, fifo: bool) -> Breach | None:
    """Attributes as they would be after a change."""
    if attributes.get("KmsMasterKeyId") and attributes.get("SqsManagedSseEnabled") == "true":
        return Breach(
            "InvalidAttributeName",
            "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
        )
    if (
        fifo
        and attributes.get("FifoThroughputLimit") == "perMessageGroupId"
        and attributes.get("DeduplicationScope", "queue") != "messageGroup"
    ):
        return Breach(
            "InvalidParameterValue",
            "The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup.",
        )
    return None


def _check_one(name: str, value: str, *, fifo: bool, creating: bool) -> Breach | None:
    if name == "FifoQueue":
        return _check_kind(value, fifo=fifo, creating=creating)
    if name in FIFO_DEFAULTS and not fifo:
        if name == "ContentBasedDeduplication":
            return Breach("InvalidAttributeName", f"Unknown Attribute {name}.")
        return Breach(
            "InvalidAttributeName", f"You can specify the {name} only when FifoQueue is set to true."
        )
    if name in NUMBERS:
        _, least, most = NUMBERS[name]
        # The console sends an empty value where it means the default.
        if value and (not re.fullmatch(r"-?\d{1,18}", value) or not least <= int(value) <= most):
            return _bad_value(name)
        return None
    if name in _CHOICES:
        return None if value in _CHOICES[name] or not value else _bad_value(name)
    if name not in OPTIONAL:
        return Breach("InvalidAttributeName", f"Unknown Attribute {name}.")
    return _check_optional(name, value, fifo=fifo) if value else None


def _check_kind(value: str, *, fifo: bool, creating: bool) -> Breach | None:
    if creating and value == "true":
        return None
    if not fifo:
        return Breach("InvalidAttributeName", "Unknown Attribute FifoQueue.")
    if value == "true":
        return None
    return Breach(
        "InvalidAttributeValue",
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
    )


def _check_optional(name: str, value: str, *, fifo: bool) -> Breach | None:
    match name:
        case "RedrivePolicy":
            return policies.check_redrive(value, fifo=fifo)
        case "RedriveAllowPolicy":
            return policies.check_allow(value)
        case "KmsDataKeyReusePeriodSeconds":
            return None if value.isdecimal() and 60 <= int(value) <= 86_400 else _bad_value(name)
        case "Policy":
            try:
                return None if isinstance(json.loads(value), dict) else _bad_value(name)
            except (ValueError, RecursionError):
                return _bad_value(name)
        case _:
            return None


def _bad_value(name: str) -> Breach:
    return Breach("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def merged(old: Mapping[str, str], change: Mapping[str, str]) -> dict[str, str]:
    """Attributes after a change: an empty value brings the default back; a KMS key turns SQS's own encryption off."""
    found = {name: value for name, value in {**old, **change}.items() if value}
    if change.get("KmsMasterKeyId") and "SqsManagedSseEnabled" not in change:
        found["SqsManagedSseEnabled"] = "false"
    return found


def effective(attributes: Mapping[str, str], *, fifo: bool) -> dict[str, str]:
    """All that hold, set or by default."""
    found = {name: str(default) for name, (default, _, _) in NUMBERS.items()}
    found["SqsManagedSseEnabled"] = "true"
    if fifo:
        found |= FIFO_DEFAULTS
    return found | dict(attributes)
