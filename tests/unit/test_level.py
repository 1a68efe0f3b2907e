"""The level of a line, whoever wrote it."""

from __future__ import annotations

import pytest

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
