"""Log groups of an account."""

from __future__ import annotations

from lambdalog.tail.group import Group


def test_a_group_is_what_describe_log_groups_answers() -> None:
    """Its ARN is the one without `:*`, which older endpoints don't give by itself; what they don't count is nothing."""
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:g"
    assert Group.of_answer({"logGroupName": "g", "arn": f"{arn}:*", "storedBytes": 7}) == Group("g", arn, 7)
    assert Group.of_answer({"logGroupName": "g", "logGroupArn": arn, "arn": "x"}) == Group("g", arn, 0)
    assert Group.of_answer({"logGroupName": "g"}) == Group("g", "", 0)
