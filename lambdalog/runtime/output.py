"""What a function writes, cut into log events: lines of stdout and stderr, frames of the telemetry descriptor."""

from __future__ import annotations

import os
import struct
from typing import Final, NamedTuple

# A type, a length, microseconds since the epoch, big-endian; then the text.
_FRAME: Final = struct.Struct(">IIQ")
_FRAME_TYPES: Final = range(0xA55A0002, 0xA55A001C)
# A line without end is cut: one event can be no larger than 1 MB.
LINE_MAX: Final = 1_000_000


class Written(NamedTuple):
    """One log event: epoch ms, text without its line break."""

    timestamp: int
    text: str


class Lines:
    """A pipe of plain text: one event a line."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._rest = b""

    def feed(self, data: bytes, now_ms: int) -> list[Written]:
        """The whole lines after `data` has come."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        while len(self._rest) > LINE_MAX:
            lines.append(self._rest[:LINE_MAX])
            self._rest = self._rest[LINE_MAX:]
        return [Written(now_ms, _text(line)) for line in lines if line.strip()]

    def finish(self, now_ms: int) -> list[Written]:
        """What is left without a line break, as an event of its own."""
        rest, self._rest = self._rest, b""
        return [Written(now_ms, _text(rest))] if rest.strip() else []


class Frames:
    """The telemetry descriptor: one event a frame, with its own time, its line breaks kept."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._rest = b""

    def feed(self, data: bytes, now_ms: int) -> list[Written]:
        """The whole frames after `data` has come; bytes that are no frame are given as text."""
        buffer = self._rest + data
        position = 0
        found = []
        while len(buffer) - position >= _FRAME.size:
            kind, length, micros = _FRAME.unpack_from(buffer, position)
            if kind not in _FRAME_TYPES:
                found.append(Written(now_ms, _text(buffer[position:])))
                position = len(buffer)
                break
            if len(buffer) - position - _FRAME.size < length:
                break
            begin = position + _FRAME.size
            text = _text(buffer[begin : begin + length])
            if text:
                # A frame was written before it was read, whatever its writer's clock says.
                found.append(Written(min(micros // 1000 or now_ms, now_ms), text))
            position = begin + length
        self._rest = buffer[position:]
        return found

    def finish(self, now_ms: int) -> list[Written]:
        """A frame that never was completed, as far as it came."""
        rest, self._rest = self._rest[_FRAME.size :], b""
        return [Written(now_ms, _text(rest))] if rest.strip() else []


def drain(source: Lines | Frames, now_ms: int, limit: int = 4 * 1024 * 1024) -> tuple[list[Written], bool]:
    """Read until there is nothing more for now, or `limit` bytes; (events, whether the other end is closed)."""
    found: list[Written] = []
    taken = 0
    while taken < limit:
        try:
            data = os.read(source.fd, 65536)
        except BlockingIOError:
            return found, False
        if not data:
            return found, True
        taken += len(data)
        found += source.feed(data, now_ms)
    return found, False


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").rstrip("\n")
