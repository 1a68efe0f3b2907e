"""One query evaluated over a store's groups: what needs not be read is not, and what is read is not kept."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lambdalog import settings
from lambdalog.query import crew, division
from lambdalog.query.insights.expressions import condition
from lambdalog.query.insights.grouping import Grouping, Taking
from lambdalog.query.insights.lines import Lines, place_of_stats
from lambdalog.query.insights.literals import literals, stream
from lambdalog.query.insights.records import Record, getter
from lambdalog.query.insights.stages import BLOCK, apply, asked
from lambdalog.query.insights.syntax import (
    Call,
    Command,
    Display,
    Field,
    Fields,
    Filter,
    Parse,
    Query,
    Sort,
    Stats,
    Unnest,
)
from lambdalog.query.insights.values import Time, text_of
from lambdalog.query.worker import StatsTask
from lambdalog.store import Scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lambdalog.query.division import Share
    from lambdalog.query.insights.grouping import Groups
    from lambdalog.query.insights.period import Period
    from lambdalog.store import Event, LogStore
    from lambdalog.store.blocks import Block

LIMIT: Final = 10_000
MINUTE_MS: Final = 60_000
# So many events go by between two looks whether to go on.
_EVERY: Final = 2048
_DEFAULT: Final = ("@timestamp", "@message")

Row = list[tuple[str, str]]


class Cancelled(Exception):
    """The query was stopped."""


@dataclass
class Statistics:
    """What a query took. `scanned` and `bytes` count events that were decoded: what their bytes rule out is not."""

    matched: int = 0
    scanned: int = 0
    bytes: int = 0
    groups: int = 0

    def add(self, other: Statistics) -> None:
        """What another process took for its share."""
        self.matched += other.matched
        self.scanned += other.scanned
        self.bytes += other.bytes


class Partial(NamedTuple):
    """What a `stats` has made of a share of the events, and what that took."""

    groups: Groups
    statistics: Statistics


class Run:
    """A query over groups of a store, from `start` to before `end` (epoch ms; None: no bound). Iterated once.

    `stopped` is asked now and then; once it is true, Cancelled is raised. QueryError where it would take too much.
    """

    def __init__(
        self,
        query: Query,
        store: LogStore,
        groups: Sequence[str],
        *,
        start: int | None,
        end: int | None,
        limit: int = LIMIT,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.statistics = Statistics(groups=len(groups))
        self._query = query
        self._store = store
        self._groups = groups
        self._start = start
        self._end = end
        self._limit = limit
        self._stopped = stopped
        self._now = store.clock.now_ms()

    def rows(self) -> Iterator[Row]:
        """The result: (column, value as text) of each row; what a row has no value for is not in it."""
        columns = self.columns()
        readers = [(name, getter(name)) for name in columns]
        for record in islice(self._records(), self._limit):
            row = [(name, text_of(value)) for name, read in readers if (value := read(record)) is not None]
            if record.event is not None and "@ptr" not in columns:
                row.append(("@ptr", text_of(_pointer(record))))
            yield row

    def columns(self) -> list[str]:
        """The columns, in their order; `@ptr` comes beside them where rows are events."""
        shown: list[str] = []
        for command in self._query.commands:
            match command:
                case Display(items):
                    shown = [item.name for item in items]
                case Stats(items, by, _):
                    shown = [item.name for item in (*by, *items)]
                case Fields(items):
                    shown += [item.name for item in items]
                case Parse():
                    shown += command.names
                case Unnest():
                    shown.append(command.name)
        if not any(isinstance(command, Display | Fields | Stats) for command in self._query.commands):
            shown = [*_DEFAULT, *shown]
        return list(dict.fromkeys(shown))

    # --- records

    def _records(self) -> Iterator[Record]:
        commands = self._query.commands
        counted, place = _counted(commands), None
        if counted is not None:
            number, period = counted
            records: Iterator[Record] = self._from_minutes(commands[number], period)  # type: ignore[arg-type]
            rest = commands[number + 1 :]
        elif (place := _place_of_stats(commands)) is not None:
            records = self._grouped(commands[: place + 1])
            rest = commands[place + 1 :]
        else:
            order, rest = _order(commands)
            records = self._events(order)
        counting = counted is None and place is None
        for position, command in enumerate(rest):
            if counting and not isinstance(command, Filter | Fields | Display | Parse):
                records, counting = self._matched(records), False
            records = apply(command, records, self._now, asked(rest[position + 1 :], self._limit))
        return self._matched(records) if counting else records

    def _matched(self, records: Iterator[Record]) -> Iterator[Record]:
        for record in records:
            self.statistics.matched += 1
            yield record

    def _scans(self, *, descending: bool = False, share: Share | None = None) -> list[Scan]:
        """The events in the range, of each group; of a share, what is in that."""
        only = stream(self._query)
        whole = Scan(
            "",
            start=self._start,
            end=self._end,
            streams=None if only is None else frozenset({only}),
            descending=descending,
            literals=literals(self._query),
        )
        if share is None:
            return [replace(whole, group=group) for group in self._groups]
        return [replace(whole, group=group, segments=segments) for group, segments in share.items()]

    def _events(self, order: str | None, share: Share | None = None) -> Iterator[Record]:
        """All events in the range, newest or oldest first; None: in whatever order is quickest."""
        read = self._store.gather if order is None else self._store.scan
        scans = [read(scan) for scan in self._scans(descending=order == "desc", share=share)]
        if order is None or len(scans) == 1:
            for scan in scans:
                yield from self._counted(scan)
        else:
            yield from self._counted(heapq.merge(*scans, reverse=order == "desc"))

    def _counted(self, events: Iterator[Event]) -> Iterator[Record]:
        statistics = self.statistics
        try:
            size = 64  # a few are enough for a first page
            while block := list(islice(events, size)):
                size = min(size * 2, _EVERY)
                self._look()
                statistics.scanned += len(block)
                statistics.bytes += sum(len(event.message) for event in block)
                for event in block:
                    yield Record(event, {})
        except KeyError:
            return  # the group was deleted meanwhile

    # --- stats of whatever order

    def partial(self, share: Share) -> Partial:
        """What the first `stats`, of a query that can be divided, makes of a share of the events."""
        place = _place_of_stats(self._query.commands)
        assert place is not None
        commands = self._query.commands[: place + 1]
        grouping = Grouping(commands[-1], self._now)  # type: ignore[arg-type]
        self._take(commands, grouping, share)
        return Partial(grouping.groups, self.statistics)

    def _grouped(self, commands: tuple[Command, ...]) -> Iterator[Record]:
        grouping = Grouping(commands[-1], self._now)  # type: ignore[arg-type]
        files = [] if settings.processes() < 2 else crew.files_of(self._store, self._scans())
        if division.size_of(files) <= division.NEAR_BYTES:
            self._take(commands, grouping, None)
        else:
            first = division.first_of(files)
            watch = crew.Stopwatch(self._store)
            with watch.running():
                self._take(commands, grouping, division.share_of(files[:first]))
            read, left = division.size_of(files[:first]), division.size_of(files[first:])
            with crew.shares(files[first:], watch.expected(read, left)) as count:
                self._take_together(commands, grouping, division.in_row(files[first:], count))
        yield from grouping.rows()

    def _take_together(
        self, commands: tuple[Command, ...], grouping: Grouping, shares: Sequence[Share]
    ) -> None:
        own, *others = shares
        root, text = str(self._store.root), self._query.text
        tasks = [StatsTask(root, self._now, text, self._start, self._end, share) for share in others]
        with crew.workers(self._store, tasks) as workers:
            self._take(commands, grouping, own)
            for worker, share in zip(workers, others, strict=True):
                try:
                    for partial in worker.found(self._look):
                        grouping.merge(partial.groups)
                        self.statistics.add(partial.statistics)
                        break  # that is all: a worker that ends early now has nothing left to be read here
                except crew.Gone:
                    self._take(commands, grouping, share)

    def _take(self, commands: tuple[Command, ...], grouping: Grouping, share: Share | None) -> None:
        """Take into a `stats`, the last of the commands, what the others let through."""
        if place_of_stats(commands) is not None:
            self._take_lines(commands, grouping, share)
            return
        records = self._events(None, share)
        for command in commands[:-1]:
            records = apply(command, records, self._now, None)
        records = self._matched(records)
        while block := list(islice(records, BLOCK)):
            grouping.add(block)

    def _take_lines(self, commands: tuple[Command, ...], grouping: Grouping, share: Share | None) -> None:
        """The same by the block, where few fields are asked for."""
        stats = commands[-1]
        assert isinstance(stats, Stats)
        lines = Lines(commands)
        quick = Taking(stats, self._now, lines.getter)
        asked = [command.condition for command in commands if isinstance(command, Filter)]
        conditions = [condition(each, self._now, lines.getter) for each in asked]
        for scan in self._scans(share=share):
            for block in self._blocks(scan):
                self._look()
                read = lines.read(scan.group, block)
                if read is None:
                    self._add_events(grouping, block, asked)
                    continue
                found, size = read
                self.statistics.scanned += len(found)
                self.statistics.bytes += size
                for holds in conditions:
                    found = list(filter(holds, found))
                self.statistics.matched += len(found)
                if found:
                    grouping.add(found, quick)

    def _look(self) -> None:
        """Cancelled if nobody wants to know any more."""
        if self._stopped():
            raise Cancelled

    def _blocks(self, scan: Scan) -> Iterator[Block]:
        try:
            yield from self._store.blocks(scan)
        except KeyError:
            return  # the group was deleted meanwhile

    def _add_events(self, grouping: Grouping, block: Block, asked: list[Any]) -> None:
        records = self._counted(iter(block.events()))
        for each in asked:
            records = filter(condition(each, self._now), records)
        if found := list(self._matched(records)):
            grouping.add(found)

    # --- counts by time, from the rollups of sealed segments

    def _from_minutes(self, stats: Stats, period: Period | None) -> Iterator[Record]:
        grouping = Grouping(stats, self._now)
        for group in self._groups:
            self._look()
            try:
                self._add_minutes(grouping, group, period)
            except KeyError:
                continue
        yield from grouping.rows()

    def _add_minutes(self, grouping: Grouping, group: str, period: Period | None) -> None:
        start, end = self._start, self._end
        expired = self._store.expired_before(self._store.group(group))
        if expired is not None:
            start = expired if start is None else max(start, expired)
        # Minutes that lie in the range as a whole; what is left at its ends is looked at event by event.
        low = None if start is None else -(-start // MINUTE_MS) * MINUTE_MS
        high = None if end is None else end // MINUTE_MS * MINUTE_MS
        edges: list[tuple[int | None, int | None]] = []
        if low is not None and high is not None and low >= high:
            edges = [(start, end)]
        else:
            for minute, (events, _) in self._store.minutes(group, start=low, end=high).items():
                key = () if period is None else (Time(period.floor(minute)),)
                grouping.add_counted(key, events)
                self.statistics.scanned += events
                self.statistics.matched += events
            if start != low:
                edges.append((start, low))
            if end != high:
                edges.append((high, end))
        for begin, stop in edges:
            records = self._matched(self._counted(self._store.scan(Scan(group, start=begin, end=stop))))
            while block := list(islice(records, _EVERY)):
                grouping.add(block)


_pointer = getter("@ptr")


def _place_of_stats(commands: tuple[Command, ...]) -> int | None:
    """Where a `stats` stands before which each event is looked at by itself: it takes them in whatever order."""
    for number, command in enumerate(commands):
        match command:
            case Stats():
                return number
            case Filter() | Fields() | Display() | Parse():
                continue
            case _:
                return None
    return None


def _order(commands: tuple[Command, ...]) -> tuple[str | None, tuple[Command, ...]]:
    """In which order events are wanted, and the commands without a sort that this order makes needless."""
    for number, command in enumerate(commands):
        match command:
            case Sort(((Field("@timestamp"), descending),)):
                made = {
                    item.name for each in commands[:number] if isinstance(each, Fields) for item in each.items
                    if item.expression != Field(item.name)
                } | {name for each in commands[:number] if isinstance(each, Parse) for name in each.names}  # fmt: skip
                if "@timestamp" in made:
                    return None, commands
                return "desc" if descending else "asc", commands[:number] + commands[number + 1 :]
            case Filter() | Fields() | Display() | Parse():
                continue
            case _:
                return "desc", commands
    return "desc", commands


def _counted(commands: tuple[Command, ...]) -> tuple[int, Period | None] | None:
    """Where a `stats` stands that asks for nothing but `count(*)`, over all or by whole minutes, and the period."""
    for number, command in enumerate(commands):
        match command:
            case Fields(items) if all(item.expression == Field(item.name) for item in items):
                continue
            case Stats(_, by, calls) if all(call == Call("count", ()) for call in calls):
                if not by:
                    return number, None
                match by:
                    case (item,) if isinstance(item.expression, Call) and item.expression.name == "bin":
                        period: Period = item.expression.args[0].value
                        return (number, period) if period.ms % MINUTE_MS == 0 else None
                return None
            case _:
                return None
    return None
