"""A group that is followed: how far it was looked at, which of its events were given, and how much it writes.

Pure: it is told the time and the events, and makes no calls.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lambdalog.tail.group import Group
    from lambdalog.tail.line import Line

# Ten seconds lost nothing at 5 % late arrivals of up to eight seconds.
LOOK_BACK_MS: Final = 10_000
# Now and then, to find and count what comes later than that.
FAR_BACK_MS: Final = 120_000
FAR_EVERY_SECONDS: Final = 60.0
# A group is looked at no more often.
POLL_SECONDS: Final = 1.0
# What a group that wrote nothing is taken to write, in events a second: it must be looked at, too.
QUIET_RATE: Final = 1 / 300
# The first look covers what may be an instant: it is not taken to be shorter.
FIRST_SECONDS: Final = 5.0

Mark = tuple[str, int, int, int]


class Watched:
    """A group that is followed."""

    __slots__ = (
        "began",
        "came",
        "due",
        "far",
        "first",
        "given",
        "group",
        "live",
        "looked",
        "looked_at",
        "polled",
        "rate",
        "seen",
        "start",
        "token",
        "weight",
    )

    def __init__(self, group: Group, first: int) -> None:
        self.group = group
        self.first = first  # epoch ms: nothing older is asked for
        self.looked: int | None = None  # when the last whole look began
        self.looked_at = 0.0
        self.began = 0
        self.start = 0
        self.token: str | None = None
        self.far = float("-inf")  # when it was last looked back far
        self.due = 0.0
        self.rate = 0.0
        self.weight = 0.0
        self.came = 0  # new events since the last whole look
        self.seen: dict[str, int] = {}
        # Live Tail gives no ids. What it gave and a look has not yet seen, and the other way round.
        self.live = False
        self.given: Counter[Mark] = Counter()
        self.polled: Counter[Mark] = Counter()

    def weigh(self) -> float:
        """Take what it writes for its share of the budget; by how much that changed."""
        weight = 0.0 if self.live else math.sqrt(self.rate + QUIET_RATE)
        change, self.weight = weight - self.weight, weight
        return change

    def begin(self, now: float, now_ms: int) -> None:
        """A look begins. `now` is the monotonic clock's, `now_ms` epoch ms."""
        back = LOOK_BACK_MS
        # Few events are read over again where few are written: there it costs nothing to look back far each time.
        if now - self.far >= FAR_EVERY_SECONDS or self.rate < 1:
            back = FAR_BACK_MS
            self.far = now
        self.began = now_ms
        # From before the last look that was answered: a pause for throttling is looked over as well.
        start = self.first if self.looked is None else max(self.first, self.looked - back)
        self.start = max(start, 0)

    def take(self, lines: list[Line]) -> tuple[list[Line], list[Line]]:
        """A page of a look: (what of it was not given yet, which of those came later than `LOOK_BACK_MS`)."""
        found: list[Line] = []
        late: list[Line] = []
        fresh = [line for line in lines if line.id not in self.seen]
        for line in fresh:
            self.seen[line.id] = line.timestamp
            self.came += 1
            if self.given or self.live:
                mark = _mark(line)
                if self.given[mark] > 0:  # Live Tail gave it already
                    self.given[mark] -= 1
                    continue
                self.polled[mark] += 1
            if self.looked is not None and line.timestamp < self.looked - LOOK_BACK_MS:
                late.append(line)
            found.append(line)
        return found, late

    def take_live(self, line: Line) -> Line | None:
        """A line of Live Tail, with an id; None if a look gave it already, or it is too old."""
        if line.timestamp < self.first:
            return None
        mark = _mark(line)
        if self.polled[mark] > 0:  # a look gave it already
            self.polled[mark] -= 1
            return None
        self.given[mark] += 1
        return line._replace(id=f"live:{line.stream}:{line.timestamp}:{mark[3]}:{self.given[mark]}")

    def finish(self, now: float) -> None:
        """A look is over, whose pages were all taken."""
        if self.looked is not None:
            elapsed = max(now - self.looked_at, POLL_SECONDS)
            self.rate += (self.came / elapsed - self.rate) / 2
        else:
            self.rate = self.came / max((self.began - self.first) / 1000, FIRST_SECONDS)
        self.came = 0
        self.looked, self.looked_at = self.began, now
        # What lies before the furthest window is not asked for again, so its ids need not be known.
        oldest = self.began - FAR_BACK_MS - LOOK_BACK_MS
        self.seen = {id_: time for id_, time in self.seen.items() if time >= oldest}
        for marks in (self.given, self.polled):
            for mark in [mark for mark, count in marks.items() if count <= 0 or mark[1] < oldest]:
                del marks[mark]


def _mark(line: Line) -> Mark:
    return (line.stream, line.timestamp, line.ingestion, hash(line.message))
