"""The buffer of lines, against a plain sorted list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.tui.made import line
from tui.logs.buffer import LogBuffer, key_of

if TYPE_CHECKING:
    from lambdalog.tail import Line

batches = st.lists(st.lists(st.integers(0, 200), max_size=8), max_size=20)


@given(batches)
def test_lines_are_sorted_and_single(numbers: list[list[int]]) -> None:
    """Whatever order batches come in, each line is kept once and stands at its time."""
    buffer = LogBuffer()
    for batch in numbers:
        buffer.add([line(number) for number in batch], 0, trim=False)
    assert list(buffer.lines) == [line(number) for number in sorted({n for batch in numbers for n in batch})]


@given(batches, st.integers(0, 200))
def test_the_line_at_the_top_stays(numbers: list[list[int]], where: int) -> None:
    """The shift that `add` answers keeps an index on the same line."""
    buffer = LogBuffer()
    buffer.add([line(number) for number in range(50, 150, 7)], 0, trim=False)
    top = where % buffer.total
    anchor = buffer.shown[top]
    for batch in numbers:
        _, shift = buffer.add([line(number) for number in batch], top, trim=False)
        top += shift
        assert buffer.shown[top] == anchor


@given(batches, st.integers(2, 5))
def test_a_filter_shows_just_what_matches(numbers: list[list[int]], modulus: int) -> None:
    """Before or after a filter is set, the shown lines are the matching ones, in order."""
    buffer = LogBuffer()

    for position, batch in enumerate(numbers):
        if position == len(numbers) // 2:
            buffer.filter(lambda found: found.timestamp // 1000 % modulus == 0)
        buffer.add([line(number) for number in batch], 0, trim=False)
    if numbers:
        assert list(buffer.shown) == [
            found for found in buffer.lines if found.timestamp // 1000 % modulus == 0
        ]


def test_trimming_is_counted_and_shifts() -> None:
    """Lines beyond the limit go, oldest first, and are counted; the shift says by how much the rest moved."""
    buffer = LogBuffer(limit=100)
    buffer.add([line(number) for number in range(100)], 0, trim=True)
    new, shift = buffer.add([line(number) for number in range(100, 160)], 0, trim=True)
    assert (new, shift, buffer.trimmed, buffer.total) == (60, -60, 60, 100)
    assert buffer.lines[0] == line(60)
    assert buffer.index_near(key_of(line(61))) == 1


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 25), st.integers(0, 8)), max_size=12))
def test_what_was_forgotten_and_is_read_again_is_counted_once(turns: list[tuple[int, int, int]]) -> None:
    """Pages before what is kept, some of it forgotten lines and some of it known ones: each line is counted once."""
    buffer = LogBuffer(limit=20)
    buffer.add([line(number) for number in range(100, 120)], 0, trim=True)
    known, newest = set(range(100, 120)), 120
    for overlap, size, new in turns:
        edge = buffer.lines[0].timestamp // 1000 - line(0).timestamp // 1000
        page = range(max(edge - size, 0), edge + overlap)
        buffer.add([line(number) for number in page], 0, trim=False, read=True)
        known |= set(page)
        assert buffer.total + buffer.trimmed == len(known)
        buffer.add([line(number) for number in range(newest, newest + new)], 0, trim=True)
        known |= set(range(newest, newest + new))
        newest += new
        assert buffer.total + buffer.trimmed == len(known)


@given(
    st.lists(st.integers(0, 60), max_size=60),
    st.lists(st.integers(0, 60), max_size=60),
    st.integers(1, 7),
    st.integers(0, 60),
)
def test_what_was_filtered_elsewhere_is_as_if_it_was_here(
    before: list[int], meanwhile: list[int], step: int, gone: int
) -> None:
    """Lines that are added or forgotten while a snapshot is filtered are in the result, or aren't, like all others."""

    def matches(one: Line) -> bool:
        return one.timestamp // 1000 % step == 0

    buffer = LogBuffer()
    buffer.add([line(number) for number in before], 0, trim=False)
    found = [one for one in buffer.snapshot() if matches(one)]
    buffer.add([line(number) for number in meanwhile], 0, trim=False)
    buffer.forget_before(key_of(line(gone)))
    buffer.filter(matches, found)
    assert list(buffer.shown) == [one for one in buffer.lines if matches(one)]
    buffer.add([line(70)], 0, trim=False)
    assert list(buffer.shown) == [one for one in buffer.lines if matches(one)]
