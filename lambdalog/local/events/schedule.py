"""EventBridge's Scheduled Event."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def scheduled(*, event_id: str, rule_arn: str, at: float, region: str, account: str) -> dict[str, Any]:
    """The event of a rule at a time (epoch seconds), keys in EventBridge's order."""
    return {
        "version": "0",
        "id": event_id,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": region,
        "resources": [rule_arn],
        "detail": {},
    }
