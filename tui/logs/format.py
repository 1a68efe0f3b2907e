"""One log event as spans of text, each with the name of its role: time, group, level, message, key, value, platform.

Pure, and only for the lines in view. Everything that came from outside passes `printable` here.
"""

from __future__ import annotations

import json
import time
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import orjson

from lambdalog import level as levels
from lambdalog.level import level_of
from lambdalog.printable import printable

if TYPE_CHECKING:
    from lambdalog.tail import Line

GROUP_WIDTH = 12
# Keys that the line says otherwise, or that only machines read.
_QUIET = frozenset(
    {"timestamp", "level", "message", "requestId", "function", "version", "coldStart", "logger", "failure"}
    | {"errorType", "errorMessage", "stackTrace", "location", "xray_trace_id", "traceId", "schema"}
)
_PLATFORM = (
    "START RequestId: ",
    "END RequestId: ",
    "REPORT RequestId: ",
    "INIT_START ",
    "INIT_REPORT ",
    "EXTENSION\t",
)
# A line on screen has some hundred columns; a megabyte of it is never laid out.
_REACH = 4000


class Span(NamedTuple):
    """A run of text in one role."""

    text: str
    role: str


@lru_cache(maxsize=64)
def _minute(minute: int, utc: bool) -> str:
    return time.strftime("%H:%M:", (time.gmtime if utc else time.localtime)(minute * 60))


def clock_text(timestamp: int, *, utc: bool = False) -> str:
    """Time of day, local or UTC, of an epoch time in ms: 14:03:59.123."""
    seconds, ms = divmod(timestamp, 1000)
    minute, second = divmod(seconds, 60)
    return f"{_minute(minute, utc)}{second:02d}.{ms:03d}"


def day_text(timestamp: int, *, utc: bool = False) -> str:
    """The day and time of an epoch time in ms: 2026-01-31 14:03:59."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", (time.gmtime if utc else time.localtime)(timestamp // 1000))
    except (OverflowError, OSError, ValueError):  # a time no calendar has
        return str(timestamp)


def short_group(group: str) -> str:
    """A group's name without what all functions' groups share."""
    return printable(group.removeprefix("/aws/lambda/"))


def _value(value: object) -> str:
    if isinstance(value, str):
        return value if value and " " not in value else json.dumps(value, ensure_ascii=False)
    return json_text(value)


def json_text(value: object) -> str:
    """A value as JSON in one line; what is nested deeper than JSON is written is told by its outermost bracket."""
    if isinstance(value, float):
        return repr(value)
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # it reads 1024 levels, and writes 254
        return "{…}" if isinstance(value, dict) else "[…]"


def parse(message: str) -> dict[str, object] | None:
    """The JSON object that a message is, or None."""
    if not message.startswith("{"):
        return None
    try:
        found = orjson.loads(message)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def message_spans(message: str) -> list[Span]:
    """The message: a JSON line as its text and `key=value` pairs, a platform line dimmed, else as it is."""
    record = parse(message)
    if record is None:
        text = printable(message[:_REACH].rstrip("\r\n").replace("\n", " ⏎ ").replace("\r", " ⏎ "))
        return [Span(text, "platform" if message.startswith(_PLATFORM) else "message")]
    if "message" not in record:
        kind = record.get("type")
        role = "platform" if isinstance(kind, str) and kind.startswith("platform.") else "message"
        return [Span(printable(message[:_REACH]), role)]
    said = record["message"]
    said = said if isinstance(said, str) else _value(said)
    spans = [Span(printable(said[:_REACH].replace("\n", " ⏎ ")), "message")]
    room = _REACH
    for name, value in record.items():
        if name in _QUIET:
            continue
        shown = printable(_value(value)[:room])
        spans += [Span(f"  {printable(name)}=", "key"), Span(shown, "value")]
        room -= len(shown)
        if room <= 0:
            break
    return spans


def level_role(message: str) -> str:
    """`fatal`, `error`, `warn`, `info`, `debug`, or `plain` where a message names no level."""
    found = level_of(message)
    return levels.NAMES[found].lower() if found is not None else "plain"


def line_spans(line: Line, *, utc: bool = False) -> list[Span]:
    """The whole line: time, group, level, message."""
    role = level_role(line.message)
    label = "" if role == "plain" else role.upper()
    group = short_group(line.group)
    if len(group) > GROUP_WIDTH:
        group = group[: GROUP_WIDTH - 1] + "…"
    return [
        Span(clock_text(line.timestamp, utc=utc), "time"),
        Span(f" {group:<{GROUP_WIDTH}} ", "group"),
        Span(f"{label:<5} ", role),
        *message_spans(line.message),
    ]
