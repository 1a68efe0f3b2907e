"""The level of a line, whoever wrote it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog import level
from lambdalog.level import DEBUG, ERROR, FATAL, INFO, WARN, level_of


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('{"timestamp":"…","level":"WARN","message":"ERROR in text"}', WARN),
        ('{"level": "warning"}', WARN),
        ('{"log_level":"CRITICAL"}', FATAL),
        ('{"message": "no level"}', None),
        ("[ERROR] ValueError: bad", ERROR),
        ("[INFO]\t2026-01-02T03:04:05.678Z\tid\tcharging", INFO),
        ("2026-01-02 DEBUG something", DEBUG),
        ("2026-01-02T03:04:05.678Z id Task timed out after 3.00 seconds", ERROR),
        ("RequestId: id Error: Runtime exited with error: exit status 1\nRuntime.ExitError", ERROR),
        ("REPORT RequestId: id\tDuration: 1.00 ms\tStatus: timeout", ERROR),
        ("REPORT RequestId: id\tDuration: 1.00 ms\t", None),
        ("START RequestId: id Version: $LATEST", None),
        ("an error happened", None),
        ("", None),
    ],
)
def test_the_level_is_found(message: str, expected: int | None) -> None:
    """JSON keys, level words, Lambda's own lines: each names its level, and other text none."""
    assert level_of(message) == expected


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["level", "log_level", "levelname", "severity", "message", "x"]),
            st.sampled_from(["INFO", "warn", "ERROR", "Critical", "level", '"level":"', "NOPE", ""]),
        ),
        max_size=5,
    ),
    st.sampled_from([(",", ":"), (", ", ": ")]),
)
def test_the_short_way_says_the_same(fields: list[tuple[str, str]], separators: tuple[str, str]) -> None:
    """Of any JSON line the level is what the expression finds first, whichever way it is found."""
    comma, colon = separators
    text = "{" + comma.join(f"{json.dumps(name)}{colon}{json.dumps(value)}" for name, value in fields) + "}"
    found = level._JSON.search(text)
    assert level.level_of(text) == (level._WORDS.get(found.group(1).upper()) if found else None)
