"""What one log line says of an invocation: Lambda's own lines in text or JSON, and how runtimes tell an unhandled error.

START, END, REPORT and the JSON events `platform.start`, `platform.report` bear the request's id. An error told in text
by Python's runtime does not: it belongs to what its stream runs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import orjson

from lambdalog.platform_line import read
from lambdalog.reported import from_lambda_error, from_text

if TYPE_CHECKING:
    from lambdalog.platform_line import PlatformLine
    from lambdalog.tail import Line

Kind = Literal["start", "end", "report", "error"]

# A CloudWatch filter pattern for all lines that `mark_of` may know; the same on disk and on AWS.
PATTERN: Final = (
    '?"START RequestId: " ?"END RequestId: " ?"REPORT RequestId: " ?"[ERROR] " ?"\\tERROR\\tInvoke Error "'
    ' ?"Task timed out after" ?"Error: Runtime exited" ?"platform.start" ?"platform.report" ?errorType'
).replace("\\t", "\t")

_TIMED_OUT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\S{1,40} (\S{1,128}) (Task timed out after [\d.]{1,20} seconds)"
)
_EXITED: Final = re.compile(r"RequestId: (\S{1,128}) Error: (Runtime exited[^\n]{0,200})(?:\n(\S{1,100}))?")
_STREAM_FUNCTION: Final = re.compile(r"\d{4}/\d\d/\d\d/([^\[/]*)\[")
_STREAM_VERSION: Final = re.compile(r"\[([^\]\s]{1,128})\]")
# A REPORT line is some hundred characters; a line of a megabyte that begins like one is not searched.
_REACH: Final = 1000
# Of a stack trace the first line tells what failed.
_ERROR_REACH: Final = 20_000
_FAILED: Final = frozenset({"error", "failure", "timeout"})


class Report(NamedTuple):
    """What Lambda says at an invocation's end. ms and MB; `status` is "" or timeout, error, failure."""

    duration_ms: float
    billed_ms: float
    memory_mb: int
    max_memory_mb: int
    init_ms: float | None
    status: str
    error_type: str


class Mark(NamedTuple):
    """A line's share in an invocation. `at` is epoch ms; `request_id` is empty where the line bears none."""

    at: int
    group: str
    stream: str
    kind: Kind
    request_id: str
    version: str = ""
    report: Report | None = None
    error_type: str = ""
    message: str = ""


def mark_of(line: Line) -> Mark | None:
    """What a line says of an invocation; None for the lines of the function itself."""
    message = line.message
    first = message[:1]
    if first == "{":
        return _of_json(line)
    if first in "SER":
        return _of_text(line)
    if first == "[" and message.startswith("[ERROR] "):
        failure = from_text(message[:_ERROR_REACH])
        return None if failure is None else _error(line, "", failure.type, failure.message)
    if first.isdigit():
        found = _TIMED_OUT.match(message)
        if found is not None:
            return _error(line, found.group(1), "Sandbox.Timedout", found.group(2))
        if "\tERROR\tInvoke Error \t" in message[:400] and (failure := from_text(message)) is not None:
            return _error(line, message.split("\t", 2)[1], failure.type, failure.message)
    return None


def version_of(stream: str) -> str:
    """The function's version by the name of its stream: `2026/01/02/[3]…` is 3; "" for other names."""
    found = _STREAM_VERSION.search(stream)
    return found.group(1) if found is not None else ""


def function_of(stream: str) -> str:
    """The function that a stream names, as one in a group that functions share does: `2026/01/02/orders[3]…`; else ""."""
    found = _STREAM_FUNCTION.match(stream)
    return found.group(1) if found is not None else ""


def is_of(stream: str, function: str) -> bool:
    """Whether a stream may be a function's: it names that one, or none."""
    return function_of(stream) in {"", function}


def _of_text(line: Line) -> Mark | None:
    message = line.message
    if (platform := read(message)) is not None:
        return _of_platform(line, platform)
    found = _EXITED.match(message[:_REACH])
    return found and _error(line, found.group(1), found.group(3) or "Runtime.ExitError", found.group(2))


def _of_json(line: Line) -> Mark | None:
    message = line.message
    if '"platform.' in message[:400] and (platform := read(message)) is not None:
        # That a runtime is done is no mark: whether it shows at all depends on the log's level, and its REPORT follows.
        return _of_platform(line, platform) if platform.kind != "end" else None
    if '"errorType"' not in message:
        return None
    try:
        record = orjson.loads(message)
    except orjson.JSONDecodeError:
        return None
    return _of_error(line, record) if isinstance(record, dict) else None


def _of_platform(line: Line, platform: PlatformLine) -> Mark | None:
    match platform.kind:
        case "start":
            return _mark(line, "start", platform.request_id, version=platform.version or "")
        case "end":
            return _mark(line, "end", platform.request_id)
        case "report":
            return _reported(line, platform)
    return None


def _of_error(line: Line, record: dict[str, Any]) -> Mark | None:
    """An unhandled error as a runtime writes it in JSON; one that the function logged itself has a message too."""
    payload = record["message"] if isinstance(record.get("message"), dict) else record
    if "errorType" not in payload or "errorMessage" not in payload:
        return None
    if payload is record and isinstance(record.get("message"), str):
        return None
    request = record.get("requestId") or record.get("AWSRequestId")
    failure = from_lambda_error({name: payload[name] for name in ("errorType", "errorMessage")})
    return _error(line, request if isinstance(request, str) else "", failure.type, failure.message)


def _reported(line: Line, platform: PlatformLine) -> Mark | None:
    duration = platform.duration_ms
    if duration is None:
        return None  # a line of the function's that looks like it
    report = Report(
        duration,
        duration if platform.billed_ms is None else platform.billed_ms,
        platform.memory_mb or 0,
        platform.max_memory_mb or 0,
        platform.init_ms,
        platform.status if platform.status in _FAILED else "",
        (platform.error_type or "")[:200],
    )
    return _mark(line, "report", platform.request_id, report=report)


def _error(line: Line, request: str, type_: str, message: str) -> Mark:
    return _mark(line, "error", request, error_type=type_[:200], message=message[:1000])


def _mark(line: Line, kind: Kind, request: str, **more: Any) -> Mark:
    return Mark(line.timestamp, line.group, line.stream, kind, request[:128], **more)
