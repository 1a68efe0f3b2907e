"""A topic's subscription switched off and on, which SNS has no word for: by a filter that no message passes."""

from __future__ import annotations

import json
from typing import Any, Final

# A key besides the subscription's own, all of which must match: its own stay as they are.
_KEY: Final = "lambdalog-disabled"
_NEVER: Final = ["by lambdalog trigger disable"]


def is_off(policy: dict[str, Any]) -> bool:
    """Whether a filter policy is of a subscription that was switched off."""
    return _KEY in policy


def switched(policy: dict[str, Any], *, enabled: bool) -> dict[str, Any]:
    """The filter policy of a subscription, for it to be on or off."""
    own = {key: value for key, value in policy.items() if key != _KEY}
    return own if enabled else own | {_KEY: _NEVER}


def filter_of(sns: Any, arn: str) -> dict[str, Any]:
    """A subscription's filter policy, {} if it has none or is not confirmed yet. SNS: GetSubscriptionAttributes."""
    if not arn.startswith("arn:"):
        return {}  # "PendingConfirmation"
    given = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"].get("FilterPolicy") or "{}"
    found: dict[str, Any] = json.loads(given)
    return found


def switch(sns: Any, arn: str, *, enabled: bool) -> None:
    """Switch a subscription. SNS: SetSubscriptionAttributes, which on AWS takes effect within minutes."""
    policy = switched(filter_of(sns, arn), enabled=enabled)
    sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue=json.dumps(policy)
    )
