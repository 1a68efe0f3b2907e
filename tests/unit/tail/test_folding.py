"""Lambda's own lines, folded."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from lambdalog.runtime import platform_text
from lambdalog.tail.folding import WAITING_MAX, Folding
from lambdalog.tail.line import Line
from lambdalog.tail.render import Shown

ID = "8f507a5b-2c3e-4a31-9f0e-1d2c3b4a5f60"
OTHER = "0a0b0c0d-2c3e-4a31-9f0e-1d2c3b4a5f60"
REPORT = platform_text.report(
    platform_text.Report(ID, duration_ms=12.3, billed_ms=243, memory_mb=128, max_memory_mb=61, init_ms=230.1)
)


def shown(*messages: str, stream: str = "s") -> list[Shown]:
    """Messages as lines of a stream, a millisecond apart."""
    return [Shown(Line(n, n, "g", stream, text, f"{stream}{n}")) for n, text in enumerate(messages)]


def folded(*messages: str) -> list[str]:
    """What they are folded into."""
    folding = Folding()
    out = [one for line in shown(*messages) for one in folding.take(line)]
    return [one.raw() for one in (*out, *folding.rest())]


def event(kind: str, **record: object) -> str:
    """A platform line of the JSON log format."""
    return json.dumps({"time": "2026-01-02T03:04:05.678Z", "type": f"platform.{kind}", "record": record})


@given(st.text() | st.text().map(lambda text: f"REPORT RequestId: {text}\tDuration: {text} ms\t"))
def test_nothing_that_is_logged_is_an_error(message: str) -> None:
    """Whatever the text, what is folded is one line."""
    assert len(folded(message)) == 1


def test_an_invocation_is_one_line() -> None:
    """START and END go, REPORT says it all; the function's own lines stay where they were."""
    start = platform_text.start(ID, "3")
    assert folded("INIT_START Runtime", start, "hello", platform_text.end(ID), REPORT, "after") == [
        "INIT_START Runtime",
        "hello",
        f"invocation {ID}: 12.30 ms, billed 243 ms, 61 of 128 MB, cold start 230.10 ms, version 3",
        "after",
    ]


def test_the_json_format_folds_as_well() -> None:
    """Its three lines are one, with what each of them knew."""
    assert folded(
        event("initStart", initializationType="on-demand"),
        event("start", requestId=ID, version="$LATEST"),
        event("runtimeDone", requestId=ID, status="error"),
        event("report", requestId=ID, metrics={"durationMs": 5, "billedDurationMs": 6}),
    )[1:] == [f"invocation {ID}: 5.00 ms, billed 6 ms, error"]


def test_what_has_no_report_is_not_lost() -> None:
    """One that was cut off, by another in its stream or by the end, is a line of its own; a lone REPORT is one."""
    start, end = platform_text.start(ID, "$LATEST"), platform_text.end(ID)
    other = platform_text.start(OTHER, "$LATEST")
    assert folded(start, other) == [
        f"invocation {ID}: no report yet",
        f"invocation {OTHER}: no report yet",
    ]
    assert folded(end) == [f"invocation {ID}: no report yet"]
    assert folded(REPORT)[0].startswith(f"invocation {ID}: 12.30 ms")


def test_streams_fold_each_for_itself() -> None:
    """Two environments at once: each invocation has its own start; too many open ones are shown, not kept."""
    folding = Folding()
    (one,) = shown(platform_text.start(ID, "1"), stream="a")
    (two,) = shown(platform_text.start(OTHER, "2"), stream="b")
    (done,) = shown(REPORT, stream="a")
    assert [*folding.take(one), *folding.take(two)] == []
    (report,) = folding.take(done)
    assert report.invocation is not None
    assert report.invocation.version == "1"
    out = [
        found
        for number in range(WAITING_MAX + 1)
        for found in folding.take(shown(platform_text.start(ID, "1"), stream=f"x{number}")[0])
    ]
    assert [found.line.stream for found in out] == ["b", "x0"]
