"""A line as text for a terminal, a file, or another program."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Final

from lambdalog.level import DEBUG, ERROR, FATAL, INFO, WARN, level_of
from lambdalog.printable import printable

if TYPE_CHECKING:
    from lambdalog.tail.source import Line

_COLOURS: Final = {DEBUG: "2", INFO: "32", WARN: "33", ERROR: "31", FATAL: "1;31"}
_GROUPS: Final = ("36", "35", "34", "96", "95", "94")


def as_text(line: Line, *, colour: bool = False) -> str:
    """Local time, group and message on one line, coloured by level; nothing in it acts on a terminal."""
    moment = datetime.fromtimestamp(line.timestamp / 1000).astimezone().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    group = printable(line.group.removeprefix("/aws/lambda/"))
    message = printable(line.message.rstrip("\n").replace("\n", " ⏎ "))
    if not colour:
        return f"{moment} {group} {message}"
    shade = _GROUPS[sum(map(ord, line.group)) % len(_GROUPS)]
    level = level_of(line.message)
    body = message if level is None else f"\x1b[{_COLOURS[level]}m{message}\x1b[0m"
    return f"\x1b[2m{moment}\x1b[0m \x1b[{shade}m{group}\x1b[0m {body}"


def as_json(line: Line) -> str:
    """The line as a JSON object; the message stays as it is, escaped."""
    return json.dumps(
        {
            "timestamp": line.timestamp,
            "ingestionTime": line.ingestion,
            "logGroup": line.group,
            "logStream": line.stream,
            "message": line.message,
        }
    )
