"""Lines as text."""

from __future__ import annotations

import json

from lambdalog.tail import Line
from lambdalog.tail.render import as_json, as_text

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
