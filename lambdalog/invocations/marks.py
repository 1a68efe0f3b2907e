"""What one log line says of an invocation: Lambda's own lines in text or JSON, and how runtimes tell an unhandled error.

START, END, REPORT and the JSON events `platform.start`, `platform.report` bear the request's id. An error told in text
by Python's runtime does not: it belongs to what its stream runs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import orjson

from lambdalog.failure import from_lambda_error, from_text

if TYPE_CHECKING:
    from lambdalog.tail import Line

Kind = Literal["start", "end", "report", "error"]

# A CloudWatch filter pattern for all lines that `mark_of` may know; the same on disk and on AWS.
PATTERN: Final = (
    '?"START RequestId: " ?"END RequestId: " ?"REPORT RequestId: " ?"[ERROR] " ?"\\tERROR\\tInvoke Error "'
    ' ?"Task timed out after" ?"Error: Runtime exited" ?platform.start ?platform.report ?errorType'
).replace("\\t", "\t")

_HEAD: Final = re.compile(r"(START|END|REPORT) RequestId: (\S{1,128})")
_VERSION: Final = re.compile(r" Version: (\S{1,128})")
_NUMBER: Final = r": (\d{1,15}(?:\.\d{1,6})?) (?:ms|MB)(?=\t|\s|$)"
_FIELD: Final = re.compile(rf"(Duration|Billed Duration|Memory Size|Max Memory Used|Init Duration){_NUMBER}")
_WORD: Final = re.compile(r"(Status|Error Type): ([^\t\n]{1,200})")
_TIMED_OUT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\S{1,40} (\S{1,128}) (Task timed out after [\d.]{1,20} seconds)"
)
_EXITED: Final = re.compile(r"RequestId: (\S{1,128}) Error: (Runtime exited[^\n]{0,200})(?:\n(\S{1,100}))?")
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
        return _of_json(line) if '"platform.' in message[:400] or '"errorType"' in message else None
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


def _of_text(line: Line) -> Mark | None:
    message = line.message[:_REACH]
    head = _HEAD.match(message)
    if head is None:
        found = _EXITED.match(message)
        return found and _error(line, found.group(1), found.group(3) or "Runtime.ExitError", found.group(2))
    word, request = head.groups()
    if word == "START":
        version = _VERSION.match(message, head.end())
        return _mark(line, "start", request, version=version.group(1) if version else "")
    if word == "END":
        return _mark(line, "end", request)
    numbers = {name: float(value) for name, value in _FIELD.findall(message)}
    words = dict(_WORD.findall(message))
    if "Duration" not in numbers:
        return None  # a line of the function's that looks like it
    return _reported(
        line,
        request,
        numbers,
        status=words.get("Status", "").strip(),
        error_type=words.get("Error Type", "").strip(),
    )


_METRICS: Final = {
    "durationMs": "Duration",
    "billedDurationMs": "Billed Duration",
    "memorySizeMB": "Memory Size",
    "maxMemoryUsedMB": "Max Memory Used",
    "initDurationMs": "Init Duration",
}


def _of_json(line: Line) -> Mark | None:
    try:
        record = orjson.loads(line.message)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(record, dict):
        return None
    kind, inner = record.get("type"), record.get("record")
    if isinstance(kind, str) and kind.startswith("platform.") and isinstance(inner, dict):
        return _of_platform(line, kind, inner)
    return _of_error(line, record)


def _of_platform(line: Line, kind: str, inner: dict[str, Any]) -> Mark | None:
    request = inner.get("requestId")
    if not isinstance(request, str):
        return None
    if kind == "platform.start":
        return _mark(line, "start", request, version=str(inner.get("version") or ""))
    metrics = inner.get("metrics")
    if kind != "platform.report" or not isinstance(metrics, dict):
        return None
    numbers = {
        label: float(metrics[name])
        for name, label in _METRICS.items()
        if isinstance(metrics.get(name), int | float) and not isinstance(metrics[name], bool)
    }
    if "Duration" not in numbers:
        return None
    status = inner.get("status")
    return _reported(
        line,
        request,
        numbers,
        status=status if isinstance(status, str) else "",
        error_type=str(inner.get("errorType") or ""),
    )


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


def _reported(line: Line, request: str, numbers: dict[str, float], *, status: str, error_type: str) -> Mark:
    duration = numbers["Duration"]
    report = Report(
        duration,
        numbers.get("Billed Duration", duration),
        int(numbers.get("Memory Size", 0)),
        int(numbers.get("Max Memory Used", 0)),
        numbers.get("Init Duration"),
        status if status in _FAILED else "",
        error_type[:200],
    )
    return _mark(line, "report", request, report=report)


def _error(line: Line, request: str, type_: str, message: str) -> Mark:
    return _mark(line, "error", request, error_type=type_[:200], message=message[:1000])


def _mark(line: Line, kind: Kind, request: str, **more: Any) -> Mark:
    return Mark(line.timestamp, line.group, line.stream, kind, request[:128], **more)
