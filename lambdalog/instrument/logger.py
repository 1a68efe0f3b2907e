"""get_logger(): a logger with structlog's methods, whose lines are JSON as Lambda's own tools read it.

It speaks structlog's protocol (`bind`, `unbind`, `new`, processors that take a logger, a method's name and the event
dict) without importing it: structlog brings asyncio, and rich where that is installed, into every cold start. Where a
function imports structlog itself, `lambdalog.instrument.joining` makes its lines part of the same stream.
"""

from __future__ import annotations

import os
import sys
from time import time_ns
from typing import TYPE_CHECKING, Any, Self

from lambdalog.instrument.block import Block
from lambdalog.instrument.invocation import CURRENT
from lambdalog.instrument.levels import (
    DEBUG,
    ERROR,
    FATAL,
    INFO,
    WARN,
    WORDS,
    level_number,
    platform_threshold,
    threshold,
    word,
)
from lambdalog.instrument.line import SPECIAL, exception, interpolated, location, safe, stack, stamp
from lambdalog.instrument.output import STDOUT
from lambdalog.instrument.render import render
from lambdalog.instrument.rescue import rescued

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    from lambdalog.instrument.invocation import Invocation
    from lambdalog.instrument.output import Output

LOCATION_VARIABLE = "LAMBDALOG_LOCATION"


class Logger:
    """A logger. A call takes a message and keys, and never raises.

    Loggers are values: `bind`, `unbind`, `new` and `child` give another one. Arguments that standard logging's users
    know are understood: `%` arguments, exc_info, stack_info, extra, stacklevel.
    """

    __slots__ = (
        "_context",
        "_fields",
        "_level",
        "_location",
        "_output",
        "_platform_level",
        "_processors",
    )

    def __init__(
        self,
        context: Mapping[str, Any],
        *,
        level: int,
        output: Output = STDOUT,
        where: bool = False,
        processors: Sequence[Callable[..., Any]] = (),
        platform_level: int = 0,
    ) -> None:
        self._context = dict(context)
        self._fields = safe(context)
        self._level = level
        self._output = output
        self._location = where
        self._processors = list(processors)
        self._platform_level = platform_level

    # --- saying. A call right below Python's recursion limit has no room to write: its line is counted as lost.

    def debug(self, message: object = None, /, *args: Any, **keys: Any) -> None:
        """Log at DEBUG."""
        try:
            if self._level <= DEBUG or self._kept(DEBUG, message, args, keys):
                self._say(DEBUG, message, args, keys)
        except RecursionError:
            self._output.lost += 1

    def info(self, message: object = None, /, *args: Any, **keys: Any) -> None:
        """Log at INFO."""
        try:
            if self._level <= INFO or self._kept(INFO, message, args, keys):
                self._say(INFO, message, args, keys)
        except RecursionError:
            self._output.lost += 1

    def warning(self, message: object = None, /, *args: Any, **keys: Any) -> None:
        """Log at WARN."""
        try:
            if self._level <= WARN or self._kept(WARN, message, args, keys):
                self._say(WARN, message, args, keys)
        except RecursionError:
            self._output.lost += 1

    def error(self, message: object = None, /, *args: Any, **keys: Any) -> None:
        """Log at ERROR."""
        try:
            if self._level <= ERROR or self._kept(ERROR, message, args, keys):
                self._say(ERROR, message, args, keys)
        except RecursionError:
            self._output.lost += 1

    def critical(self, message: object = None, /, *args: Any, **keys: Any) -> None:
        """Log at FATAL."""
        try:
            if self._level <= FATAL or self._kept(FATAL, message, args, keys):
                self._say(FATAL, message, args, keys)
        except RecursionError:
            self._output.lost += 1

    def exception(self, message: object = None, /, *args: Any, **keys: Any) -> None:
        """Log at ERROR with the exception that is handled now."""
        try:
            keys.setdefault("exc_info", True)
            if self._level <= ERROR or self._kept(ERROR, message, args, keys):
                self._say(ERROR, message, args, keys)
        except RecursionError:
            self._output.lost += 1

    def log(self, level: int | str, message: object = None, /, *args: Any, **keys: Any) -> None:
        """Log at a level given by its number, as standard logging has them, or its word."""
        try:
            found = level_number(level)
            if self._level <= found or self._kept(found, message, args, keys):
                self._say(found, message, args, keys)
        except RecursionError:
            self._output.lost += 1

    warn = warning
    err = error
    fatal = critical
    msg = info

    # structlog's names for the same in coroutines. Writing a line takes no waiting.

    async def adebug(self, message: object = None, /, *args: Any, **keys: Any) -> None:
        """Log at DEBUG, in a coroutine."""
        self.debug(message, *args, **keys)

    async def ainfo(self, message: object = None, /, *args: Any, **keys: Any) -> None:
        """Log at INFO, in a coroutine."""
        self.info(message, *args, **keys)

    async def awarning(self, message: object = None, /, *args: Any, **keys: Any) -> None:
        """Log at WARN, in a coroutine."""
        self.warning(message, *args, **keys)

    async def aerror(self, message: object = None, /, *args: Any, **keys: Any) -> None:
        """Log at ERROR, in a coroutine."""
        self.error(message, *args, **keys)

    async def acritical(self, message: object = None, /, *args: Any, **keys: Any) -> None:
        """Log at FATAL, in a coroutine."""
        self.critical(message, *args, **keys)

    async def aexception(self, message: object = None, /, *args: Any, **keys: Any) -> None:
        """Log at ERROR with the exception that is handled now, in a coroutine."""
        keys.setdefault("exc_info", sys.exc_info()[1])
        self.error(message, *args, **keys)

    async def alog(self, level: int | str, message: object = None, /, *args: Any, **keys: Any) -> None:
        """Log at a level given by its number or its word, in a coroutine."""
        self.log(level, message, *args, **keys)

    awarn = awarning
    afatal = acritical
    amsg = ainfo

    def is_enabled_for(self, level: int) -> bool:
        """Whether a line of this level is written now."""
        running = CURRENT.current()
        return level >= self._level or (running is not None and level >= running.floor)

    def get_effective_level(self) -> int:
        """The least level that is written outside of a sampled invocation."""
        return self._level

    # --- keys

    def bind(self, /, **keys: Any) -> Self:
        """A logger with more keys."""
        return self._like({**self._context, **keys})

    def unbind(self, *names: str) -> Self:
        """A logger without these keys. KeyError for one that isn't bound."""
        context = dict(self._context)
        for name in names:
            del context[name]
        return self._like(context)

    def try_unbind(self, *names: str) -> Self:
        """A logger without these keys, bound or not."""
        return self._like({name: value for name, value in self._context.items() if name not in names})

    def new(self, /, **keys: Any) -> Self:
        """A logger with these keys alone."""
        return self._like(keys)

    def child(self, name: str, /, **keys: Any) -> Self:
        """A logger of a part of the program: its lines say `"logger": "orders.payments"`."""
        parent = self._context.get("logger")
        return self.bind(logger=f"{parent}.{name}" if parent else name, **keys)

    def bind_invocation(self, /, **keys: Any) -> None:
        """Add keys to every line of this invocation, whoever logs it, in all its threads; they are gone with it.

        Outside of an invocation this does nothing.
        """
        running = CURRENT.current()
        if running is not None:
            running.bind(safe(keys))

    def block(self, /, **keys: Any) -> Block:
        """Keys for a `with` block; afterwards those they shadowed have their values again."""
        return Block(safe(keys))

    def _like(self, context: Mapping[str, Any]) -> Self:
        return type(self)(
            context,
            level=self._level,
            output=self._output,
            where=self._location,
            processors=self._processors,
            platform_level=self._platform_level,
        )

    # --- the line

    def _kept(self, number: int, message: object, args: tuple[Any, ...], keys: dict[str, Any]) -> bool:
        """Whether a line below the threshold is to be written after all; else the invocation's ring may keep it."""
        running = CURRENT.current()
        if running is None:
            return False
        if number >= running.floor:
            return True
        if running.ring is not None:
            try:
                raw = self._ringed(number, message, args, keys, running)
                if raw is not None:
                    running.ring.add(raw)
            except Exception as error:  # noqa: BLE001 - as for lines that are written
                running.ring.add(rescued(number, message, keys, error))
        return False

    def _ringed(
        self, number: int, message: object, args: tuple[Any, ...], keys: dict[str, Any], running: Invocation
    ) -> bytes | None:
        frame = sys._getframe(3) if self._location else None  # noqa: SLF001 - the cheap way to the caller
        found = self._line(number, message, args, keys, running, frame)
        if found is None:
            return None
        if number < self._platform_level:
            # Lambda throws away what is below its own level: told with the failure, or not at all.
            found = {**found, "level": word(self._platform_level), "loggedAt": word(number)}
        return render(found)

    def _say(self, number: int, message: object, args: tuple[Any, ...], keys: dict[str, Any]) -> None:
        running = None
        try:
            running = CURRENT.current()
            frame = sys._getframe(2) if self._location else None  # noqa: SLF001 - see above
            found = self._line(number, message, args, keys, running, frame)
            if found is None:
                return
            raw = render(found)
        except Exception as error:  # noqa: BLE001 - our own failure is told in the line, and stays out of the handler
            raw = rescued(number, message, keys, error)
        self.put(raw, running)

    def tell(self, number: int, message: str, keys: dict[str, Any], running: Invocation) -> None:
        """A line of this package's own about an invocation, whoever's thread this is."""
        line = {
            "timestamp": stamp(time_ns()),
            "level": word(number),
            "message": message,
            **running.fields,
            **self._fields,
            **keys,
        }
        self.put(render(line), running)

    def put(self, raw: bytes, running: Invocation | None) -> None:
        """Write a rendered line, and hand it to whoever listens to its invocation."""
        output = self._output
        output.write(raw)
        try:
            if running is not None and running.listen is not None and output is STDOUT:
                running.listen(raw)
            if output.heard is not None:
                output.heard(raw)
        except Exception:  # noqa: BLE001 - whoever listens is not the function's business
            output.unheard()

    def _line(
        self,
        number: int,
        message: object,
        args: tuple[Any, ...],
        keys: dict[str, Any],
        running: Invocation | None,
        frame: FrameType | None,
    ) -> dict[str, Any] | None:
        if args:
            message = interpolated(message, args)
        if self._processors:
            return self._processed(number, message, keys, running, frame)
        line = {"timestamp": stamp(time_ns()), "level": WORDS.get(number) or word(number), "message": message}
        if frame is not None:
            line["location"] = location(frame)
        if running is not None:
            line.update(running.fields)
        if self._fields:
            line.update(self._fields)
        block = CURRENT.block()
        if block is not None:
            line.update(block)
        if keys:
            if SPECIAL.isdisjoint(keys):
                line.update(keys)
            else:
                self._special(line, keys, frame)
        return line

    def _special(self, line: dict[str, Any], keys: dict[str, Any], frame: FrameType | None) -> None:
        """Keys with a meaning of their own."""
        keys = dict(keys)
        exc_info, stack_info = keys.pop("exc_info", None), keys.pop("stack_info", None)
        extra, level = keys.pop("extra", None), keys.pop("stacklevel", 1)
        if frame is not None and type(level) is int:
            while level > 1 and frame.f_back is not None:
                frame, level = frame.f_back, level - 1
            line["location"] = location(frame)
        if isinstance(extra, dict):
            keys = {**{str(name): value for name, value in extra.items()}, **keys}
        elif extra is not None:
            keys["extra"] = extra
        line.update(safe(keys))
        if stack_info:
            line["stack"] = stack(frame or sys._getframe(4))  # noqa: SLF001 - see above
        error = exception(exc_info)
        if error is not None:
            from lambdalog.instrument.capture import tell

            line.update(tell(error))

    def _processed(
        self,
        number: int,
        message: object,
        keys: dict[str, Any],
        running: Invocation | None,
        frame: FrameType | None,
    ) -> dict[str, Any] | None:
        """The line after the user's processors, which see it as structlog's do: `event` is the message.

        None if one of them dropped it.
        """
        event_dict: Any = {**self._context, **(CURRENT.block() or {}), **keys, "event": message}
        name = (
            (WORDS.get(number) or word(number))
            .lower()
            .replace("warn", "warning")
            .replace("fatal", "critical")
        )
        for processor in self._processors:
            try:
                event_dict = processor(self, name, event_dict)
            except BaseException as error:
                # structlog's way to say that no line is wanted; it isn't imported here to be named.
                if type(error).__name__ == "DropEvent":
                    return None
                raise
        if not isinstance(event_dict, dict):
            # Rendered by the last of them, as structlog's own renderers do: that text is the message.
            event_dict = {"event": event_dict}
        event = event_dict.pop("event", message)
        for own in ("level", "timestamp"):
            # structlog's usual processors add what each line here has anyway.
            if own not in keys and own not in self._context:
                event_dict.pop(own, None)
        bare = self.new()
        bare._processors = []  # noqa: SLF001 - one of our own
        return bare._line(number, event, (), event_dict, running, frame)  # noqa: SLF001 - see above


def get_logger(
    name: str | None = None,
    /,
    *,
    level: str | int | None = None,
    location: bool | None = None,
    processors: Sequence[Callable[..., Any]] = (),
    output: Output | None = None,
    **keys: Any,
) -> Logger:
    """A logger whose lines carry `keys`, and `name` as "logger".

    `level` counts unless AWS_LAMBDA_LOG_LEVEL is set. `location` adds file, function and line (default:
    LAMBDALOG_LOCATION=1). `processors` are structlog's: each takes (logger, method name, event dict) and gives the dict.
    """
    if name is not None:
        keys = {"logger": name, **keys}
    return Logger(
        keys,
        level=threshold(level),
        output=output or STDOUT,
        where=os.environ.get(LOCATION_VARIABLE, "") not in {"", "0"} if location is None else location,
        processors=processors,
        platform_level=platform_threshold(),
    )
