"""Under pytest: a logger's lines as standard logging's records, for `caplog`, which hears those alone."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import orjson

from lambdalog.instrument.levels import level_number
from lambdalog.instrument.standard import STANDARD

if TYPE_CHECKING:
    from types import FrameType


def hand_over(raw: bytes) -> None:
    """Give a line to pytest's handlers: its message, its level, its keys as the record's attributes.

    Its logger's name is the key "logger", else "lambdalog"; its place is where it was logged.
    """
    listening = [found for found in logging.root.handlers if type(found).__module__ == "_pytest.logging"]
    if not listening:
        return
    line: dict[str, Any] = orjson.loads(raw)
    level, message = line.pop("level"), line.pop("message")
    record = logging.makeLogRecord(
        {name if name not in STANDARD else f"{name}_": value for name, value in line.items()}
    )
    record.name, record.msg = str(line.get("logger", "lambdalog")), message
    record.levelno = level_number(level)
    record.levelname = logging.getLevelName(record.levelno)
    frame = _caller(sys._getframe(1))  # noqa: SLF001 - as standard logging finds its caller
    if frame is not None:
        record.pathname, record.lineno = frame.f_code.co_filename, frame.f_lineno
        record.filename = record.pathname.rpartition("/")[2]
        record.funcName = frame.f_code.co_name
    for found in listening:
        if record.levelno >= found.level:
            found.handle(record)


def _caller(frame: FrameType | None) -> FrameType | None:
    """The innermost frame that isn't ours."""
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("lambdalog."):
        frame = frame.f_back
    return frame
