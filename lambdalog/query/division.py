"""Who reads what: the files that a scan leads to, divided among processes."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambdalog.store import Extent, Stretch

# So much is read before others are begun. The first results are there at once, and may be all that is asked for; and how long
# it took tells how long the rest will take: what is passed over by its bytes goes by fifty times as fast as what is decoded.
NEAR_BYTES: Final = 8 * 1024 * 1024
# So long the share of a process lasts at least: to begin one takes 0.1 to 0.2 s.
SHARE_SECONDS: Final = 0.5

# Group → its segments that one of the processes reads.
Share = dict[str, frozenset[str]]
# A group, and what is to be read of one of its files.
File = tuple[str, "Extent"]


def size_of(files: Sequence[File]) -> int:
    """How many bytes there are to read."""
    return sum(extent.size for _, extent in files)


def count(seconds: float, most: int) -> int:
    """Into how many shares to divide what one process would read in `seconds`."""
    return max(min(int(seconds / SHARE_SECONDS), most), 1)


def in_turn(files: Sequence[File], shares: int, *, descending: bool) -> list[Share]:
    """Shares of about one size in which all times are, for those who want events by time."""

    def begin(file: File) -> int:
        if descending:
            return -max(stretch.latest for stretch in file[1].stretches)
        return min(stretch.earliest for stretch in file[1].stretches)

    dealt: list[list[File]] = [[] for _ in range(shares)]
    sizes = [0] * shares
    for file in sorted(files, key=begin):
        least = sizes.index(min(sizes))
        dealt[least].append(file)
        sizes[least] += file[1].size
    return [share_of(each) for each in dealt]


def in_row(files: Sequence[File], shares: int) -> list[Share]:
    """Shares of about one size, each of which holds what comes before all of the next one."""
    total = size_of(files)
    dealt: list[list[File]] = [[] for _ in range(shares)]
    before = 0
    for file in files:
        middle = before + file[1].size // 2
        dealt[min(middle * shares // max(total, 1), shares - 1)].append(file)
        before += file[1].size
    return [share_of(each) for each in dealt]


def share_of(files: Sequence[File]) -> Share:
    """All of the files."""
    found: Share = {}
    for group, extent in files:
        found[group] = found.get(group, frozenset()) | extent.segments
    return found


def first_of(files: Sequence[File]) -> int:
    """How many of the files, from the first on, are about NEAR_BYTES."""
    size = 0
    for number, (_, extent) in enumerate(files):
        size += extent.size
        if size >= NEAR_BYTES:
            return number + 1
    return len(files)


def near(files: Sequence[File], *, descending: bool) -> int:
    """The time (epoch ms) that parts about NEAR_BYTES, with which a scan begins, from what comes beyond.

    A scan upwards begins with the times before it, one downwards with all others.
    """
    # What begins and ends, by time from the end that the scan begins with: bytes a millisecond, as if lines were evenly spread.
    changes: list[tuple[int, float]] = []
    for _, extent in files:
        for earliest, latest, size in extent.stretches:
            density = size / (latest - earliest + 1)
            changes.append((-latest if descending else earliest, density))
            changes.append(((-earliest if descending else latest) + 1, -density))
    changes.sort()
    time, passed, density = changes[0][0], 0.0, 0.0
    for at, change in changes:
        if passed + density * (at - time) >= NEAR_BYTES:
            time += ceil((NEAR_BYTES - passed) / density)
            break
        passed += density * (at - time)
        time, density = at, density + change
    return 1 - time if descending else time


def beyond(files: Sequence[File], time: int, *, descending: bool) -> list[File]:
    """What is left of the files on the far side of a time."""
    left = []
    for group, extent in files:
        stretches = [
            _left(each, time, descending=descending)
            for each in extent.stretches
            if (each.earliest < time if descending else each.latest >= time)
        ]
        if stretches:
            left.append((group, extent._replace(stretches=stretches)))
    return left


def _left(stretch: Stretch, time: int, *, descending: bool) -> Stretch:
    """A stretch without what is on the near side; lines are taken for evenly spread."""
    earliest, latest, size = stretch
    length = latest - earliest + 1
    if descending:
        last = min(latest, time - 1)
        return stretch._replace(latest=last, size=size * (last - earliest + 1) // length)
    first = max(earliest, time)
    return stretch._replace(earliest=first, size=size * (latest - first + 1) // length)
