"""Bars over time: what they count, how they are drawn, and that they are right in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.tui.made import line
from tests.tui.pilot import NOW, until
from tui.feed import Bar
from tui.logs.buffer import severe_of
from tui.logs.histogram import BLOCKS, Histogram, bar_rows, step_text

if TYPE_CHECKING:
    from tests.tui.logs.conftest import Driven
    from tui.logs.reading import LogsReading

AT = int(NOW * 1000)
TEXTS = ("[INFO] fine", "[WARN] so so", "[ERROR] bad", "no level")


def counted(screen: LogsReading) -> dict[int, tuple[int, ...]]:
    """The bars that aren't empty, by their beginning."""
    bars = screen.bars
    return {index * bars.step: tuple(bar) for index, bar in bars._bars.items() if any(bar)}


def true_bars(driven: Driven) -> dict[int, tuple[int, ...]]:
    """What they should be: of all lines of the feed that there is room for."""
    bars = driven.screen.bars
    given = driven.feed.logs.bars(driven.screen.query_, bars.first, bars.step, bars.columns)
    found = {bars.first + number * bars.step: tuple(bar) for number, bar in enumerate(given)}
    return {begin: bar for begin, bar in found.items() if any(bar)}


def test_levels_have_places_of_their_own() -> None:
    """A bar counts its lines, and among them warnings and errors."""
    histogram = Histogram()
    lines = [line(number, text, at=AT + number // 4) for number, text in enumerate(TEXTS * 2)]
    histogram.count(lines, severe_of(lines))
    assert dict(histogram._bars) == {AT // 1000: [8, 2, 2]}


def test_what_is_counted_elsewhere_takes_nothing_from_the_newest_bar() -> None:
    """The newest bar grows while it is counted: it keeps what has come. Of another step, an answer is let be."""
    histogram = Histogram()
    histogram._now = AT // 1000
    lines = [line(number, at=AT) for number in range(5)]
    histogram.count(lines, [])
    histogram.set_bars(AT - 1000, 1000, [Bar(7, 1, 1), Bar(3, 2, 0)])
    assert dict(histogram._bars) == {AT // 1000 - 1: [7, 1, 1], AT // 1000: [5, 2, 0]}
    histogram.set_bars(AT, 60_000, [Bar(100)])
    assert histogram._bars[AT // 1000] == [5, 2, 0]


counts = st.integers(0, 10_000).flatmap(
    lambda total: st.tuples(st.just(total), st.integers(0, total), st.just(0))
)


@given(st.lists(counts, min_size=1, max_size=20), st.integers(1, 6))
def test_nothing_is_rounded_away(columns: list[tuple[int, int, int]], height: int) -> None:
    """Where there was a line there is a block, where there was a warning its colour; the highest bar fills its column."""
    rows = bar_rows(columns, height)
    peak = max(total for total, _, _ in columns)
    for x, (total, warnings, _) in enumerate(columns):
        column = [row[x] for row in rows]
        assert (column[-1][0] != BLOCKS[0]) == bool(total)
        assert ("warn" in {role for _, role in column}) == bool(warnings)
        if total == peak and peak:
            assert column[0][0] == BLOCKS[-1]


def test_a_step_is_told_by_its_unit() -> None:
    """Seconds, minutes, hours, days."""
    assert [step_text(step) for step in (5000, 60_000, 14_400_000, 86_400_000)] == ["5s", "1m", "4h", "1d"]


async def test_bars_are_drawn_where_they_changed(driven: Driven) -> None:
    """A tick draws them if there is a new bar, or if something was counted since; as runs of one style, a row the width."""
    bars = driven.screen.bars
    await until(driven.pilot, lambda: driven.screen.settled)
    now = driven.app.clock.now_ms()
    bars.tick(now)
    await driven.pilot.pause()
    region = bars.size.region
    drawn = bars.render_lines(region)
    assert {strip.cell_length for strip in drawn} == {bars.columns}
    assert max(len(list(strip)) for strip in drawn) <= len(counted(driven.screen)) * 2 + 1
    bars.tick(now)
    assert bars.render_lines(region) is drawn
    bars.count([line(1, at=now)], [])
    bars.tick(now)
    assert bars.render_lines(region) is not drawn
    drawn = bars.render_lines(region)
    bars.tick(now + bars.step)
    assert bars.render_lines(region) is not drawn


async def test_bars_are_right_while_lines_come(driven: Driven) -> None:
    """Lines of the past, new ones, late ones and ones that come twice: each is counted once."""
    screen, feed = driven.screen, driven.feed
    await until(driven.pilot, lambda: screen.settled and counted(screen) == true_bars(driven))
    coming = [line(99), line(100, "[ERROR] bad"), line(50, "late", at=line(50).timestamp + 1)]
    feed.logs.coming.put(sorted(coming))
    feed.logs.past.remove(line(99))  # putting it writes it again
    await until(driven.pilot, lambda: driven.view.buffer.total == 102)
    screen.tick()
    assert counted(screen) == true_bars(driven)


async def test_bars_are_counted_anew_where_lines_were_left_out(driven: Driven) -> None:
    """A source that says that it left lines out is asked for the bars again."""
    screen, feed = driven.screen, driven.feed
    await until(driven.pilot, lambda: screen.settled)
    feed.logs.past.append(line(98, "nobody is told of this one", at=line(98).timestamp + 2))
    for _ in range(25):
        screen.tick()
    await driven.pilot.pause(0.1)
    assert counted(screen) != true_bars(driven)
    feed.logs.notes.put(["sampled"])
    feed.logs.coming.put([line(100)])
    await until(driven.pilot, lambda: driven.view.buffer.total == 101)
    for _ in range(25):
        screen.tick()
    await until(driven.pilot, lambda: counted(screen) == true_bars(driven))
