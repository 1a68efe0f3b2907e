"""Lambda's own lines — START, END, REPORT, and their JSON forms — read into values, and folded into one an invocation.

Pure: nothing here reads, writes or knows where lines come from.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from lambdalog.tail.render import Shown

Kind = Literal["init", "start", "end", "report"]

# An invocation without a report stays unfinished; so many streams are waited for at once.
WAITING_MAX: Final = 10_000

_TEXT: Final = re.compile(r"(START|END|REPORT) RequestId: (\S+)(?: Version: (\S+))?")
_INIT: Final = "INIT_START "
_FIELD: Final = re.compile(r"\t([A-Z][A-Za-z ]+): ([^\t\n]+)")
_EVENTS: Final[dict[str, Kind]] = {
    "platform.initStart": "init",
    "platform.start": "start",
    "platform.runtimeDone": "end",
    "platform.report": "report",
}
_ID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NAMED: Final = re.compile(
    r'"(?:requestId|request_id|function_request_id|aws_request_id|awsRequestId|AWSRequestId)"\s*:\s*"([^"]{1,128})"'
)
# As Lambda's own formatters of text write it: time, then the id, between tabs or spaces.
_LED: Final = re.compile(rf"(?:\[[A-Z]+\]\s+)?\d{{4}}-\d\d-\d\dT[\d:.]+Z\s+({_ID})\s")


@dataclass(frozen=True, slots=True)
class Invocation:
    """What its platform lines say of an invocation. Durations are ms, memory is MB; None is what no line said.

    `status` is Lambda's word (`success`, `error`, `timeout`, …); text REPORTs have it only where something went wrong.
    `init_ms` is there for a cold start, `restore_ms` for one from a snapshot.
    """

    request_id: str
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

    def __str__(self) -> str:
        """One line: `invocation ID: 12.30 ms, billed 13 ms, 61 of 128 MB, cold start 230.10 ms`."""
        parts = []
        if self.duration_ms is not None:
            parts.append(f"{self.duration_ms:.2f} ms")
        if self.billed_ms is not None:
            parts.append(f"billed {self.billed_ms:.0f} ms")
        if self.max_memory_mb is not None:
            parts.append(f"{self.max_memory_mb} of {self.memory_mb} MB")
        if self.init_ms is not None:
            parts.append(f"cold start {self.init_ms:.2f} ms")
        if self.restore_ms is not None:
            parts.append(f"restored in {self.restore_ms:.2f} ms")
        if self.version not in {None, "$LATEST"}:
            parts.append(f"version {self.version}")
        if self.failed:
            parts.append(f"{self.status} ({self.error_type})" if self.error_type else str(self.status))
        if self.duration_ms is None:
            parts.append("no report yet")
        return f"invocation {self.request_id}: {', '.join(parts)}"


class Platform(NamedTuple):
    """One platform line: which, and what it says."""

    kind: Kind
    invocation: Invocation


def platform(message: str) -> Platform | None:
    """What a message says if Lambda wrote it, in either log format; None for a function's own lines."""
    if message.startswith(("START ", "END ", "REPORT ")):
        return _of_text(message)
    if message.startswith(_INIT):
        return Platform("init", Invocation(""))
    if message.startswith("{") and '"platform.' in message:
        return _of_json(message)
    return None


def named(message: str) -> str | None:
    """The request id that a message bears as its own: in a platform line, a JSON key, or in front of a line of text."""
    found = platform(message)
    if found is not None:
        return found.invocation.request_id or None
    match = _NAMED.search(message) if message.startswith("{") else _LED.match(message)
    return match.group(1) if match else None


def _of_text(message: str) -> Platform | None:
    found = _TEXT.match(message)
    if found is None:
        return None
    word, request, version = found.groups()
    if word != "REPORT":
        return Platform("start" if word == "START" else "end", Invocation(request, version))
    fields = dict(_FIELD.findall(message))
    return Platform(
        "report",
        Invocation(
            request,
            status=fields.get("Status"),
            error_type=fields.get("Error Type"),
            duration_ms=_number(fields.get("Duration")),
            billed_ms=_number(fields.get("Billed Duration")),
            memory_mb=_whole(fields.get("Memory Size")),
            max_memory_mb=_whole(fields.get("Max Memory Used")),
            init_ms=_number(fields.get("Init Duration")),
            restore_ms=_number(fields.get("Restore Duration")),
            trace_id=fields.get("XRAY TraceId"),
        ),
    )


def _of_json(message: str) -> Platform | None:
    try:
        event = json.loads(message)
    except (ValueError, RecursionError):
        return None
    kind = _EVENTS.get(event.get("type")) if isinstance(event.get("type"), str) else None
    record = event.get("record")
    if kind is None or not isinstance(record, dict):
        return None
    request = record.get("requestId")
    if not isinstance(request, str):
        return Platform("init", Invocation("")) if kind == "init" else None
    metrics = record.get("metrics")
    if not isinstance(metrics, dict):
        metrics = {}
    invocation = Invocation(request, version=_word(record.get("version")), status=_word(record.get("status")))
    if kind == "report":
        invocation = replace(
            invocation,
            error_type=_word(record.get("errorType")),
            duration_ms=_number(metrics.get("durationMs")),
            billed_ms=_number(metrics.get("billedDurationMs")),
            memory_mb=_whole(metrics.get("memorySizeMB")),
            max_memory_mb=_whole(metrics.get("maxMemoryUsedMB")),
            init_ms=_number(metrics.get("initDurationMs")),
            restore_ms=_number(metrics.get("restoreDurationMs")),
        )
    return Platform(kind, invocation)


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    """A number, or the one before a unit; None where there is none, or none that a clock could give."""
    text = value.partition(" ")[0] if isinstance(value, str) else value
    try:
        number = float(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < 1e15 else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else round(number)


class Folding:
    """Takes lines in order, gives them back with the platform lines of each invocation as one: at its report."""

    def __init__(self) -> None:
        # Of each stream, the invocation that has begun: an environment works on one at a time.
        self._begun: OrderedDict[tuple[str, str], Shown] = OrderedDict()

    def take(self, shown: Shown) -> list[Shown]:
        """What is to be shown now that `shown` has come."""
        line = shown.line
        found = platform(line.message)
        if found is None or found.kind == "init":
            return [shown]
        key = (line.group, line.stream)
        begun = self._begun.pop(key, None)
        out = []
        known = begun.invocation if begun is not None else None
        if begun is not None and known is not None and known.request_id != found.invocation.request_id:
            out.append(begun)  # its report never came
            begun = known = None
        told = found.invocation if known is None else _joined(known, found.invocation)
        if found.kind == "report":
            gap = shown.gap or (begun is not None and begun.gap)
            out.append(shown._replace(invocation=told, gap=gap))
        else:
            self._begun[key] = (begun or shown)._replace(invocation=told)
            if len(self._begun) > WAITING_MAX:
                out.append(self._begun.popitem(last=False)[1])
        return out

    def rest(self) -> list[Shown]:
        """The invocations whose report has not come, oldest first."""
        rest = sorted(self._begun.values(), key=lambda shown: shown.line.order)
        self._begun.clear()
        return rest


def _joined(known: Invocation, more: Invocation) -> Invocation:
    """What both say; the later line where they differ."""
    said = {name: value for name in Invocation.__slots__ if (value := getattr(more, name)) is not None}
    return replace(known, **said)
