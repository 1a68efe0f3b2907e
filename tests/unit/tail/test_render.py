"""Lines as text."""

from __future__ import annotations

import json

from lambdalog.platform_line import PlatformLine
from lambdalog.tail import Line
from lambdalog.tail.render import Shown, as_json, as_text

LINE = Line(
    1_700_000_000_123, 1_700_000_000_200, "/aws/lambda/orders", "s", "[ERROR] \x1b[2Jbad\nthing\n", "1"
)


def test_text_is_one_harmless_line() -> None:
    """Time, group and message; nothing of the message acts on the terminal."""
    text = as_text(LINE)
    assert text.endswith(".123 orders [ERROR] ␛[2Jbad ⏎ thing")
    assert "\x1b" not in text


def test_colour_follows_the_level() -> None:
    """An error is red; the only escapes are ours."""
    assert "\x1b[31m[ERROR] ␛[2Jbad ⏎ thing\x1b[0m" in as_text(LINE, colour=True)


def test_json_keeps_the_message() -> None:
    """A program gets the message as it was."""
    assert json.loads(as_json(LINE))["message"] == LINE.message
    assert "\x1b" not in as_json(LINE)


def test_a_time_that_no_calendar_has_is_a_number() -> None:
    """Whatever a writer gave as a time, the line is shown."""
    assert as_text(LINE._replace(timestamp=10**18)).startswith(f"{10**18} orders ")


def test_what_only_stands_near_is_dim() -> None:
    """A line around a match is told from it by its shade, and by nothing where there are no colours."""
    near = Shown(LINE, matched=False)
    assert near.text(colour=True).startswith("\x1b[2m")
    assert near.text(colour=True).count("\x1b") == 2
    assert near.text() == as_text(LINE) == Shown(LINE, matched=True).text()
    assert json.loads(near.json())["match"] is False
    assert "match" not in json.loads(Shown(LINE).json())


def test_a_failed_invocation_is_red() -> None:
    """A folded line's colour is its status's, not that of words in it."""
    failed = Shown(LINE, PlatformLine("report", "id", duration_ms=1, status="timeout"))
    assert "\x1b[31minvocation id: 1.00 ms, timeout\x1b[0m" in failed.text(colour=True)
    assert failed.raw() == "invocation id: 1.00 ms, timeout"
    assert (
        Shown(LINE, PlatformLine("start", "ERROR"))
        .text(colour=True)
        .endswith("m invocation ERROR: no report yet".lstrip("m"))
    )


def test_pretty_shows_what_a_json_line_says() -> None:
    """Level, message and keys in place of JSON, behind the line's own time and group; a failure's stack is below it."""
    said = {"timestamp": "t", "level": "ERROR", "message": "E: no", "requestId": "r-1"}
    frame = {"file": "app.py", "line": 3, "function": "process", "code": "raise E()"}
    shown = Shown(LINE._replace(message=json.dumps(said | {"failure": {"frames": [frame]}})))
    head, below = shown.pretty().split("\n")
    assert head.endswith(".123 orders ERROR E: no requestId=r-1")
    assert below == "    app.py:3 in process: raise E()"
    assert "\x1b[31mERROR" in shown.pretty(colour=True)
    near = shown._replace(matched=False).pretty(colour=True)
    assert near.startswith("\x1b[2m")
    assert near.count("\x1b") == 2


def test_pretty_keeps_the_lines_of_other_messages_apart() -> None:
    """A traceback is read as it was written, coloured by its level, and nothing in it acts on the terminal."""
    assert Shown(LINE).pretty().endswith(".123 orders [ERROR] ␛[2Jbad\n    thing")
    assert "\x1b[31m[ERROR] ␛[2Jbad\x1b[0m\n    thing" in Shown(LINE).pretty(colour=True)
    report = PlatformLine("report", "id", duration_ms=1, status="timeout")
    assert Shown(LINE, report).pretty() == Shown(LINE, report).text()
