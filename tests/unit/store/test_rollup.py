"""Counting by minute."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from lambdalog.level import ERROR, level_of
from lambdalog.store import line, rollup

T0 = 1_700_000_000_000
messages = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "2026-01-02T03:04:05 Task timed out after 3.00 seconds",
            "RequestId: 1 Error: Runtime exited with error",
            "Traceback (most recent call last)",
            "END\tStatus: timeout",
            "END\tStatus: error",
            "LAMBDA_WARNING: Unhandled exception",
            "[ERROR] it broke",
            "CRITICAL: it broke",
            "FATAL it broke",
            "no errors here",
            "line\u2028\nERROR after a break",
        ]
    ),
    st.sampled_from(["error", "Err", "exception", "fatal", "crit", "Critical", "info", "debug"]).map(
        lambda level: json.dumps({"level": level, "message": "x"})
    ),
)


@given(st.lists(st.tuples(st.integers(0, 500_000), messages), min_size=1, max_size=30))
def test_counts_agree_with_reading_every_event(events: list[tuple[int, str]]) -> None:
    """Counting in the bytes gives what decoding each event and asking for its level gives."""
    data = line.encode_all([(T0 + time, text) for time, text in events], T0)
    expected: dict[int, tuple[int, int]] = {}
    for time, text in events:
        rollup.add(expected, {(T0 + time) // rollup.MINUTE_MS: (1, int((level_of(text) or 0) >= ERROR))})
    assert rollup.minutes_of(data, rollup.event_lines(data)) == expected


def test_lines_that_are_no_events_do_not_count() -> None:
    """What stands between events is left out."""
    first, second = line.encode(T0, T0, "a"), line.encode(T0, T0, "b")
    assert rollup.event_lines(first + b"garbage ERROR\n\n" + second) == [first[:-1], second[:-1]]
