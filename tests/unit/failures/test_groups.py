"""Groups: where they stand, and how their failures come."""

from __future__ import annotations

import pytest

from lambdalog.failures import Explained, sparkline
from lambdalog.failures.groups import NEW_MS, Status, grouped, status_of, trend
from lambdalog.failures.letter import Letter
from lambdalog.failures.marks import Mark

NOW = 10 * NEW_MS


def mark(status: str, at: int = 100, until: int | None = None) -> Mark:
    """A decision about a group."""
    return Mark("f", status, at, until, "ada@here", "")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "last", "given", "status"),
    [
        (NOW - 1, NOW, None, "new"),
        (NOW - NEW_MS, NOW, None, "ongoing"),
        (50, 100, mark("resolved"), "resolved"),
        (50, 101, mark("resolved"), "regressed"),
        (50, NOW, mark("muted"), "muted"),
        (50, NOW, mark("muted", until=NOW + 1), "muted"),
        (50, NOW, mark("muted", until=NOW), "ongoing"),
    ],
)
def test_where_a_group_stands(first: int, last: int, given: Mark | None, status: Status) -> None:
    """New for a day; resolved until it fails again; muted until then or for good."""
    assert status_of(first, last, given, NOW) == status


def test_a_trend_counts_each_part_of_the_span() -> None:
    """The newest at the right; what is older than the span isn't counted; what comes from the future is now."""
    assert trend([110, 100, 99, 51, 50, 1, 0], 100, 100, 4) == (1, 1, 1, 3)
    assert trend([], 100, 100, 3) == (0, 0, 0)
    assert sparkline((0, 1, 4, 8)) == "·▂▅█"


def test_the_most_frequent_group_comes_first_then_the_most_recent() -> None:
    """Members stay in order of time; type and message are the newest's."""
    members = [
        Explained(Letter(str(at), "q", "message", "", None, at, function=name), "T", f"at {at}", mark)
        for at, mark, name in ((1, "a", "f"), (2, "b", "g"), (3, "a", "g"), (4, "c", ""))
    ]
    groups = grouped(members, {}, NOW)
    assert [(group.fingerprint, group.count, group.message) for group in groups] == [
        ("a", 2, "at 3"),
        ("c", 1, "at 4"),
        ("b", 1, "at 2"),
    ]
    assert (groups[0].functions, groups[0].first_seen, groups[0].last_seen) == (("f", "g"), 1, 3)
