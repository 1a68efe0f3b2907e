"""A handler called in a plain process: it gets a context, and its lines go where Lambda's would, into the store.

Under pytest nothing is written to a store unless LAMBDALOG_STORE names one.
"""

from __future__ import annotations

import inspect
import logging
import os
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lambdalog.arn import Scope
from lambdalog.instrument.capture import peak_mb
from lambdalog.settings import STORE_VARIABLE, function_name, region

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.instrument.invocation import Invocation
    from lambdalog.shipper import Shipper

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 900.0


class LocalContext:
    """The context object of a plain process: the attributes of Lambda's own."""

    def __init__(self, name: str, stream: str) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self.function_name = name
        self.function_version = "$LATEST"
        self.memory_limit_in_mb = "128"
        self.invoked_function_arn = Scope(region()).function(name)
        self.log_group_name = f"/aws/lambda/{name}"
        self.log_stream_name = stream
        self.client_context = None
        self.identity = None
        self._deadline = time.monotonic() + TIMEOUT_SECONDS

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(aws_request_id={self.aws_request_id}, function_name={self.function_name})"
        )

    def get_remaining_time_in_millis(self) -> int:
        """Until a timeout that nothing here enforces."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


# How long a handler's answer waits for its lines to be written.
FLUSH_SECONDS: Final = 2.0


class _Destination:
    """This process's stream in the store; one for all its invocations."""

    def __init__(self) -> None:
        self._shipper: Shipper | None = None
        self._unusable = False
        self.stream = ""

    def shipper(self) -> Shipper | None:
        """What takes the lines there; None where nothing is to be written, or where a ConfigError has told why not."""
        if "PYTEST_CURRENT_TEST" in os.environ and STORE_VARIABLE not in os.environ:
            return None
        if self._shipper is None and not self._unusable:
            import atexit

            from lambdalog.cloud import connect
            from lambdalog.errors import ConfigError

            try:
                cloud = connect()
                logs = cloud.logs
            except ConfigError:
                self._unusable = True  # nothing that this process does will change it
                raise
            from lambdalog.runtime.sink import stream_name
            from lambdalog.shipper import Shipper
            from lambdalog.shipper.destination import spool_of

            # Before the shipper's own exit is seen to: it is closed after that.
            atexit.register(cloud.close)
            self.stream = stream_name(time.time(), "$LATEST")
            self._shipper = Shipper(logs, stream=self.stream, spool=spool_of(cloud.target))
        return self._shipper


_destination = _Destination()


class PlainRun:
    """One call of a handler as Lambda would make it: context, START, its lines, END, REPORT; into the store."""

    def __init__(self, function: Callable[..., Any]) -> None:
        name = function_name(Path(_file(function)))
        self._group = f"/aws/lambda/{name}"
        self._shipper = _try(_destination.shipper)
        self.context = LocalContext(name, _destination.stream)
        self._began = 0.0

    def begin(self, invocation: Invocation) -> Callable[[], None] | None:
        """The invocation begins; what is to be called at its end."""
        if self._shipper is None:
            return None
        from lambdalog.runtime import platform_text

        self._put(platform_text.start(self.context.aws_request_id, self.context.function_version))
        invocation.listen = self._listen
        self._began = time.perf_counter()
        return self._end

    def _put(self, line: str) -> None:
        self._shipper.put(line, group=self._group)

    def _listen(self, line: bytes) -> None:
        from lambdalog.shipper.fleet import FLEET

        # What the way to the store says of itself doesn't go that way.
        if not FLEET.sends_here():
            self._put(line.decode("utf-8", "replace"))

    def _end(self) -> None:
        duration_ms = (time.perf_counter() - self._began) * 1000
        from lambdalog.runtime import platform_text

        self._put(platform_text.end(self.context.aws_request_id))
        took = platform_text.Report(
            self.context.aws_request_id,
            duration_ms=duration_ms,
            billed_ms=platform_text.billed(duration_ms, None),
            memory_mb=int(self.context.memory_limit_in_mb),
            max_memory_mb=peak_mb(),
        )
        self._put(platform_text.report(took))
        _try(lambda: self._shipper.flush(FLUSH_SECONDS))


def _file(function: Any) -> str:
    """The file of a function, or of a callable object's class."""
    try:
        return inspect.getfile(function if hasattr(function, "__code__") else type(function))
    except TypeError:
        return "function.py"


def _try(work: Callable[[], Any]) -> Any:
    """What the store does must not become the function's failure; it is logged, once a call."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - see above
        logger.warning("the function's log could not be written: %s", error)
        return None
