"""Schedule expressions: when they come due, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.errors import ConfigError
from lambdalog.local.triggers.expression import missed, parse


def at(text: str, zone: str = "UTC") -> float:
    """Epoch seconds of a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def times(expression: str, start: str, count: int, zone: str = "UTC") -> list[str]:
    """The next times in UTC, for a schedule made at its start."""
    parsed, moment = parse(expression, zone), at(start)
    found = []
    for _ in range(count):
        following = parsed.after(moment, at(start))
        if following is None:
            break
        found.append(f"{datetime.fromtimestamp(following, UTC):%Y-%m-%dT%H:%M}")
        moment = following
    return found


@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        ("rate(1 minute)", "2026-01-01T00:00:30", ["2026-01-01T00:01", "2026-01-01T00:02"]),
        ("rate(5 hours)", "2026-01-01T00:00", ["2026-01-01T05:00", "2026-01-01T10:00"]),
        ("rate(2 days)", "2026-02-27T12:00", ["2026-03-01T12:00", "2026-03-03T12:00"]),
        ("cron(0 12 * * ? *)", "2026-01-01T12:00", ["2026-01-02T12:00", "2026-01-03T12:00"]),
        ("cron(0/15 8-9 ? * MON-FRI *)", "2026-01-02T09:40", ["2026-01-02T09:45", "2026-01-05T08:00"]),
        ("cron(0 8 1 * ? *)", "2026-01-15T00:00", ["2026-02-01T08:00", "2026-03-01T08:00"]),
        ("cron(0 0 L * ? *)", "2026-02-01T00:00", ["2026-02-28T00:00", "2026-03-31T00:00"]),
        ("cron(15 10 ? * 6L 2026-2027)", "2026-01-01T00:00", ["2026-01-30T10:15", "2026-02-27T10:15"]),
        ("cron(0 10 ? * 2#1 *)", "2026-01-01T00:00", ["2026-01-05T10:00", "2026-02-02T10:00"]),
        ("cron(0 12 * * ? 2020)", "2026-01-01T00:00", []),
        ("at(2026-06-01T12:30:00)", "2026-01-01T00:00", ["2026-06-01T12:30"]),
        ("at(2025-06-01T12:30:00)", "2026-01-01T00:00", []),
    ],
)
def test_a_schedule_comes_due(expression: str, start: str, expected: list[str]) -> None:
    """The next two times, in UTC."""
    assert times(expression, start, 2) == expected


def test_a_time_zones_clock_is_followed() -> None:
    """Noon in Berlin is 11:00 UTC in winter and 10:00 in summer; at() means the zone's clock too."""
    assert times("cron(0 12 * * ? *)", "2026-03-28T00:00", 2, "Europe/Berlin") == [
        "2026-03-28T11:00",
        "2026-03-29T10:00",
    ]
    assert times("at(2026-07-01T12:00:00)", "2026-01-01T00:00", 1, "America/New_York") == ["2026-07-01T16:00"]


def test_a_time_that_the_zone_skips_is_skipped() -> None:
    """On 29 March 2026 Berlin has no 02:30."""
    assert times("cron(30 2 * * ? *)", "2026-03-28T00:00", 2, "Europe/Berlin") == [
        "2026-03-28T01:30",
        "2026-03-30T00:30",
    ]


def test_a_time_that_the_zone_has_twice_comes_once() -> None:
    """On 25 October 2026 Berlin has 02:30 twice: the first counts, and the next day's follows."""
    assert times("cron(30 2 * * ? *)", "2026-10-24T12:00", 2, "Europe/Berlin") == [
        "2026-10-25T00:30",
        "2026-10-26T01:30",
    ]
    every_minute = parse("cron(* * * * ? *)", "Europe/Berlin")
    second_half_past_two = at("2026-10-25T01:30")
    assert every_minute.after(second_half_past_two, 0.0) == at("2026-10-25T02:00")


@pytest.mark.parametrize(
    ("text", "zone", "told"),
    [
        ("every day", "UTC", "is no schedule"),
        ("rate(5 minute)", "UTC", r"write rate\(5 minutes\)"),
        ("rate(1 minutes)", "UTC", r"write rate\(1 minute\)"),
        ("rate(0 minutes)", "UTC", "must be positive"),
        ("rate(-1 minutes)", "UTC", "is no schedule"),
        ("rate(5 seconds)", "UTC", "is no schedule"),
        ("rate(1.5 hours)", "UTC", "is no schedule"),
        ("cron(0 12 * * ?)", "UTC", "6 required"),
        ("cron(0 12 * * * *)", "UTC", "'*'. One must be a question mark"),
        ("cron(60 12 * * ? *)", "UTC", "minute"),
        ("at(2026-02-30T00:00:00)", "UTC", "day is out of range"),
        ("at(2026-01-01 00:00)", "UTC", "is no schedule"),
        ("rate(1 minute)", "Mars/Olympus", "there is no time zone 'Mars/Olympus'"),
        ("rate(1 minute)", "../etc/passwd", "there is no time zone"),
    ],
)
def test_what_is_no_schedule_is_told_why(text: str, zone: str, told: str) -> None:
    """With the expression, and what to write instead where that is known."""
    with pytest.raises(ConfigError, match=f"(?i){told}"):
        parse(text, zone)


def test_missed_times_are_counted_up_to_the_last() -> None:
    """Of a rate of an hour, five and a half hours late, the last of six times is told."""
    hourly = parse("rate(1 hour)")
    assert missed(hourly, 3600.0, 3600.0 * 6.5, 0.0) == (3600.0 * 6, 6)
    assert missed(hourly, 3600.0, 3600.0, 0.0) == (3600.0, 1)
    assert missed(parse("at(1970-01-02T00:00:00)"), 86_400.0, 10**9, 0.0) == (86_400.0, 1)


@given(
    st.sampled_from(["rate(7 minutes)", "cron(0/7 * * * ? *)", "cron(30 2 ? * SUN *)"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe"]),
    st.floats(min_value=1.5e9, max_value=2e9),
)
def test_times_go_forward(expression: str, zone: str, moment: float) -> None:
    """The next time lies after the moment, and nothing lies between: from just before it, it is the next as well."""
    parsed = parse(expression, zone)
    following = parsed.after(moment, 0.0)
    assert following is not None
    assert following > moment
    assert parsed.after(following - 0.5, 0.0) == following or following - 0.5 <= moment
