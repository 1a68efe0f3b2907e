"""An invocation and its attempts, put together from marks in whatever order they came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from lambdalog.invocations.marks import function_of, version_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambdalog.invocations.marks import Mark, Report

Status = Literal["ok", "error", "timeout", "throttled", "running", "lost"]

# A function runs for 15 minutes at most; what has said nothing for longer will not.
LONGEST_MS: Final = 16 * 60_000
FAILED: Final = frozenset({"error", "timeout", "lost"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of an invocation. Times are epoch ms; `began` is that of START, `ended` None while it runs.

    `report` is None where there is no REPORT line, `error_type` and `message` are what its lines tell of an error.
    """

    stream: str
    version: str
    began: int
    ended: int | None
    report: Report | None
    error_type: str = ""
    message: str = ""
    timed_out: bool = False

    @property
    def init_ms(self) -> float | None:
        """How long the init phase took, if this was a cold start."""
        return self.report.init_ms if self.report is not None else None

    @property
    def cold(self) -> bool:
        """Whether the environment was started for it."""
        return self.init_ms is not None

    def status(self, now: int) -> Status:
        """How it went, or goes: judged from its lines at `now`, epoch ms."""
        report = self.report
        if self.timed_out or (report is not None and report.status == "timeout"):
            return "timeout"
        if self.error_type or (report is not None and report.status):
            return "error"
        if report is not None or self.ended is not None:
            return "ok"
        return "running" if now - self.began <= LONGEST_MS else "lost"


@dataclass(slots=True)
class Invocation:
    """A request to a function, with all its attempts in order of time; an asynchronous event is retried under its id.

    `throttled`: when (epoch ms) it was refused because too many ran.
    """

    group: str
    request_id: str
    attempts: tuple[Attempt, ...] = ()
    throttled: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others."""
        return (self.group, self.request_id)

    @property
    def function(self) -> str:
        """The function's name: as its stream names it in a group that functions share, else that of its group."""
        named = function_of(self.attempts[-1].stream) if self.attempts else ""
        return named or self.group.removeprefix("/aws/lambda/")

    @property
    def began(self) -> int:
        """When it was first tried, or refused; epoch ms."""
        times = [self.attempts[0].began] if self.attempts else []
        return min((*times, *self.throttled[:1]))

    @property
    def last(self) -> Attempt | None:
        """The last attempt; None where all were refused."""
        return self.attempts[-1] if self.attempts else None

    @property
    def version(self) -> str:
        """The version that ran last."""
        return self.attempts[-1].version if self.attempts else ""

    @property
    def report(self) -> Report | None:
        """What Lambda said of the last attempt."""
        return self.attempts[-1].report if self.attempts else None

    @property
    def cold(self) -> bool:
        """Whether any of its attempts was a cold start."""
        return any(attempt.cold for attempt in self.attempts)

    @property
    def tries(self) -> int:
        """How often it ran."""
        return len(self.attempts)

    @property
    def error_type(self) -> str:
        """What failed in the last attempt: an exception's name, Sandbox.Timedout, Runtime.ExitError; "" for nothing."""
        last = self.last
        if last is None:
            return ""
        return last.error_type or (last.report.error_type if last.report is not None else "")

    @property
    def duration_ms(self) -> float | None:
        """How long the last attempt took."""
        return self.report.duration_ms if self.report is not None else None

    def status(self, now: int) -> Status:
        """How the last attempt went; throttled where it was refused since."""
        last = self.last
        if last is None or (self.throttled and self.throttled[-1] > last.began):
            return "throttled"
        return last.status(now)


def attempts_of(marks: Iterable[Mark]) -> tuple[Attempt, ...]:
    """The attempts that one request's marks tell of, in order of time.

    A stream belongs to one environment, which runs one invocation at a time: a START begins an attempt there, and a
    REPORT ends it. Where the beginning isn't known (it lies further back) the end makes an attempt of its own.
    """
    streams: dict[str, list[Mark]] = {}
    for mark in marks:
        streams.setdefault(mark.stream, []).append(mark)
    found: list[Attempt] = []
    for stream, members in streams.items():
        members.sort(key=_order)
        current: list[Mark] = []
        for mark in members:
            if mark.kind == "start" and current:
                found.append(_attempt(stream, current))
                current = []
            current.append(mark)
            if mark.kind == "report":
                found.append(_attempt(stream, current))
                current = []
        # An END, or a word of an error, that came after its REPORT begins nothing.
        if current and (any(mark.kind == "start" for mark in current) or not found):
            found.append(_attempt(stream, current))
    found.sort(key=lambda attempt: (attempt.began, attempt.stream))
    return tuple(found)


_RANK: Final = {"start": 0, "error": 1, "end": 2, "report": 3}


def _order(mark: Mark) -> tuple[int, int]:
    # All of an invocation may be within one millisecond.
    return mark.at, _RANK[mark.kind]


def _attempt(stream: str, marks: Sequence[Mark]) -> Attempt:
    start = next((mark for mark in marks if mark.kind == "start"), None)
    end = next((mark for mark in marks if mark.kind == "end"), None)
    reported = next((mark for mark in marks if mark.report is not None), None)
    errors = [mark for mark in marks if mark.kind == "error"]
    report = reported.report if reported is not None else None
    finished = reported or end
    if start is not None:
        began = start.at
    elif report is not None and finished is not None:
        began = finished.at - int(report.duration_ms)
    else:
        began = marks[0].at
    return Attempt(
        stream,
        (start.version if start is not None else "") or version_of(stream),
        began,
        finished.at if finished is not None else None,
        report,
        errors[-1].error_type if errors else "",
        errors[-1].message if errors else "",
        any(error.error_type == "Sandbox.Timedout" for error in errors),
    )
