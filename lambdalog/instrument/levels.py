"""Levels: their numbers, the words that Lambda's own level filter knows, and which is the least that is written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

DEBUG: Final = 10
INFO: Final = 20
WARN: Final = 30
ERROR: Final = 40
FATAL: Final = 50

NUMBERS: Final = {
    "TRACE": 5,
    "DEBUG": DEBUG,
    "INFO": INFO,
    "WARN": WARN,
    "WARNING": WARN,
    "ERROR": ERROR,
    "EXCEPTION": ERROR,
    "FATAL": FATAL,
    "CRITICAL": FATAL,
}
WORDS: Final = {5: "TRACE", DEBUG: "DEBUG", INFO: "INFO", WARN: "WARN", ERROR: "ERROR", FATAL: "FATAL"}
PLATFORM_VARIABLE: Final = "AWS_LAMBDA_LOG_LEVEL"
OWN_VARIABLE: Final = "LAMBDALOG_LEVEL"


def threshold(argument: str | int | None = None, environ: Mapping[str, str] | None = None) -> int:
    """The least level that is written: AWS_LAMBDA_LOG_LEVEL, else the argument, else LAMBDALOG_LEVEL, else INFO.

    A word that is no level is passed over: a typing error in a variable must not silence a function.
    """
    environ = os.environ if environ is None else environ
    for given in (environ.get(PLATFORM_VARIABLE), argument, environ.get(OWN_VARIABLE)):
        if isinstance(given, int):
            return int(given)
        found = NUMBERS.get(given.strip().upper()) if isinstance(given, str) else None
        if found is not None:
            return found
    return INFO


def level_number(level: object) -> int:
    """A level's number, of a number (an enumeration's too) or a word in any case; INFO for what is neither."""
    # By int's and str's own methods: those of a subclass are anybody's code.
    if isinstance(level, int):
        return int.__int__(level)
    return NUMBERS.get(str.strip(level).upper(), INFO) if isinstance(level, str) else INFO


def platform_threshold(environ: Mapping[str, str] | None = None) -> int:
    """The level below which Lambda itself throws lines away (`ApplicationLogLevel`); 0 where it doesn't."""
    environ = os.environ if environ is None else environ
    return NUMBERS.get(environ.get(PLATFORM_VARIABLE, "").strip().upper(), 0)


def word(number: int) -> str:
    """The word for any number, standard logging's in-between levels too: the nearest one below."""
    found = WORDS.get(number)
    if found is None:
        found = WORDS[max((known for known in WORDS if known <= number), default=5)]
    return found
