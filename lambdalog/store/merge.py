"""One ordered stream of events from many, by pieces of them: what is done for each event is a sort's."""

from __future__ import annotations

from bisect import bisect_left
from heapq import heapify, heappop, heapreplace
from itertools import chain
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lambdalog.store.event import Event, Position

Read_co = TypeVar("Read_co", covariant=True)

# So many events are read ahead of what is handed out, at most, beside a piece of each source.
_AHEAD: Final = 2048


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

    At first no more is read than the next events need, later up to half as many as were handed out.
    """
    sign = -1 if descending else 1
    unopened = dict(enumerate(sources))
    opened: dict[int, Iterator[Piece]] = {}
    # Until when each source is known, the least first; times are negative where later ones come first.
    known = [(sign * bound, number) for number, (bound, _) in unopened.items()]
    heapify(known)
    held: list[list[Event]] = []
    handed = 0
    while known or held:
        ahead = min(handed // 2, _AHEAD)
        least = min([sign * events[0].timestamp for events in held], default=None)
        while known:
            until, number = known[0]
            if least is not None and least < until and not (ahead > 0 and number in opened):
                break
            if number in unopened:
                opened[number] = iter(unopened.pop(number).read())
            piece = next(opened[number], None)
            if piece is None:
                heappop(known)
                del opened[number]
                continue
            heapreplace(known, (max(sign * piece.until, until), number))
            if events := piece.events:
                held.append(events)
                ahead -= len(events)
                first = sign * events[0].timestamp
                least = first if least is None else min(first, least)
        ready, held = _parted(held, known[0][0], sign) if known else (held, [])
        events = _sorted(ready, descending=descending)
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


def _parted(runs: list[list[Event]], until: int, sign: int) -> tuple[list[list[Event]], list[list[Event]]]:
    """What of each run is before that time, and what is not."""
    ready, rest = [], []
    for run in runs:
        if sign * run[-1].timestamp < until:
            ready.append(run)
            continue
        count = bisect_left(run, until, key=lambda event: sign * event.timestamp)
        if count:
            ready.append(run[:count])
        rest.append(run[count:])
    return ready, rest


def _sorted(runs: list[list[Event]], *, descending: bool) -> list[Event]:
    if len(runs) == 1:
        return runs[0]
    events = list(chain.from_iterable(runs))
    events.sort(reverse=descending)
    return events
