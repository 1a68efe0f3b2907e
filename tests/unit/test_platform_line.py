"""What Lambda's own lines say, in either of its log formats."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.platform_line import PlatformLine, named, read
from lambdalog.runtime import platform_events, platform_text

ID = "8f507a5b-2c3e-4a31-9f0e-1d2c3b4a5f60"
REPORT = platform_text.report(
    platform_text.Report(ID, duration_ms=12.3, billed_ms=243, memory_mb=128, max_memory_mb=61, init_ms=230.1)
)


def event(kind: str, **record: object) -> str:
    """A platform line of the JSON log format."""
    return json.dumps({"time": "2026-01-02T03:04:05.678Z", "type": f"platform.{kind}", "record": record})


def test_a_report_is_read_whole() -> None:
    """Every figure of a text REPORT, with Lambda's words for what went wrong."""
    found = read(REPORT)
    assert found is not None
    assert found == PlatformLine(
        "report", ID, duration_ms=12.3, billed_ms=243, memory_mb=128, max_memory_mb=61, init_ms=230.1
    )
    text = platform_text.report(
        platform_text.Report(
            ID,
            duration_ms=3000,
            billed_ms=3000,
            memory_mb=128,
            max_memory_mb=40,
            status="error",
            error_type="Runtime.ExitError",
        )
    )
    found = read(text + "XRAY TraceId: 1-5-x\tSegmentId: 2\tSampled: true\t")
    assert found is not None
    assert (found.status, found.error_type) == ("error", "Runtime.ExitError")
    assert found.failed
    assert found.trace_id == "1-5-x"
    restored = read(
        f"REPORT RequestId: {ID}\tDuration: 1 ms\tRestore Duration: 474.16 ms\tBilled Restore Duration: 75 ms\t"
    )
    assert restored is not None
    assert restored.restore_ms == 474.16


def test_the_json_format_says_the_same() -> None:
    """Metrics by their names; a successful status is no failure."""
    found = read(
        event(
            "report",
            requestId=ID,
            status="timeout",
            metrics={"durationMs": 12.3, "billedDurationMs": 243, "memorySizeMB": 128, "maxMemoryUsedMB": 61},
        )
    )
    assert found is not None
    assert found == PlatformLine(
        "report", ID, status="timeout", duration_ms=12.3, billed_ms=243, memory_mb=128, max_memory_mb=61
    )
    started = read(event("start", requestId=ID, version="7"))
    assert started is not None
    assert (started.kind, started.version) == ("start", "7")
    assert not PlatformLine("report", ID, status="success").failed


def test_both_formats_of_an_event_say_the_same() -> None:
    """What Lambda tells of an invocation is read alike from a text log and a JSON log, its trace included."""
    took = platform_text.Report(
        ID,
        duration_ms=12.3,
        billed_ms=243,
        memory_mb=128,
        max_memory_mb=61,
        init_ms=230.1,
        status="timeout",
        trace="Root=1-5-x;Parent=2;Sampled=1",
    )
    told = platform_events.report(took)
    text, record = told.text, platform_events.line(told, now=1_700_000_000, level=0)
    assert text is not None
    assert record is not None
    assert read(text) == read(record)
    assert read(text) == PlatformLine(
        "report",
        ID,
        status="timeout",
        duration_ms=12.3,
        billed_ms=243,
        memory_mb=128,
        max_memory_mb=61,
        init_ms=230.1,
        trace_id="1-5-x",
    )
    untraced = event("report", requestId=ID, tracing={"value": 7})
    assert read(untraced) == PlatformLine("report", ID)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "START of something",
        "REPORT RequestId:",
        "ENDING",
        "START RequestId: " + "9" * 1_000_000,
        '{"type": "platform.report", "record": {"requestId": "x"}, "more": NaN}',
        '{"type": "platform.report"}',
        '{"type": "platform.report", "record": {"requestId": 7}}',
        '{"type": ["platform.report"], "record": {}}',
        '{"type": "platform.report", "record": ',
        '{"type": "platform.logsSubscription", "record": {"requestId": "x"}}',
        '{"a": ' + "[" * 100_000 + '"platform.',
        '["platform.start"]',
    ],
)
def test_what_only_looks_like_one_is_a_line(message: str) -> None:
    """A function may print anything; only whole platform lines are taken for such."""
    assert read(message) is None


@pytest.mark.parametrize("value", [True, "12 ms", -1, 1e300, None, [1]])
def test_a_figure_that_no_clock_gives_is_none(value: object) -> None:
    """A report whose duration is no number of milliseconds is a report without one."""
    found = read(event("report", requestId=ID, metrics={"durationMs": value, "billedDurationMs": 13}))
    assert found == PlatformLine("report", ID, billed_ms=13)


@given(st.text() | st.text().map(lambda text: f"REPORT RequestId: {text}\tDuration: {text} ms\t"))
def test_nothing_that_is_logged_is_an_error(message: str) -> None:
    """Whatever the text, it is read as a line of one of the four kinds, or as none; a line of none may name a request."""
    found = read(message)
    assert found is None or found.kind in {"init", "start", "end", "report"}
    assert found is None or named(message) == (found.request_id or None)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (f"START RequestId: {ID} Version: $LATEST\n", ID),
        (REPORT, ID),
        (f'{{"level":"INFO","requestId":"{ID}"}}', ID),
        (f'{{"function_request_id": "{ID}"}}', ID),
        (f"[INFO]\t2026-01-02T03:04:05.678Z\t{ID}\thello", ID),
        (f"2026-01-02T03:04:05.678Z {ID} Task timed out after 3.00 seconds", ID),
        (f"an order of request {ID}", None),
        ("INIT_START Runtime Version: python:3.13", None),
        ("plain", None),
    ],
)
def test_a_line_names_its_request(message: str, expected: str | None) -> None:
    """Platform lines, JSON keys and Lambda's text formats; an id somewhere in a text is not the line's own."""
    assert named(message) == expected
