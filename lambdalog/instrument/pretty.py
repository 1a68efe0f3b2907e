"""A JSON line for a person at a terminal: time, level in its colour, message, keys; of a failure its stack and causes."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any, Final

from lambdalog.printable import printable

_COLOURS: Final = {"DEBUG": "2", "INFO": "32", "WARN": "33", "ERROR": "31", "FATAL": "1;31"}
_COLOUR: Final = re.compile("\x1b\\[[0-9;]*m")
_QUIET: Final = frozenset(
    {"timestamp", "level", "message", "requestId", "function", "version", "coldStart", "failure"}
)


def pretty(line: bytes) -> str:
    """One rendered line, coloured; nothing in it acts on the terminal."""
    return _shown(json.loads(line))


def for_people(message: str, *, colour: bool, mixed: bool = False) -> list[str]:
    """A log line of anybody's, as the lines to show: of a JSON line what it says, of others each line of theirs.

    `mixed`: among lines of other requests, each shown behind its time. A JSON line's own time is left out then, and a failure
    names its request.
    """
    record = None
    if message.startswith("{"):
        # A line of somebody else's may be none after all, or nest deeper than Python's JSON reads.
        with suppress(ValueError, RecursionError):
            record = json.loads(message)
    if isinstance(record, dict) and isinstance(record.get("message"), str) and "level" in record:
        with suppress(RecursionError):
            text = _shown(record, mixed=mixed)
            return (text if colour else _COLOUR.sub("", text)).split("\n")
    first, *rest = message.rstrip().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [printable(first), *(f"    {printable(text)}" for text in rest)]


def _shown(record: dict[str, Any], *, mixed: bool = False) -> str:
    level = str(record.get("level", ""))
    if record.get("message") == f"{record.get('errorType')}: {record.get('errorMessage')}":
        # A failure's own line has said it.
        record = {name: value for name, value in record.items() if name not in {"errorType", "errorMessage"}}
    keys = "".join(
        f" \x1b[36m{printable(key)}\x1b[0m={printable(value if isinstance(value, str) else json.dumps(value))}"
        for key, value in record.items()
        if key not in _QUIET or (key == "requestId" and mixed and "failure" in record)
    )
    parts = [f"\x1b[2m{printable(str(record.get('timestamp', '')))[11:23]}\x1b[0m"] if not mixed else []
    parts += [
        f"\x1b[{_COLOURS.get(level, '0')}m{printable(level):<5}\x1b[0m",
        f"\x1b[1m{printable(str(record.get('message', '')))}\x1b[0m{keys}",
    ]
    return " ".join(parts) + "".join(f"\n    {told}" for told in _told(record.get("failure")))


def _told(failure: Any) -> list[str]:
    """Where a failure was raised, what was noted of it, and what it came from."""
    if not isinstance(failure, dict):
        return []
    found = [
        f"\x1b[2m{_text(frame, 'file')}:{_text(frame, 'line')}\x1b[0m in {_text(frame, 'function')}"
        + (f": {_text(frame, 'code')}" if frame.get("code") else "")
        for frame in _items(failure, "frames")
    ]
    notes = failure.get("notes")
    if isinstance(notes, list):
        found += [f"\x1b[2mnote\x1b[0m {printable(str(note))}" for note in notes]
    for name, how in (("members", "of"), ("causes", "after")):
        for inner in _items(failure, name):
            found.append(f"\x1b[31m{how} {_text(inner, 'type')}: {_text(inner, 'message')}\x1b[0m")
            found += [f"  {told}" for told in _told(inner)]
    return found


def _items(record: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = record.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _text(record: dict[str, Any], name: str) -> str:
    return printable(str(record.get(name, "")))


def plain(line: bytes) -> str:
    """The same without colours: no escape in it is the line's own."""
    return _COLOUR.sub("", pretty(line))
