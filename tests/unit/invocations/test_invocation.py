"""An invocation: what its attempts and its group tell of it."""

from __future__ import annotations

import pytest

from lambdalog.invocations.invocation import LONGEST_MS, Attempt, Invocation


def attempt(stream: str, began: int = 1_000) -> Attempt:
    """One that has begun."""
    return Attempt(stream, "$LATEST", began, None, None)


@pytest.mark.parametrize(
    ("group", "stream", "expected"),
    [
        ("/aws/lambda/orders", "2026/11/26/[$LATEST]ab", "orders"),
        # Functions that log to one group are told apart by their streams.
        ("/shop", "2026/11/26/orders[$LATEST]ab", "orders"),
        ("/aws/lambda/audit", "2026/11/26/orders[7]ab", "orders"),
        ("/shop", "main", "/shop"),
    ],
)
def test_the_function_is_named_by_its_stream_or_its_group(group: str, stream: str, expected: str) -> None:
    """The newest attempt's stream says who ran in a shared group; a group of its own bears a function's name."""
    assert Invocation(group, "r", (attempt("main"), attempt(stream))).function == expected


def test_an_invocation_that_was_only_refused_bears_the_groups_name() -> None:
    """No stream tells more, and the time is that of the refusal."""
    refused = Invocation("/aws/lambda/orders", "r", (), (5_000, 6_000))
    assert (refused.function, refused.began, refused.last) == ("orders", 5_000, None)


def test_what_has_no_end_runs_or_is_lost() -> None:
    """Lambda ends an invocation after 15 minutes: one of which nothing more was heard then has no end in the log."""
    begun = attempt("main", 1_000)
    assert begun.status(1_000 + LONGEST_MS) == "running"
    assert begun.status(1_001 + LONGEST_MS) == "lost"
    assert not begun.cold
