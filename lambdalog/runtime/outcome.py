"""How an invocation ended, and the bodies that Lambda makes for the ways in which it can fail."""

from __future__ import annotations

import json
from typing import Literal, NamedTuple

Status = Literal["success", "error", "timeout", "exit", "memory", "init"]

# The quota is 6 MB; this is the number of bytes that Lambda itself names when it refuses.
RESPONSE_MAX = 6_291_556


class Outcome(NamedTuple):
    """One finished invocation. Durations in ms, memory in MB.

    `payload` is the function's response, or the error as Lambda shapes it; `log_tail` the last 4 KB of its log.
    """

    request_id: str
    status: Status
    payload: bytes
    executed_version: str
    log_stream: str
    duration_ms: float
    billed_ms: int
    memory_mb: int
    max_memory_mb: int
    init_ms: float | None = None
    cold_start: bool = False
    function_error: str | None = None
    error_type: str | None = None
    log_tail: bytes = b""
    trace_header: str | None = None


class Failed(NamedTuple):
    """Why an invocation has no response: the body for the caller, and what the log says."""

    status: Status
    error_type: str
    body: bytes


def _body(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}, separators=(",", ":")).encode()


def timed_out(request_id: str, timeout: float) -> Failed:
    """The function ran longer than its timeout (seconds)."""
    return Failed(
        "timeout",
        "Sandbox.Timedout",
        _body("Sandbox.Timedout", f"RequestId: {request_id} Error: {timeout_text(timeout)}"),
    )


def timeout_text(timeout: float) -> str:
    """What the log says of a timeout, and its error."""
    return f"Task timed out after {timeout:.2f} seconds"


def exited(request_id: str, returncode: int, *, memory: bool = False) -> Failed:
    """The process ended in the middle: `returncode` as subprocess tells it, negative for a signal."""
    if returncode == 0:
        what = "Runtime exited without providing a reason"
    elif memory:
        what = "Runtime exited with error: signal: killed"
    elif returncode < 0:
        what = f"Runtime exited with error: signal: {signal_name(-returncode)}"
    else:
        what = f"Runtime exited with error: exit status {returncode}"
    return Failed(
        "memory" if memory else "exit",
        "Runtime.ExitError",
        _body("Runtime.ExitError", f"RequestId: {request_id} Error: {what}"),
    )


def signal_name(number: int) -> str:
    """A signal as Go's os/exec, in which Lambda's own supervisor is written, names it."""
    return _SIGNALS.get(number, f"signal {number}")


_SIGNALS = {
    1: "hangup",
    2: "interrupt",
    3: "quit",
    4: "illegal instruction",
    6: "aborted",
    5: "trace/breakpoint trap",
    7: "bus error",
    8: "floating point exception",
    9: "killed",
    10: "user defined signal 1",
    12: "user defined signal 2",
    11: "segmentation fault",
    13: "broken pipe",
    14: "alarm clock",
    15: "terminated",
}


def extension_crashed(request_id: str, returncode: int) -> Failed:
    """An extension ended before it was ready, or while an invocation ran."""
    what = f"exit status {returncode}" if returncode >= 0 else f"signal: {signal_name(-returncode)}"
    return Failed(
        "init",
        "Extension.Crash",
        _body("Extension.Crash", f"RequestId: {request_id} Error: {what}"),
    )


def extension_failed(request_id: str, error_type: str) -> Failed:
    """An extension has reported an error of its own."""
    return Failed("init", error_type, _body(error_type, f"RequestId: {request_id} Error: {error_type}"))


def streamed_error(error_type: str, body: bytes) -> Failed:
    """A streamed response ended with an error in its trailers."""
    return Failed("error", error_type, body or _body(error_type, ""))


def message_of(body: bytes) -> str:
    """The errorMessage of an error's body; the body itself where it has none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
    return str(found.get("errorMessage", "")) if isinstance(found, dict) else str(found)


def too_large() -> Failed:
    """The response is larger than Lambda takes."""
    return Failed(
        "error",
        "Function.ResponseSizeTooLarge",
        _body(
            "Function.ResponseSizeTooLarge",
            f"Response payload size exceeded maximum allowed payload size ({RESPONSE_MAX} bytes).",
        ),
    )


def reported(body: bytes, status: Status = "error") -> Failed:
    """The runtime client reported an error: its body is what the caller gets."""
    try:
        found = json.loads(body)
        error_type = str(found.get("errorType", "Unhandled")) if isinstance(found, dict) else "Unhandled"
    except (ValueError, RecursionError):
        error_type = "Unhandled"
    return Failed(status, error_type, body)
