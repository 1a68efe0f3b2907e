"""get_logger(): structlog underneath, JSON lines as Lambda's own tools read them."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import structlog
from structlog import BoundLoggerBase

from lambdalog.failure import from_exception
from lambdalog.instrument.invocation import CURRENT
from lambdalog.instrument.output import STDOUT, Output
from lambdalog.instrument.render import render

if TYPE_CHECKING:
    from collections.abc import MutableMapping

# The words that Lambda's own level filter knows.
LEVELS: Final = {
    "TRACE": 5,
    "DEBUG": 10,
    "INFO": 20,
    "WARN": 30,
    "WARNING": 30,
    "ERROR": 40,
    "FATAL": 50,
    "CRITICAL": 50,
}
_WORDS: Final = {"debug": "DEBUG", "info": "INFO", "warning": "WARN", "error": "ERROR", "critical": "FATAL"}
_OWN: Final = frozenset({"timestamp", "level", "message", "requestId", "function", "version", "coldStart"})


def threshold(argument: str | None = None) -> int:
    """The least level that is written: AWS_LAMBDA_LOG_LEVEL, else the argument, else LAMBDALOG_LEVEL, else INFO."""
    for text in (os.environ.get("AWS_LAMBDA_LOG_LEVEL"), argument, os.environ.get("LAMBDALOG_LEVEL")):
        if text and text.upper() in LEVELS:
            return LEVELS[text.upper()]
    return LEVELS["INFO"]


class Logger(BoundLoggerBase):
    """A structlog logger. A call takes a message and keys, and never raises."""

    def debug(self, message: object, /, *args: Any, **keys: Any) -> None:
        """Log at DEBUG."""
        self._say("debug", message, args, keys)

    def info(self, message: object, /, *args: Any, **keys: Any) -> None:
        """Log at INFO."""
        self._say("info", message, args, keys)

    def warning(self, message: object, /, *args: Any, **keys: Any) -> None:
        """Log at WARN."""
        self._say("warning", message, args, keys)

    warn = warning

    def error(self, message: object, /, *args: Any, **keys: Any) -> None:
        """Log at ERROR."""
        self._say("error", message, args, keys)

    def critical(self, message: object, /, *args: Any, **keys: Any) -> None:
        """Log at FATAL."""
        self._say("critical", message, args, keys)

    fatal = critical

    def exception(self, message: object, /, *args: Any, **keys: Any) -> None:
        """Log at ERROR with the exception that is handled now."""
        keys.setdefault("exc_info", True)
        self._say("error", message, args, keys)

    def bind_invocation(self, **keys: Any) -> None:
        """Add keys to every line of this invocation; they are gone with it."""
        CURRENT.bound |= keys

    def _say(self, method: str, message: object, args: tuple[Any, ...], keys: dict[str, Any]) -> None:
        try:
            if LEVELS[_WORDS[method]] < threshold(self._context.get("__level__")):
                return
            if args:
                message = _interpolated(message, args)
            event_dict: MutableMapping[str, Any] = {**self._context, **keys, "event": message}
            event_dict.pop("__level__", None)
            for processor in self._processors:
                found = processor(self._logger, method, event_dict)
                if isinstance(found, (bytes, str)):
                    self._logger.write(
                        found if isinstance(found, bytes) else found.encode("utf-8", "replace")
                    )
                    return
                event_dict = found  # type: ignore[assignment]
        except structlog.DropEvent:
            return
        except Exception as error:  # noqa: BLE001 - our own failure is told in the line, and stays out of the handler
            broken = {
                "level": "ERROR",
                "message": message,
                "lambdalogError": f"{type(error).__name__}: {error}",
                **keys,
            }
            STDOUT.write(render(broken))


def line(_: Any, method: str, event_dict: MutableMapping[str, Any]) -> bytes:
    """The last processor: the keys in their order, as JSON."""
    found: dict[str, Any] = {
        "timestamp": timestamp(),
        "level": _WORDS.get(method, "INFO"),
        "message": event_dict.pop("event"),
    }
    found |= CURRENT.keys
    found |= CURRENT.bound
    exc_info = event_dict.pop("exc_info", None)
    for key, value in event_dict.items():
        # A key of the user's never replaces what the line itself says.
        found[f"{key}_" if key in _OWN else key] = value
    error = _exception(exc_info)
    if error is not None:
        failure = from_exception(error)
        found |= {"errorType": failure.type, "errorMessage": failure.message, "failure": failure.record()}
    return render(found)


def get_logger(*, level: str | None = None, output: Output | None = None, **keys: Any) -> Logger:
    """A logger whose lines carry `keys`. `level` counts unless AWS_LAMBDA_LOG_LEVEL is set."""
    context = dict(keys)
    if level is not None:
        context["__level__"] = level
    return Logger(output or STDOUT, [line], context)


def timestamp() -> str:
    """Now, as RFC 3339 with milliseconds."""
    nanoseconds = time.time_ns()
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest // 1_000_000:03d}Z"


def _interpolated(message: object, args: tuple[Any, ...]) -> object:
    """`"%s items", 3` as standard logging has it; arguments that don't fit are said behind."""
    try:
        return str(message) % args
    except Exception:  # noqa: BLE001 - a wrong format string still is a line
        return f"{message} {args!r}"


def _exception(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple) and len(exc_info) == 3:
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None
