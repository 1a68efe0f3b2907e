"""Which rows of which lines stand in a view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from textual.strip import Strip

from lambdalog.tail import Line
from tui.logs.buffer import Ordered
from tui.logs.layout import Place, last_page, page_down, track, walk
from tui.logs.rows import Drawn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def lines(count: int) -> list[Line]:
    """So many lines, one a millisecond."""
    return [Line(number, 0, "g", "s", f"line {number}", f"id-{number:05d}") for number in range(count)]


def rows_of(heights: Sequence[int]) -> Callable[[Line], list[Drawn]]:
    """Line `n` takes `heights[n]` rows."""
    return lambda line: [Drawn(Strip.blank(1))] * heights[line.timestamp]


heights = st.lists(st.integers(1, 5), min_size=1, max_size=12)


@given(heights, st.integers(1, 20), st.data())
def test_pages_are_runs_of_all_rows(tall: list[int], height: int, data: st.DataObject) -> None:
    """A page from a place, and the last page, are what a list of all rows has there."""
    shown, rows = lines(len(tall)), rows_of(tall)
    every = [Place(index, sub) for index, count in enumerate(tall) for sub in range(count)]
    at = data.draw(st.integers(0, len(every) - 1))
    assert [place for place, _ in page_down(shown, rows, every[at], height)] == every[at : at + height]
    assert [place for place, _ in last_page(shown, rows, height)] == every[-height:]


@given(heights, st.integers(-70, 70), st.data())
def test_a_walk_is_so_many_rows_long(tall: list[int], step: int, data: st.DataObject) -> None:
    """Up or down by rows, it ends at the first and at the last row."""
    every = [Place(index, sub) for index, count in enumerate(tall) for sub in range(count)]
    at = data.draw(st.integers(0, len(every) - 1))
    wanted = every[min(max(at + step, 0), len(every) - 1)]
    assert walk(lines(len(tall)), rows_of(tall), every[at], step) == wanted


def test_without_lines_there_is_nothing() -> None:
    """No lines: no rows, and every walk ends at the top."""
    assert page_down([], rows_of([]), Place(0), 5) == last_page([], rows_of([]), 5) == []
    assert walk([], rows_of([]), Place(3, 1), 2) == Place(0)


def test_no_more_lines_are_laid_out_than_there_is_room_for() -> None:
    """Of a million lines a page makes the rows of those it shows."""
    made: list[int] = []

    def rows(line: Line) -> list[Drawn]:
        made.append(line.timestamp)
        return [Drawn(Strip.blank(1))] * 2

    shown = lines(1000)
    last_page(shown, rows, 9)
    page_down(shown, rows, Place(100), 9)
    assert made == [999, 998, 997, 996, 995, 100, 101, 102, 103, 104]


def test_the_scrollbar_tells_where_the_view_stands_and_where_errors_are() -> None:
    """The thumb is as long as the view is of the lines; an error shows on the row of its lines, unless the thumb is there."""
    shown, errors = lines(100), Ordered()
    errors.add([shown[5], shown[95]], 0)
    assert track(shown, errors, 0, 10) == ["thumb", *["track"] * 8, "track-error"]
    assert track(shown, errors, 90, 10) == ["track-error", *["track"] * 8, "thumb"]
    assert track(shown, Ordered(), 45, 10).index("thumb") == 4
