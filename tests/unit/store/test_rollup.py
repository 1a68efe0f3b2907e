"""Counting by minute."""

from __future__ import annotations

import json

import pytest
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
    data = line.encode_all([T0 + time for time, _ in events], [text for _, text in events], T0)
    expected: dict[int, tuple[int, int]] = {}
    for time, text in events:
        rollup.add(expected, {(T0 + time) // rollup.MINUTE_MS: (1, int((level_of(text) or 0) >= ERROR))})
    assert rollup.minutes_of(data, rollup.event_lines(data)) == expected


def test_lines_that_are_no_events_do_not_count() -> None:
    """What stands between events is left out."""
    first, second = line.encode(T0, T0, "a"), line.encode(T0, T0, "b")
    assert rollup.event_lines(first + b"garbage ERROR\n\n" + second) == [first[:-1], second[:-1]]


@pytest.mark.parametrize(
    "damaged",
    [
        b'{"t":17000x0000001,"i":1700000000001,"m":"ERROR"}',
        b'{"t":1700000000x01,"i":1700000000001,"m":"ERROR"}',
        b'{"t":1700000000001,"i":17000000000x1,"m":"ERROR"}',
        b'{"t":',
    ],
)
def test_a_line_whose_times_are_damaged_does_not_count(damaged: bytes) -> None:
    """That it begins as an event does makes it none, and keeps no other from being counted."""
    whole = line.encode(T0, T0, "[ERROR] b")
    lines = rollup.event_lines(whole + damaged + b"\n")
    assert lines == [whole[:-1]]
    assert rollup.minutes_of(whole + damaged + b"\n", lines) == {T0 // rollup.MINUTE_MS: (1, 1)}


@pytest.mark.parametrize("value", [b'"ERROR', b'"\xff ERROR"', b'{"level":"ERROR","a":"\xff"}', b"ERROR"])
def test_a_message_that_can_not_be_read_is_no_error(value: bytes) -> None:
    """It may have been one; that its line is damaged is told of by whoever reads it, and the file can be sealed."""
    data = line.encode(T0, T0, "[ERROR] b") + b'{"t":%d,"i":%d,"m":%b}\n' % (T0, T0, value)
    assert rollup.minutes_of(data, rollup.event_lines(data)) == {T0 // rollup.MINUTE_MS: (2, 1)}
