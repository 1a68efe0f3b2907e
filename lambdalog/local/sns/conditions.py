"""The conditions of filter policies: one value against one rule. Pure."""

from __future__ import annotations

import ipaddress
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Check = Callable[[Any], bool]

# Numbers are compared with five digits after the point.
_STEP: Final = Decimal("0.00001")
_COMPARE: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "=": lambda left, right: left == right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


class Absent:
    """The rule `{"exists": false}`: there must be no such property."""


ABSENT: Final = Absent()


def number(value: Any) -> Decimal | None:
    """A number as it is compared; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        return Decimal(str(value)).quantize(_STEP)
    except InvalidOperation:
        return None


def condition(rule: Any) -> Check | Absent:
    """A rule that was accepted, as a function of a value."""
    if not isinstance(rule, dict):
        return _exactly(rule)
    ((operator, given),) = rule.items()
    match operator:
        case "exists":
            return (lambda _: True) if given else ABSENT
        case "anything-but":
            return _anything_but(given)
        case "numeric":
            return _numeric(given)
        case "cidr":
            return _cidr(given)
        case _:
            return _TEXTS[operator](given)


def _exactly(wanted: Any) -> Check:
    amount = number(wanted)
    if amount is not None:
        return lambda value: number(value) == amount
    return lambda value: type(value) is type(wanted) and bool(value == wanted)


def _prefix(wanted: str) -> Check:
    return lambda value: isinstance(value, str) and value.startswith(wanted)


def _suffix(wanted: str) -> Check:
    return lambda value: isinstance(value, str) and value.endswith(wanted)


def _ignore_case(wanted: str) -> Check:
    folded = wanted.casefold()
    return lambda value: isinstance(value, str) and value.casefold() == folded


def _wildcard(wanted: str) -> Check:
    r"""`*` stands for any text; `\*` and `\\` for themselves."""
    parts: list[str] = [""]
    for piece in re.findall(r"\\.|\*|[^\\*]+|\\", wanted, re.DOTALL):
        if piece == "*":
            parts.append("")
        else:
            parts[-1] += piece[1:] if len(piece) == 2 and piece[0] == "\\" else piece
    return lambda value: isinstance(value, str) and _in_order(value, parts)


def _in_order(value: str, parts: list[str]) -> bool:
    """Whether a text is these parts with anything between; in linear time, whatever the text."""
    if len(parts) == 1:
        return value == parts[0]
    first, *middle, last = parts
    if len(value) < len(first) + len(last) or not value.startswith(first) or not value.endswith(last):
        return False
    place, end = len(first), len(value) - len(last)
    for part in middle:
        place = value.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return True


_TEXTS: Final[dict[str, Callable[[str], Check]]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignore_case,
    "wildcard": _wildcard,
}


def _anything_but(given: Any) -> Check:
    if isinstance(given, dict):
        ((operator, wanted),) = given.items()
        inner = _TEXTS[operator](wanted)
        return lambda value: not inner(value)
    refused = [_exactly(each) for each in (given if isinstance(given, list) else [given])]
    return lambda value: not any(check(value) for check in refused)


def _numeric(given: list[Any]) -> Check:
    bounds = [
        (_COMPARE[given[place]], number(given[place + 1]) or Decimal(0)) for place in range(0, len(given), 2)
    ]

    def check(value: Any) -> bool:
        amount = number(value)
        return amount is not None and all(compare(amount, bound) for compare, bound in bounds)

    return check


def _cidr(given: str) -> Check:
    network = ipaddress.ip_network(given, strict=False)

    def check(value: Any) -> bool:
        try:
            return isinstance(value, str) and ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return check
