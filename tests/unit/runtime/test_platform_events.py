"""What Lambda itself tells: text as recorded, and JSON as the Telemetry API has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lambdalog.level import DEBUG, INFO, WARN
from lambdalog.runtime import platform_events, platform_text

if TYPE_CHECKING:
    from lambdalog.runtime.platform_events import PlatformEvent

REPORT = platform_events.report(
    platform_text.Report(
        "id", duration_ms=3.009, billed_ms=114, memory_mb=128, max_memory_mb=36, init_ms=110.1
    )
)
FAILED = platform_events.report(
    platform_text.Report(
        "id",
        duration_ms=3000,
        billed_ms=3000,
        memory_mb=128,
        max_memory_mb=36,
        status="error",
        error_type="Runtime.ExitError",
    )
)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            platform_events.init_start(
                name="f", version="1", runtime_version="python:3.11.v1", region="eu-west-1", phase="init"
            ),
            (
                "INIT_START Runtime Version: python:3.11.v1\tRuntime Version ARN: "
                f"arn:aws:lambda:eu-west-1::runtime:{'0' * 64}\n"
            ),
        ),
        (
            platform_events.init_report(
                150.789, phase="init", status="error", error_type="Runtime.UserCodeSyntaxError"
            ),
            "INIT_REPORT Init Duration: 150.79 ms\tPhase: init\tStatus: error\tError Type: Runtime.UserCodeSyntaxError\n",
        ),
        (
            platform_events.init_report(10_000, phase="init", status="timeout"),
            "INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout\n",
        ),
        (platform_events.init_report(1, phase="init", status="success"), None),
        (platform_events.start("id", "$LATEST"), "START RequestId: id Version: $LATEST\n"),
        (
            platform_events.runtime_done("id", status="success", duration_ms=1, produced=2),
            "END RequestId: id\n",
        ),
        (
            REPORT,
            (
                "REPORT RequestId: id\tDuration: 3.01 ms\tBilled Duration: 114 ms\tMemory Size: 128 MB\t"
                "Max Memory Used: 36 MB\tInit Duration: 110.10 ms\t\n"
            ),
        ),
        (
            FAILED,
            (
                "REPORT RequestId: id\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\t"
                "Max Memory Used: 36 MB\tStatus: error\tError Type: Runtime.ExitError\t\n"
            ),
        ),
        (
            platform_events.extension("agent", {"SHUTDOWN", "INVOKE"}),
            "EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n",
        ),
        (
            platform_events.telemetry_subscription("agent", ("platform", "function")),
            "TELEMETRY\tName: agent\tState: Subscribed\tTypes: [Platform, Function]\n",
        ),
    ],
)
def test_a_text_log_has_lambdas_lines(event: PlatformEvent, text: str | None) -> None:
    """Tabs, units and the order of the parts are those of recorded lines."""
    assert event.text == text


def test_a_json_log_has_lambdas_records() -> None:
    """Time, type and record, with the metrics under their documented names."""
    line = platform_events.line(REPORT, now=1_700_000_000.5, level=INFO)
    assert line is not None
    assert json.loads(line) == {
        "time": "2023-11-14T22:13:20.500Z",
        "type": "platform.report",
        "record": {
            "requestId": "id",
            "metrics": {
                "durationMs": 3.009,
                "billedDurationMs": 114,
                "memorySizeMB": 128,
                "maxMemoryUsedMB": 36,
                "initDurationMs": 110.1,
            },
            "status": "success",
        },
    }


def test_a_sampled_trace_is_in_the_report() -> None:
    """The text has the XRAY part after the line, the record a `tracing`; what is not sampled is not told."""
    trace = "Root=1-5e34a614-10bdabcdf1fb44f07bc535a1;Parent=07f5abcd2d1f6f85;Sampled=1;Lineage=1:abcdef01:1"
    took = platform_text.Report(
        "id", duration_ms=1.0, billed_ms=1, memory_mb=128, max_memory_mb=36, trace=trace
    )
    event = platform_events.report(took)
    assert event.text is not None
    assert event.text.endswith(
        "Max Memory Used: 36 MB\t\nXRAY TraceId: 1-5e34a614-10bdabcdf1fb44f07bc535a1\tSegmentId: 07f5abcd2d1f6f85\tSampled: true\t\n"
    )
    assert event.record["tracing"] == {
        "spanId": "07f5abcd2d1f6f85",
        "type": "X-Amzn-Trace-Id",
        "value": trace,
    }
    quiet = platform_events.report(took._replace(trace=trace.replace("Sampled=1", "Sampled=0")))
    assert quiet.text is not None
    assert "XRAY" not in quiet.text
    assert "tracing" not in quiet.record


def test_the_system_level_decides_what_a_json_log_shows() -> None:
    """At WARN only what failed is told, at DEBUG the runtime's being done too."""
    done = platform_events.runtime_done("id", status="success", duration_ms=1, produced=2)
    shown = {
        level: [
            event.type
            for event in (REPORT, FAILED, done)
            if platform_events.line(event, now=0, level=level) is not None
        ]
        for level in (DEBUG, INFO, WARN)
    }
    assert shown == {
        DEBUG: ["platform.report", "platform.report", "platform.runtimeDone"],
        INFO: ["platform.report", "platform.report"],
        WARN: ["platform.report"],
    }


def test_a_timeout_has_its_moment() -> None:
    """The line begins with the time, in milliseconds and UTC."""
    assert platform_text.timed_out(0.25, "id", "Task timed out after 3.00 seconds") == (
        "1970-01-01T00:00:00.250Z id Task timed out after 3.00 seconds\n\n"
    )


@pytest.mark.parametrize(
    ("duration", "init", "expected"), [(3.01, None, 4), (3.0, None, 3), (3.2, 110.1, 114)]
)
def test_the_init_phase_is_billed(duration: float, init: float | None, expected: int) -> None:
    """Milliseconds are rounded up, the init phase with them."""
    assert platform_text.billed(duration, init) == expected
