"""What one line says of an invocation."""

from __future__ import annotations

import pytest

from lambdalog.invocations import PATTERN, Mark, Report, mark_of
from lambdalog.invocations.marks import is_of, version_of
from lambdalog.query.pattern import parse
from lambdalog.runtime import platform_text
from lambdalog.tail import Line

REQUEST = "8f507cfc-1234-4697-b07a-ac58fc914c95"
STREAM = "2026/01/02/[7]0123456789abcdef0123456789abcdef"


def line(message: str, at: int = 1000) -> Line:
    """A line of a function's stream."""
    return Line(at, at, "/aws/lambda/pay", STREAM, message, f"{at}")


def known(message: str) -> Mark:
    """What a line says, which says something, and which the pattern lets through."""
    found = mark_of(line(message))
    assert found is not None
    assert parse(PATTERN).matches(message)
    return found


def test_lambdas_own_lines() -> None:
    """START, END and REPORT as the runtime writes them bear the request, the version and all numbers."""
    assert known(platform_text.start(REQUEST, "7"))[3:6] == ("start", REQUEST, "7")
    assert known(platform_text.end(REQUEST))[3:5] == ("end", REQUEST)
    text = platform_text.report(
        platform_text.Report(
            REQUEST,
            duration_ms=3.014,
            billed_ms=114,
            memory_mb=128,
            max_memory_mb=36,
            init_ms=110.1,
            status="error",
            error_type="Runtime.ExitError",
        )
    )
    assert known(text).report == Report(3.01, 114, 128, 36, 110.1, "error", "Runtime.ExitError")


def test_a_report_of_active_tracing() -> None:
    """The X-Ray fields of a REPORT are passed over."""
    text = (
        f"REPORT RequestId: {REQUEST}\tDuration: 2 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 30 MB\t\nXRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1\tSegmentId: 07f5xmpl\tSampled: true\t"
    )
    assert known(text).report == Report(2, 2, 128, 30, None, "", "")


def test_lambdas_json_lines() -> None:
    """platform.start and platform.report say the same; a status of success is none."""
    start = f'{{"time":"…","type":"platform.start","record":{{"requestId":"{REQUEST}","version":"$LATEST"}}}}'
    assert known(start)[3:6] == ("start", REQUEST, "$LATEST")
    report = (
        f'{{"time":"…","type":"platform.report","record":{{"requestId":"{REQUEST}","metrics":{{"durationMs":101.51,'
        '"billedDurationMs":303,"memorySizeMB":128,"maxMemoryUsedMB":30,"initDurationMs":200.5},"status":"%s"}}'
    )
    assert known(report % "success").report == Report(101.51, 303, 128, 30, 200.5, "", "")
    assert known(report % "timeout").report == Report(101.51, 303, 128, 30, 200.5, "timeout", "")


@pytest.mark.parametrize(
    ("message", "request_id", "type_", "said"),
    [
        ("[ERROR] Declined: order o-1 declined\nTraceback (most recent call last):\n", "", "Declined", "order o-1 declined"),
        (f"2026-01-02T03:04:05.678Z {REQUEST} Task timed out after 3.00 seconds\n\n", REQUEST, "Sandbox.Timedout", "Task timed out after 3.00 seconds"),
        (f"RequestId: {REQUEST} Error: Runtime exited with error: exit status 1\nRuntime.ExitError\n", REQUEST, "Runtime.ExitError", "Runtime exited with error: exit status 1"),
        (f'2026-01-02T03:04:05.678Z\t{REQUEST}\tERROR\tInvoke Error \t{{"errorType":"TypeError","errorMessage":"no"}}', REQUEST, "TypeError", "no"),
        (f'{{"timestamp":"…","level":"ERROR","errorType":"KeyError","errorMessage":"\'id\'","requestId":"{REQUEST}","stackTrace":[]}}', REQUEST, "KeyError", "'id'"),
    ],
)  # fmt: skip
def test_unhandled_errors(message: str, request_id: str, type_: str, said: str) -> None:
    """However a runtime or the platform tells of it, its type and words are known, and its request where that is told."""
    found = known(message)
    assert (found.kind, found.request_id, found.error_type, found.message) == (
        "error",
        request_id,
        type_,
        said,
    )


@pytest.mark.parametrize(
    "message",
    [
        "",
        "START",
        "Starting up",
        "REPORT RequestId: x\tnothing else",
        "REPORT RequestId: x\tDuration: soon ms",
        "[ERROR] it went wrong",
        "[ERROR]\t2026-01-02T03:04:05.678Z\tid\tlogged by the function",
        '{"type":"platform.report"',
        '{"type":"platform.report","record":{"requestId":1,"metrics":{"durationMs":1}}}',
        '{"type":"platform.report","record":{"requestId":"x","metrics":{"durationMs":true}}}',
        '{"type":"platform.start","record":[]}',
        '{"level":"ERROR","message":"handled","errorType":"KeyError","errorMessage":"x"}',
        '["platform.start"]',
        "R" * 1_000_000,
        "REPORT RequestId: " + "9" * 1_000_000,
        '{"errorType":' + "[" * 100_000,
    ],
)
def test_what_says_nothing(message: str) -> None:
    """A function's own lines, however much they look like Lambda's, make no marks; nor do broken ones, nor huge ones."""
    assert mark_of(line(message)) is None


def test_what_an_error_says_is_cut() -> None:
    """A mark is small, however long the line: thousands of them are held."""
    found = known("[ERROR] Broken: " + "x" * 1_000_000)
    assert len(found.message) <= 1000


def test_a_stream_says_whose_it_is() -> None:
    """In a function's own group it names the version alone, in a shared one the function, too; others say nothing."""
    for stream in ("2026/01/02/[3]aa", "2026/01/02/orders[3]aa"):
        assert is_of(stream, "orders")
        assert version_of(stream) == "3"
    assert not is_of("2026/01/02/orders[3]aa", "order")
    assert is_of("app/7", "orders")
    assert version_of("app/7") == ""
