"""How a failure's log lines look in a terminal."""

from __future__ import annotations

import pytest

from lambdalog.cli.failures_view import _lines_of
from lambdalog.instrument.pretty import plain, pretty


def test_a_json_line_is_shown_by_what_it_says() -> None:
    """Its message and keys, as a person reads them; another's text as it stands, without control."""
    assert _lines_of('{"level":"INFO","message":"charging","order":"o-1"}', plain) == [
        " INFO  charging order=o-1"
    ]
    assert _lines_of("one\ntwo \x1b[2J", plain) == ["one", "    two ␛[2J"]


@pytest.mark.parametrize("depth", [254, 1000, 1010, 1024, 5000])
def test_a_line_of_any_depth_is_shown(depth: int) -> None:
    """What orjson still reads and Python's own JSON doesn't is shown as its text."""
    line = '{"level":"ERROR","message":"deep","a":' + "[" * depth + "]" * depth + "}"
    for render in (plain, pretty):
        (shown,) = _lines_of(line, render)
        assert "deep" in shown
