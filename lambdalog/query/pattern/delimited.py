"""`[ip, user, ..., status = 5*, bytes]`: conditions on the fields of space-delimited messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from lambdalog.errors import PatternError
from lambdalog.query.pattern import condition
from lambdalog.query.pattern.condition import Comparison, Joined

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.query.pattern.condition import Condition, Operand
    from lambdalog.query.pattern.scanner import Scanner

_NAME: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-$")
# A run in brackets or quotes is one field, without them; else what stands between white space.
_FIELD: Final = re.compile(r'\[([^\]]*)\]|"([^"]*)"|(\S+)')
_UNBRACKETED: Final = re.compile(r'"([^"]*)"|(\S+)')


class Part(NamedTuple):
    """One field of a message: its text, and where it begins in the message."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a pattern. `name` None: an unnamed one."""

    name: str | None = None
    condition: Condition | None = None

    def __str__(self) -> str:
        return str(self.condition) if self.condition is not None else self.name or ""


@dataclass(frozen=True, slots=True)
class Delimited:
    """A pattern in brackets. `before` are fields counted from the start, `after` from the end, with `...` between.

    `after` None: there is no `...`, and the last field takes the rest of the line.
    """

    before: tuple[Field, ...]
    after: tuple[Field, ...] | None = None

    def __str__(self) -> str:
        shown = [str(field) for field in self.before]
        if self.after is not None:
            shown += ["...", *map(str, self.after)]
        return f"[{', '.join(shown)}]"

    def literals(self) -> tuple[str, ...]:
        """Texts that the conditions ask for."""
        found: list[str] = []
        for field in (*self.before, *(self.after or ())):
            if field.condition is None:
                continue
            for simple in condition.necessary(field.condition):
                if (
                    isinstance(simple, Comparison)
                    and simple.operator == "="
                    and simple.operand.kind in {"text", "bare"}
                ):
                    found += [part for part in simple.operand.text.split("*") if part]
        return tuple(dict.fromkeys(found))

    def regexes(self) -> int:
        """How many of its operands are regular expressions."""
        return sum(
            condition.regexes(field.condition)
            for field in (*self.before, *(self.after or ()))
            if field.condition is not None
        )

    def matcher(self) -> Callable[[str], bool]:
        """Whether a message has such fields."""
        if not self.before and self.after is None:
            return lambda _: True
        before = [
            (number, _test(field.condition)) for number, field in enumerate(self.before) if field.condition
        ]
        after = [
            (number - len(self.after), _test(field.condition))
            for number, field in enumerate(self.after or ())
            if field.condition and self.after
        ]
        tests = before + after
        needed = sorted(self.literals(), key=len, reverse=True)

        def matches(message: str) -> bool:
            for text in needed:
                if text not in message:
                    return False
            fields = self._fields(message)
            return fields is not None and all(test(fields[number]) for number, test in tests)

        return matches

    def extract(self, message: str) -> dict[str, str]:
        """Each field by its name, or its number: `$ip`, `$2`."""
        parts = _parts(message)
        if not self.before and self.after is None:
            return {f"${number + 1}": part.text for number, part in enumerate(parts)}
        fields = self._fields(message)
        if fields is None:
            return {}
        between = len(fields) - len(self.before) - len(self.after or ())
        named = [*self.before, *([Field()] * between), *(self.after or ())]
        return {
            f"${field.name or number + 1}": text
            for number, (field, text) in enumerate(zip(named, fields, strict=True))
        }

    def _fields(self, message: str) -> list[str] | None:
        """The texts of the message's fields as the pattern counts them; None if they are too few."""
        parts = _parts(message)
        wanted = len(self.before) + len(self.after or ())
        if len(parts) < wanted:
            return None
        if self.after is not None or len(parts) == wanted:
            return [part.text for part in parts]
        rest = message[parts[wanted - 1].start :].rstrip()
        return [*(part.text for part in parts[: wanted - 1]), rest]


def read(scanner: Scanner) -> Delimited:
    """A pattern in brackets, to the end of the text."""
    scanner.expect("[", "[")
    before: list[Field] = []
    after: list[Field] | None = None
    if not scanner.take("]"):
        while True:
            scanner.space()
            start = scanner.position
            if scanner.take("..."):
                if after is not None:
                    raise PatternError("... stands at most once in a pattern", start)
                after = []
            else:
                (before if after is None else after).append(_field(scanner))
            if scanner.take(","):
                continue
            scanner.expect("]", ", or ]")
            break
    scanner.space()
    if scanner.peek():
        scanner.fail("expected nothing after ]")
    found = Delimited(tuple(before), None if after is None else tuple(after))
    if found.regexes() > condition.REGEXES_MAX:
        raise PatternError(f"at most {condition.REGEXES_MAX} regular expressions stand in a pattern", 0)
    return found


def _field(scanner: Scanner) -> Field:
    """A field: nothing, a name, or conditions that all begin with the same name."""
    scanner.space()
    if scanner.peek() in {",", "]"}:
        return Field()
    names: list[str] = []

    def simple() -> Condition:
        scanner.space()
        start = scanner.position
        name = scanner.while_in(_NAME)
        if not name:
            scanner.fail("expected a field's name")
        if names and name != names[0]:
            raise PatternError(
                f"expected {names[0]}, of which this field's conditions are; found {name}", start
            )
        names.append(name)
        operator = condition.operator(scanner)
        if operator is None:
            scanner.fail("expected an operator: =, !=, <, >, <= or >=")
        return Comparison(name, operator, condition.operand(scanner, operator))

    start = scanner.position
    name = scanner.while_in(_NAME)
    scanner.space()
    if name and scanner.peek() in {",", "]", ""}:
        return Field(name)
    scanner.position = start
    found = condition.read(scanner, simple)
    return Field(names[0], found)


def _parts(message: str) -> list[Part]:
    parts = []
    closing = message.rfind("]")
    for found in _FIELD.finditer(message):
        if found.start() > closing:
            # Brackets that are never closed would each be looked for to the end of the message.
            parts += [_part(rest) for rest in _UNBRACKETED.finditer(message, found.start())]
            break
        parts.append(_part(found))
    return parts


def _part(found: re.Match[str]) -> Part:
    return Part(found[found.lastindex or 0], found.start())


def _test(found: Condition | None) -> Callable[[str], bool]:
    if isinstance(found, Joined):
        tests = [_test(part) for part in found.parts]
        if found.operator == "&&":
            return lambda text: all(test(text) for test in tests)
        return lambda text: any(test(text) for test in tests)
    assert isinstance(found, Comparison)
    return _comparison(found.operator, found.operand)


def _comparison(operator: str, operand: Operand) -> Callable[[str], bool]:
    if operand.kind == "number":
        number, text = operand.number, operand.text

        def numeric(value: str) -> bool:
            found = condition.as_number(value)
            if found is not None:
                return condition.compared(operator, found, number)
            return value != text if operator == "!=" else False

        return numeric
    test, equal = operand.text_test(), operator == "="
    return lambda value: test(value) is equal
