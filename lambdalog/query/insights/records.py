"""A log event as a record of fields: those of every event, those of Lambda's own lines, and those of its JSON."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final

import orjson

from lambdalog.query.insights.values import Time

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.store import Event

MISSING: Final = object()
_EMPTY: Final[dict[str, Any]] = {}
# How deep a JSON fragment is looked into, and how many fields are listed of one event.
DEPTH_MAX: Final = 32
FIELDS_MAX: Final = 200

_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_REQUEST: Final = re.compile(rf"(?:RequestId: |\t|^)({_UUID})(?=\s|$)")
_TYPE: Final = re.compile(r"(START|END|REPORT|INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT)\b")
_REACH: Final = 400
_PLATFORM: Final = "platform."
_MEGABYTE: Final = 1_000_000


class Record:
    """What a query's commands see: an event (None behind `stats`), and the values that commands have made."""

    __slots__ = ("_doc", "event", "values")

    def __init__(self, event: Event | None, values: dict[str, Any]) -> None:
        self.event = event
        self.values = values
        self._doc: Any = None

    @property
    def doc(self) -> dict[str, Any]:
        """The message as JSON, or the first JSON object that stands in it; read once."""
        found = self._doc
        if found is None:
            found = self._doc = _EMPTY if self.event is None else document(self.event.message)
        return found  # type: ignore[no-any-return]

    def with_values(self, more: dict[str, Any]) -> Record:
        """The same event with more values."""
        other = Record(self.event, self.values | more)
        other._doc = self._doc
        return other


def getter(name: str) -> Callable[[Record], Any]:
    """What reads a field of records: a value made by a command, a field of every event, or one of its JSON."""
    builtin = _BUILTINS.get(name)
    if builtin is not None:

        def read_builtin(record: Record) -> Any:
            if record.values:
                value = record.values.get(name, MISSING)
                if value is not MISSING:
                    return value
            return None if record.event is None else builtin(record)

        return read_builtin
    path = "." in name

    def read(record: Record) -> Any:
        if record.values:
            value = record.values.get(name, MISSING)
            if value is not MISSING:
                return value
            if path:
                value = inside(record.values, name)
                if value is not None:
                    return value
        doc = record.doc
        value = doc.get(name)
        return inside(doc, name) if value is None and path else value

    return read


def plain_number(number: int) -> int | float | None:
    """A whole number as orjson reads it: beyond 64 bits it is a float, and what no float can be is nothing."""
    if -(2**63) <= number < 2**64:
        return number
    try:
        return float(number)
    except OverflowError:
        return None


def _whole(digits: str) -> int | float | None:
    return plain_number(int(digits)) if len(digits) < 32 else _fraction(digits)


def _fraction(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


# NaN and Infinity are no JSON, and nothing can be said of them.
_decoder: Final = json.JSONDecoder(parse_int=_whole, parse_float=_fraction, parse_constant=lambda _: None)


def inside(value: Any, name: str) -> Any:
    """`a.b.0`: a member of a member; a key may have dots itself."""
    if isinstance(value, dict):
        if name in value:
            return value[name]
        cut = name.find(".")
        while cut >= 0:
            head = name[:cut]
            if head in value:
                found = inside(value[head], name[cut + 1 :])
                if found is not None:
                    return found
            cut = name.find(".", cut + 1)
    elif isinstance(value, list):
        head, _, rest = name.partition(".")
        if head.isascii() and head.isdigit() and len(head) < 9 and int(head) < len(value):
            found = value[int(head)]
            return inside(found, rest) if rest else found
    return None


def document(message: str) -> dict[str, Any]:
    """A message as JSON, or the first JSON object that stands in it; empty without one."""
    begin = message.find("{")
    if begin < 0:
        return _EMPTY
    if begin == 0 and message.endswith(("}", "}\n")):
        try:
            found = orjson.loads(message)
        except (orjson.JSONDecodeError, TypeError):
            pass
        else:
            return found if isinstance(found, dict) else _EMPTY
    try:
        found, _ = _decoder.raw_decode(message, begin)
    except (ValueError, RecursionError):
        return _EMPTY
    return found if isinstance(found, dict) else _EMPTY


def names(record: Record) -> list[str]:
    """All of an event's fields: its own, and the leaves of its JSON, as paths."""
    found = [name for name in _BUILTINS if _BUILTINS[name](record) is not None]
    _leaves(record.doc, "", found, 0)
    return found[: FIELDS_MAX + len(_BUILTINS)]


def _leaves(value: Any, path: str, found: list[str], depth: int) -> None:
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        if len(found) > FIELDS_MAX + len(_BUILTINS):
            return
        name = f"{path}.{key}" if path else str(key)
        if isinstance(member, dict | list) and member and depth < DEPTH_MAX:
            _leaves(member, name, found, depth + 1)
        elif member is not None:
            found.append(name)


# --- Lambda's own fields


def _request_id(record: Record) -> str | None:
    assert record.event is not None
    found = _REQUEST.search(record.event.message, 0, _REACH)
    if found:
        return found.group(1)
    doc = record.doc
    for value in (
        doc.get("requestId"),
        _platform(record).get("requestId"),
        doc.get("AWSRequestId"),
        doc.get("function_request_id"),
        doc.get("request_id"),
    ):
        if isinstance(value, str):
            return value
    return None


def _platform(record: Record) -> dict[str, Any]:
    """What a platform event in JSON tells; empty for all others."""
    doc = record.doc
    if doc and isinstance(doc.get("type"), str) and doc["type"].startswith(_PLATFORM):
        found = doc.get("record")
        if isinstance(found, dict):
            return found
    return _EMPTY


def _type(record: Record) -> str | None:
    assert record.event is not None
    found = _TYPE.match(record.event.message)
    if found:
        return found.group(1)
    if _platform(record):
        name: str = record.doc["type"].removeprefix(_PLATFORM)
        return {"initStart": "INIT_START", "initReport": "INIT_REPORT"}.get(name, name.upper())
    return None


def _reported(label: str, key: str, factor: int) -> Callable[[Record], Any]:
    """A number of the REPORT line: `Billed Duration: 12 ms`, or of its JSON form."""
    pattern = re.compile(rf"(?:^|\t|\s){label}: ([\d.]+) (?:ms|MB)")

    def read(record: Record) -> Any:
        assert record.event is not None
        message = record.event.message
        if message.startswith("REPORT "):
            found = pattern.search(message)
            value: Any = None
            if found:
                try:
                    value = float(found.group(1))
                except ValueError:
                    return None
        else:
            metrics = _platform(record).get("metrics")
            value = metrics.get(key) if isinstance(metrics, dict) else None
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        value *= factor
        return int(value) if value == int(value) else value

    return read


def _labelled(label: str) -> Callable[[Record], Any]:
    pattern = re.compile(rf"{label}: (\S+)")

    def read(record: Record) -> Any:
        assert record.event is not None
        found = pattern.search(record.event.message) if record.event.message.startswith("REPORT ") else None
        return found.group(1) if found else None

    return read


def _of_event(read: Callable[[Event], Any]) -> Callable[[Record], Any]:
    def of(record: Record) -> Any:
        assert record.event is not None
        return read(record.event)

    return of


def pointer(event: Event) -> str:
    """`@ptr`: where the event is, for GetLogRecord."""
    from base64 import urlsafe_b64encode

    place = [event.timestamp, event.ingestion, event.segment, event.offset, event.group]
    return urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def pointed(text: str) -> tuple[str, tuple[int, int, str, int]]:
    """(group, position) of a pointer; ValueError if it is none."""
    from base64 import urlsafe_b64decode

    try:
        timestamp, ingestion, segment, offset, group = orjson.loads(
            urlsafe_b64decode(text + "=" * (-len(text) % 4))
        )
    except (ValueError, TypeError) as error:
        raise ValueError("not a pointer") from error
    if not (isinstance(segment, str) and isinstance(group, str)) or not all(
        type(number) is int for number in (timestamp, ingestion, offset)
    ):
        raise ValueError("not a pointer")
    return group, (timestamp, ingestion, segment, offset)


_BUILTINS: Final[dict[str, Callable[[Record], Any]]] = {
    "@timestamp": _of_event(lambda event: Time(event.timestamp)),
    "@ingestionTime": _of_event(lambda event: Time(event.ingestion)),
    "@message": _of_event(lambda event: event.message),
    "@logStream": _of_event(lambda event: event.stream),
    "@log": _of_event(lambda event: event.group),
    "@ptr": _of_event(pointer),
    "@requestId": _request_id,
    "@type": _type,
    "@duration": _reported("Duration", "durationMs", 1),
    "@billedDuration": _reported("Billed Duration", "billedDurationMs", 1),
    "@initDuration": _reported("Init Duration", "initDurationMs", 1),
    "@memorySize": _reported("Memory Size", "memorySizeMB", _MEGABYTE),
    "@maxMemoryUsed": _reported("Max Memory Used", "maxMemoryUsedMB", _MEGABYTE),
    "@xrayTraceId": _labelled("XRAY TraceId"),
    "@xraySegmentId": _labelled("SegmentId"),
}
