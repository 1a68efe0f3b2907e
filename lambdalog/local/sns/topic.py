"""A topic: its attributes, their defaults and limits, and its policy (CreateTopic, SetTopicAttributes). Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.sns import rules, schedule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambdalog.local.sns.rules import Breach

ACTIONS: Final = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
)
_PERMITTED: Final = frozenset(
    {
        *ACTIONS,
        "GetDataProtectionPolicy",
        "ListTagsForResource",
        "PutDataProtectionPolicy",
        "Receive",
        "TagResource",
        "UntagResource",
        "*",
    }
)
_FEEDBACK: Final = frozenset(
    f"{kind}{name}"
    for kind in ("HTTP", "Firehose", "Lambda", "Application", "SQS")
    for name in ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")
)
_FIFO: Final = frozenset({"ContentBasedDeduplication", "FifoThroughputScope", "ArchivePolicy"})
SETTABLE: Final = frozenset(
    {
        "DeliveryPolicy",
        "DisplayName",
        "KmsMasterKeyId",
        "MaximumMessageSize",
        "Policy",
        "SignatureVersion",
        "TracingConfig",
        *_FIFO,
        *_FEEDBACK,
    }
)
_CHOICES: Final = {
    "ContentBasedDeduplication": ("true", "false"),
    "FifoThroughputScope": ("Topic", "MessageGroup"),
    "SignatureVersion": ("1", "2"),
    "TracingConfig": ("PassThrough", "Active"),
}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is now. `attributes` are those that were set."""

    arn: str
    attributes: dict[str, str]
    tags: dict[str, str]
    protection: str

    @property
    def fifo(self) -> bool:
        """Whether it keeps order, and takes each message once."""
        return self.arn.endswith(".fifo")

    @property
    def content_based(self) -> bool:
        """Whether a message's body tells it from others."""
        return self.attributes.get("ContentBasedDeduplication") == "true"

    @property
    def dedup_by_group(self) -> bool:
        """Whether duplicates are looked for within a group only."""
        return self.attributes.get("FifoThroughputScope") == "MessageGroup"

    @property
    def message_max(self) -> int:
        """The bytes that a message may have."""
        return int(self.attributes.get("MaximumMessageSize", rules.MESSAGE_MAX))

    def effective(self, owner: str) -> dict[str, str]:
        """What GetTopicAttributes tells, but for the counts."""
        policy = schedule.of_topic(self.attributes.get("DeliveryPolicy"))
        found = {
            "TopicArn": self.arn,
            "Owner": owner,
            "Policy": json.dumps(default_policy(self.arn, owner)),
            "DisplayName": "",
            "EffectiveDeliveryPolicy": json.dumps(policy, separators=(",", ":")),
        }
        if self.fifo:
            found |= {"FifoTopic": "true", "ContentBasedDeduplication": "false"}
        return found | self.attributes

    def policy(self, owner: str) -> dict[str, Any]:
        """Its access policy."""
        text = self.attributes.get("Policy")
        found: dict[str, Any] = json.loads(text) if text else default_policy(self.arn, owner)
        return found


def default_policy(arn: str, owner: str) -> dict[str, Any]:
    """The access policy of a topic that was given none."""
    return {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": [f"SNS:{action}" for action in ACTIONS],
                "Resource": arn,
                "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
            }
        ],
    }


def check_new(attributes: Mapping[str, str], *, fifo: bool) -> Breach | None:
    """The attributes of a new topic; `FifoTopic` has been looked at."""
    for name, value in attributes.items():
        if name == "FifoTopic":
            if value not in {"true", "false"}:
                return rules.invalid("Attributes Reason: FifoTopic: Invalid value. Must be true or false.")
            continue
        if name not in SETTABLE or (name in _FIFO and not fifo):
            return rules.invalid(f"Attributes Reason: Unknown attribute: {name}")
        if (reason := _reason(name, value)) is not None:
            return rules.invalid(f"Attributes Reason: {name}: {reason}")
    return None


def check_change(name: str, value: str, *, fifo: bool) -> Breach | None:
    """One attribute that is to be set."""
    if name not in SETTABLE or (name in _FIFO and not fifo):
        return rules.invalid("AttributeName")
    reason = _reason(name, value)
    return None if reason is None else rules.invalid(f"{name} Reason: {reason}")


def _reason(name: str, value: str) -> str | None:
    if name in _CHOICES:
        return None if value in _CHOICES[name] else f"Invalid value [{value}]."
    match name:
        case "DeliveryPolicy":
            return schedule.check(value, "defaultHealthyRetryPolicy") if value else None
        case "DisplayName":
            return None if len(value) <= 100 else "must be at most 100 characters long"
        case "MaximumMessageSize":
            right = value.isdecimal() and 1024 <= int(value) <= rules.MESSAGE_MAX_RAISED
            return None if right else f"must be between 1024 and {rules.MESSAGE_MAX_RAISED}"
        case "Policy" | "ArchivePolicy":
            return None if not value or _is_object(value) else "must be a JSON object"
    if name.endswith("SampleRate"):
        return None if value.isdecimal() and int(value) <= 100 else "must be between 0 and 100"
    return None


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def kept(attributes: Mapping[str, str]) -> dict[str, str]:
    """Attributes as they are stored: what is empty is not set; DisplayName may be."""
    found = {name: value for name, value in attributes.items() if value or name == "DisplayName"}
    if "DeliveryPolicy" in found:
        found["DeliveryPolicy"] = schedule.kept_of_topic(found["DeliveryPolicy"])
    if found.get("FifoTopic") == "false":
        del found["FifoTopic"]
    return found


def differs(there: Mapping[str, str], given: Mapping[str, str]) -> bool:
    """Whether a topic that is created again is asked for other attributes than it has."""
    return any(there.get(name) != value for name, value in kept(given).items())


def permitted(
    policy: Mapping[str, Any], arn: str, label: str, accounts: Sequence[str], actions: Sequence[str]
) -> dict[str, Any] | Breach:
    """The policy with one more statement (AddPermission)."""
    if any(statement.get("Sid") == label for statement in policy["Statement"]):
        return rules.invalid("Statement already exists")
    if not accounts or not actions or not all(action in _PERMITTED for action in actions):
        return rules.invalid("Policy statement action out of service scope!")
    principals = [
        account if account.startswith("arn:") else f"arn:aws:iam::{account}:root" for account in accounts
    ]
    names = [f"SNS:{action}" for action in actions]
    statement = {
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": principals[0] if len(principals) == 1 else principals},
        "Action": names[0] if len(names) == 1 else names,
        "Resource": arn,
    }
    return {**policy, "Statement": [*policy["Statement"], statement]}
