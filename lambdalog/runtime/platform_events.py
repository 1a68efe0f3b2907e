"""What Lambda itself tells of a function: events for the Telemetry API, and their form in the log, text or JSON.

Names and records are those of the Telemetry API's schema 2022-12-13; which level an event has, and so whether a
SystemLogLevel shows it, is the table of "System log level event mapping" in the Lambda developer guide. `platform_text` words their form in a text log.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lambdalog.level import DEBUG, INFO, WARN
from lambdalog.runtime import platform_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lambdalog.runtime.platform_text import Report

# Where AWS keeps runtimes; the hash of this one says that it is none of AWS's.
_RUNTIME_ARN: Final = "arn:aws:lambda:{region}::runtime:" + "0" * 64


class PlatformEvent(NamedTuple):
    """One event: its type (`platform.start`, …), what makes its record, the level at which it shows, its form in a text log."""

    type: str
    make: Callable[[], dict[str, Any]]
    level: int
    text: str | None

    @property
    def record(self) -> dict[str, Any]:
        """What a text log has no use for, and is made where it is asked for alone."""
        return self.make()

    def as_json(self, now: float) -> dict[str, Any]:
        """The event as the Telemetry API delivers it, and as a JSON log holds it."""
        return {"time": platform_text.iso(now), "type": self.type, "record": self.record}


def line(event: PlatformEvent, *, now: float, level: int) -> str | None:
    """The event's line in a log of JSON; None below its level. A log of text knows no level, and has the event's `text`."""
    if event.level < level:
        return None
    return json.dumps(event.as_json(now), separators=(",", ":"))


def init_start(*, name: str, version: str, runtime_version: str, region: str, phase: str) -> PlatformEvent:
    """An environment begins to start its runtime; `phase` is init, or invoke where an invocation waits for it."""
    arn = _RUNTIME_ARN.format(region=region)
    record = {
        "initializationType": "on-demand",
        "phase": phase,
        "runtimeVersion": runtime_version,
        "runtimeVersionArn": arn,
        "functionName": name,
        "functionVersion": version,
    }
    text = platform_text.init_start(runtime_version, arn)
    return PlatformEvent("platform.initStart", lambda: record, INFO, text)


def init_runtime_done(*, phase: str, status: str, error_type: str | None = None) -> PlatformEvent:
    """The runtime has started, or failed to."""
    record = {"initializationType": "on-demand", "phase": phase, "status": status} | _error(error_type)
    level = DEBUG if status == "success" else WARN
    return PlatformEvent("platform.initRuntimeDone", lambda: record, level, None)


def init_report(init_ms: float, *, phase: str, status: str, error_type: str | None = None) -> PlatformEvent:
    """How the init phase went; a text log tells only of one that failed."""
    record = {
        "initializationType": "on-demand",
        "phase": phase,
        "status": status,
        "metrics": {"durationMs": _round(init_ms)},
    } | _error(error_type)
    text = None
    if status != "success":
        text = platform_text.init_report(init_ms, status, error_type, phase=phase)
    level = DEBUG if status == "success" else WARN
    return PlatformEvent("platform.initReport", lambda: record, level, text)


def start(request_id: str, version: str) -> PlatformEvent:
    """An invocation begins."""
    return PlatformEvent(
        "platform.start",
        lambda: {"requestId": request_id, "version": version},
        INFO,
        platform_text.start(request_id, version),
    )


def runtime_done(
    request_id: str, *, status: str, duration_ms: float, produced: int, error_type: str | None = None
) -> PlatformEvent:
    """The runtime is done with an invocation: the END line."""

    def record() -> dict[str, Any]:
        metrics = {"durationMs": _round(duration_ms), "producedBytes": produced}
        return {"requestId": request_id, "status": status} | _error(error_type) | {"metrics": metrics}

    return PlatformEvent(
        "platform.runtimeDone",
        record,
        DEBUG if status == "success" else WARN,
        platform_text.end(request_id),
    )


def report(took: Report, *, shown: bool = True) -> PlatformEvent:
    """What the invocation took. `shown`: a text log names the status, which it does of timeouts and ends of the runtime."""
    level = INFO if (took.status or "success") == "success" else WARN
    text = platform_text.report(took, shown=shown)
    return PlatformEvent("platform.report", lambda: _reported(took), level, text)


def _reported(took: Report) -> dict[str, Any]:
    metrics: dict[str, Any] = {
        "durationMs": _round(took.duration_ms),
        "billedDurationMs": took.billed_ms,
        "memorySizeMB": took.memory_mb,
        "maxMemoryUsedMB": took.max_memory_mb,
    }
    if took.init_ms is not None:
        metrics["initDurationMs"] = _round(took.init_ms)
    record = {"requestId": took.request_id, "metrics": metrics, "status": took.status or "success"}
    record |= _error(took.error_type)
    if (sampled := took.sampled) is not None:
        segment = platform_text.trace_fields(sampled)[1]
        record["tracing"] = {"spanId": segment, "type": "X-Amzn-Trace-Id", "value": sampled}
    return record


def extension(name: str, events: Iterable[str], error_type: str | None = None) -> PlatformEvent:
    """An extension is ready, or has failed to be."""
    wanted = sorted(events)
    state = "Ready" if error_type is None else "InitError"
    record = {"name": name, "state": state, "events": wanted} | _error(error_type)
    text = platform_text.extension(name, wanted, state, error_type)
    return PlatformEvent("platform.extension", lambda: record, INFO if error_type is None else WARN, text)


def telemetry_subscription(name: str, types: Iterable[str]) -> PlatformEvent:
    """An extension has subscribed to telemetry."""
    wanted = list(types)
    record = {"name": name, "state": "Subscribed", "types": wanted}
    text = platform_text.telemetry(name, wanted)
    return PlatformEvent("platform.telemetrySubscription", lambda: record, INFO, text)


def logs_dropped(records: int, size: int, reason: str) -> PlatformEvent:
    """Telemetry that an extension could not be given."""
    record = {"reason": reason, "droppedRecords": records, "droppedBytes": size}
    return PlatformEvent("platform.logsDropped", lambda: record, WARN, None)


def _round(milliseconds: float) -> float:
    return round(milliseconds, 3)


def _error(error_type: str | None) -> dict[str, str]:
    return {} if error_type is None else {"errorType": error_type}
