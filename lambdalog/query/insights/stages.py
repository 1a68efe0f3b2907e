"""The commands at work: each takes a stream of records and gives another, holding no more than it must."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from lambdalog.errors import QueryError
from lambdalog.query.insights import regex
from lambdalog.query.insights.expressions import compiled, condition
from lambdalog.query.insights.grouping import Grouping
from lambdalog.query.insights.records import getter
from lambdalog.query.insights.syntax import (
    Dedup,
    Display,
    Field,
    Fields,
    Filter,
    Limit,
    Parse,
    Sort,
    Stats,
    Unnest,
)
from lambdalog.query.insights.values import sort_key, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lambdalog.query.insights.records import Record
    from lambdalog.query.insights.syntax import Command, Named

# `stats` takes in so many records at once.
BLOCK: Final = 2048
# What `sort` without a limit behind it, and `dedup`, may hold.
HELD_MAX: Final = 1_000_000
HELD_BYTES_MAX: Final = 256 * 1024 * 1024
# A sort with a limit cuts what it holds back to the limit when it has so many times more.
_SLACK: Final = 2
_SLACK_LEAST: Final = 4096


def apply(command: Command, records: Iterable[Record], now: int, most: int | None) -> Iterator[Record]:
    """What a command makes of records. `most`: so many of the sorted ones at most are asked for; None: all."""
    match command:
        case Fields(items) | Display(items):
            return _made(items, records, now)
        case Filter(expression):
            return filter(condition(expression, now), records)
        case Stats():
            return _grouped(command, records, now)
        case Sort(keys):
            return _sorted(keys, records, now, most)
        case Limit(count):
            return islice(iter(records), count)
        case Dedup(names):
            return _first_of_each(names, records)
        case Parse():
            return _parsed(command, records, now)
        case Unnest():
            return _unnested(command, records, now)


def asked(commands: Iterable[Command], limit: int) -> int | None:
    """How many records at most the commands behind a sort take; None if that can't be said."""
    for command in commands:
        match command:
            case Limit(count):
                return min(count, limit)
            case Fields() | Display() | Parse():
                continue
            case _:
                return None
    return limit


def _made(items: tuple[Named, ...], records: Iterable[Record], now: int) -> Iterator[Record]:
    makers = [
        (item.name, compiled(item.expression, now)) for item in items if item.expression != Field(item.name)
    ]
    if not makers:
        return iter(records)
    return _with_made(makers, records)


def _with_made(makers: list[Any], records: Iterable[Record]) -> Iterator[Record]:
    for record in records:
        for name, value in makers:
            made = value(record)
            if made is not None:
                record.values[name] = made
        yield record


def _grouped(stats: Stats, records: Iterable[Record], now: int) -> Iterator[Record]:
    grouping = Grouping(stats, now)
    iterator = iter(records)
    while block := list(islice(iterator, BLOCK)):
        grouping.add(block)
    yield from grouping.rows()


def _sorted(
    keys: tuple[tuple[Any, bool], ...], records: Iterable[Record], now: int, most: int | None
) -> Iterator[Record]:
    values = [(compiled(expression, now), descending) for expression, descending in keys]
    cut = None if most is None else max(most * _SLACK, most + _SLACK_LEAST)
    held: list[Record] = []
    size = 0
    for record in records:
        held.append(record)
        if record.event is not None:
            size += len(record.event.message)
        if cut is not None and (len(held) >= cut or size > HELD_BYTES_MAX):
            _sort(held, values)
            del held[most:]
            size = sum(len(each.event.message) for each in held if each.event is not None)
        if len(held) > HELD_MAX or size > HELD_BYTES_MAX:
            raise QueryError(
                "there is too much to sort at once; filter first, or put a limit behind the sort"
            )
    _sort(held, values)
    yield from held if most is None else held[:most]


def _sort(held: list[Record], values: list[Any]) -> None:
    # From the last key to the first: sorting is stable.
    for value, descending in reversed(values):
        if descending:
            held.sort(key=lambda record: _last_if_missing(value(record)), reverse=True)
        else:
            held.sort(key=lambda record: sort_key(value(record)))


def _last_if_missing(value: Any) -> tuple[int, Any]:
    kind, found = sort_key(value)
    return (-1, 0) if kind == 2 else (kind, found)


def _first_of_each(names: tuple[str, ...], records: Iterable[Record]) -> Iterator[Record]:
    """A record that lacks one of the fields is never another's duplicate."""
    values = [getter(name) for name in names]
    seen: set[tuple[str, ...]] = set()
    for record in records:
        found = [value(record) for value in values]
        if any(value is None for value in found):
            yield record
            continue
        key = tuple(text_of(value) for value in found)
        if key not in seen:
            if len(seen) >= HELD_MAX:
                raise QueryError("there are too many different values for dedup; filter first")
            seen.add(key)
            yield record


def _parsed(command: Parse, records: Iterable[Record], now: int) -> Iterator[Record]:
    source, find, names = compiled(command.source, now), regex.searcher(command.regex), command.names
    named = bool(regex.groups(command.regex))
    for record in records:
        value = source(record)
        found = None if value is None else find(text_of(value))
        if found is not None:
            texts = found.groupdict() if named else dict(zip(names, found.groups(), strict=True))
            for name, text in texts.items():
                if text is not None:
                    record.values[name] = text
        yield record


def _unnested(command: Unnest, records: Iterable[Record], now: int) -> Iterator[Record]:
    source = compiled(command.source, now)
    for record in records:
        value = source(record)
        if not isinstance(value, list):
            yield record
            continue
        for each in value:
            yield record.with_values({command.name: each})
