"""What Lambda itself tells of a function: events for the Telemetry API, and their form in the log, text or JSON.

Names and records are those of the Telemetry API's schema 2022-12-13; which level an event has, and so whether a
SystemLogLevel shows it, is the table of "System log level event mapping" in the Lambda developer guide.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lambdalog.level import DEBUG, INFO, WARN

if TYPE_CHECKING:
    from collections.abc import Iterable

# Where AWS keeps runtimes; the hash of this one says that it is none of AWS's.
_RUNTIME_ARN: Final = "arn:aws:lambda:{region}::runtime:" + "0" * 64


class PlatformEvent(NamedTuple):
    """One event: its type (`platform.start`, …), its record, the level at which it shows, its form in a text log."""

    type: str
    record: dict[str, Any]
    level: int
    text: str | None

    def as_json(self, now: float) -> dict[str, Any]:
        """The event as the Telemetry API delivers it, and as a JSON log holds it."""
        return {"time": iso(now), "type": self.type, "record": self.record}


def iso(now: float) -> str:
    """A moment (epoch seconds) as Lambda writes it: `2026-01-02T03:04:05.678Z`."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line(event: PlatformEvent, *, now: float, json_format: bool, level: int) -> str | None:
    """The event's line in a log; None where it has none. Text logs know no level."""
    if not json_format:
        return event.text
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
    text = f"INIT_START Runtime Version: {runtime_version}\tRuntime Version ARN: {arn}\n"
    return PlatformEvent("platform.initStart", record, INFO, text)


def init_runtime_done(*, phase: str, status: str, error_type: str | None = None) -> PlatformEvent:
    """The runtime has started, or failed to."""
    record = {"initializationType": "on-demand", "phase": phase, "status": status} | _error(error_type)
    return PlatformEvent("platform.initRuntimeDone", record, DEBUG if status == "success" else WARN, None)


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
        text = f"INIT_REPORT Init Duration: {init_ms:.2f} ms\tPhase: {phase}\tStatus: {status}"
        text += f"\tError Type: {error_type}\n" if error_type is not None else "\n"
    return PlatformEvent("platform.initReport", record, DEBUG if status == "success" else WARN, text)


def start(request_id: str, version: str) -> PlatformEvent:
    """An invocation begins."""
    record = {"requestId": request_id, "version": version}
    return PlatformEvent(
        "platform.start", record, INFO, f"START RequestId: {request_id} Version: {version}\n"
    )


def runtime_done(
    request_id: str, *, status: str, duration_ms: float, produced: int, error_type: str | None = None
) -> PlatformEvent:
    """The runtime is done with an invocation: the END line."""
    record: dict[str, Any] = {"requestId": request_id, "status": status} | _error(error_type)
    record["metrics"] = {"durationMs": _round(duration_ms), "producedBytes": produced}
    return PlatformEvent(
        "platform.runtimeDone",
        record,
        DEBUG if status == "success" else WARN,
        f"END RequestId: {request_id}\n",
    )


def report(
    request_id: str,
    *,
    duration_ms: float,
    billed_ms: int,
    memory_mb: int,
    max_memory_mb: int,
    init_ms: float | None = None,
    status: str = "success",
    error_type: str | None = None,
    shown: bool = True,
    trace: str | None = None,
) -> PlatformEvent:
    """What the invocation took. `shown`: a text log names the status, which it does of timeouts and ends of the runtime.

    `trace` is the invocation's X-Amzn-Trace-Id, which is told of if it is sampled.
    """
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {duration_ms:.2f} ms",
        f"Billed Duration: {billed_ms} ms",
        f"Memory Size: {memory_mb} MB",
        f"Max Memory Used: {max_memory_mb} MB",
    ]
    metrics: dict[str, Any] = {
        "durationMs": _round(duration_ms),
        "billedDurationMs": billed_ms,
        "memorySizeMB": memory_mb,
        "maxMemoryUsedMB": max_memory_mb,
    }
    if init_ms is not None:
        parts.append(f"Init Duration: {init_ms:.2f} ms")
        metrics["initDurationMs"] = _round(init_ms)
    if status != "success" and shown:
        parts.append(f"Status: {status}")
        if error_type is not None:
            parts.append(f"Error Type: {error_type}")
    record = {"requestId": request_id, "metrics": metrics, "status": status} | _error(error_type)
    text = "\t".join(parts) + "\t\n"
    fields = dict(part.split("=", 1) for part in (trace or "").split(";") if "=" in part)
    if fields.get("Sampled") == "1":
        segment = fields.get("Parent", "")
        text += f"XRAY TraceId: {fields.get('Root', '')}\tSegmentId: {segment}\tSampled: true\t\n"
        record["tracing"] = {"spanId": segment, "type": "X-Amzn-Trace-Id", "value": trace}
    return PlatformEvent("platform.report", record, INFO if status == "success" else WARN, text)


def extension(name: str, events: Iterable[str], error_type: str | None = None) -> PlatformEvent:
    """An extension is ready, or has failed to be."""
    wanted = sorted(events)
    state = "Ready" if error_type is None else "InitError"
    record = {"name": name, "state": state, "events": wanted} | _error(error_type)
    text = f"EXTENSION\tName: {name}\tState: {state}\tEvents: [{', '.join(wanted)}]"
    text += f"\tError Type: {error_type}\n" if error_type is not None else "\n"
    return PlatformEvent("platform.extension", record, INFO if error_type is None else WARN, text)


def telemetry_subscription(name: str, types: Iterable[str]) -> PlatformEvent:
    """An extension has subscribed to telemetry."""
    wanted = list(types)
    record = {"name": name, "state": "Subscribed", "types": wanted}
    shown = ", ".join(kind.capitalize() for kind in wanted)
    return PlatformEvent(
        "platform.telemetrySubscription",
        record,
        INFO,
        f"TELEMETRY\tName: {name}\tState: Subscribed\tTypes: [{shown}]\n",
    )


def logs_dropped(records: int, size: int, reason: str) -> PlatformEvent:
    """Telemetry that an extension could not be given."""
    record = {"reason": reason, "droppedRecords": records, "droppedBytes": size}
    return PlatformEvent("platform.logsDropped", record, WARN, None)


def timed_out(now: float, request_id: str, text: str) -> str:
    """The invocation ran out of time at `now` (epoch seconds)."""
    return f"{iso(now)} {request_id} {text}\n\n"


def exited(error_message: str, error_type: str) -> str:
    """The process ended in the middle of an invocation."""
    return f"{error_message}\n{error_type}\n"


def billed(duration_ms: float, init_ms: float | None) -> int:
    """The billed duration in ms: since August 2025 the init phase counts."""
    return math.ceil(duration_ms + (init_ms or 0.0))


def _round(milliseconds: float) -> float:
    return round(milliseconds, 3)


def _error(error_type: str | None) -> dict[str, str]:
    return {} if error_type is None else {"errorType": error_type}
