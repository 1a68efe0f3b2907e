"""What a function writes, cut into log events: lines of stdout and stderr, frames of the telemetry descriptor."""

from __future__ import annotations

import json
import os
import re
import struct
from typing import Final, NamedTuple

from lambdalog.level import DEBUG, ERROR, FATAL, INFO, WARN

# A type, a length, microseconds since the epoch, big-endian; then the text.
_FRAME: Final = struct.Struct(">IIQ")
_FRAME_TYPES: Final = range(0xA55A0002, 0xA55A001C)
# Even types are JSON, odd ones text; 2 and 3 bear no level, 6 and 7 are TRACE.
_FRAME_LEVELS: Final = {
    0xA55A0006: DEBUG,
    0xA55A000A: DEBUG,
    0xA55A000E: INFO,
    0xA55A0012: WARN,
    0xA55A0016: ERROR,
    0xA55A001A: FATAL,
}
# A line without end is cut, into what is one event each: those can be no larger than 1 MB.
LINE_MAX: Final = 999_900
_NAMES: Final = {
    "TRACE": DEBUG,
    "DEBUG": DEBUG,
    "INFO": INFO,
    "WARN": WARN,
    "WARNING": WARN,
    "ERROR": ERROR,
    "FATAL": FATAL,
    "CRITICAL": FATAL,
}
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")


class Written(NamedTuple):
    """One log event: epoch ms, text without its line break, and its level where its writer gave it one."""

    timestamp: int
    text: str
    level: int | None = None


class Lines:
    """A pipe of plain text: one event a line."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        # What has come, and isn't whole yet.
        self.rest = b""

    def feed(self, data: bytes, now_ms: int) -> list[Written]:
        """The whole lines after `data` has come."""
        *lines, self.rest = (self.rest + data).split(b"\n")
        while len(self.rest) > LINE_MAX:
            end = _boundary(self.rest, LINE_MAX)
            lines.append(self.rest[:end])
            self.rest = self.rest[end:]
        return [Written(now_ms, _text(line)) for line in lines if line.strip()]

    def finish(self, now_ms: int) -> list[Written]:
        """What is left without a line break, as an event of its own."""
        rest, self.rest = self.rest, b""
        return [Written(now_ms, _text(rest))] if rest.strip() else []


class Frames:
    """The telemetry descriptor: one event a frame, with its own time and level, its line breaks kept."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        # What has come, and isn't whole yet.
        self.rest = b""

    def feed(self, data: bytes, now_ms: int) -> list[Written]:
        """The whole frames after `data` has come; bytes that are no frame are given as text."""
        buffer = self.rest + data if self.rest else data
        position = 0
        found = []
        size = len(buffer)
        while size - position >= 16:
            kind, length, micros = _FRAME.unpack_from(buffer, position)
            if kind not in _FRAME_TYPES:
                found.append(Written(now_ms, _text(buffer[position:])))
                position = size
                break
            begin = position + 16
            if size - begin < length:
                break
            text = _text(buffer[begin : begin + length])
            if text:
                # A frame was written before it was read, whatever its writer's clock says.
                stamp = min(micros // 1000 or now_ms, now_ms)
                found.append(Written(stamp, text, _FRAME_LEVELS.get(kind & ~1)))
            position = begin + length
        self.rest = buffer[position:]
        return found

    def finish(self, now_ms: int) -> list[Written]:
        """A frame that never was completed, as far as it came."""
        rest, self.rest = self.rest[_FRAME.size :], b""
        return [Written(now_ms, _text(rest))] if rest.strip() else []


def drain(source: Lines | Frames, now_ms: int, limit: int = 4 * 1024 * 1024) -> tuple[list[Written], bool]:
    """Read until there is nothing more for now, or `limit` bytes; (events, whether the other end is closed)."""
    found: list[Written] = []
    taken = 0
    while taken < limit:
        try:
            data = os.read(source.fd, 262_144)
        except BlockingIOError:
            return found, False
        if not data:
            return found, True
        taken += len(data)
        found += source.feed(data, now_ms)
    return found, False


def application_level(written: Written) -> int:
    """The level by which Lambda filters an event of a JSON log: the frame's, or the one that a JSON line names.

    A line without a level, or whose time is not as RFC 3339 has it, counts as INFO (developer guide, "Log-level
    filtering"). Older clients call the key `log_level`.
    """
    if written.level is not None:
        return written.level
    if not written.text.startswith("{"):
        return INFO
    try:
        found = json.loads(written.text)
    except (ValueError, RecursionError):
        return INFO
    level = found.get("level", found.get("log_level"))
    if not isinstance(level, str) or not _RFC3339.fullmatch(str(found.get("timestamp", ""))):
        return INFO
    return _NAMES.get(level.upper(), INFO)


def _boundary(data: bytes, end: int) -> int:
    """Where to cut before `end` so that no character is torn; at `end` where there is no UTF-8."""
    for position in range(end, end - 4, -1):
        if data[position] & 0xC0 != 0x80:
            return position
    return end


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").rstrip("\n")
