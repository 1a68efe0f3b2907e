"""A line for a person at a terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.instrument.pretty import for_people, plain, pretty
from lambdalog.instrument.render import render

LINE: dict[str, Any] = {
    "timestamp": "2026-01-02T03:04:05.678Z",
    "level": "WARN",
    "message": "charging",
    "requestId": "r",
    "function": "f",
    "version": "7",
    "coldStart": True,
    "order_id": "o-1",
    "items": [1, None],
}


def test_it_has_time_level_message_and_keys() -> None:
    """The time of day, the level in its colour, the keys behind; what each line of a function says alike is left out."""
    text = pretty(render(LINE))
    assert text == (
        "\x1b[2m03:04:05.678\x1b[0m \x1b[33mWARN \x1b[0m \x1b[1mcharging\x1b[0m"
        " \x1b[36morder_id\x1b[0m=o-1 \x1b[36mitems\x1b[0m=[1, null]"
    )
    assert plain(render(LINE)) == "03:04:05.678 WARN  charging order_id=o-1 items=[1, null]"


def test_a_failure_is_told_once_with_its_stack_and_causes() -> None:
    """A line a frame, with its code; notes, what it came from and what it is made of, each with its own frames."""
    pay = {"file": "pay.py", "line": 9, "function": "pay", "code": "raise Declined(order)"}
    failure = {
        "type": "Declined",
        "frames": [{"file": "app.py", "line": 3, "function": "handler"}, pay],
        "notes": ["tried twice"],
        "causes": [{"type": "KeyError", "message": "'card'", "frames": [pay | {"code": None}]}],
        "members": [{"type": "ValueError", "message": "one"}, {"type": "ValueError", "message": "two"}],
    }
    failed = LINE | {"errorType": "Declined", "errorMessage": "no funds", "failure": failure}
    stack = [
        "    app.py:3 in handler",
        "    pay.py:9 in pay: raise Declined(order)",
        "    note tried twice",
        "    of ValueError: one",
        "    of ValueError: two",
        "    after KeyError: 'card'",
        "      pay.py:9 in pay",
    ]
    first, *rest = plain(render(failed | {"message": "Declined: no funds", "items": 1})).splitlines()
    assert first == "03:04:05.678 WARN  Declined: no funds order_id=o-1 items=1"
    assert rest == stack
    first, *rest = plain(render(failed | {"items": 1})).splitlines()
    assert (
        first == "03:04:05.678 WARN  charging order_id=o-1 items=1 errorType=Declined errorMessage=no funds"
    )
    assert rest == stack


def test_nothing_in_a_line_acts_on_the_terminal() -> None:
    """Escapes, line breaks and what turns text around are made visible."""
    text = plain(render({"message": "\x1b[2Jgone\nnew\u202e", "level": "\x1b[31m", "\x1b]0;k": "\x07"}))
    assert not any(char in text for char in "\x1b\n\u202e\x07")
    assert "gone" in text


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none() | st.floats() | st.lists(st.text())))
def test_any_line_can_be_shown(line: dict[str, Any]) -> None:
    """Whatever was logged, it is one line of text; with a failure of another's making too."""
    for failure in (None, line, {"frames": [line], "causes": [line], "members": [line], "notes": list(line)}):
        found = line if failure is None else line | {"failure": failure}
        text = plain(render(json.loads(render(found))))
        assert "\x1b" not in text


def test_a_json_line_is_shown_by_what_it_says() -> None:
    """Its message and keys, as a person reads them; another's text as it stands, a line each, without control."""
    line = '{"level":"INFO","message":"charging","order":"o-1"}'
    assert for_people(line, colour=False) == [" INFO  charging order=o-1"]
    assert for_people(line, colour=False, mixed=True) == ["INFO  charging order=o-1"]
    assert for_people("one\ntwo \x1b[2J\r", colour=True) == ["one", "    two ␛[2J"]
    assert for_people('{"no": "line of ours"}', colour=True) == ['{"no": "line of ours"}']
    assert for_people("{no JSON", colour=True) == ["{no JSON"]


def test_among_others_a_failure_names_its_request() -> None:
    """Who reads many requests' lines needs it to go on; where one request is shown it would only take room."""
    line = render(LINE | {"failure": {"type": "E", "frames": []}}).decode()
    assert "requestId=r" in for_people(line, colour=False, mixed=True)[0]
    assert "requestId" not in for_people(line, colour=False)[0]
    assert "requestId" not in for_people(render(LINE).decode(), colour=False, mixed=True)[0]


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("depth", [254, 1000, 1010, 1024, 5000])
def test_a_line_of_any_depth_is_shown(depth: int, colour: bool) -> None:
    """One that Python's JSON doesn't read is shown as its text."""
    line = '{"level":"ERROR","message":"deep","a":' + "[" * depth + "]" * depth + "}"
    (shown,) = for_people(line, colour=colour)
    assert "deep" in shown
