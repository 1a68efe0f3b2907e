"""The streams of groups, to choose from: the newest, not all there may be."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

# Nobody looks through more; what else there is has a name to be typed.
STREAMS_MOST: Final = 1000
# On AWS one call for each group is made, of an operation with few a second.
AWS_GROUPS_MOST: Final = 10
# What a page of DescribeLogStreams holds.
AWS_PAGE: Final = 50


class Stream(NamedTuple):
    """A stream of a group; `last` is the time of its newest event, epoch ms, None where there is none or none is known."""

    group: str
    name: str
    last: int | None


class Streams(NamedTuple):
    """Streams by their newest events, the newest first; `more`: there are others, that were not looked at."""

    newest: list[Stream]
    more: bool


def newest_of(found: Iterable[Stream], *, more: bool = False) -> Streams:
    """The newest of some streams; those that were never written come last."""
    listed = heapq.nlargest(STREAMS_MOST + 1, found, key=lambda one: (one.last or 0, one.group, one.name))
    return Streams(listed[:STREAMS_MOST], more or len(listed) > STREAMS_MOST)
