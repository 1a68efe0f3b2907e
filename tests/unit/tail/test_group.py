"""Log groups of an account."""

from __future__ import annotations

from lambdalog.tail.group import Group, of_function


def test_a_group_is_what_describe_log_groups_answers() -> None:
    """Its ARN is the one without `:*`, which older endpoints don't give by itself; what they don't count is nothing."""
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:g"
    assert Group.of_answer({"logGroupName": "g", "arn": f"{arn}:*", "storedBytes": 7}) == Group("g", arn, 7)
    assert Group.of_answer({"logGroupName": "g", "logGroupArn": arn, "arn": "x"}) == Group("g", arn, 0)
    assert Group.of_answer({"logGroupName": "g"}) == Group("g", "", 0)


def test_a_function_writes_to_the_group_that_it_was_given() -> None:
    """Or to that of its name, where none was, or the endpoint tells of none."""
    assert of_function({"FunctionName": "f", "LoggingConfig": {"LogGroup": "shared"}}) == "shared"
    assert of_function({"FunctionName": "f", "LoggingConfig": {"LogFormat": "JSON"}}) == "/aws/lambda/f"
    assert of_function({"FunctionName": "f"}) == "/aws/lambda/f"
