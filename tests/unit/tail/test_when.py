"""Times as people type them."""

from __future__ import annotations

from datetime import datetime

import pytest

from lambdalog.errors import ConfigError
from lambdalog.tail.when import parse_time

NOW = datetime(2026, 3, 12, 15, 30).astimezone().timestamp()


def local(*parts: int) -> int:
    """A local time in epoch ms."""
    return round(datetime(*parts).astimezone().timestamp() * 1000)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", round(NOW * 1000)),
        ("10m", round((NOW - 600) * 1000)),
        ("2h ago", round((NOW - 7200) * 1000)),
        ("1h30m", round((NOW - 5400) * 1000)),
        ("1.5d", round((NOW - 129_600) * 1000)),
        ("2 hours ago", round((NOW - 7200) * 1000)),
        ("90 sec", round((NOW - 90) * 1000)),
        ("1 day 5 minutes", round((NOW - 86_700) * 1000)),
        ("1H30Min ago", round((NOW - 5400) * 1000)),
        ("yesterday 14:00", local(2026, 3, 11, 14)),
        ("yesterday", local(2026, 3, 11)),
        ("today at 9:05", local(2026, 3, 12, 9, 5)),
        ("14:05", local(2026, 3, 12, 14, 5)),
        ("15:30", local(2026, 3, 12, 15, 30)),
        ("15:31", local(2026, 3, 11, 15, 31)),
        ("23:50:10", local(2026, 3, 11, 23, 50, 10)),
        ("today 23:50", local(2026, 3, 12, 23, 50)),
        ("2026-01-02", local(2026, 1, 2)),
        ("2026-01-02T03:04:05", local(2026, 1, 2, 3, 4, 5)),
        ("2026-01-02T03:04:05Z", 1_767_323_045_000),
        ("2026-01-02T03:04:05.678+01:00", 1_767_319_445_678),
        ("1767323045000", 1_767_323_045_000),
    ],
)
def test_a_time_is_understood(text: str, expected: int) -> None:
    """Spans, days, times of day and ISO mean what they say."""
    assert parse_time(text, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "10 months", "5mn", "ago", "10x", "1hago", "yesterday 25:00", "2026-13-01"]
)
def test_anything_else_says_what_to_write(text: str) -> None:
    """The error shows the ways there are."""
    with pytest.raises(ConfigError, match="is no time; write 10m"):
        parse_time(text, NOW)
