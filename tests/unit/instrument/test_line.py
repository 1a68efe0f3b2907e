"""What stands in a line."""

from __future__ import annotations

import pytest

from lambdalog.instrument.line import RESERVED, exception, safe, stamp


def test_times_are_rfc_3339_with_milliseconds() -> None:
    """Cut, not rounded: a line is never later than it was; going back in time is no problem."""
    assert stamp(1_700_000_000_999_999_999) == "2023-11-14T22:13:20.999Z"
    assert stamp(1_700_000_001_000_000_000) == "2023-11-14T22:13:21.000Z"
    assert stamp(0) == "1970-01-01T00:00:00.000Z"


def test_keys_of_the_lines_own_get_out_of_its_way() -> None:
    """Each reserved name is renamed, no value is lost."""
    given = dict.fromkeys(sorted(RESERVED), 1) | {"level_": 2, "free": 3}
    found = safe(given)
    assert RESERVED.isdisjoint(found)
    assert len(found) == len(given)
    assert (found["level_"], found["level__"], found["free"]) == (2, 1, 3)


@pytest.mark.parametrize("exc_info", [None, False, (), (1, 2, 3), "text", True])
def test_what_is_no_exception_means_none(exc_info: object) -> None:
    """exc_info may be anything; True outside of an except block is nothing."""
    assert exception(exc_info) is None
