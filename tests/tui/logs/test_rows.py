"""What a line becomes on the screen, whatever stands in it: rows of exactly the screen's width."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from rich.style import Style

from lambdalog.printable import printable
from tests.tui.made import line
from tui.logs.detail import detail_text
from tui.logs.rows import WRAPPED_ROWS_MAX, Look, RowPainter
from tui.logs.unfold import ROWS_MAX

WIDTH = 79
# orjson reads these, and writes no more than 254 levels.
DEEP = 900
HOSTILE = {
    "a megabyte": "x" * 1_000_000,
    "a megabyte of JSON": json.dumps({"message": "m", "v": "x" * 1_000_000}),
    "many keys": json.dumps({"message": "m"} | {f"k{n}": n for n in range(20_000)}),
    "lists in lists": '{"message":"m","a":' + "[" * DEEP + "]" * DEEP + "}",
    "objects in objects": '{"message":"m","a":' + '{"a":' * DEEP + "1" + "}" * DEEP + "}",
    "an object as message": '{"message":' + '{"a":' * DEEP + "1" + "}" * DEEP + "}",
    "deeper than JSON is read": '{"message":"m","a":' + "[" * 5000 + "]" * 5000 + "}",
    "line breaks": "a\n" * 100_000,
    "wide": "漢字" * 50_000,
    "joined": "👩\u200d👩\u200d👧" * 20_000,
    "combining": "e" + "\u0301" * 100_000,
    "reordering": "\u202e\u2066abc" * 20_000,
    "control": "\x1b[2J\x07\r" * 20_000,
    "half surrogates": "\ud800" * 20_000,
}


def painter(*, wrap: bool = False) -> RowPainter:
    """One for a screen of `WIDTH` columns."""
    made = RowPainter()
    made.set_look(Look(WIDTH, wrap=wrap, utc=True, found=""), defaultdict(Style))
    return made


@pytest.mark.parametrize("wrap", [False, True], ids=["cut", "wrapped"])
@pytest.mark.parametrize("name", HOSTILE)
def test_any_line_is_rows_of_the_width(name: str, wrap: bool) -> None:
    """However long, wide or deep a line is, its rows are as wide as the screen, not more than so many, and safe to draw."""
    rows = painter(wrap=wrap).rows(line(1, HOSTILE[name]), unfold=False, marked=False, note="")
    assert 1 <= len(rows) <= (WRAPPED_ROWS_MAX if wrap else 1)
    for row in rows:
        assert row.strip.cell_length == WIDTH == sum(segment.cell_length for segment in row.strip)
        assert row.strip.text == printable(row.strip.text)


@pytest.mark.parametrize("name", HOSTILE)
def test_any_line_is_laid_out(name: str) -> None:
    """So are the rows below it that its JSON is laid out in, and their number has a bound."""
    rows = painter().rows(line(1, HOSTILE[name]), unfold=True, marked=False, note="")
    assert 2 <= len(rows) <= ROWS_MAX + 2
    assert {row.strip.cell_length for row in rows} == {WIDTH}


@pytest.mark.parametrize("name", HOSTILE)
def test_any_line_has_a_page_of_its_own(name: str) -> None:
    """What `v` shows of it can be drawn as it is."""
    said = detail_text(line(1, HOSTILE[name]), lambda _: Style()).plain
    assert all(part == printable(part) for part in said.split("\n"))


@pytest.mark.parametrize("text", ["plain words " * 40, "漢字 und Wörter " * 30, "e\u0301" * 300])
def test_wrapping_leaves_nothing_out(text: str) -> None:
    """The rows of a wrapped line, put together without their indents, are the line."""
    rows = painter(wrap=True).rows(line(1, text), unfold=False, marked=False, note="")
    shown = "".join(
        part[number and 16 :] for number, part in enumerate(row.strip.text.rstrip() for row in rows)
    )
    # A space that a row ends with can't be told from what the row is filled up with.
    assert shown.replace(" ", "").endswith(text.replace(" ", ""))
