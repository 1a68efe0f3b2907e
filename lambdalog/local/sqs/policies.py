"""A queue's redrive policy (where its failures go) and redrive allow policy (whose failures it takes). Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lambdalog.arn import Arn
from lambdalog.local.sqs.rules import Breach

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCES_MAX: Final = 10
_REDRIVE: Final = ("maxReceiveCount", "deadLetterTargetArn")
_FORMAT: Final = (
    "Invalid value for the parameter RedriveAllowPolicy. Reason: Amazon SQS can't create the redrive allow policy, "
    "as it’s in an unsupported format."  # noqa: RUF001 - AWS's own apostrophe
)


class Redrive(NamedTuple):
    """After `receives` receives a message goes to the queue with this ARN."""

    target: str
    receives: int


def redrive(text: str | None) -> Redrive | None:
    """A RedrivePolicy that was accepted."""
    if not text:
        return None
    found = json.loads(text)
    return Redrive(found["deadLetterTargetArn"], int(found["maxReceiveCount"]))


def check_redrive(text: str, *, fifo: bool) -> Breach | None:
    """A RedrivePolicy that is to be set on a queue; whether its target exists, and allows it, others say."""
    try:
        policy = json.loads(text)
    except (ValueError, RecursionError):
        policy = None
    if not isinstance(policy, dict):
        return Breach(
            "InvalidParameterValue",
            "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map.",
        )
    for name in _REDRIVE:
        if name not in policy:
            return refused(text, f"Redrive policy does not contain mandatory attribute: {name}.")
    if policy.keys() - set(_REDRIVE):
        return refused(text, f"Only following attributes are supported: [{', '.join(_REDRIVE)}].")
    most = policy["maxReceiveCount"]
    if not str(most).lstrip("-").isdecimal() or not 1 <= int(most) <= 1000:
        return refused(
            text,
            f"Invalid value for maxReceiveCount: {most}, valid values are from 1 to 1000 both inclusive.",
        )
    try:
        target = Arn.parse(str(policy["deadLetterTargetArn"]))
    except ValueError:
        return refused(text, "Only SQS queues are valid resources for deadLetterTargetArn.")
    if target.service != "sqs":
        return refused(text, "Only SQS queues are valid resources for deadLetterTargetArn.")
    if target.resource.endswith(".fifo") != fifo:
        return refused(text, "Dead-letter queue must be same type of queue as the source.")
    return None


def refused(text: str, reason: str) -> Breach:
    """A RedrivePolicy that is refused, with AWS's reason."""
    return Breach(
        "InvalidParameterValue", f"Value {text} for parameter RedrivePolicy is invalid. Reason: {reason}"
    )


def check_allow(text: str) -> Breach | None:
    """A RedriveAllowPolicy that is to be set."""
    try:
        policy: Any = json.loads(text)
    except (ValueError, RecursionError):
        policy = None
    if not isinstance(policy, dict) or policy.keys() - {"redrivePermission", "sourceQueueArns"}:
        return Breach("InvalidParameterValue", _FORMAT)
    permission, sources = policy.get("redrivePermission"), policy.get("sourceQueueArns")
    listed = isinstance(sources, list) and all(isinstance(source, str) for source in sources)
    if permission not in {"allowAll", "denyAll", "byQueue"} or not (sources is None or listed):
        return Breach("InvalidParameterValue", _FORMAT)
    prefix = f"Value {text} for parameter RedriveAllowPolicy is invalid. Reason: Amazon SQS can't create the redrive allow policy."
    if permission == "byQueue" and not sources:
        return Breach(
            "InvalidParameterValue",
            f"{prefix} When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values.",
        )
    if permission != "byQueue" and sources:
        return Breach(
            "InvalidParameterValue",
            f"{prefix} To specify one or more source queue ARNs, you must set redrivePermission to byQueue.",
        )
    if sources is not None and len(sources) > SOURCES_MAX:
        return Breach(
            "InvalidParameterValue",
            f"{prefix} The maximum number of source queue ARNs you can specify is {SOURCES_MAX}.",
        )
    return None


def allows(attributes: Mapping[str, str], source: str) -> bool:
    """Whether a queue with these attributes takes the failures of the queue with the ARN `source`."""
    text = attributes.get("RedriveAllowPolicy")
    if not text:
        return True
    policy = json.loads(text)
    if policy["redrivePermission"] == "byQueue":
        return source in policy["sourceQueueArns"]
    return bool(policy["redrivePermission"] == "allowAll")
