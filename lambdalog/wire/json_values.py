"""JSON bodies, and their values by the shapes of the model: blobs in base64, timestamps in seconds."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

import orjson

from lambdalog.wire.scalars import clean, named, parse_float, parse_timestamp, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    Convert = Callable[[Any], Any]

# What JSON has as it is. A boolean is no number here, though it is an int to Python.
_PLAIN: Final[dict[str, type]] = {"string": str, "integer": int, "long": int, "boolean": bool}


class WrongType(Exception):
    """A value is not of the type that its shape has."""


def load(body: bytes) -> Any:
    """A body's value. ValueError or RecursionError if it is no JSON.

    Half a surrogate pair, which JSON can write and nothing can store, is a question mark, as it is on AWS.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _clean(json.loads(body, parse_constant=_refuse))  # it takes halves, and tells what is wrong


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _clean(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean(key): _clean(item) for key, item in value.items()}
        case list():
            return [_clean(item) for item in value]
        case _:
            return value


def from_json(value: Any, shape: Any) -> Any:
    """A JSON value as a parameter. Members that are null, or that the model doesn't have, are left out."""
    return _reader(shape)(value)


def to_json(value: Any, shape: Any) -> Any:
    """A value of a response as JSON; what is JSON as it stands may be the value itself."""
    return _writer(shape)(value)


# A batch has ten thousand structures of one shape: what its model says of them is looked up once.


@cache
def _reader(shape: Any) -> Convert:
    match shape.type_name:
        case "structure" if shape.is_document_type:
            return _same
        case "structure":
            return _structure_reader(shape)
        case "list":
            return _list_reader(shape)
        case "map":
            return _map_reader(shape)
        case "blob":
            return _blob
        case "timestamp":
            return _timestamp
        case "float" | "double":
            return _number
        case kind if kind in _PLAIN:
            return _plain_reader(_PLAIN[kind], kind)
        case _:
            return _same


def _same(value: Any) -> Any:
    return value


def _structure_reader(shape: Any) -> Convert:
    members = {
        member.serialization.get("name", name): (name, member) for name, member in shape.members.items()
    }
    plain = {
        key: kind
        for key, (name, member) in members.items()
        if name == key and (kind := _PLAIN.get(member.type_name)) is not None
    }

    def read(value: Any) -> dict[str, Any]:
        _expect(value, dict, "structure")
        for key, item in value.items():
            if plain.get(key) is not type(item):
                break
        else:
            return cast("dict[str, Any]", value)
        found = {}
        for key, item in value.items():
            if item is not None and (member := members.get(key)) is not None:
                found[member[0]] = _reader(member[1])(item)
        return found

    return read


def _list_reader(shape: Any) -> Convert:
    member = shape.member

    def read(value: Any) -> list[Any]:
        _expect(value, list, "list")
        reader = _reader(member)
        return [reader(item) for item in value if item is not None]

    return read


def _map_reader(shape: Any) -> Convert:
    member = shape.value

    def read(value: Any) -> dict[str, Any]:
        _expect(value, dict, "map")
        reader = _reader(member)
        return {key: reader(item) for key, item in value.items() if item is not None}

    return read


def _plain_reader(kind: type, name: str) -> Convert:
    name = "number" if kind is int else name

    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise WrongType(f"not a {name}")
        return value

    return read


def _blob(value: Any) -> bytes:
    _expect(value, str, "blob")
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:  # binascii's own is one too
        raise WrongType("not base64") from None


def _timestamp(value: Any) -> datetime:
    try:
        if isinstance(value, str):
            return parse_timestamp(value)
        return datetime.fromtimestamp(_number(value), UTC)
    except (ValueError, OverflowError, OSError, WrongType):
        raise WrongType("not a timestamp") from None


@cache
def _writer(shape: Any) -> Convert:
    match shape.type_name:
        case "structure" if shape.is_document_type:
            return _same
        case "structure":
            return _structure_writer(shape)
        case "list":
            return _list_writer(shape.member)
        case "map":
            item = shape.value
            return lambda value: dict(zip(value, map(_writer(item), value.values()), strict=True))
        case "blob":
            return lambda value: base64.b64encode(bytes(value)).decode()
        case "timestamp":
            form = shape.serialization.get("timestampFormat", "unixTimestamp")
            return lambda value: timestamp(value, form)
        case "float" | "double":
            return named
        case _:
            return _same


def _list_writer(member: Any) -> Convert:
    plain = _plain(member) if member.type_name == "structure" and not member.is_document_type else frozenset()

    def write(value: Any) -> list[Any]:
        # Structures that all are JSON as they stand are seen at once: a hundred events take half the time.
        if (
            plain
            and type(value) is list
            and set(map(type, value)) == {dict}
            and plain.issuperset(chain.from_iterable(value))
            and None not in chain.from_iterable(map(dict.values, value))
        ):
            return value
        return list(map(_writer(member), value))

    return write


def _plain(shape: Any) -> frozenset[str]:
    """The members of a structure that JSON has as they are."""
    return frozenset(
        name
        for name, member in shape.members.items()
        if member.type_name in _PLAIN and member.serialization.get("name", name) == name
    )


def _structure_writer(shape: Any) -> Convert:
    members = [
        (name, member.serialization.get("name", name), member) for name, member in shape.members.items()
    ]
    plain = _plain(shape)

    def write(value: Any) -> dict[str, Any]:
        if type(value) is dict and value.keys() <= plain and None not in value.values():
            return value
        return {
            key: _writer(member)(item)
            for name, key, member in members
            if (item := value.get(name)) is not None
        }

    return write


def _number(value: Any) -> float:
    if isinstance(value, str) and value in {"NaN", "Infinity", "-Infinity"}:
        return parse_float(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise WrongType("not a number")
    return value


def _expect(value: Any, kind: type, name: str) -> None:
    if not isinstance(value, kind):
        raise WrongType(f"not a {name}")
