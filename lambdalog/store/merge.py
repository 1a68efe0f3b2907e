"""One ordered stream of events from many, by pieces of them: what is done for each event is a sort's."""

from __future__ import annotations

from bisect import bisect_left
from heapq import heapify, heappop, heappush, heapreplace
from itertools import chain, count
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lambdalog.store.event import Event, Position

Read_co = TypeVar("Read_co", covariant=True)

# So many events are read ahead of what is handed out, at most, beside a piece of each source.
_AHEAD: Final = 4096
# As so many events counts a piece by itself: where few lines are meant, those that were found don't wait for many pieces.
_A_PIECE: Final = 32


class Piece(NamedTuple):
    """Some events of a source in the scan's order; those that follow have times of `until` or later (or earlier, if descending)."""

    until: int
    events: list[Event]


class Source(NamedTuple, Generic[Read_co]):
    """What is read, by the piece; nothing of it comes before `bound` (its earliest time, or latest if descending)."""

    bound: int
    read: Callable[[], Iterable[Read_co]]


def merge(
    sources: Iterable[Source[Piece]], *, descending: bool, after: Position | None = None
) -> Iterator[list[Event]]:
    """The events of all sources past `after`, in order; a source is opened only when its bound is reached.

    At first no more is read than the next events need, later up to as many as were handed out.
    """
    sign = -1 if descending else 1
    unopened = dict(enumerate(sources))
    opened: dict[int, Iterator[Piece]] = {}
    # Until when each source is known, the least first; times are negative where later ones come first.
    known = [(sign * bound, number) for number, (bound, _) in unopened.items()]
    heapify(known)
    held = _Held(sign)
    handed = 0
    while known or held.runs:
        ahead = min(handed, _AHEAD)
        while known:
            until, number = known[0]
            if held.runs and held.first < until and not (ahead > 0 and number in opened):
                break
            if number in unopened:
                opened[number] = iter(unopened.pop(number).read())
            piece = next(opened[number], None)
            if piece is None:
                heappop(known)
                del opened[number]
                continue
            heapreplace(known, (max(sign * piece.until, until), number))
            ahead -= _A_PIECE + len(piece.events)
            if piece.events:
                held.add(piece.events)
        events = _sorted(held.before(known[0][0] if known else None), descending=descending)
        handed += len(events)
        if after is not None:
            past = [
                event
                for event in events
                if (event.position < after if descending else event.position > after)
            ]
            if past:
                after = None  # passed once, passed for good
            events = past
        if events:
            yield events


class _Held:
    """What was read and can't be handed out yet; `sign` -1 where later times come first."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._numbers = count()
        # A heap, by the first time of each.
        self.runs: list[tuple[int, int, list[Event]]] = []

    @property
    def first(self) -> int:
        """The first time of all."""
        return self.runs[0][0]

    def add(self, run: list[Event]) -> None:
        """Hold some events, which are in order."""
        heappush(self.runs, (self._sign * run[0].timestamp, next(self._numbers), run))

    def before(self, until: int | None) -> list[list[Event]]:
        """What comes before that time, which is held no longer; None: all."""
        ready = []
        while self.runs and (until is None or self.first < until):
            run = heappop(self.runs)[2]
            if until is not None and self._sign * run[-1].timestamp >= until:
                cut = bisect_left(run, until, key=lambda event: self._sign * event.timestamp)
                self.add(run[cut:])
                run = run[:cut]
            ready.append(run)
        return ready


def _sorted(runs: list[list[Event]], *, descending: bool) -> list[Event]:
    if len(runs) == 1:
        return runs[0]
    events = list(chain.from_iterable(runs))
    events.sort(reverse=descending)
    return events
