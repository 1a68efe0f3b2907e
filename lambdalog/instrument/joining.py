"""Lines that others write — standard logging's, structlog's — join the function's stream, each of them once."""

from __future__ import annotations

import logging
import sys
from time import time_ns
from typing import TYPE_CHECKING, Any, Final

from lambdalog.instrument.invocation import CURRENT
from lambdalog.instrument.levels import platform_threshold, word
from lambdalog.instrument.line import interpolated, safe, stamp
from lambdalog.instrument.output import STDOUT
from lambdalog.instrument.render import render
from lambdalog.instrument.standard import STANDARD

if TYPE_CHECKING:
    from lambdalog.instrument.invocation import Invocation
    from lambdalog.instrument.output import Output

# What the runtime client puts on the root logger: it would write the same line a second time.
_RUNTIMES: Final = frozenset({"LambdaLoggerHandler", "LambdaLoggerHandlerWithFrameType"})


class Joined(logging.Handler):
    """Standard logging's records as lines like the others."""

    def __init__(self, output: Output = STDOUT) -> None:
        super().__init__()
        self._output = output
        # The module that was told to write here, once it was there.
        self.structlog: Any = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record. Never raises: what is wrong with a record is said in its line."""
        running = CURRENT.current()
        try:
            line = _line(record, running)
        except Exception as own:  # noqa: BLE001 - a record is anybody's object
            line = {
                "timestamp": stamp(time_ns()),
                "level": word(record.levelno),
                "message": record.msg,
                "lambdalogError": type(own).__name__,
            }
        raw = render(line)
        if not _written(record):
            self._output.write(raw)
        # What the way to the store says of itself doesn't go that way.
        if running is not None and running.listen is not None and not record.name.startswith("lambdalog."):
            try:
                running.listen(raw)
            except Exception:  # noqa: BLE001 - whoever listens is not the function's business
                self._output.unheard()


def _written(record: logging.LogRecord) -> bool:
    """Whether a logger on the record's way here wrote it to the console by a handler of its own, as Powertools' do."""
    found: Any = logging.root.manager.loggerDict.get(record.name)
    while isinstance(found, logging.Logger) and found is not logging.root:
        for own in found.handlers:
            # What its filters keep back would be nobody's.
            if record.levelno >= own.level and not own.filters and _console(own):
                return True
        found = found.parent
    return False


def _line(record: logging.LogRecord, running: Invocation | None) -> dict[str, Any]:
    message: object = record.msg
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001 - a format that doesn't fit still is a line
        message = interpolated(record.msg, record.args if isinstance(record.args, tuple) else (record.args,))
    line: dict[str, Any] = {
        "timestamp": stamp(int(record.created * 1_000_000) * 1000),
        "level": word(record.levelno),
        "message": message,
    }
    if running is not None:
        line.update(running.fields)
    line.update(CURRENT.block() or {})
    line["logger"] = record.name
    more = {name: value for name, value in record.__dict__.items() if name not in STANDARD}
    if more:
        line.update(safe(more))
    if record.stack_info:
        line["stack"] = record.stack_info
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        from lambdalog.instrument.capture import tell

        line.update(tell(error))
    return line


def join(root: logging.Logger | None = None) -> None:
    """Make standard logging, and structlog where it is loaded, write to the function's stream. Again does nothing.

    The runtime client's own handler, and a plain one to the console as basicConfig() makes, give way: their output
    lands in the same stream. Others (pytest's caplog, a file) stay. Levels stay as they are.
    """
    root = logging.root if root is None else root
    # Asked before each invocation: a library may have put the root logger in order anew, or have loaded structlog.
    for joined in root.handlers:
        if type(joined) is Joined:
            break
    else:
        for found in list(root.handlers):
            if type(found).__name__ in _RUNTIMES or _console(found):
                root.removeHandler(found)
        joined = Joined()
        # Where Lambda has a level of its own, it has set the root logger's by it; a library's may be lower.
        joined.setLevel(platform_threshold())
        root.addHandler(joined)
    structlog = sys.modules.get("structlog")
    if structlog is not joined.structlog:
        joined.structlog = structlog
        from lambdalog.instrument.structlogs import configure

        configure()


def _console(found: logging.Handler) -> bool:
    return type(found) is logging.StreamHandler and found.stream in {
        sys.stdout,
        sys.stderr,
        sys.__stdout__,
        sys.__stderr__,
    }
