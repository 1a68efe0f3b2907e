"""Event patterns, as EventBridge and the filters of event source mappings have them.

A pattern is a JSON object of the event's shape whose leaves are lists of what a value may be: texts, numbers, booleans
and null as they are, or `{"prefix": …}`, `{"suffix": …}`, `{"equals-ignore-case": …}`, `{"wildcard": …}`,
`{"anything-but": …}`, `{"numeric": […]}`, `{"exists": …}`. All keys must match; `$or` takes a list of patterns.
"""

from __future__ import annotations

import json
import operator
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Rule = Callable[[Any], bool]

_ABSENT: Final = object()
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
DEPTH_MAX: Final = 32


class InvalidPattern(ValueError):
    """The text is no event pattern."""


class EventPattern:
    """A compiled pattern. InvalidPattern if the text is none."""

    def __init__(self, text: str) -> None:
        try:
            pattern = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidPattern(str(error)) from None
        if not isinstance(pattern, dict):
            raise InvalidPattern("a pattern is a JSON object")
        self.pattern: dict[str, Any] = pattern
        self._matches = _object(pattern, 0)

    def matches(self, event: Any) -> bool:
        """Whether an event, as parsed JSON, is what the pattern asks for."""
        return self._matches(event)


def _object(pattern: dict[str, Any], depth: int) -> Rule:
    if depth > DEPTH_MAX:
        raise InvalidPattern(f"deeper than {DEPTH_MAX} objects")
    rules: list[tuple[str, Rule]] = []
    choices: list[Rule] = []
    for key, value in pattern.items():
        if key == "$or" and isinstance(value, list) and all(isinstance(item, dict) for item in value):
            if len(value) < 2:
                raise InvalidPattern("$or takes two patterns or more")
            choices = [_object(item, depth + 1) for item in value]
        elif isinstance(value, dict):
            if not value:
                raise InvalidPattern(f"{key}: an empty object matches nothing")
            rules.append((key, _object(value, depth + 1)))
        elif isinstance(value, list):
            if not value:
                raise InvalidPattern(f"{key}: an empty list matches nothing")
            rules.append((key, _leaf(value)))
        else:
            raise InvalidPattern(f"{key}: what a value may be stands in a list")

    def matches(value: Any) -> bool:
        if isinstance(value, list):
            return any(matches(item) for item in value)
        found = value if isinstance(value, dict) else {}
        if not all(rule(found.get(key, _ABSENT)) for key, rule in rules):
            return False
        return not choices or any(choice(found) for choice in choices)

    return matches


def _leaf(allowed: list[Any]) -> Rule:
    rules = [_rule(item) for item in allowed]

    def matches(value: Any) -> bool:
        # Of a list in the event, one element is enough.
        values = value if isinstance(value, list) and value else [value]
        return any(rule(item) for rule in rules for item in values)

    return matches


def _rule(item: Any) -> Rule:
    if isinstance(item, list):
        raise InvalidPattern("a list inside a list of values")
    if not isinstance(item, dict):
        return lambda value: _equal(value, item)
    if len(item) != 1:
        raise InvalidPattern(f"one operator at a time, not {len(item)}")
    ((name, operand),) = item.items()
    match name:
        case "exists":
            if not isinstance(operand, bool):
                raise InvalidPattern("exists takes true or false")
            return lambda value: (value is not _ABSENT and not isinstance(value, dict)) is operand
        case "prefix" | "suffix" | "equals-ignore-case" | "wildcard":
            return _text(name, operand)
        case "anything-but":
            return _anything_but(operand)
        case "numeric":
            return _numeric(operand)
        case _:
            raise InvalidPattern(f"there is no operator {name}")


def _equal(value: Any, wanted: Any) -> bool:
    # true is not 1, whatever Python says.
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    return value is not _ABSENT and bool(value == wanted)


def _text(name: str, operand: Any) -> Rule:
    folded = isinstance(operand, dict) and operand.keys() == {"equals-ignore-case"}
    if folded and name in {"prefix", "suffix"}:
        operand = operand["equals-ignore-case"]
    if not isinstance(operand, str):
        raise InvalidPattern(f"{name} takes a text")
    if folded:
        operand = operand.lower()
    match name:
        case "prefix":
            test: Rule = lambda text: text.startswith(operand)  # noqa: E731
        case "suffix":
            test = lambda text: text.endswith(operand)  # noqa: E731
        case "equals-ignore-case":
            folded, lowered = True, operand.lower()
            test = lambda text: text == lowered  # noqa: E731
        case _:
            test = _wildcard(operand)
    return lambda value: isinstance(value, str) and test(value.lower() if folded else value)


def _wildcard(operand: str) -> Rule:
    if "**" in operand:
        raise InvalidPattern("wildcard: two * in a row")
    parts = [re.escape(part) for part in operand.split("*")]
    # Each part is looked for once, from where the one before ended: no backtracking over the whole text.
    pattern = re.compile(parts[0] + "".join(f"(?>.*?{part})" for part in parts[1:-1]), re.DOTALL)
    last = operand.rpartition("*")[2]
    if len(parts) == 1:
        return lambda text: text == operand

    def matches(text: str) -> bool:
        found = pattern.match(text)
        return found is not None and text.endswith(last) and found.end() + len(last) <= len(text)

    return matches


def _anything_but(operand: Any) -> Rule:
    if isinstance(operand, dict):
        if len(operand) != 1:
            raise InvalidPattern("anything-but takes one operator")
        ((name, inner),) = operand.items()
        if name not in {"prefix", "suffix", "equals-ignore-case", "wildcard"}:
            raise InvalidPattern(f"anything-but takes no {name}")
        inners = [_text(name, item) for item in (inner if isinstance(inner, list) else [inner])]
        return lambda value: value is not _ABSENT and not any(rule(value) for rule in inners)
    unwanted = operand if isinstance(operand, list) else [operand]
    if not unwanted or not all(
        isinstance(item, str | int | float) and not isinstance(item, bool) for item in unwanted
    ):
        raise InvalidPattern("anything-but takes texts or numbers")
    return lambda value: value is not _ABSENT and not any(_equal(value, item) for item in unwanted)


def _numeric(operand: Any) -> Rule:
    if not isinstance(operand, list) or len(operand) not in {2, 4}:
        raise InvalidPattern("numeric takes an operator and a number, or two of each")
    tests = []
    for sign, number in zip(operand[::2], operand[1::2], strict=True):
        if sign not in _COMPARE or isinstance(number, bool) or not isinstance(number, int | float):
            raise InvalidPattern(f"numeric: {sign} {number}")
        tests.append((_COMPARE[sign], number))
    return lambda value: (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and all(compare(value, number) for compare, number in tests)
    )
