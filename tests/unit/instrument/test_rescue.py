"""The line where making it failed."""

from __future__ import annotations

import json

from lambdalog.instrument.levels import ERROR, WARN
from lambdalog.instrument.rescue import rescued
from tests.unit.instrument.hostile import NoText


def test_it_has_what_there_was_and_what_failed() -> None:
    """Level, message and keys as they were logged, under the names of a line's keys; the error by type and text."""
    line = json.loads(rescued(WARN, "charging", {"order": 1, "level": 2}, ZeroDivisionError("division")))
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "WARN",
        "message": "charging",
        "order": 1,
        "level_": 2,
        "lambdalogError": "ZeroDivisionError: division",
    }


def test_an_exception_that_was_to_be_told_is_left_out() -> None:
    """It may be what failed: once is enough."""
    line = json.loads(rescued(ERROR, "m", {"exc_info": True, "a": 1}, ValueError("bad")))
    assert "exc_info" not in line
    assert line["a"] == 1


def test_nothing_in_it_can_fail_again() -> None:
    """An error whose text fails is told by its type; values and messages that can't be had by theirs."""

    class Nasty(Exception):
        """Its text can't be had."""

        def __str__(self) -> str:
            raise ValueError("no text")

    line = json.loads(rescued(ERROR, NoText(), {"k": NoText()}, Nasty()))
    assert line["lambdalogError"] == "Nasty"
    assert line["message"] == line["k"] == "<NoText: repr() raised ValueError>"
    assert line["degraded"] == ["k", "message"]
