"""Levels as Lambda, standard logging and we name them."""

from __future__ import annotations

import enum
from typing import Any

import pytest

from lambdalog.instrument.levels import level_number, platform_threshold, threshold, word


@pytest.mark.parametrize(
    ("environ", "argument", "expected"),
    [
        ({}, None, 20),
        ({}, "trace", 5),
        ({}, 35, 35),
        ({"LAMBDALOG_LEVEL": " warning "}, None, 30),
        ({"LAMBDALOG_LEVEL": "WARN"}, "debug", 10),
        ({"LAMBDALOG_LEVEL": "WARN"}, "nonsense", 30),
        ({"AWS_LAMBDA_LOG_LEVEL": "FATAL", "LAMBDALOG_LEVEL": "DEBUG"}, "INFO", 50),
        ({"AWS_LAMBDA_LOG_LEVEL": ""}, "ERROR", 40),
    ],
)
def test_who_sets_the_level(environ: dict[str, str], argument: str | int | None, expected: int) -> None:
    """Lambda's variable, then the argument, then ours, then INFO; what is no level is passed over."""
    assert threshold(argument, environ) == expected


class Severity(enum.IntEnum):
    """Levels of somebody's own."""

    HIGH = 40


class Word(enum.StrEnum):
    """The same, in words."""

    HIGH = "error"


class NoText:
    """str() fails."""

    def __str__(self) -> str:
        raise ValueError("no text")


class NoMethods(str):
    """A text whose own methods fail."""

    __slots__ = ()

    def strip(self, *_: Any) -> str:
        """Never."""
        raise ValueError("no text")

    upper = lower = strip


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (35, 35),
        (Severity.HIGH, 40),
        ("Warning ", 30),
        (Word.HIGH, 40),
        (NoMethods("FATAL"), 50),
        ("nonsense", 20),
        (None, 20),
        (35.5, 20),
        (NoText(), 20),
    ],
)
def test_a_level_is_a_number_or_a_word(level: object, expected: int) -> None:
    """Enumerations of both too; whatever else was given, the line is said at INFO."""
    assert level_number(level) == expected


def test_what_lambda_throws_away() -> None:
    """Only its own variable tells of Lambda's filter."""
    assert platform_threshold({"AWS_LAMBDA_LOG_LEVEL": "warn"}) == 30
    assert platform_threshold({"LAMBDALOG_LEVEL": "WARN"}) == 0


@pytest.mark.parametrize(
    ("number", "expected"),
    [(20, "INFO"), (25, "INFO"), (39, "WARN"), (100, "FATAL"), (1, "TRACE"), (-3, "TRACE")],
)
def test_any_number_has_a_word(number: int, expected: str) -> None:
    """A level between two is told as the lower one: Lambda's filter knows six words."""
    assert word(number) == expected
