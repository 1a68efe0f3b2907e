"""The lines that Lambda itself writes into a function's log."""

from __future__ import annotations

import math
from datetime import UTC, datetime


def start(request_id: str, version: str) -> str:
    """The first line of an invocation."""
    return f"START RequestId: {request_id} Version: {version}\n"


def end(request_id: str) -> str:
    """The function is done."""
    return f"END RequestId: {request_id}\n"


def report(
    request_id: str,
    *,
    duration_ms: float,
    billed_ms: int,
    memory_mb: int,
    max_memory_mb: int,
    init_ms: float | None = None,
    status: str | None = None,
    error_type: str | None = None,
) -> str:
    """What the invocation took; `status` is `timeout` or `error` where it was one."""
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {duration_ms:.2f} ms",
        f"Billed Duration: {billed_ms} ms",
        f"Memory Size: {memory_mb} MB",
        f"Max Memory Used: {max_memory_mb} MB",
    ]
    if init_ms is not None:
        parts.append(f"Init Duration: {init_ms:.2f} ms")
    if status is not None:
        parts.append(f"Status: {status}")
        if error_type is not None:
            parts.append(f"Error Type: {error_type}")
    return "\t".join(parts) + "\t\n"


def init_report(init_ms: float, status: str, error_type: str) -> str:
    """The init phase failed."""
    return f"INIT_REPORT Init Duration: {init_ms:.2f} ms\tPhase: init\tStatus: {status}\tError Type: {error_type}\n"


def timed_out(now: float, request_id: str, text: str) -> str:
    """The invocation ran out of time at `now` (epoch seconds)."""
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{moment} {request_id} {text}\n\n"


def exited(error_message: str, error_type: str) -> str:
    """The process ended in the middle of an invocation."""
    return f"{error_message}\n{error_type}\n"


def billed(duration_ms: float, init_ms: float | None) -> int:
    """The billed duration in ms: since August 2025 the init phase counts."""
    return math.ceil(duration_ms + (init_ms or 0.0))
