"""Lambda's own log lines — INIT_START, START, END, REPORT, and their JSON forms — read into values.

Reading alone: they are written in `lambdalog.runtime.platform_events` (what is told, and its JSON form) and
`lambdalog.runtime.platform_text` (its form in a text log). Pure; a function may print anything, and what only looks like such a line is none.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal, NamedTuple

import orjson

Kind = Literal["init", "start", "end", "report"]

# A REPORT line is some hundred characters; a line of a megabyte that begins like one is not searched.
_REACH: Final = 2000
_HEAD: Final = re.compile(r"(START|END|REPORT) RequestId: (\S{1,128})(?!\S)(?: Version: (\S{1,128}))?")
# The part on active tracing stands on a line of its own.
_FIELD: Final = re.compile(r"[\t\n]([A-Z][A-Za-z ]{1,40}): ([^\t\n]{1,200})")
_KINDS: Final[dict[str, Kind]] = {"START": "start", "END": "end", "REPORT": "report"}
_EVENTS: Final[dict[str, Kind]] = {
    "platform.initStart": "init",
    "platform.start": "start",
    "platform.runtimeDone": "end",
    "platform.report": "report",
}
_NAMED: Final = re.compile(
    r'"(?:requestId|request_id|function_request_id|aws_request_id|awsRequestId|AWSRequestId)"\s*:\s*"([^"]{1,128})"'
)
_ROOT: Final = re.compile(r"(?:^|;)Root=([^;]{1,100})")
# As Lambda's own formatters of text write it: time, then the id, between tabs or spaces.
_LED: Final = re.compile(
    r"(?:\[[A-Z]+\]\s+)?\d{4}-\d\d-\d\dT[\d:.]+Z\s+([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s"
)


class PlatformLine(NamedTuple):
    """One line. Durations are ms, memory is MB; None is what the line does not say.

    `request_id` is empty at `init`, `status` Lambda's word (`success`, `error`, `timeout`, …), which a text REPORT has
    only where something went wrong. `init_ms` is there for a cold start, `restore_ms` for one from a snapshot, `trace_id`
    (the header's Root) where X-Ray has a trace of the invocation.
    """

    kind: Kind
    request_id: str = ""
    version: str | None = None
    status: str | None = None
    error_type: str | None = None
    duration_ms: float | None = None
    billed_ms: float | None = None
    memory_mb: int | None = None
    max_memory_mb: int | None = None
    init_ms: float | None = None
    restore_ms: float | None = None
    trace_id: str | None = None

    @property
    def failed(self) -> bool:
        """Whether Lambda says that it went wrong."""
        return self.status is not None and self.status != "success"


def read(message: str) -> PlatformLine | None:
    """What a message says if Lambda wrote it, in either log format; None for a function's own lines."""
    if message.startswith(("START ", "END ", "REPORT ")):
        return _of_text(message[:_REACH])
    if message.startswith("INIT_START "):
        return PlatformLine("init")
    if message.startswith("{") and '"platform.' in message:
        return _of_json(message)
    return None


def named(message: str) -> str | None:
    """The request id that a message bears as its own: in a platform line, a JSON key, or in front of a line of text."""
    found = read(message)
    if found is not None:
        return found.request_id or None
    match = _NAMED.search(message) if message.startswith("{") else _LED.match(message)
    return match.group(1) if match else None


def _of_text(message: str) -> PlatformLine | None:
    found = _HEAD.match(message)
    if found is None:
        return None
    word, request, version = found.groups()
    if word != "REPORT":
        return PlatformLine(_KINDS[word], request, version)
    fields = dict(_FIELD.findall(message))
    return PlatformLine(
        "report",
        request,
        status=_stripped(fields.get("Status")),
        error_type=_stripped(fields.get("Error Type")),
        duration_ms=_said(fields.get("Duration")),
        billed_ms=_said(fields.get("Billed Duration")),
        memory_mb=_whole(_said(fields.get("Memory Size"))),
        max_memory_mb=_whole(_said(fields.get("Max Memory Used"))),
        init_ms=_said(fields.get("Init Duration")),
        restore_ms=_said(fields.get("Restore Duration")),
        trace_id=_stripped(fields.get("XRAY TraceId")),
    )


def _of_json(message: str) -> PlatformLine | None:
    try:
        event = orjson.loads(message)
    except orjson.JSONDecodeError:
        return None
    kind = _EVENTS.get(event.get("type")) if isinstance(event.get("type"), str) else None
    record = event.get("record")
    if kind is None or not isinstance(record, dict):
        return None
    request = record.get("requestId")
    if kind == "init":
        return PlatformLine("init")
    if not isinstance(request, str):
        return None
    found = PlatformLine(
        kind,
        request,
        version=_word(record.get("version")),
        status=_word(record.get("status")),
        error_type=_word(record.get("errorType")),
    )
    metrics = record.get("metrics")
    if kind != "report" or not isinstance(metrics, dict):
        return found
    return found._replace(
        duration_ms=_number(metrics.get("durationMs")),
        billed_ms=_number(metrics.get("billedDurationMs")),
        memory_mb=_whole(_number(metrics.get("memorySizeMB"))),
        max_memory_mb=_whole(_number(metrics.get("maxMemoryUsedMB"))),
        init_ms=_number(metrics.get("initDurationMs")),
        restore_ms=_number(metrics.get("restoreDurationMs")),
        trace_id=_traced(record.get("tracing")),
    )


def _traced(tracing: Any) -> str | None:
    """The trace of a record's `tracing`, whose value is an X-Amzn-Trace-Id."""
    value = tracing.get("value") if isinstance(tracing, dict) else None
    found = _ROOT.search(value) if isinstance(value, str) else None
    return found.group(1) if found else None


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _stripped(value: str | None) -> str | None:
    return value.strip() or None if value is not None else None


def _said(value: str | None) -> float | None:
    """The number before a unit; None where there is none."""
    if value is None:
        return None
    try:
        return _number(float(value.partition(" ")[0]))
    except ValueError:
        return None


def _number(value: Any) -> float | None:
    """A number that a clock could give, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e15 else None


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
