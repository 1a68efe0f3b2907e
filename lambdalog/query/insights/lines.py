"""Lines of the store with the few fields that a `stats` asks for: read by the block, without an event made of each.

It gives what reading event by event gives. Blocks that can't be read so (numbers beyond 64 bits, lines that are no
events) are left to that.
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from lambdalog.query.insights.records import document, inside, plain_number
from lambdalog.query.insights.syntax import (
    Binary,
    Call,
    Field,
    Fields,
    Filter,
    In,
    Joined,
    Like,
    Literal,
    Stats,
    Unary,
)
from lambdalog.query.insights.values import Time
from lambdalog.store.line import TIME_MAX, TIME_MIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lambdalog.query.insights.syntax import Command
    from lambdalog.store.blocks import Block

_OF_EVENTS: Final = frozenset({"@timestamp", "@ingestionTime", "@log", "@logStream"})
# Keys that JSON may write without an escape.
_WRITTEN: Final = re.compile(r'[^\x00-\x1f"\\\ud800-\udfff]+')
# What a line is beside its message, and its break.
_AROUND: Final = 43

_Moment = Annotated[int, msgspec.Meta(ge=TIME_MIN, le=TIME_MAX)]
_Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Scalar = _Whole | float | str | bool | None
_Any = _Whole | float | str | bool | None | dict[str, Any] | list[Any] | msgspec.UnsetType


def place_of_stats(commands: Sequence[Command]) -> int | None:
    """Where a `stats` stands that can take its records from lines: before it only filters, and fields as they are."""
    for number, command in enumerate(commands):
        match command:
            case Filter(condition):
                asked = set(_names(condition))
            case Fields(items) if all(item.expression == Field(item.name) for item in items):
                continue
            case Stats():
                asked = set(_asked(command))
            case _:
                return None
        if not all(map(_readable, asked)):
            return None
        if isinstance(command, Stats):
            return number
    return None


def _readable(name: str) -> bool:
    return name in _OF_EVENTS if name.startswith("@") else _WRITTEN.fullmatch(name) is not None


class Lines:
    """Reads the fields that some filters and a `stats` ask for."""

    def __init__(self, commands: Sequence[Command]) -> None:
        asked: list[str] = []
        for command in commands:
            if isinstance(command, Filter):
                asked += _names(command.condition)
            elif isinstance(command, Stats):
                asked += _asked(command)
        names = list(dict.fromkeys(name for name in asked if not name.startswith("@")))
        # `a.b.c` may be a member of `a` or of `a.b`, or a name with dots.
        heads = {name: _heads(name) for name in names if "." in name}
        whole = {head for each in heads.values() for head in each}
        self._keys = list(dict.fromkeys([*names, *sorted(whole)]))
        self._heads = heads
        self._attributes = {key: f"f{number}" for number, key in enumerate(self._keys)}
        members: list[Any] = [
            (self._attributes[key], _Any, msgspec.UNSET)
            if key in whole
            else (self._attributes[key], _Scalar, None)
            for key in self._keys
        ]
        rename = {attribute: key for key, attribute in self._attributes.items()}
        self._doc = msgspec.defstruct("Doc", members, rename=rename, gc=False)
        self._missing = [msgspec.UNSET if key in whole else None for key in self._keys]
        # `group` and `stream` are no part of the line.
        line = msgspec.defstruct(
            "Line",
            [
                ("t", _Moment),
                ("i", _Moment),
                ("m", self._doc | str),
                ("group", Any, None),
                ("stream", Any, None),
            ],
            gc=False,
        )
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(line)
        self._placed = bool({"@log", "@logStream"} & set(asked))

    def read(self, group: str, block: Block) -> tuple[list[Any], int] | None:
        """The lines with the block's events, and how many bytes their messages are; None if they can't be read so."""
        data = block.data()
        try:
            if not data.isascii():
                data.decode()
            lines = self._decoder.decode_lines(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if len(lines) != data.count(b"\n"):
            return None
        scan = block.reader.scan
        if scan.start is not None and lines:
            lines = [line for line in lines if line.t >= scan.start]
        if scan.end is not None and lines:
            lines = [line for line in lines if line.t < scan.end]
        for line in lines:
            if line.m.__class__ is str:
                line.m = self._of_text(line.m)
        if self._placed:
            for line in lines:
                line.group, line.stream = group, block.stream
        return lines, max(len(data) - _AROUND * len(lines), 0)

    def getter(self, name: str) -> Callable[[Any], Any]:
        """What reads a field of lines."""
        match name:
            case "@timestamp":
                return lambda line: Time(line.t)
            case "@ingestionTime":
                return lambda line: Time(line.i)
            case "@log":
                return attrgetter("group")
            case "@logStream":
                return attrgetter("stream")
        heads = self._heads.get(name)
        if heads is None:
            attribute = self._attributes[name]
            if name in {head for each in self._heads.values() for head in each}:
                return _settled(attrgetter(f"m.{attribute}"))
            return attrgetter(f"m.{attribute}")
        readers = [(head, attrgetter(f"m.{self._attributes[head]}")) for head in heads]

        def read(line: Any) -> Any:
            found = {head: value for head, get in readers if (value := get(line)) is not msgspec.UNSET}
            return _plain(inside(found, name)) if found else None

        return read

    def _of_text(self, text: str) -> Any:
        """The fields of the JSON that stands in a text."""
        found = document(text)
        if not found:
            return self._doc()
        return self._doc(
            *[found.get(key, missing) for key, missing in zip(self._keys, self._missing, strict=True)]
        )


def _settled(get: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Of a field that others are members of."""

    def read(line: Any) -> Any:
        value = get(line)
        return None if value is msgspec.UNSET else _plain(value)

    return read


def _plain(value: Any) -> Any:
    """A value with numbers as orjson reads them: beyond 64 bits they are floats."""
    try:
        return _walked(value)
    except RecursionError:
        return value


def _walked(value: Any) -> Any:
    if type(value) is int:
        return plain_number(value)
    if type(value) is dict:
        return {key: _walked(each) for key, each in value.items()}
    return [_walked(each) for each in value] if type(value) is list else value


def _heads(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]


def _asked(stats: Stats) -> Iterator[str]:
    for item in stats.by:
        yield from _names(item.expression)
    for call in stats.calls:
        yield from _names(call)


def _names(expression: Any) -> Iterator[str]:
    """The fields that an expression reads."""
    match expression:
        case Field(name):
            yield name
        case Call("bin", _):
            yield "@timestamp"
        case Call(_, parts) | Joined(_, parts):
            for part in parts:
                yield from _names(part)
        case Unary(_, operand) | Like(operand, _):
            yield from _names(operand)
        case Binary(_, left, right):
            yield from _names(left)
            yield from _names(right)
        case In(operand, items):
            for part in (operand, *items):
                yield from _names(part)
        case Literal():
            return
        case _:
            raise AssertionError(expression)
