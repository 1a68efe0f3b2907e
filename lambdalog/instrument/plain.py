"""A handler called in a plain process: it gets a context, and its lines go where Lambda's would, into the store.

Under pytest nothing is written to a store unless LAMBDALOG_STORE names one.
"""

from __future__ import annotations

import inspect
import logging
import os
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lambdalog.arn import Scope
from lambdalog.instrument.output import STDOUT
from lambdalog.settings import STORE_VARIABLE, function_name, region

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.cloud import Cloud
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

    def get_remaining_time_in_millis(self) -> int:
        """Until a timeout that nothing here enforces."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


class _Destination:
    """This process's stream in the store; one for all its invocations."""

    def __init__(self) -> None:
        self._cloud: Cloud | None = None
        self._shippers: dict[str, Shipper] = {}
        self.stream = ""

    def shipper(self, group: str) -> Shipper | None:
        """Where a group's lines go; None where nothing is to be written."""
        if "PYTEST_CURRENT_TEST" in os.environ and STORE_VARIABLE not in os.environ:
            return None
        if group not in self._shippers:
            import atexit

            from lambdalog.cloud import connect
            from lambdalog.runtime.sink import stream_name
            from lambdalog.shipper import Shipper

            if self._cloud is None:
                self._cloud = connect()
                atexit.register(self._cloud.close)
            self.stream = self.stream or stream_name(time.time(), "$LATEST")
            self._shippers[group] = Shipper(self._cloud.logs, group=group, stream=self.stream)
        return self._shippers[group]


_destination = _Destination()


def run(function: Callable[..., Any], event: Any, observe: Callable[[Any, Any], Any]) -> Any:
    """Call a handler as Lambda would: context, START, its lines, END, REPORT; into the store."""
    name = function_name(Path(inspect.getfile(function)))
    shipper = _try(lambda: _destination.shipper(f"/aws/lambda/{name}"))
    context = LocalContext(name, _destination.stream)
    if shipper is None:
        return observe(event, context)
    from lambdalog.runtime import platform_lines

    def listen(line: bytes) -> None:
        shipper.put(line.decode("utf-8", "replace"))

    if sys.stdout.isatty() and STDOUT.pretty is None:
        from lambdalog.instrument.pretty import pretty

        STDOUT.pretty = pretty
    shipper.put(platform_lines.start(context.aws_request_id, context.function_version))
    STDOUT.listeners.append(listen)
    began = time.perf_counter()
    try:
        return observe(event, context)
    finally:
        STDOUT.listeners.remove(listen)
        duration_ms = (time.perf_counter() - began) * 1000
        shipper.put(platform_lines.end(context.aws_request_id))
        shipper.put(
            platform_lines.report(
                context.aws_request_id,
                duration_ms=duration_ms,
                billed_ms=platform_lines.billed(duration_ms, None),
                memory_mb=int(context.memory_limit_in_mb),
                max_memory_mb=_peak_mb(),
            )
        )
        _try(shipper.flush)


def _peak_mb() -> int:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Bytes on macOS, kilobytes elsewhere.
    return max(1, peak // (1024 * 1024 if sys.platform == "darwin" else 1024))


def _try(work: Callable[[], Any]) -> Any:
    """What the store does must not become the function's failure; it is logged, once a call."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - see above
        logger.warning("the function's log could not be written: %s", error)
        return None
