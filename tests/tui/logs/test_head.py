"""What the head says of the logs."""

from __future__ import annotations

from typing import Any

import pytest
from rich.style import Style

from lambdalog.query.pattern import parse
from tui.feed import Query
from tui.logs.head import Told, head_text, nothing_text

TOLD = Told(Query(), "", lines=1204, matched=7, total=None, searched=True, following=True, unseen=0, utc=True)
NOON = 1_700_049_600_000


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "1,204 lines  ● LIVE"),
        ({"following": False, "unseen": 1204}, "1,204 lines  ‖ PAUSED  ▼ 1,204 new"),
        ({"notes": "1 late\x1b[2J line"}, "1 late␛[2J line  1,204 lines  ● LIVE"),
        ({"query": Query(groups=("/aws/lambda/orders", "audit"))}, "orders, audit  1,204 lines  ● LIVE"),
        ({"query": Query(groups=tuple(f"group-{n:04}" for n in range(9)))}, "9 groups  1,204 lines  ● LIVE"),
        ({"query": Query(groups=("a" * 25,)), "lines": 1}, "1 group  1 line  ● LIVE"),
        ({"query": Query(streams="*[$LATEST]*")}, "*[$LATEST]*  1,204 lines  ● LIVE"),
        ({"query": Query(streams=("a", "b"))}, "2 streams  1,204 lines  ● LIVE"),
        ({"query": Query(streams=("s-1",))}, "s-1  1,204 lines  ● LIVE"),
        # Lambda's names begin alike.
        (
            {"query": Query(streams=("2026/11/26/[$LATEST]3f2504e04f8911d39a0c0305e82c3301",))},
            "…f8911d39a0c0305e82c3301  1,204 lines  ● LIVE",
        ),
        (
            {"query": Query(start=NOON, end=NOON + 60_000)},
            "12:00:00 … 12:01:00  1,204 lines  ● LIVE",
        ),
        ({"query": Query(pattern=parse("x")), "searched": False}, "7… match  ● LIVE"),
        ({"query": Query(pattern=parse("x")), "total": 1204}, "7 of 1,204 match  ● LIVE"),
        # Lines match before they have been counted.
        ({"query": Query(pattern=parse("x")), "total": 3}, "7 of 7 match  ● LIVE"),
    ],
)
def test_the_head_says_of_what_and_how_many(told: dict[str, Any], said: str) -> None:
    """Groups, times, counts, and whether new lines are followed; nothing of it is control."""
    assert head_text(TOLD._replace(**told), lambda _: Style()).plain.strip() == said


@pytest.mark.parametrize(
    ("query", "searched", "said"),
    [
        (Query(), True, "No lines yet"),
        (Query(groups=("a",)), True, "s chooses others"),
        (Query(streams="a"), True, "s chooses others"),
        (Query(start=1, end=2), True, "Esc shows all"),
        (Query(pattern=parse("x")), False, "searching"),
        (Query(pattern=parse("x"), start=1), True, "Esc takes the filter away"),
    ],
)
def test_why_there_is_nothing(query: Query, searched: bool, said: str) -> None:
    """It says what would show something."""
    assert said in nothing_text(query, searched=searched)


def test_colours_are_the_themes() -> None:
    """A theme without colours has none in the head."""
    told = TOLD._replace(notes="late", query=Query(groups=("a",)), following=False)
    asked: list[str] = []

    def ink(role: str) -> Style:
        asked.append(role)
        return Style(bold=True)

    text = head_text(told, ink)
    assert asked == ["warn", "rail", "warn"]
    assert all(isinstance(span.style, str) or span.style.color is None for span in text.spans)
