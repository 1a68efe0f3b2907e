"""JSON bodies, and their values by the shapes of the model: blobs in base64, timestamps in seconds."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any, NoReturn

import orjson

from lambdalog.wire.scalars import clean, named, parse_float, parse_timestamp, timestamp


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
    match shape.type_name:
        case "structure" if shape.is_document_type:
            return value  # JSON as it is
        case "structure":
            _expect(value, dict, "structure")
            return {
                name: from_json(value[key], member)
                for name, member in shape.members.items()
                if (key := member.serialization.get("name", name)) in value and value[key] is not None
            }
        case "list":
            _expect(value, list, "list")
            return [from_json(item, shape.member) for item in value if item is not None]
        case "map":
            _expect(value, dict, "map")
            return {key: from_json(item, shape.value) for key, item in value.items() if item is not None}
        case "blob":
            _expect(value, str, "blob")
            try:
                return base64.b64decode(value, validate=True)
            except binascii.Error:
                raise WrongType("not base64") from None
        case "timestamp" if isinstance(value, str):
            try:
                return parse_timestamp(value)
            except ValueError:
                raise WrongType("not a timestamp") from None
        case "timestamp":
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                raise WrongType("not a timestamp")
            try:
                return datetime.fromtimestamp(value, UTC)
            except (ValueError, OverflowError, OSError):
                raise WrongType("not a timestamp") from None
        case "integer" | "long":
            if not isinstance(value, int) or isinstance(value, bool):
                raise WrongType("not a number")
            return value
        case "float" | "double":
            return _number(value)
        case "string":
            _expect(value, str, "string")
            return value
        case "boolean":
            _expect(value, bool, "boolean")
            return value
        case _:
            return value


def to_json(value: Any, shape: Any) -> Any:
    """A value of a response as JSON."""
    match shape.type_name:
        case "structure" if shape.is_document_type:
            return value
        case "structure":
            return {
                member.serialization.get("name", name): to_json(value[name], member)
                for name, member in shape.members.items()
                if name in value and value[name] is not None
            }
        case "list":
            return [to_json(item, shape.member) for item in value]
        case "map":
            return {key: to_json(item, shape.value) for key, item in value.items()}
        case "blob":
            return base64.b64encode(bytes(value)).decode()
        case "timestamp":
            return timestamp(value, shape.serialization.get("timestampFormat", "unixTimestamp"))
        case "float" | "double":
            return named(value)
        case _:
            return value


def _number(value: Any) -> float:
    if isinstance(value, str) and value in {"NaN", "Infinity", "-Infinity"}:
        return parse_float(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise WrongType("not a number")
    return value


def _expect(value: Any, kind: type, name: str) -> None:
    if not isinstance(value, kind):
        raise WrongType(f"not a {name}")
