"""Values as queries know them: numbers, texts, times, and nothing. How they compare, and how they are shown."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from typing import Any, Final

import orjson

_NUMBER: Final = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_SAFE: Final = 2**63


class Time(int):
    """A moment, epoch ms: a number that is shown as a date."""

    __slots__ = ()


def number_of(value: Any) -> int | float | None:
    """The number that a value is, or that a text says; None if neither."""
    kind = type(value)
    if kind is int or kind is float:
        return value  # type: ignore[no-any-return]
    if kind is str:
        if len(value) > 64 or not _NUMBER.fullmatch(value):
            return None
        try:
            return int(value)
        except ValueError:
            number = float(value)
            return number if math.isfinite(number) else None
    if isinstance(value, int):  # a time, or true or false
        return int(value)
    return None


def text_of(value: Any) -> str:
    """A value as results show it. Times are UTC; true is 1, false 0; lists and objects are JSON."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return str(value)
    if kind is Time:
        return shown_time(value)
    if kind is bool:
        return "1" if value else "0"
    if kind is float:
        if not math.isfinite(value):
            return str(value)
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if value is None:
        return ""
    return json_of(value)


def json_of(value: Any) -> str:
    """A list or an object as JSON; nothing where it is too deep for that."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # lone surrogates, or more than a few hundred levels
        try:
            return json.dumps(value, separators=(",", ":"))
        except RecursionError:
            return ""


def shown_time(time: int) -> str:
    """`2026-01-02 03:04:05.678`, UTC."""
    try:
        moment = dt.datetime.fromtimestamp(time // 1000, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return str(int(time))
    return f"{moment:%Y-%m-%d %H:%M:%S}.{time % 1000:03d}"


def equal(left: Any, right: Any) -> bool:
    """Whether two values are the same: as numbers where both are, else as texts. Nothing is equal to nothing."""
    if left is None or right is None:
        return False
    if type(left) is str and type(right) is str:
        return left == right
    one, other = number_of(left), number_of(right)
    if one is not None and other is not None:
        return one == other
    if isinstance(left, bool):
        return _boolean(left, right)
    if isinstance(right, bool):
        return _boolean(right, left)
    return text_of(left) == text_of(right)


def _boolean(value: bool, other: Any) -> bool:
    return isinstance(other, str) and other.lower() == ("true" if value else "false")


def order(left: Any, right: Any) -> int | None:
    """-1, 0 or 1 as `left` is less than, equal to, or greater than `right`; None where either is nothing."""
    if left is None or right is None:
        return None
    one, other = number_of(left), number_of(right)
    if one is not None and other is not None:
        return (one > other) - (one < other)
    first, second = text_of(left), text_of(right)
    return (first > second) - (first < second)


def sort_key(value: Any) -> tuple[int, Any]:
    """What values of all kinds are sorted by: numbers, texts, and last what is missing."""
    if value is None:
        return (2, 0)
    number = number_of(value)
    return (0, number) if number is not None else (1, text_of(value))


def true(value: Any) -> bool:
    """Whether a condition's value holds."""
    if value is True or value is False:
        return bool(value)
    number = number_of(value)
    return bool(number) if number is not None else value not in (None, "")


def arithmetic(operator: str, left: Any, right: Any) -> int | float | None:
    """`left operator right`; None where either is no number, or there is no result."""
    one, other = number_of(left), number_of(right)
    if one is None or other is None:
        return None
    try:
        match operator:
            case "+":
                found: Any = one + other
            case "-":
                found = one - other
            case "*":
                found = one * other
            case "/":
                found = one / other
            case "%":
                found = math.fmod(one, other)
            case _:
                found = float(one) ** float(other)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    if isinstance(found, int):
        # As with 64 bits: beyond them numbers are not exact, and don't grow without end.
        return found if -_SAFE <= found < _SAFE else float(found)
    if isinstance(found, complex) or not math.isfinite(found):
        return None
    return int(found) if found.is_integer() and abs(found) < 2**53 else found
