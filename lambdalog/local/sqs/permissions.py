"""AddPermission and RemovePermission: statements of a queue's policy, by their label. Kept, and not enforced. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.sqs.rules import Breach

if TYPE_CHECKING:
    from collections.abc import Sequence

ACTIONS_MAX: Final = 7
_LABEL: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_ACCOUNT: Final = re.compile(r"\d{12}")
ACTIONS: Final = frozenset(
    {
        "*",
        "ChangeMessageVisibility",
        "DeleteMessage",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ListDeadLetterSourceQueues",
        "PurgeQueue",
        "ReceiveMessage",
        "SendMessage",
    }
)
# What can't be permitted to another account.
OWN: Final = frozenset(
    {
        "AddPermission",
        "CancelMessageMoveTask",
        "CreateQueue",
        "DeleteQueue",
        "ListMessageMoveTasks",
        "ListQueueTags",
        "ListQueues",
        "RemovePermission",
        "SetQueueAttributes",
        "StartMessageMoveTask",
        "TagQueue",
        "UntagQueue",
    }
)


def _invalid(value: str, parameter: str, reason: str) -> Breach:
    return Breach(
        "InvalidParameterValue", f"Value {value} for parameter {parameter} is invalid. Reason: {reason}"
    )


def add(
    policy: str | None, arn: str, label: str, accounts: Sequence[str], actions: Sequence[str]
) -> str | Breach:
    """The policy with one more statement, as JSON."""
    if not _LABEL.fullmatch(label):
        return _invalid(
            label,
            "Label",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.",
        )
    if not accounts:
        return Breach("MissingParameter", "The request must contain the parameter PrincipalId.")
    if not actions:
        return Breach("MissingParameter", "The request must contain the parameter Actions.")
    if len(actions) > ACTIONS_MAX:
        return Breach("OverLimit", f"{len(actions)} Actions were found, maximum allowed is {ACTIONS_MAX}.")
    for account in accounts:
        if not _ACCOUNT.fullmatch(account):
            return _invalid(f"[{', '.join(accounts)}]", "PrincipalId", "Unable to verify.")
    for action in actions:
        if action not in ACTIONS:
            return _invalid(
                f"SQS:{action}",
                "ActionName",
                "Only the queue owner is allowed to invoke this action."
                if action in OWN
                else "Please refer to the appropriate WSDL for a list of valid actions.",
            )
    document: dict[str, Any] = (
        json.loads(policy)
        if policy
        else {"Version": "2008-10-17", "Id": f"{arn}/SQSDefaultPolicy", "Statement": []}
    )
    if any(statement.get("Sid") == label for statement in document["Statement"]):
        return _invalid(label, "Label", "Already exists.")
    principals = [f"arn:aws:iam::{account}:root" for account in accounts]
    names = [f"SQS:{action}" for action in actions]
    document["Statement"].append(
        {
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": _one_or_all(principals)},
            "Action": _one_or_all(names),
            "Resource": arn,
        }
    )
    return json.dumps(document)


def remove(policy: str | None, label: str) -> str | Breach:
    """The policy without a statement, as JSON; empty when it was the last."""
    document: dict[str, Any] = json.loads(policy) if policy else {"Statement": []}
    left = [statement for statement in document["Statement"] if statement.get("Sid") != label]
    if len(left) == len(document["Statement"]):
        return _invalid(label, "Label", "can't find label.")
    return json.dumps(document | {"Statement": left}) if left else ""


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
