"""A JSON line for a person at a terminal: time, level in its colour, message, keys."""

from __future__ import annotations

import json
import re
from typing import Final

from lambdalog.printable import printable

_COLOURS: Final = {"DEBUG": "2", "INFO": "32", "WARN": "33", "ERROR": "31", "FATAL": "1;31"}
_COLOUR: Final = re.compile("\x1b\\[[0-9;]*m")
_QUIET: Final = frozenset(
    {"timestamp", "level", "message", "requestId", "function", "version", "coldStart", "failure"}
)


def pretty(line: bytes) -> str:
    """One rendered line, coloured; nothing in it acts on the terminal."""
    record = json.loads(line)
    level = str(record.get("level", ""))
    keys = "".join(
        f" \x1b[36m{printable(key)}\x1b[0m={printable(value if isinstance(value, str) else json.dumps(value))}"
        for key, value in record.items()
        if key not in _QUIET
    )
    parts = [
        f"\x1b[2m{printable(str(record.get('timestamp', '')))[11:23]}\x1b[0m",
        f"\x1b[{_COLOURS.get(level, '0')}m{printable(level):<5}\x1b[0m",
        f"\x1b[1m{printable(str(record.get('message', '')))}\x1b[0m{keys}",
    ]
    failure = record.get("failure")
    if isinstance(failure, dict):
        parts[-1] += "".join(
            f"\n    \x1b[2m{printable(str(frame.get('file')))}:{frame.get('line')}\x1b[0m in {printable(str(frame.get('function')))}"
            for frame in failure.get("frames", [])
        )
    return " ".join(parts)


def plain(line: bytes) -> str:
    """The same without colours: no escape in it is the line's own."""
    return _COLOUR.sub("", pretty(line))
