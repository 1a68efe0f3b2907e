"""Lines with what is around them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from lambdalog.query.pattern import parse
from lambdalog.store import LogStore
from lambdalog.tail.context import Following, around
from lambdalog.tail.disk import DiskSource
from lambdalog.tail.line import Line
from lambdalog.tail.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lambdalog.tail.render import Shown

T0 = 1_700_000_000_000


def seen(shown: Iterable[Shown]) -> str:
    """Messages; `*` for those that matched, `|` for a gap."""
    return " ".join(
        f"{'| ' if one.gap else ''}{'*' if one.matched else ''}{one.line.message}" for one in shown
    )


@pytest.fixture
def source(store_path: Path) -> DiskSource:
    """Twenty lines in one stream, five in another of another group, in between; x in some."""
    with LogStore(store_path) as store:
        for group in ("g", "h"):
            store.create_group(group)
            store.create_stream(group, "s")
        store.append("g", "s", [(T0 + n // 2, f"{n}{'x' if n in {4, 6, 13, 19} else ''}") for n in range(20)])
        store.append("h", "s", [(T0 + n * 2, f"h{n}{'x' if n == 2 else ''}") for n in range(5)])
    return DiskSource(LogStore(store_path), Wanted(pattern=parse("x")))


EXPECTED = {
    1: "3 *4x 5 *6x 7 | h1 *h2x h3 | 12 *13x 14 | 18 *19x",
    2: "2 3 *4x 5 *6x 7 8 | h0 h1 *h2x h3 h4 | 11 12 *13x 14 15 | 17 18 *19x",
    3: "1 2 3 *4x 5 *6x 7 8 9 | h0 h1 *h2x h3 h4 10 11 12 *13x 14 15 16 17 18 *19x",
}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_page_shows_what_is_around(source: DiskSource, count: int) -> None:
    """So many lines of the same stream, each once; a gap where some were left out, none where none were."""
    lines = source.lines(None, None)
    found = around(lines, count, lambda line: "x" in line.message, source)
    assert seen(found) == EXPECTED[count]


@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_following_shows_the_same_lines(source: DiskSource, count: int) -> None:
    """As the lines come: of each stream the same ones, in the same order."""
    whole = DiskSource(source._store, Wanted())
    following = Following(count, lambda line: "x" in line.message)
    came = [one for line in whole.lines(None, None) for one in following.take(line)]
    found = list(around(source.lines(None, None), count, lambda line: "x" in line.message, source))
    for group in ("g", "h"):
        assert [one[:3] for one in came if one.line.group == group] == [
            one[:3] for one in found if one.line.group == group
        ]
    if count < 3:
        assert sum(one.gap for one in came) == sum(one.gap for one in found)


@pytest.mark.parametrize("seed", range(5))
def test_many_matches_in_many_streams(store_path: Path, seed: int) -> None:
    """Against the plain definition: a line is shown if one within `count` of it in its stream matches."""
    chance = random.Random(seed)
    count = chance.randrange(1, 5)
    with LogStore(store_path) as store:
        store.create_group("g")
        lines: dict[str, list[str]] = {}
        for stream in "abc":
            store.create_stream("g", stream)
            lines[stream] = [
                f"{stream}{n}{'x' if chance.random() < 0.05 else ''}" for n in range(chance.randrange(700))
            ]
            store.append("g", stream, [(T0 + n // 3, text) for n, text in enumerate(lines[stream])])
        source = DiskSource(store, Wanted(pattern=parse("x")))
        found = list(around(source.lines(None, None), count, lambda line: "x" in line.message, source))
        for stream, texts in lines.items():
            expected = [
                text
                for n, text in enumerate(texts)
                if any("x" in near for near in texts[max(n - count, 0) : n + count + 1])
            ]
            got = [one for one in found if one.line.stream == stream]
            assert [one.line.message for one in got] == expected
            assert all(one.matched == ("x" in one.line.message) for one in got)


def test_following_holds_no_more_than_it_shows() -> None:
    """Of a stream that never matches, only the last lines are kept."""
    following = Following(3, lambda line: line.message == "x")
    for number in range(1000):
        assert following.take(Line(number, number, "g", "s", str(number), str(number))) == []
    assert seen(following.take(Line(1000, 1000, "g", "s", "x", "x"))) == "997 998 999 *x"
