"""The lines that Lambda itself writes into a function's log, in text format.

Writing alone: `platform_events` says which of them an event has; `lambdalog.platform_line` reads them, whoever wrote them.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


def init_start(runtime_version: str, arn: str) -> str:
    """An environment begins to start its runtime; `arn` is the runtime version's."""
    return f"INIT_START Runtime Version: {runtime_version}\tRuntime Version ARN: {arn}\n"


def start(request_id: str, version: str) -> str:
    """The first line of an invocation."""
    return f"START RequestId: {request_id} Version: {version}\n"


def end(request_id: str) -> str:
    """The function is done."""
    return f"END RequestId: {request_id}\n"


class Report(NamedTuple):
    """What an invocation took, in ms and MB. `init_ms` is there for a cold start.

    `status` is Lambda's word for how it went, None where a line names none; `trace` its X-Amzn-Trace-Id, if it has one.
    """

    request_id: str
    duration_ms: float
    billed_ms: int
    memory_mb: int
    max_memory_mb: int
    init_ms: float | None = None
    status: str | None = None
    error_type: str | None = None
    trace: str | None = None

    @property
    def sampled(self) -> str | None:
        """The trace header, if it is to be told of."""
        trace = self.trace
        # Most are not, and then nothing need be taken apart.
        return trace if trace and "Sampled=1" in trace and "Sampled=1" in trace.split(";") else None


def report(took: Report, *, shown: bool = True) -> str:
    """What the invocation took. A status other than success is named if it is to be `shown`, and a trace that is sampled."""
    parts = [
        f"REPORT RequestId: {took.request_id}",
        f"Duration: {took.duration_ms:.2f} ms",
        f"Billed Duration: {took.billed_ms} ms",
        f"Memory Size: {took.memory_mb} MB",
        f"Max Memory Used: {took.max_memory_mb} MB",
    ]
    if took.init_ms is not None:
        parts.append(f"Init Duration: {took.init_ms:.2f} ms")
    if shown and took.status not in {None, "success"}:
        parts.append(f"Status: {took.status}")
        if took.error_type is not None:
            parts.append(f"Error Type: {took.error_type}")
    text = "\t".join(parts) + "\t\n"
    if (sampled := took.sampled) is not None:
        root, segment = trace_fields(sampled)
        text += f"XRAY TraceId: {root}\tSegmentId: {segment}\tSampled: true\t\n"
    return text


def trace_fields(header: str) -> tuple[str, str]:
    """The trace and the segment that a header names."""
    fields = dict(part.split("=", 1) for part in header.split(";") if "=" in part)
    return fields.get("Root", ""), fields.get("Parent", "")


def init_report(init_ms: float, status: str, error_type: str | None, *, phase: str = "init") -> str:
    """The init phase failed; `phase` is `invoke` where an invocation waited for it."""
    text = f"INIT_REPORT Init Duration: {init_ms:.2f} ms\tPhase: {phase}\tStatus: {status}"
    return f"{text}\n" if error_type is None else f"{text}\tError Type: {error_type}\n"


def extension(name: str, events: Iterable[str], state: str, error_type: str | None = None) -> str:
    """What became of an extension, and which events it wants."""
    text = f"EXTENSION\tName: {name}\tState: {state}\tEvents: [{', '.join(events)}]"
    return f"{text}\n" if error_type is None else f"{text}\tError Type: {error_type}\n"


def telemetry(name: str, types: Iterable[str]) -> str:
    """An extension has subscribed to telemetry."""
    shown = ", ".join(kind.capitalize() for kind in types)
    return f"TELEMETRY\tName: {name}\tState: Subscribed\tTypes: [{shown}]\n"


def iso(now: float) -> str:
    """A moment (epoch seconds) as Lambda writes it: `2026-01-02T03:04:05.678Z`."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def timed_out(now: float, request_id: str, text: str) -> str:
    """The invocation ran out of time at `now` (epoch seconds)."""
    return f"{iso(now)} {request_id} {text}\n\n"


def exited(error_message: str, error_type: str) -> str:
    """The process ended in the middle of an invocation."""
    return f"{error_message}\n{error_type}\n"


def billed(duration_ms: float, init_ms: float | None) -> int:
    """The billed duration in ms: since August 2025 the init phase counts."""
    return math.ceil(duration_ms + (init_ms or 0.0))
