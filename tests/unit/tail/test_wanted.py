"""Which groups are meant."""

from __future__ import annotations

import pytest

from lambdalog.tail.wanted import matcher, prefixes


@pytest.mark.parametrize(
    ("groups", "name", "expected"),
    [
        ([], "anything", True),
        (["orders"], "/aws/lambda/orders", True),
        (["ord*"], "/aws/lambda/orders", True),
        (["/aws/*/orders"], "/aws/lambda/orders", True),
        (["orders"], "/aws/lambda/orders-2", False),
        (["[x"], "[x", True),
    ],
)
def test_a_group_is_meant_by_name_or_glob(groups: list[str], name: str, expected: bool) -> None:
    """Whole names, functions' names, and globs over either."""
    assert matcher(groups)(name) is expected


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (["orders"], ["/aws/lambda/orders", "orders"]),
        (["/aws/lambda/or*"], ["/aws/lambda/or"]),
        (["a*", "ab"], ["/aws/lambda/a", "a"]),
        (["*x"], [""]),
        (["x", "?"], [""]),
        (["[ab]c"], [""]),
    ],
)
def test_aws_is_asked_for_prefixes(groups: list[str], expected: list[str]) -> None:
    """No name that is meant begins otherwise; what one prefix covers is not asked for twice."""
    assert prefixes(groups) == expected
