"""Audit: every change of an account is written down, and an overdrawn account is refused.

Event: a DynamoDB stream's records (NEW_AND_OLD_IMAGES).
"""

import lambdalog

log = lambdalog.get_logger()


class Overdrawn(Exception):
    """An account's balance went below zero."""


def _balance(image):
    return int(image["balance"]["N"]) if image else None


@lambdalog.handler
def handler(event, context):
    """Audit each record; returns how many of each kind of change there were."""
    seen = {"INSERT": 0, "MODIFY": 0, "REMOVE": 0}
    for record in event["Records"]:
        change = record["dynamodb"]
        account = change["Keys"]["id"]["S"]
        before, after = _balance(change.get("OldImage")), _balance(change.get("NewImage"))
        log.info("account changed", account=account, change=record["eventName"], before=before, after=after)
        if after is not None and after < 0:
            raise Overdrawn(f"account {account} is at {after}")
        seen[record["eventName"]] += 1
    return seen
