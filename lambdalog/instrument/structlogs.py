"""structlog's own loggers, where a function uses structlog: their lines are lines of the same stream.

Imported only when structlog is loaded already: it would cost every cold start asyncio, and rich where that is there.
"""

from __future__ import annotations

from typing import Any

import structlog

from lambdalog.instrument.logger import Logger, get_logger


def configure(*, force: bool = False) -> bool:
    """Make structlog write lines like the others; whether that was done.

    A configuration that the function made itself is left alone, unless `force`.
    """
    if structlog.is_configured() and not force:
        return False
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars],
        wrapper_class=Bound,
        logger_factory=lambda *args: get_logger(*(args if args and type(args[0]) is str else ())),
        context_class=dict,
        cache_logger_on_first_use=False,
    )
    return True


class Bound(Logger):
    """A Logger as structlog makes its loggers: of the one it wraps, the processors and the bound keys."""

    __slots__ = ("_logger",)

    def __init__(self, logger: Any, processors: Any = None, context: Any = None, **keys: Any) -> None:
        if isinstance(logger, Logger):
            super().__init__(
                {**logger._context, **(context or {})},  # noqa: SLF001 - one of our own
                level=logger._level,  # noqa: SLF001 - see above
                output=logger._output,  # noqa: SLF001 - see above
                where=logger._location,  # noqa: SLF001 - see above
                processors=processors or (),
                platform_level=logger._platform_level,  # noqa: SLF001 - see above
            )
        else:
            super().__init__(logger, processors=processors or (), **keys)
        self._logger = logger
