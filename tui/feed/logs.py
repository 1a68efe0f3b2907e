"""Log lines for the dashboard: pages, what comes, counts, and the shape of a range of time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from lambdalog.level import ERROR, WARN
from lambdalog.tail import Line, open_source
from tui.feed.going_on import going_on

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from lambdalog.cloud import Cloud
    from lambdalog.query.pattern import Pattern
    from lambdalog.tail import Source
    from lambdalog.tail.streams import Streams

PAGE: Final = 2000
# A screenful is there at once; what follows comes in larger pages.
FIRST_PAGE: Final = 200
# So long a search waits for a page to be full, once it has found something.
PATIENCE_SECONDS: Final = 0.05
# How many lines are looked at for a histogram that no rollup can answer.
BARS_LINES_MAX: Final = 300_000
_MINUTE_MS: Final = 60_000
# Later than any line, and a whole minute.
FOREVER: Final = (1 << 52) // _MINUTE_MS * _MINUTE_MS


@dataclass(frozen=True, slots=True)
class Query:
    """Which lines: of which groups and streams, and which of them match. Times are epoch ms, `end` not included.

    `streams`: what their names begin with, or a glob over them, or whole names; empty means all.
    """

    groups: tuple[str, ...] = ()
    streams: str | tuple[str, ...] = ""
    pattern: Pattern | None = field(default=None, compare=False)
    text: str = ""
    start: int | None = None
    end: int | None = None

    def fits(self, line: Line) -> bool:
        """Whether a line of these groups and streams lies in the range, and matches."""
        return (
            (self.start is None or line.timestamp >= self.start)
            and (self.end is None or line.timestamp < self.end)
            and (self.pattern is None or self.pattern.matches(line.message))
        )


class Bar(NamedTuple):
    """What happened in one stretch of time."""

    total: int = 0
    warnings: int = 0
    errors: int = 0


class Logs(Protocol):
    """Lines of a store or of AWS. Every method but `follow` returns soon, or yields as it goes on."""

    def groups(self) -> list[str]:
        """The names of all groups."""
        ...

    def streams(self, groups: tuple[str, ...]) -> Streams:
        """The newest streams of groups by name or glob; of all, if none is named."""
        ...

    def page(
        self, query: Query, start: int | None, end: int | None, limit: int, *, descending: bool
    ) -> list[Line]:
        """Lines with `start` ≤ time < `end`: the first `limit`, or the last, newest first."""
        ...

    def follow(
        self,
        query: Query,
        since: int,
        deliver: Callable[[list[Line], list[str]], None],
        stop: threading.Event,
        failed: Callable[[Exception], None],
    ) -> None:
        """Hand over lines, and what the user should know, from `since` on until `stop` is set.

        What goes wrong on the way is told to `failed`; then it goes on where it was. It is overcome when something is handed
        over, if only nothing.
        """
        ...

    def matches(self, query: Query, stop: threading.Event, *, descending: bool) -> Iterator[list[Line]]:
        """All lines that match, in order of time or its reverse, in lists as they are found, until `stop` is set."""
        ...

    def total(self, query: Query) -> int | None:
        """How many lines there are, whatever the filter; None where only reading them all could tell."""
        ...

    def bars(self, query: Query, start: int, step: int, count: int) -> list[Bar]:
        """`count` stretches of `step` ms from `start` on."""
        ...

    def context(self, line: Line, lines: int) -> list[Line]:
        """A line of a stream with those before and after it."""
        ...


class StoreLogs:
    """Reads a `Cloud`."""

    # A poll this long means a key press to quit waits no longer.
    POLL_SECONDS = 0.2
    # After lines came, the next ones may gather for so long: one large delivery costs less than many.
    GATHER_SECONDS = 0.08
    # More lines at once can't be read anyway.
    FLOOD_LINES = 300
    FLOOD_SECONDS = 0.25

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def groups(self) -> list[str]:
        """The names of all groups."""
        return self._source(Query()).groups()

    def streams(self, groups: tuple[str, ...]) -> Streams:
        """The newest streams of groups."""
        return self._source(Query(groups)).streams()

    def page(
        self, query: Query, start: int | None, end: int | None, limit: int, *, descending: bool
    ) -> list[Line]:
        """Lines of a range, merged by time."""
        low, high = _within(query, start, end)
        return self._source(query).page(low, high, limit, descending=descending)

    def follow(
        self,
        query: Query,
        since: int,
        deliver: Callable[[list[Line], list[str]], None],
        stop: threading.Event,
        failed: Callable[[Exception], None],
    ) -> None:
        """Hand over lines as they come; the filter is the view's business, so that the rest is there once it is lifted."""
        following = self._source(Query(query.groups, query.streams)).follow(since, undecoded=True)
        for lines, notes in going_on(following, self.POLL_SECONDS, stop, failed):
            deliver(lines, notes)
            stop.wait(self.FLOOD_SECONDS if len(lines) > self.FLOOD_LINES else self.GATHER_SECONDS)

    def matches(self, query: Query, stop: threading.Event, *, descending: bool) -> Iterator[list[Line]]:
        """Page after page."""
        lines = self._source(query).lines(query.start, query.end, descending=descending)
        limit = FIRST_PAGE
        try:
            while not stop.is_set():
                page, ended = self._gathered(lines, limit)
                if page:
                    yield page
                if ended:
                    return
                limit = min(limit * 10, PAGE * 10)
        finally:
            lines.close()  # type: ignore[attr-defined]  # a generator

    def _gathered(self, lines: Iterator[Line], limit: int) -> tuple[list[Line], bool]:
        """Up to `limit` lines, and whether they ended; fewer where they are rare, and the user waits for them."""
        monotonic = self._cloud.clock.monotonic
        until = monotonic() + PATIENCE_SECONDS
        page = []
        for line in lines:
            page.append(line)
            if len(page) == limit or monotonic() > until:
                return page, False
        return page, True

    def total(self, query: Query) -> int | None:
        """From rollups: cheap, and for whole minutes only."""
        start, end = query.start or 0, query.end or FOREVER
        if query.streams or start % _MINUTE_MS or end % _MINUTE_MS:
            return None
        minutes = self._source(Query(query.groups)).minutes(start, end)
        return None if minutes is None else sum(events for events, _ in minutes.values())

    def bars(self, query: Query, start: int, step: int, count: int) -> list[Bar]:
        """From the store's rollups where those can tell, else from the lines."""
        end = start + step * count
        if query.pattern is None and not query.streams and step % _MINUTE_MS == 0:
            minutes = self._source(query).minutes(start, end)
            if minutes is not None:
                return _from_minutes(minutes, start, step, count)
        lines = self._source(query).page(start, end, BARS_LINES_MAX, descending=True)
        return from_lines(lines, start, step, count)

    def context(self, line: Line, lines: int) -> list[Line]:
        """Of the same stream, in order."""
        source = open_source(self._cloud, groups=[line.group], streams=line.stream)
        after = source.page(line.timestamp, None, lines * 2 + 2, descending=False)
        before = source.page(None, line.timestamp + 1, lines * 2 + 2, descending=True)
        found = {one.order: one for one in (*after, *before) if one.stream == line.stream}
        ordered = sorted(found)
        place = ordered.index(line.order) if line.order in found else 0
        return [found[key] for key in ordered[max(0, place - lines) : place + lines + 1]]

    def _source(self, query: Query) -> Source:
        return open_source(
            self._cloud,
            groups=list(query.groups),
            streams=query.streams,
            pattern=query.pattern,
        )


def _within(query: Query, start: int | None, end: int | None) -> tuple[int | None, int | None]:
    low = max((time for time in (query.start, start) if time is not None), default=None)
    high = min((time for time in (query.end, end) if time is not None), default=None)
    return low, high


def _from_minutes(minutes: dict[int, tuple[int, int]], start: int, step: int, count: int) -> list[Bar]:
    totals = [[0, 0] for _ in range(count)]
    for minute, (events, errors) in minutes.items():
        index = (minute - start) // step
        if 0 <= index < count:
            totals[index][0] += events
            totals[index][1] += errors
    return [Bar(events, 0, errors) for events, errors in totals]


def from_lines(lines: list[Line], start: int, step: int, count: int) -> list[Bar]:
    """Bars of lines, by their levels."""
    totals = [[0, 0, 0] for _ in range(count)]
    for line in lines:
        index = (line.timestamp - start) // step
        if 0 <= index < count:
            cell = totals[index]
            cell[0] += 1
            level = line.level or 0
            if level >= ERROR:
                cell[2] += 1
            elif level >= WARN:
                cell[1] += 1
    return [Bar(*cell) for cell in totals]
