"""Conditions on fields, JSON or delimited: comparisons, and how they are joined. Precedence: () before && before ||."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lambdalog.query.pattern import regex
from lambdalog.query.pattern.scanner import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.query.pattern.scanner import Scanner

# Before the shorter ones that they begin with.
OPERATORS: Final = ("!=", "<=", ">=", "=", "<", ">")
ORDERS: Final = frozenset({"<", "<=", ">", ">="})
DEPTH_MAX: Final = 64
REGEXES_MAX: Final = 2
# "String values that contain only alphanumeric characters can stand without quotes"; addresses, dates, paths, and the
# wildcard are seen too.
_BARE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.*+-:/#@?$;~")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Operand:
    """What a field is compared with. `kind`: text (quoted), bare (a text without quotes), number, or regex."""

    kind: str
    text: str

    def __str__(self) -> str:
        match self.kind:
            case "text":
                return quoted(self.text)
            case "regex":
                return f"%{self.text}%"
            case _:
                return self.text

    @property
    def number(self) -> float:
        """The number's value."""
        return float(self.text)

    @property
    def wild(self) -> bool:
        """Whether it has a wildcard in it."""
        return self.kind in {"text", "bare"} and "*" in self.text

    def text_test(self) -> Callable[[str], bool]:
        """Whether a text is equal to it, or what it describes."""
        if self.kind == "regex":
            return regex.searcher(self.text)
        if not self.wild:
            return self.text.__eq__
        return _wildcard(self.text)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator operand`. `field` is whatever the language's reader made of it; `str()` prints it."""

    field: Any
    operator: str
    operand: Operand

    def __str__(self) -> str:
        return f"{self.field} {self.operator} {self.operand}"


@dataclass(frozen=True, slots=True)
class State:
    """`field IS NULL`, `IS TRUE`, `IS FALSE` or `NOT EXISTS`."""

    field: Any
    state: str

    def __str__(self) -> str:
        return f"{self.field} {self.state}"


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions joined by `&&` or `||`."""

    operator: str
    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return f" {self.operator} ".join(
            f"({part})" if isinstance(part, Joined) else str(part) for part in self.parts
        )


Condition = Comparison | State | Joined


def read(
    scanner: Scanner, simple: Callable[[], Condition], *, group: tuple[str, str] = ("(", ")")
) -> Condition:
    """A condition; `simple` reads one that is neither joined nor in parentheses."""
    return _any_of(scanner, simple, group, 0)


def _any_of(
    scanner: Scanner, simple: Callable[[], Condition], group: tuple[str, str], depth: int
) -> Condition:
    parts = [_all_of(scanner, simple, group, depth)]
    while scanner.take("||"):
        parts.append(_all_of(scanner, simple, group, depth))
    return parts[0] if len(parts) == 1 else Joined("||", tuple(parts))


def _all_of(
    scanner: Scanner, simple: Callable[[], Condition], group: tuple[str, str], depth: int
) -> Condition:
    parts = [_one(scanner, simple, group, depth)]
    while scanner.take("&&"):
        parts.append(_one(scanner, simple, group, depth))
    return parts[0] if len(parts) == 1 else Joined("&&", tuple(parts))


def _one(scanner: Scanner, simple: Callable[[], Condition], group: tuple[str, str], depth: int) -> Condition:
    if not scanner.take(group[0]):
        return simple()
    if depth == DEPTH_MAX:
        scanner.fail(f"more than {DEPTH_MAX} parentheses in one another", scanner.position - 1)
    found = _any_of(scanner, simple, group, depth + 1)
    scanner.expect(group[1], f"&&, || or {group[1]}")
    return found


def operator(scanner: Scanner) -> str | None:
    """The comparison operator that comes next, if one does."""
    return next((token for token in OPERATORS if scanner.take(token)), None)


def operand(scanner: Scanner, operator: str) -> Operand:
    """What stands behind an operator: `"text"`, `%regex%`, a number, or a text without quotes."""
    scanner.space()
    start = scanner.position
    match scanner.peek():
        case '"':
            found = Operand("text", scanner.phrase())
        case "%":
            found = Operand("regex", regex.read(scanner))
        case _:
            text = scanner.while_in(_BARE)
            if not text:
                scanner.fail('expected a value: a number, a word, "text" or %regex%')
            found = Operand("number" if _NUMBER.fullmatch(text) else "bare", text)
    if operator in ORDERS and found.kind != "number":
        scanner.fail(f"expected a number after {operator}", start)
    return found


def simple_conditions(condition: Condition) -> list[Comparison | State]:
    """All comparisons and states in a condition, from left to right."""
    if isinstance(condition, Joined):
        return [found for part in condition.parts for found in simple_conditions(part)]
    return [condition]


def regexes(condition: Condition) -> int:
    """How many regular expressions are in a condition."""
    return sum(
        isinstance(simple, Comparison) and simple.operand.kind == "regex"
        for simple in simple_conditions(condition)
    )


def necessary(condition: Condition) -> list[Comparison | State]:
    """Those that must hold for the whole to hold."""
    if isinstance(condition, Joined):
        return (
            [found for part in condition.parts for found in necessary(part)]
            if condition.operator == "&&"
            else []
        )
    return [condition]


def compared(order: str, left: float, right: float) -> bool:
    """`left order right`."""
    match order:
        case "=":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right


def as_number(text: str) -> float | None:
    """The number that a text is, if it is one."""
    return float(text) if _NUMBER.fullmatch(text) else None


def _wildcard(text: str) -> Callable[[str], bool]:
    """Whether a text fits one with `*`, each for any number of characters. Linear in practice: each part is found once."""
    first, *middle, last = text.split("*")
    shortest = len(first) + len(last)

    def fits(found: str) -> bool:
        if len(found) < shortest or not found.startswith(first) or not found.endswith(last):
            return False
        position, end = len(first), len(found) - len(last)
        for part in middle:
            position = found.find(part, position, end)
            if position < 0:
                return False
            position += len(part)
        return True

    return fits
