"""The functions of queries: from values to a value. Where an argument is missing or of no use, the result is nothing."""

from __future__ import annotations

import ipaddress
import json
import math
from typing import TYPE_CHECKING, Any, Final

import orjson

from lambdalog.query.insights.values import Time, number_of, order, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.query.insights.period import Period

_MANY: Final = 100
# What a text may grow to: a query can't be made to fill the memory.
TEXT_MAX: Final = 1_048_576


def arity(name: str) -> tuple[int, int] | None:
    """How many arguments a function takes, least and most; None if there is none of that name."""
    found = _TABLE.get(name)
    return None if found is None else found[:2]


def function(name: str) -> Callable[..., Any]:
    """The function of that name."""
    return _TABLE[name][2]


def _numeric(calculate: Callable[..., Any]) -> Callable[..., Any]:
    """Of numbers: nothing where one of them is none, or there is no result."""

    def call(*values: Any) -> Any:
        numbers = [number_of(value) for value in values]
        if any(number is None for number in numbers):
            return None
        try:
            found = calculate(*numbers)
        except (ValueError, OverflowError, ZeroDivisionError):
            return None
        return found if math.isfinite(found) else None

    return call


def _textual(make: Callable[..., Any]) -> Callable[..., Any]:
    """Of texts: nothing where the first is missing; the others are taken as texts too."""

    def call(first: Any, *rest: Any) -> Any:
        if first is None:
            return None
        return make(text_of(first), *map(text_of, rest))

    return call


def _substr(text: Any, start: Any, length: Any = None) -> str | None:
    begin, count = number_of(start), number_of(length)
    if text is None or begin is None or (length is not None and count is None):
        return None
    low = max(int(begin), 0)
    whole = text_of(text)
    return whole[low:] if count is None else whole[low : low + max(int(count), 0)]


def _replace(text: str, search: str, new: str) -> str | None:
    if not search:
        return text
    if len(text) + text.count(search) * (len(new) - len(search)) > TEXT_MAX:
        return None
    return text.replace(search, new)


def _concat(*values: Any) -> str | None:
    found = "".join(text_of(value) for value in values)
    return found if len(found) <= TEXT_MAX else None


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _extreme(sign: int) -> Callable[..., Any]:
    def call(*values: Any) -> Any:
        best = None
        for value in values:
            if value is not None and (best is None or (order(value, best) or 0) * sign > 0):
                best = value
        return best

    return call


def _to_millis(value: Any) -> int | None:
    number = number_of(value)
    return None if number is None else int(number)


def _from_millis(value: Any) -> Time | None:
    number = number_of(value)
    return None if number is None or abs(number) > 10**15 else Time(number)


def _floored(value: Any, period: Period) -> Time | None:
    number = number_of(value)
    return None if number is None or abs(number) > 10**15 else Time(period.floor(int(number)))


def _ceiled(value: Any, period: Period) -> Time | None:
    number = number_of(value)
    return None if number is None or abs(number) > 10**15 else Time(period.ceil(int(number)))


def _json_parse(text: str) -> Any:
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, TypeError):
        return None


def _json_stringify(value: Any) -> str | None:
    if value is None:
        return None
    return json.dumps(value) if isinstance(value, str) else text_of(value)


def _is_ip(version: int | None) -> Callable[[str], bool]:
    def call(text: str) -> bool:
        try:
            found = ipaddress.ip_address(text)
        except ValueError:
            return False
        return version in {None, found.version}

    return call


def _in_subnet(version: int | None) -> Callable[[str, str], bool]:
    def call(text: str, subnet: str) -> bool:
        try:
            found, network = ipaddress.ip_address(text), ipaddress.ip_network(subnet, strict=False)
        except ValueError:
            return False
        return version in {None, found.version} and found.version == network.version and found in network

    return call


_TABLE: Final[dict[str, tuple[int, int, Callable[..., Any]]]] = {
    # numbers
    "abs": (1, 1, _numeric(abs)),
    "ceil": (1, 1, _numeric(math.ceil)),
    "floor": (1, 1, _numeric(math.floor)),
    "log": (1, 1, _numeric(math.log)),
    "sqrt": (1, 1, _numeric(math.sqrt)),
    "greatest": (1, _MANY, _extreme(1)),
    "least": (1, _MANY, _extreme(-1)),
    # anything
    "ispresent": (1, 1, lambda value: value is not None),
    "coalesce": (1, _MANY, _coalesce),
    "isempty": (1, 1, lambda value: value is None or text_of(value) == ""),
    "isblank": (1, 1, lambda value: value is None or not text_of(value).strip()),
    # texts
    "concat": (1, _MANY, _concat),
    "ltrim": (1, 2, _textual(str.lstrip)),
    "rtrim": (1, 2, _textual(str.rstrip)),
    "trim": (1, 2, _textual(str.strip)),
    "strlen": (1, 1, _textual(len)),
    "toupper": (1, 1, _textual(str.upper)),
    "tolower": (1, 1, _textual(str.lower)),
    "substr": (2, 3, _substr),
    "replace": (3, 3, _textual(_replace)),
    "strcontains": (2, 2, _textual(lambda text, search: search in text)),
    "jsonparse": (1, 1, _textual(_json_parse)),
    "jsonstringify": (1, 1, _json_stringify),
    # addresses
    "isvalidip": (1, 1, _textual(_is_ip(None))),
    "isvalidipv4": (1, 1, _textual(_is_ip(4))),
    "isvalidipv6": (1, 1, _textual(_is_ip(6))),
    "isipinsubnet": (2, 2, _textual(_in_subnet(None))),
    "isipv4insubnet": (2, 2, _textual(_in_subnet(4))),
    "isipv6insubnet": (2, 2, _textual(_in_subnet(6))),
    # times; now() is the moment at which the query began, and bin() knows @timestamp
    "now": (0, 0, lambda: None),
    "tomillis": (1, 1, _to_millis),
    "frommillis": (1, 1, _from_millis),
    "datefloor": (2, 2, _floored),
    "dateceil": (2, 2, _ceiled),
}

NAMES: Final = frozenset(_TABLE) | {"bin"}
