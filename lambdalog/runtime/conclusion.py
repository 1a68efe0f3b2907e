"""How an invocation ends: the lines that Lambda writes about it, and what its caller is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambdalog.runtime import outcome as outcomes
from lambdalog.runtime import platform_events, platform_text
from lambdalog.runtime.outcome import Outcome

if TYPE_CHECKING:
    from lambdalog.runtime.journal import Journal
    from lambdalog.runtime.outcome import Failed
    from lambdalog.runtime.spec import FunctionSpec


class Run(NamedTuple):
    """One invocation, as it went. Durations in ms; `init_ms` is there if the init phase succeeded for it.

    `stopped`: the runtime has ended with it, or has to. `peak_mb` is the most memory that its process ever took.
    """

    request_id: str
    result: bytes
    failed: Failed | None
    duration_ms: float
    init_ms: float | None
    peak_mb: int
    stopped: bool
    cold: bool
    trace_id: str | None


def status_of(failed: Failed | None) -> tuple[str, str | None]:
    """The status and the error type that Lambda's own events name; a timeout is told without a type."""
    if failed is None:
        return "success", None
    return ("timeout", None) if failed.status == "timeout" else ("error", failed.error_type)


def conclude(run: Run, *, spec: FunctionSpec, journal: Journal, now: float) -> Outcome:
    """Write the invocation's last lines (`now` is epoch seconds), and give its outcome: all it wrote is in the log then."""
    failed = run.failed
    status, error_type = status_of(failed)
    if failed is not None:
        if failed.status == "timeout":
            text = outcomes.timeout_text(spec.timeout)
            journal.say(platform_text.timed_out(now, run.request_id, text))
        elif failed.status in {"exit", "memory"}:
            journal.say(platform_text.exited(outcomes.message_of(failed.body), failed.error_type))
    billed = platform_text.billed(run.duration_ms, run.init_ms)
    done = platform_events.runtime_done(
        run.request_id,
        status=status,
        duration_ms=run.duration_ms,
        produced=len(run.result),
        error_type=error_type,
    )
    report = platform_text.Report(
        run.request_id,
        duration_ms=run.duration_ms,
        billed_ms=billed,
        memory_mb=spec.memory,
        max_memory_mb=run.peak_mb,
        init_ms=run.init_ms,
        status=status,
        error_type=error_type,
        trace=run.trace_id,
    )
    journal.platform(done, platform_events.report(report, shown=run.stopped))
    journal.sink.end()
    return Outcome(
        request_id=run.request_id,
        status="success" if failed is None else failed.status,
        payload=run.result if failed is None else failed.body,
        executed_version=spec.version,
        log_stream=journal.sink.stream,
        duration_ms=run.duration_ms,
        billed_ms=billed,
        memory_mb=spec.memory,
        max_memory_mb=run.peak_mb,
        init_ms=run.init_ms,
        cold_start=run.cold,
        function_error=None if failed is None else "Unhandled",
        error_type=None if failed is None else failed.error_type,
        log_tail=journal.sink.tail(),
        trace_header=run.trace_id,
    )
