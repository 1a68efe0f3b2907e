"""What stands in a line."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from lambdalog.instrument.line import PLACES_MAX, RESERVED, Places, exception, location, safe, stamp


def test_times_are_rfc_3339_with_milliseconds() -> None:
    """Cut, not rounded: a line is never later than it was; going back in time is no problem."""
    assert stamp(1_700_000_000_999_999_999) == "2023-11-14T22:13:20.999Z"
    assert stamp(1_700_000_001_000_000_000) == "2023-11-14T22:13:21.000Z"
    assert stamp(1_700_000_001_000_999_999) == "2023-11-14T22:13:21.000Z"
    assert stamp(1_700_000_001_001_000_000) == "2023-11-14T22:13:21.001Z"
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


def test_a_place_is_the_line_that_is_run() -> None:
    """File, function and line, each time that one comes by; two lines of a function are two places."""
    first = sys._getframe().f_lineno + 3
    found = []
    for _ in range(2):
        found.append(location(sys._getframe()))
        found.append(location(sys._getframe()))
    name = "test_a_place_is_the_line_that_is_run"
    assert found == [f"test_line.py:{name}:{first}", f"test_line.py:{name}:{first + 1}"] * 2
    assert location(None) == ""


def test_places_of_code_that_is_made_on_the_fly_are_told_apart_and_not_kept_for_ever() -> None:
    """Code that is gone lends its number to other code: each still has a place of its own, and few are kept."""
    places = Places()
    for number in range(2 * PLACES_MAX):
        scope: dict[str, Any] = {"places": places}
        exec(f"import sys\ndef made{number}():\n    return places.text(sys._getframe())", scope)
        assert scope[f"made{number}"]() == f"<string>:made{number}:3"
    assert len(places._known) <= PLACES_MAX
