"""`{ $.level = "ERROR" && $.ms > 250 }`: conditions on the fields of JSON messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from lambdalog.errors import PatternError
from lambdalog.query.literals import of_regex
from lambdalog.query.pattern import condition
from lambdalog.query.pattern.condition import Comparison, Joined, Operand, State
from lambdalog.query.pattern.scanner import Scanner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambdalog.query.pattern.condition import Condition

# "You can use one wildcard per selector, and at most three in a pattern."
WILDCARDS_MAX: Final = 3
_NAME: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_DIGITS: Final = frozenset("0123456789")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_\-]+")
# Letters and digits in JSON are written as they are; all else may be escaped.
_RUNS: Final = re.compile(r"[A-Za-z0-9_ \-]+")
_NUMERIC: Final = frozenset("0123456789eE+-. ")
_STATES: Final = ("IS NULL", "IS TRUE", "IS FALSE", "NOT EXISTS")

EVERY: Final = "*"


@dataclass(frozen=True, slots=True)
class Member:
    """`.name`, or `.*` where `name` is None."""

    name: str | None

    def __str__(self) -> str:
        if self.name is None:
            return ".*"
        return f".{self.name}" if _PLAIN_NAME.fullmatch(self.name) else f".['{_escaped(self.name)}']"


@dataclass(frozen=True, slots=True)
class Item:
    """`[0]`, or `[*]` where `index` is None."""

    index: int | None

    def __str__(self) -> str:
        return "[*]" if self.index is None else f"[{self.index}]"


@dataclass(frozen=True, slots=True)
class Selector:
    """`$.a.b[0]`: a place, or with a wildcard some places, in a JSON value."""

    steps: tuple[Member | Item, ...]

    def __str__(self) -> str:
        return "$" + "".join(map(str, self.steps))

    def find(self, value: Any) -> Iterator[Any]:
        """What is there; nothing if the place isn't."""
        for number, step in enumerate(self.steps):
            if isinstance(step, Member):
                if not isinstance(value, dict):
                    return
                if step.name is None:
                    rest = Selector(self.steps[number + 1 :])
                    for each in value.values():
                        yield from rest.find(each)
                    return
                if step.name not in value:
                    return
                value = value[step.name]
            else:
                if not isinstance(value, list):
                    return
                if step.index is None:
                    rest = Selector(self.steps[number + 1 :])
                    for each in value:
                        yield from rest.find(each)
                    return
                if step.index >= len(value):
                    return
                value = value[step.index]
        yield value

    @property
    def wild(self) -> bool:
        """Whether it has a wildcard."""
        return any(step in {Member(None), Item(None)} for step in self.steps)


@dataclass(frozen=True, slots=True)
class JsonFields:
    """A pattern in braces."""

    condition: Condition

    def __str__(self) -> str:
        return f"{{ {self.condition} }}"

    def literals(self) -> tuple[str, ...]:
        """Runs of the names and texts that a matching message must have in it."""
        found: list[str] = []
        for simple in condition.necessary(self.condition):
            if isinstance(simple, State) and simple.state == "NOT EXISTS":
                continue
            found += [
                run
                for step in simple.field.steps
                if isinstance(step, Member) and step.name is not None
                for run in _RUNS.findall(step.name)
            ]
            if isinstance(simple, Comparison) and simple.operator == "=":
                operand = simple.operand
                if operand.kind == "regex":
                    # A number may be written in another way than it is compared, 5e2 for 500.
                    runs = [run for part in of_regex(operand.text) for run in _RUNS.findall(part)]
                    found += [run for run in runs if not _NUMERIC.issuperset(run)]
                elif operand.kind == "text" or (operand.kind == "bare" and not operand.wild):
                    found += [run for part in operand.text.split("*") for run in _RUNS.findall(part)]
        return tuple(dict.fromkeys(found))

    def regexes(self) -> int:
        """How many of its operands are regular expressions."""
        return condition.regexes(self.condition)

    def matcher(self) -> Callable[[str], bool]:
        """Whether a message is JSON, and its fields are as they shall be."""
        test = _test(self.condition)
        needed = sorted(self.literals(), key=len, reverse=True)
        loads = orjson.loads

        def matches(message: str) -> bool:
            # Without them it can't match, and need not be parsed.
            for text in needed:
                if text not in message:
                    return False
            try:
                return test(loads(message))
            except (orjson.JSONDecodeError, TypeError):  # TypeError: a lone surrogate
                return False

        return matches

    def extract(self, message: str) -> dict[str, str]:
        """The values at the pattern's selectors, those of wildcards left out."""
        try:
            value = orjson.loads(message)
        except (orjson.JSONDecodeError, TypeError):
            return {}
        found = {}
        for simple in condition.simple_conditions(self.condition):
            if not simple.field.wild:
                for each in simple.field.find(value):
                    found[str(simple.field)] = each if isinstance(each, str) else orjson.dumps(each).decode()
        return found


def read(scanner: Scanner) -> JsonFields:
    """A pattern in braces, to the end of the text."""
    scanner.expect("{", "{")

    def simple() -> Condition:
        return _simple(scanner)

    found = condition.read(scanner, simple)
    scanner.expect("}", "&&, || or }")
    scanner.space()
    if scanner.peek():
        scanner.fail("expected nothing after }")
    parts = condition.simple_conditions(found)
    if condition.regexes(found) > condition.REGEXES_MAX:
        raise PatternError(f"at most {condition.REGEXES_MAX} regular expressions stand in a pattern", 0)
    if sum(part.field.wild for part in parts) > WILDCARDS_MAX:
        raise PatternError(f"at most {WILDCARDS_MAX} selectors of a pattern have a wildcard", 0)
    return JsonFields(found)


def read_selector(text: str) -> Selector:
    """A selector alone, as `$.latency` in a metric filter's value. PatternError if it is none."""
    scanner = Scanner(text)
    found = _selector(scanner)
    if scanner.peek():
        scanner.fail("expected nothing after the selector")
    return found


def _simple(scanner: Scanner) -> Condition:
    selector = _selector(scanner)
    scanner.space()
    for state in _STATES:
        first, second = state.split()
        start = scanner.position
        if scanner.take(first) and scanner.peek().isspace() and scanner.take(second):
            return State(selector, state)
        scanner.position = start
    operator = condition.operator(scanner)
    if operator is None:
        scanner.fail("expected an operator: =, !=, <, >, <=, >=, IS NULL, IS TRUE, IS FALSE or NOT EXISTS")
    return Comparison(selector, operator, condition.operand(scanner, operator))


def _selector(scanner: Scanner) -> Selector:
    scanner.space()
    start = scanner.position
    if scanner.peek() != "$":
        scanner.fail("expected a selector, which begins with $")
    scanner.position += 1
    steps: list[Member | Item] = []
    while scanner.peek() in {".", "["} and scanner.peek():
        steps.append(_step(scanner))
    if not steps:
        scanner.fail("expected . or [ after $")
    if sum(step in {Member(None), Item(None)} for step in steps) > 1:
        raise PatternError("a selector has at most one wildcard", start)
    return Selector(tuple(steps))


def _step(scanner: Scanner) -> Member | Item:
    dotted = scanner.peek() == "."
    if dotted:
        scanner.position += 1
        if scanner.peek() == EVERY:
            scanner.position += 1
            return Member(None)
        name = scanner.while_in(_NAME)
        if name:
            return Member(name)
    if scanner.peek() != "[":
        scanner.fail("expected a field's name, * or ['name']")
    scanner.position += 1
    step: Member | Item
    match scanner.peek():
        case "'":
            step = Member(_quoted_name(scanner))
        case '"':
            step = Member(scanner.phrase())
        case "*":
            scanner.position += 1
            step = Item(None)
        case _:
            digits = scanner.while_in(_DIGITS)
            if not digits:
                scanner.fail("expected an index, * or 'name'")
            step = Item(int(digits))
    if scanner.peek() != "]":
        scanner.fail("expected ]")
    scanner.position += 1
    return step


def _quoted_name(scanner: Scanner) -> str:
    start = scanner.position
    scanner.position += 1
    body: list[str] = []
    while scanner.peek():
        character = scanner.peek()
        scanner.position += 1
        if character == "'":
            return "".join(body)
        if character == "\\" and scanner.peek() in {"'", "\\"}:
            character = scanner.peek()
            scanner.position += 1
        body.append(character)
    raise PatternError("the name that begins here has no closing '", start)


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace("'", "\\'")


# --- matching


def _test(found: Condition) -> Callable[[Any], bool]:
    if isinstance(found, Joined):
        tests = [_test(part) for part in found.parts]
        if found.operator == "&&":
            return lambda value: all(test(value) for test in tests)
        return lambda value: any(test(value) for test in tests)
    find = _finder(found.field)
    if isinstance(found, State):
        return _state_test(find, found.state)
    scalar = _scalar_test(found.operator, found.operand)
    return lambda value: any(scalar(each) for each in find(value))


def _finder(selector: Selector) -> Callable[[Any], Any]:
    """What finds a selector's values; the usual one, a name at the top, without a generator."""
    if len(selector.steps) == 1 and isinstance(selector.steps[0], Member):
        name = selector.steps[0].name
        if name is not None:
            return lambda value: (value[name],) if isinstance(value, dict) and name in value else ()
    return selector.find


def _state_test(find: Callable[[Any], Any], state: str) -> Callable[[Any], bool]:
    if state == "NOT EXISTS":
        return lambda value: not any(True for _ in find(value))
    wanted = {"IS NULL": None, "IS TRUE": True, "IS FALSE": False}[state]
    return lambda value: any(each is wanted for each in find(value))


def _scalar_test(operator: str, operand: Operand) -> Callable[[Any], bool]:
    """Whether one value is as it shall be. Objects, arrays, null, true and false are neither equal nor unequal."""
    if operand.kind == "number":
        number, text = operand.number, operand.text

        def numeric(value: Any) -> bool:
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return condition.compared(operator, value, number)
            if isinstance(value, str):
                return value != text if operator == "!=" else operator == "=" and value == text
            return False

        return numeric
    test = operand.text_test()
    # "4*" with quotes asks for a text; 4* for what is written so, numbers too.
    numbers = operand.kind != "text"
    equal = operator == "="

    def textual(value: Any) -> bool:
        if isinstance(value, str):
            return test(value) is equal
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return (test(_written(value)) if numbers else False) is equal
        return False

    return textual


def _written(value: float) -> str:
    """A number as JSON has it."""
    return orjson.dumps(value).decode()
