"""Choosing failures: `type=Declined`, `age>1h`, `message~timeout`, `$.order.total > 100`, a fingerprint's beginning.

    FIELD=VALUE  FIELD!=VALUE       the whole value; * stands for anything
    FIELD~TEXT   FIELD!~TEXT        contains the text, whatever the case
    age>2h  age<10m  tries>=3  receives>1      durations in s, m, h, d
    $.path OP VALUE, { … }          the event, in CloudWatch's own filter patterns of JSON
    3fa9c1…                         a fingerprint, or how it begins (four digits at least)

Several conditions hold together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from lambdalog.errors import ArgumentError, PatternError
from lambdalog.query.pattern import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lambdalog.failures.groups import Explained

TEXTS: Final[dict[str, Callable[[Explained], str]]] = {
    "fingerprint": lambda found: found.fingerprint,
    "type": lambda found: found.type,
    "message": lambda found: found.message,
    "function": lambda found: found.letter.function,
    "version": lambda found: found.version,
    "queue": lambda found: found.letter.queue,
    "kind": lambda found: found.letter.kind,
    "condition": lambda found: found.letter.condition,
    "request": lambda found: found.letter.request_id,
    "id": lambda found: found.letter.message_id,
    "source": lambda found: found.letter.source.rpartition(":")[2],
    "body": lambda found: found.letter.body,
    "text": lambda found: f"{found.type}\n{found.message}\n{found.letter.error_message}\n{found.letter.body}",
}
NUMBERS: Final[dict[str, Callable[[Explained, int], int]]] = {
    "age": lambda found, now: now - found.letter.sent_at,
    "tries": lambda found, _: found.letter.tries,
    "receives": lambda found, _: found.letter.receives,
}
_FORM: Final = re.compile(r"(\w+)\s*(!=|!~|>=|<=|=|~|>|<)\s*(.*)", re.DOTALL)
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{4,16}")
_DURATION: Final = re.compile(r"(\d+)\s*(s|m|h|d|w)?")
_UNITS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_COMPARE: Final[dict[str, Callable[[int, int], bool]]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions that hold together; none of them: everything. `str()` gives them back."""

    texts: tuple[str, ...] = ()
    tests: tuple[Callable[[Explained, int], bool], ...] = ()

    def __call__(self, found: Explained, now: int) -> bool:
        """Whether a failure is meant, at epoch ms `now`."""
        return all(test(found, now) for test in self.tests)

    def __bool__(self) -> bool:
        return bool(self.tests)

    def __str__(self) -> str:
        return " and ".join(self.texts)


EVERYTHING: Final = Where()


def where(texts: Iterable[str]) -> Where:
    """Read conditions. ArgumentError for one that is none."""
    given = tuple(text.strip() for text in texts)
    return Where(given, tuple(_test(text) for text in given))


def _test(text: str) -> Callable[[Explained, int], bool]:
    if text.startswith(("{", "$")):
        return _of_event(text)
    if _FINGERPRINT.fullmatch(text):
        return lambda found, _: found.fingerprint.startswith(text)
    form = _FORM.fullmatch(text)
    if form is None:
        raise ArgumentError(
            f"'{text}' is no condition; write FIELD=VALUE, FIELD~TEXT, $.path = VALUE, or a fingerprint "
            f"(fields: {', '.join([*TEXTS, *NUMBERS])})"
        )
    name, operator, value = form.groups()
    if name in NUMBERS:
        return _of_number(text, name, operator, value)
    if name not in TEXTS:
        raise ArgumentError(f"'{text}': there is no field {name}; there are {', '.join([*TEXTS, *NUMBERS])}")
    return _of_text(text, name, operator, value)


def _of_text(text: str, name: str, operator: str, value: str) -> Callable[[Explained, int], bool]:
    read = TEXTS[name]
    match operator:
        case "=" | "!=":
            wanted = operator == "="
            if "*" in value:
                # Only * is special: a name with [ in it is a name.
                form = re.sub(r"([\[?])", r"[\1]", value)
                return lambda found, _: fnmatchcase(read(found), form) is wanted
            return lambda found, _: (read(found) == value) is wanted
        case "~" | "!~":
            wanted = operator == "~"
            part = value.casefold()
            return lambda found, _: (part in read(found).casefold()) is wanted
        case _:
            raise ArgumentError(f"'{text}': {name} is a text; compare it with =, !=, ~ or !~")


def _of_number(text: str, name: str, operator: str, value: str) -> Callable[[Explained, int], bool]:
    found = _DURATION.fullmatch(value.strip())
    if operator not in _COMPARE or found is None or (found[2] is not None) is not (name == "age"):
        what = "a duration, as 90s, 10m, 2h or 3d" if name == "age" else "a number"
        raise ArgumentError(f"'{text}': {name} is {what}; compare it with >, <, >=, <= or =")
    bound = int(found[1]) * (_UNITS[found[2]] if found[2] else 1)
    read, compare = NUMBERS[name], _COMPARE[operator]
    return lambda explained, now: compare(read(explained, now), bound)


def _of_event(text: str) -> Callable[[Explained, int], bool]:
    try:
        pattern = parse(text if text.startswith("{") else f"{{ {text} }}")
    except PatternError as error:
        raise ArgumentError(f"'{text}' can't be asked of an event: {error}") from None
    matches = pattern.matches
    return lambda found, _: found.letter.event is not None and matches(found.letter.event)
