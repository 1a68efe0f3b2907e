"""A line as text for a terminal, a file, or another program."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lambdalog.level import DEBUG, ERROR, FATAL, INFO, WARN, level_of
from lambdalog.printable import printable

if TYPE_CHECKING:
    from lambdalog.platform_line import PlatformLine
    from lambdalog.tail.line import Line

_COLOURS: Final = {DEBUG: "2", INFO: "32", WARN: "33", ERROR: "31", FATAL: "1;31"}
_GROUPS: Final = ("36", "35", "34", "96", "95", "94")


def as_text(line: Line, *, colour: bool = False) -> str:
    """Local time, group and message on one line, coloured by level; nothing in it acts on a terminal."""
    return _text(line, _flat(line.message), level_of(line.message) if colour else None, colour=colour)


def as_json(line: Line) -> str:
    """The line as a JSON object; the message stays as it is, escaped."""
    return json.dumps(_record(line))


class Shown(NamedTuple):
    """A line to show, and why.

    `invocation`: it stands for that invocation's platform lines, and this is what they say. `matched` False: it only stands near one that was asked
    for; None: nobody asked for such. `gap`: lines of its stream were left out before it.
    """

    line: Line
    invocation: PlatformLine | None = None
    matched: bool | None = None
    gap: bool = False

    def text(self, *, colour: bool = False) -> str:
        """As `as_text`; what only stands near is dim."""
        if self.invocation is None:
            message, level = _flat(self.line.message), level_of(self.line.message)
        else:
            message, level = _flat(summary(self.invocation)), ERROR if self.invocation.failed else None
        return _text(self.line, message, level, colour=colour, dim=self.matched is False)

    def pretty(self, *, colour: bool = False) -> str:
        """As `text`, of a JSON line only what it says: level, message and keys; a failure's stack, and other lines, below."""
        if self.invocation is not None:
            return self.text(colour=colour)
        from lambdalog.instrument.pretty import for_people

        near = self.matched is False
        first, *rest = for_people(self.line.message, colour=colour and not near, mixed=True)
        level = level_of(self.line.message) if colour and "\x1b" not in first else None
        return "\n".join([_text(self.line, first, level, colour=colour, dim=near), *rest])

    def json(self) -> str:
        """As `as_json`, with `invocation` and `match` where there are such."""
        record = _record(self.line)
        if self.matched is not None:
            record["match"] = self.matched
        if self.invocation is not None:
            said = self.invocation._asdict().items()
            record["invocation"] = {
                name: value for name, value in said if name != "kind" and value is not None
            }
        return json.dumps(record)

    def raw(self) -> str:
        """The message alone, as it was logged."""
        return self.line.message.rstrip("\n") if self.invocation is None else summary(self.invocation)


def summary(said: PlatformLine) -> str:
    """An invocation on one line: `invocation ID: 12.30 ms, billed 13 ms, 61 of 128 MB, cold start 230.10 ms`."""
    parts = []
    if said.duration_ms is not None:
        parts.append(f"{said.duration_ms:.2f} ms")
    if said.billed_ms is not None:
        parts.append(f"billed {said.billed_ms:.0f} ms")
    if said.max_memory_mb is not None:
        parts.append(f"{said.max_memory_mb} of {said.memory_mb} MB")
    if said.init_ms is not None:
        parts.append(f"cold start {said.init_ms:.2f} ms")
    if said.restore_ms is not None:
        parts.append(f"restored in {said.restore_ms:.2f} ms")
    if said.version not in {None, "$LATEST"}:
        parts.append(f"version {said.version}")
    if said.failed:
        parts.append(f"{said.status} ({said.error_type})" if said.error_type else str(said.status))
    if said.duration_ms is None:
        parts.append("no report yet")
    return f"invocation {said.request_id}: {', '.join(parts)}"


def _flat(message: str) -> str:
    return printable(message.rstrip("\n").replace("\n", " ⏎ "))


def _text(line: Line, message: str, level: int | None, *, colour: bool, dim: bool = False) -> str:
    try:
        at = datetime.fromtimestamp(line.timestamp / 1000).astimezone()
        moment = at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    except (ValueError, OverflowError, OSError):
        moment = str(line.timestamp)  # no year that a calendar here has
    group = printable(line.group.removeprefix("/aws/lambda/"))
    if not colour:
        return f"{moment} {group} {message}"
    if dim:
        return f"\x1b[2m{moment} {group} {message}\x1b[0m"
    shade = _GROUPS[sum(map(ord, line.group)) % len(_GROUPS)]
    body = message if level is None else f"\x1b[{_COLOURS[level]}m{message}\x1b[0m"
    return f"\x1b[2m{moment}\x1b[0m \x1b[{shade}m{group}\x1b[0m {body}"


def _record(line: Line) -> dict[str, Any]:
    return {
        "timestamp": line.timestamp,
        "ingestionTime": line.ingestion,
        "logGroup": line.group,
        "logStream": line.stream,
        "message": line.message,
    }
