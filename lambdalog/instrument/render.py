"""A log line as JSON, whatever was logged: never an exception, never a lost line, never invalid JSON.

orjson does it in one go where it can. Where it can't, each value falls back for itself, to a text that JSON holds, and
the line says under `degraded` which keys did.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from lambdalog.instrument.line import RESERVED

DEPTH_MAX: Final = 20
# CloudWatch takes 1 MB an event, Lambda's own limit is near; one line has no business being larger than this.
LINE_MAX: Final = 200_000
TEXT_MAX: Final = 50_000
ITEMS_MAX: Final = 1000
_INT_MAX: Final = 2**64 - 1
_INT_MIN: Final = -(2**63)
_SCALARS: Final = frozenset({str, int, bool, type(None)})


def render(line: dict[str, Any]) -> bytes:
    """`line` as one JSON object without a line break."""
    try:
        raw = orjson.dumps(line, default=_default)
        # orjson writes null for NaN and infinity: whether that happened is looked into where there is a null.
        if len(raw) <= LINE_MAX and (b"null" not in raw or not _doubtful(line.values())):
            return raw
    except Exception:  # noqa: BLE001, S110 - whatever it was, the slower way below says what it can
        pass
    return _Degrader().line(line)


def _doubtful(values: Iterable[Any]) -> bool:
    """Whether a number that JSON has not may be in there; what isn't JSON's own kind isn't looked into."""
    for value in values:
        kind = type(value)
        if kind in _SCALARS:
            continue
        if kind is float:
            if not math.isfinite(value):
                return True
        elif kind is dict:
            if _doubtful(value.values()):
                return True
        elif (kind is not list and kind is not tuple) or _doubtful(value):
            return True
    return False


def _default(value: Any) -> Any:
    """What orjson asks of values that it doesn't know."""
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    if isinstance(value, tuple):
        # A named one: orjson takes plain ones alone.
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, type):
        return value.__qualname__
    # Of its class: an object that answers to any name, as a mock does, would give one of its like for ever.
    kind = type(value)
    seconds = getattr(kind, "total_seconds", None)
    if callable(seconds):
        return seconds(value)
    dump = getattr(kind, "model_dump", None)
    if callable(dump):
        return dump(value)
    # Pydantic's first version, and named tuples' cousins in other libraries.
    if callable(getattr(kind, "__get_validators__", None)):
        return value.dict()
    return str(value)


class _Degrader:
    """Makes one line of values that JSON holds; `left` is how many bytes it may still have, or less than none."""

    def __init__(self) -> None:
        self._degraded: dict[str, None] = {}
        self._left = LINE_MAX

    def line(self, line: dict[Any, Any]) -> bytes:
        """The line, and which of its keys are not what was logged."""
        clean: dict[str, Any] = {}
        items = list(line.items())
        # What the line says of itself is made first: the caller's keys make room for a failure, not a failure for them.
        own = {key: self._plain(value, key, 0, ()) for key, value in items if key in RESERVED}
        more = 0
        for key, value in items:
            if key in own:
                clean[key] = own[key]
            elif self._left <= 0 or len(clean) >= ITEMS_MAX:
                more += 1
            else:
                name = self._name(key, clean)
                if name is not key:
                    self._degraded[name] = None
                clean[name] = self._plain(value, name, 0, ())
        if more:
            clean["…"] = f"{more} more"
            self._degraded["…"] = None
        if self._degraded:
            clean["degraded"] = sorted(self._degraded)
        return orjson.dumps(clean)

    def _plain(self, value: Any, key: str, depth: int, path: tuple[int, ...]) -> Any:
        """A value as something that orjson takes."""
        kind = type(value)
        if value is None or kind is bool:
            self._left -= 5
            return value
        if kind is str:
            return self._bounded(value, key)
        if kind is int:
            self._left -= 8
            if _INT_MIN <= value <= _INT_MAX:
                return value
            self._degraded[key] = None
            # Python writes no more than 4,300 digits of a number in tens.
            return self._cut(_text(value) if value.bit_length() < 10_000 else f"{value:#x}"[:1000])
        if kind is float:
            self._left -= 8
            if math.isfinite(value):
                return value
            self._degraded[key] = None
            return repr(value)
        if id(value) in path:
            self._degraded[key] = None
            return "<circular>"
        if depth > DEPTH_MAX:
            self._degraded[key] = None
            return "<too deep>"
        try:
            return self._composed(value, key, depth + 1, (*path, id(value)))
        except Exception:  # noqa: BLE001 - a value whose own code fails is told by its type
            self._degraded[key] = None
            return self._cut(_text(value))

    def _composed(self, value: Any, key: str, depth: int, path: tuple[int, ...]) -> Any:
        if isinstance(value, str):
            return self._bounded(str.__str__(value), key)
        if isinstance(value, dict):
            return self._mapping(value, key, depth, path)
        if isinstance(value, (list, tuple)):
            found = []
            for inner in value[:ITEMS_MAX]:
                if self._left <= 0:
                    break
                found.append(self._plain(inner, key, depth, path))
            return self._short(found, len(value), key)
        from datetime import date, datetime, time
        from enum import Enum

        if isinstance(value, Enum):
            return self._plain(value.value, key, depth, path)
        if isinstance(value, (datetime, date, time)):
            return value.isoformat()
        if isinstance(value, int):
            return self._plain(int(value), key, depth, path)
        if isinstance(value, float):
            return self._plain(float(value), key, depth, path)
        fields = getattr(type(value), "__dataclass_fields__", None)
        if fields is not None:
            return {name: self._plain(getattr(value, name, None), key, depth, path) for name in fields}
        return self._plain(_default(value), key, depth, path)

    def _mapping(self, value: dict[Any, Any], key: str, depth: int, path: tuple[int, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        # A copy: another thread may be at it. By dict's own methods, as orjson has it: a subclass's are anybody's code.
        items = list(dict.items(value))
        for count, (name, inner) in enumerate(items):
            if self._left <= 0 or count >= ITEMS_MAX:
                self._degraded[key] = None
                found["…"] = f"{len(items) - count} more"
                break
            text = self._name(name, found)
            if text is not name:
                self._degraded[key] = None
            found[text] = self._plain(inner, key, depth, path)
        return found

    def _short(self, found: list[Any], length: int, key: str) -> list[Any]:
        if len(found) < length:
            self._degraded[key] = None
            found.append(f"… {length - len(found)} more")
        return found

    def _name(self, name: Any, taken: dict[str, Any]) -> str:
        text: str = name if type(name) is str and len(name) <= 1000 and _encodable(name) else _text(name)
        self._left -= len(text)
        while text in taken:
            # 1 and "1" are two keys of a dict, and stay two.
            text += "_"
        return text

    def _bounded(self, text: str, key: str) -> str:
        if len(text) > TEXT_MAX or len(text) > self._left:
            self._degraded[key] = None
            keep = max(min(TEXT_MAX, self._left), 0)
            text = f"{text[:keep]}… ({len(text)} characters)"
        if not _encodable(text):
            self._degraded[key] = None
            text = text.encode("utf-8", "backslashreplace").decode()
        # As JSON has it: a control character is six bytes there.
        self._left -= len(orjson.dumps(text)) - 2
        return text

    def _cut(self, text: str) -> str:
        self._left -= len(text)
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
