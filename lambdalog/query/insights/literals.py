"""Texts that a message must contain for a condition to hold: a search passes over the rest undecoded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lambdalog.query.insights.syntax import (
    Binary,
    Call,
    Display,
    Field,
    Fields,
    Filter,
    In,
    Joined,
    Like,
    Literal,
    Parse,
    Regex,
    Sort,
)
from lambdalog.query.insights.values import number_of
from lambdalog.query.literals import of_regex

if TYPE_CHECKING:
    from typing import Any

    from lambdalog.query.insights.syntax import Query

_COMPARISONS: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})
# Letters and digits in JSON are written as they are; all else may be escaped.
_RUNS: Final = re.compile(r"[A-Za-z0-9_ \-]+")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def literals(query: Query) -> tuple[str, ...]:
    """What every event that comes through the query's first filters contains."""
    found: list[str] = []
    made: set[str] = set()
    for command in query.commands:
        match command:
            case Filter():
                found += [text for text in _necessary(command.condition, made) if text]
            case Fields() | Display():
                made |= {item.name for item in command.items if item.expression != Field(item.name)}
            case Parse():
                made |= set(command.names)
            case Sort():
                continue
            case _:
                break
    return tuple(dict.fromkeys(found))


def stream(query: Query) -> str | None:
    """The only stream whose events come through the query's first filters, if there is one."""
    for command in query.commands:
        if isinstance(command, Filter):
            for condition in _all_of(command.condition):
                match condition:
                    case Binary("=", Field("@logStream"), Literal(str(name))):
                        return name
        elif not isinstance(command, Fields | Sort) or _makes(command):
            break
    return None


def _makes(command: Fields | Sort) -> bool:
    """Whether a command makes fields of its own."""
    return isinstance(command, Fields) and any(item.expression != Field(item.name) for item in command.items)


def _all_of(condition: Any) -> list[Any]:
    if isinstance(condition, Joined) and condition.operator == "and":
        return [part for each in condition.parts for part in _all_of(each)]
    return [condition]


def _necessary(condition: Any, made: set[str]) -> list[str]:
    """Texts that stand in the message wherever the condition holds; fields in `made` say nothing of the message."""
    found: list[str] = []
    for part in _all_of(condition):
        match part:
            case Like(Field("@message"), str(text)) if "@message" not in made:
                found.append(text)
            case Like(Field("@message"), Regex(body)) if "@message" not in made:
                found += of_regex(body)
            case Like(Field(name), _) if name not in made:
                found += _name(name)
            case In(Field(name), _) if name not in made:
                found += _name(name)
            case Call("ispresent", (Field(name),)) if name not in made:
                found += _name(name)
            case Binary(operator, Field(name), other) if operator in _COMPARISONS and name not in made:
                found += _compared(name, operator, other)
            case _:
                continue
    return found


def _compared(name: str, operator: str, other: Any) -> list[str]:
    # A text that is a number may be written otherwise; so may true and false, which are words of JSON.
    text = None
    if operator == "=" and isinstance(other, Literal) and isinstance(other.value, str):
        plain = number_of(other.value) is None and other.value.lower() not in {"true", "false"}
        text = other.value if plain else None
    if name == "@message":
        return [] if text is None else [text]
    if name == "@requestId":
        return [text] if text is not None and _UUID.fullmatch(text) else []
    found = _name(name)
    return found + _RUNS.findall(text) if found and text is not None else found


def _name(name: str) -> list[str]:
    """The parts of a discovered field's name, which JSON has as keys; indices and fields of our own are not written."""
    if name.startswith("@"):
        return []
    return [run for part in name.split(".") if not part.isdigit() for run in _RUNS.findall(part)]
