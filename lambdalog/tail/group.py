"""A log group of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

from lambdalog.tail.wanted import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping


class Group(NamedTuple):
    """A log group as DescribeLogGroups lists it."""

    name: str
    arn: str
    stored_bytes: int

    @classmethod
    def of_answer(cls, found: Mapping[str, Any]) -> Self:
        """One of those that DescribeLogGroups answers; older endpoints know the ARN with `:*` alone."""
        return cls(
            found["logGroupName"],
            found.get("logGroupArn") or found.get("arn", "").removesuffix(":*"),
            found.get("storedBytes", 0),
        )


def of_function(config: Mapping[str, Any]) -> str:
    """The name of the group that a function writes to, of its configuration as Lambda answers it.

    An endpoint that doesn't know LoggingConfig has each function in the group of its name.
    """
    return config.get("LoggingConfig", {}).get("LogGroup") or f"{FUNCTIONS}{config['FunctionName']}"
