"""How events of many sources become one ordered stream."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from lambdalog.store import Event
from lambdalog.store.merge import Piece, Source, _Held, merge

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

END = 1 << 62
# Of each source, its pieces: each some times after the last one's, and how much earlier than what follows it is known until.
sources = st.lists(
    st.lists(st.tuples(st.lists(st.integers(0, 5), max_size=4), st.integers(0, 3)), max_size=4), max_size=5
)


def made(steps: list[tuple[list[int], int]], segment: str, *, descending: bool) -> list[Piece]:
    """A source's pieces, its times from 50 on in the order asked for."""
    pieces, time, offset = [], 50, 0
    sign = -1 if descending else 1
    for times, known in steps:
        events = []
        for step in times:
            time += sign * step
            offset += sign
            events.append(Event(time, 0, segment, offset, f"{time}", "g", segment))
        pieces.append(Piece(time - sign * known, events))
    return pieces


@given(sources, st.booleans(), st.integers(0, 19))
@settings(max_examples=300, deadline=None)
def test_events_come_in_order_whatever_the_pieces(
    found: list[list[tuple[list[int], int]]], descending: bool, passed: int
) -> None:
    """All events of all sources come once, in order; past a position, exactly those after it."""
    pieces = [made(one, f"s{number}", descending=descending) for number, one in enumerate(found)]
    events = sorted((event for one in pieces for piece in one for event in piece.events), reverse=descending)
    after = events[passed].position if passed < len(events) else None
    bound = 50

    def merged() -> Iterator[Event]:
        given = [Source(bound, partial(iter, one)) for one in pieces]
        return chain.from_iterable(merge(given, descending=descending, after=after))

    assert list(merged()) == (events if after is None else events[passed + 1 :])


def test_only_what_the_next_events_need_is_read() -> None:
    """A source is opened when its bound is reached, and read on when it is the one that is known the least far."""
    read: list[str] = []

    def source(name: str, times: list[int]) -> Iterator[Piece]:
        for time in times:
            read.append(f"{name}{time}")
            yield Piece(time, [Event(time, 0, name, time, "", "g", name)])

    given = [
        Source(bound, partial(source, name, times))
        for name, bound, times in (("a", 1, [1, 5, 9]), ("b", 2, [4, 6]), ("c", 7, [8]))
    ]
    merged = chain.from_iterable(merge(given, descending=False))
    assert next(merged).timestamp == 1
    assert read == ["a1", "a5"]
    assert next(merged).timestamp == 4
    assert read == ["a1", "a5", "b4", "b6"]
    assert [event.timestamp for event in merged] == [5, 6, 8, 9]


def test_the_work_grows_with_the_events_not_with_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a thousand sources that are open at once, only those are looked at whose events are next."""
    handled = []
    add = _Held.add

    def counting(held: _Held, run: list[Event]) -> None:
        handled.append(len(run))
        add(held, run)

    monkeypatch.setattr(_Held, "add", counting)

    def source(number: int) -> Source[Piece]:
        events = [Event(number + 997 * step, 0, f"{number:04}", step, "", "g", "s") for step in range(20)]
        return Source(number, partial(iter, [Piece(END, events)]))

    merged = chain.from_iterable(merge(map(source, range(1000)), descending=False))
    assert sum(1 for _ in merged) == 20_000
    assert len(handled) < 20_000


def test_what_was_found_does_not_wait_for_many_pieces() -> None:
    """Where few lines are meant, as many events ahead would be most of a file: pieces count as well."""
    read: list[int] = []

    def source() -> Iterator[Piece]:
        for time in range(20_000):
            read.append(time)
            yield Piece(time, [Event(time, 0, "s", time, "", "g", "s")] if time % 10 == 0 else [])

    for event in chain.from_iterable(merge([Source(0, source)], descending=False)):
        assert len(read) - event.timestamp <= 4096 / 32 + 2
    assert len(read) == 20_000
