"""Aggregates of two shares of the values, put together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambdalog.query.insights import aggregates
from lambdalog.query.insights.values import Time

values = st.lists(
    st.none()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.sampled_from(["3", "x", "", "12.5", True, [1], {"a": 1}, Time(1_700_000_000_000)]),
    max_size=30,
)


@pytest.mark.parametrize("name", sorted(aggregates.NAMES))
@pytest.mark.parametrize("times", [1, 400], ids=["few", "many"])
@given(first=values, second=values)
@example(first=[0, 0, 0], second=[1, 1])
def test_two_shares_are_as_good_as_one(name: str, times: int, first: list[Any], second: list[Any]) -> None:
    """What two have taken in gives, put together, what one gives that has taken in all of it."""
    first, second = first * times, second * times
    if name in {"earliest", "latest"}:
        first = [(value, number % 7) for number, value in enumerate(first)]
        second = [(value, number % 5) for number, value in enumerate(second)]
    one, left, right = (aggregates.maker(name, 75.0)() for _ in range(3))
    one.extend(first)
    one.extend(second)
    left.extend(first)
    right.extend(second)
    left.merge(right)
    found, expected = left.result(), one.result()
    if isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    else:
        assert (type(found), found) == (type(expected), expected)


def test_many_different_values_are_estimated_alike() -> None:
    """Beyond what is remembered exactly, two shares come to the very estimate that one comes to."""
    one, left, right = (aggregates.CountDistinct() for _ in range(3))
    for number in range(0, 12_000, 100):
        block = [f"id-{each}" for each in range(number, number + 100)]
        one.extend(block)
        (left if number % 3 else right).extend(block)
    left.merge(right)
    assert left.result() == one.result() != 12_000
