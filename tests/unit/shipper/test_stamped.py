"""The time that a line of JSON bears itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.shipper.stamped import time_of

MOMENT = 1_767_225_600_123


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-01T00:00:00.123Z", MOMENT),
        ("2026-01-01T01:00:00.123+01:00", MOMENT),
        ("2026-01-01T00:00:00.123", MOMENT),
        (1_767_225_600, 1_767_225_600_000),
        (1_767_225_600.123, MOMENT),
        (MOMENT, MOMENT),
        (MOMENT * 1000, MOMENT),
        (MOMENT * 1_000_000, MOMENT),
        ("yesterday", None),
        (0, None),
        (-5, None),
        (True, None),
        (None, None),
        ([], None),
        (10**30, None),
        ("0001-01-01T00:00:00", 0),
    ],
)
def test_times_are_known_in_their_usual_forms(value: Any, expected: int | None) -> None:
    """RFC 3339, or seconds to nanoseconds since the epoch; what is no time is none."""
    assert time_of(json.dumps({"time": value})) == expected


def test_the_most_usual_name_comes_first() -> None:
    """Of several the first that is a time; one within another object is somebody else's."""
    assert time_of('{"ts": 1767225601, "timestamp": "no", "time": 1767225600}') == 1_767_225_600_000
    assert time_of('{"of": {"time": 1767225600}}') is None


@given(st.text() | st.text().map("{{{}".format) | st.text().map('{{"time": {}}}'.format))
def test_any_line_has_a_time_or_none(line: str) -> None:
    """Whatever it is."""
    found = time_of(line)
    assert found is None or found >= 0
