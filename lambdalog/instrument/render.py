"""A log line as JSON, whatever was logged: never an exception, never a lost line, never invalid JSON.

orjson does it in one go where it can. Where it can't, each value falls back for itself, to a text that JSON holds, and
the line says under `degraded` which keys did.
"""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import orjson

DEPTH_MAX: Final = 20
# CloudWatch takes 1 MB an event; one value has no business being larger than this.
TEXT_MAX: Final = 200_000
_INT_MAX: Final = 2**64 - 1
_INT_MIN: Final = -(2**63)


def render(line: dict[str, Any]) -> bytes:
    """`line` as one JSON object without a line break."""
    try:
        raw = orjson.dumps(line, default=_default)
        if len(raw) <= TEXT_MAX:
            return raw
    except Exception:  # noqa: BLE001, S110 - whatever it was, the slower way below says what it can
        pass
    degraded: list[str] = []
    clean: dict[str, Any] = {}
    for key, value in line.items():
        name = key if type(key) is str and _encodable(key) else _text(key)
        clean[name] = _plain(value, name, degraded, 0, ())
        if name is not key:
            degraded.append(name)
    clean["degraded"] = sorted(set(degraded))
    return orjson.dumps(clean)


def _default(value: Any) -> Any:
    """What orjson asks of values that it doesn't know."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump()
    return str(value)


def _plain(value: Any, key: str, degraded: list[str], depth: int, path: tuple[int, ...]) -> Any:
    """A value as something that orjson takes."""
    if value is None or value is True or value is False:
        return value
    if type(value) is str:
        return _bounded(value, key, degraded)
    if type(value) is int:
        if _INT_MIN <= value <= _INT_MAX:
            return value
        degraded.append(key)
        return _text(value)
    if type(value) is float:
        if math.isfinite(value):
            return value
        degraded.append(key)
        return repr(value)
    if id(value) in path:
        degraded.append(key)
        return "<circular>"
    if depth > DEPTH_MAX:
        degraded.append(key)
        return "<too deep>"
    path = (*path, id(value))
    try:
        if isinstance(value, dict):
            found = {}
            for name, inner in list(value.items()):
                text = name if type(name) is str and _encodable(name) else _text(name)
                if text is not name:
                    degraded.append(key)
                found[text] = _plain(inner, key, degraded, depth + 1, path)
            return found
        if isinstance(value, (list, tuple)):
            return [_plain(inner, key, degraded, depth + 1, path) for inner in list(value)]
        if isinstance(value, Enum):
            return _plain(value.value, key, degraded, depth + 1, path)
        if isinstance(value, (datetime, date, time)):
            return value.isoformat()
        fields = getattr(type(value), "__dataclass_fields__", None)
        if fields is not None:
            return {
                name: _plain(getattr(value, name, None), key, degraded, depth + 1, path) for name in fields
            }
        return _plain(_default(value), key, degraded, depth + 1, path)
    except Exception:  # noqa: BLE001 - a value whose own code fails is told by its type
        degraded.append(key)
        return _text(value)


def _bounded(text: str, key: str, degraded: list[str]) -> str:
    if not _encodable(text):
        degraded.append(key)
        text = text.encode("utf-8", "backslashreplace").decode()
    if len(text) > TEXT_MAX // 4:
        degraded.append(key)
        text = f"{text[: TEXT_MAX // 4]}… ({len(text)} characters)"
    return text


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(value: Any) -> str:
    try:
        return repr(value)[:1000].encode("utf-8", "backslashreplace").decode()
    except Exception as error:  # noqa: BLE001 - repr() is the user's code too
        return f"<{type(value).__name__}: repr() raised {type(error).__name__}>"
