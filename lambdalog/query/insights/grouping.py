"""`stats … by …`: one row for each combination of values, with its aggregates."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from lambdalog.errors import QueryError
from lambdalog.query.insights import aggregates
from lambdalog.query.insights.expressions import SLOT, compiled
from lambdalog.query.insights.records import Record, getter
from lambdalog.query.insights.syntax import Call, Literal
from lambdalog.query.insights.values import sort_key, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from lambdalog.query.insights.aggregates import Aggregate
    from lambdalog.query.insights.syntax import Stats

# What bounds the memory of a query, together with what one aggregate may take.
GROUPS_MAX: Final = 100_000

# What records are grouped by, as it is compared → as it is shown, and the aggregates.
Groups = dict["Hashable", tuple[tuple[Any, ...], list["Aggregate"]]]


class Grouping:
    """Takes records in and gives rows, in the order of what they are grouped by."""

    def __init__(self, stats: Stats, now: int) -> None:
        self._names = [item.name for item in stats.by]
        self._items = [(item.name, compiled(item.expression, now)) for item in stats.items]
        self._makers = [_maker(call) for call in stats.calls]
        self._taking = Taking(stats, now)
        self.groups: Groups = {}
        if not stats.by:
            self._aggregates(())

    def add(self, records: list[Any], taking: Taking | None = None) -> None:
        """Take records in. `taking`: how they are read, where they are no Records."""
        taking = taking or self._taking
        taken = taking.columns(records)
        keys = taking.keys(records)
        if keys is None:
            for aggregate, values in zip(self._aggregates(()), taken, strict=True):
                aggregate.extend(values)
            return
        parts = _parts(keys)
        for key, places in parts.items():
            for aggregate, values in zip(self._aggregates(key), taken, strict=True):
                aggregate.extend(values if len(parts) == 1 else [values[place] for place in places])

    def add_counted(self, key: tuple[Any, ...], count: int) -> None:
        """Take in records of which nothing but `count(*)` is asked, counted elsewhere."""
        for aggregate in self._aggregates(key):
            assert isinstance(aggregate, aggregates.Count)
            aggregate.add(count)

    def merge(self, groups: Groups) -> None:
        """Take in what another grouping of the same `stats` has made of records that come after all of these."""
        for key, found in groups.values():
            for aggregate, other in zip(self._aggregates(key), found, strict=True):
                aggregate.merge(other)

    def rows(self) -> Iterator[Record]:
        """The rows, sorted by what they are grouped by."""
        for values, found in sorted(
            self.groups.values(), key=lambda group: [sort_key(value) for value in group[0]]
        ):
            made = dict(zip(self._names, values, strict=True))
            made |= {f"{SLOT}{number}": aggregate.result() for number, aggregate in enumerate(found)}
            row = Record(None, made)
            for name, value in self._items:
                made[name] = value(row)
            yield Record(
                None,
                {
                    name: value
                    for name, value in made.items()
                    if value is not None and not name.startswith(SLOT)
                },
            )

    def _aggregates(self, key: tuple[Any, ...]) -> list[Aggregate]:
        found = self.groups.get(key)
        if found is not None:
            return found[1]
        if len(self.groups) >= GROUPS_MAX:
            raise QueryError(
                f"there are more than {GROUPS_MAX} groups; group by fewer fields, or filter first"
            )
        made = [make() for make in self._makers]
        self.groups[key] = (key, made)
        return made


class Taking:
    """How what a `stats` asks for is read of records; `getter` reads a field."""

    def __init__(
        self, stats: Stats, now: int, getter: Callable[[str], Callable[[Any], Any]] = getter
    ) -> None:
        self._by = [compiled(item.expression, now, getter) for item in stats.by]
        # What several aggregates take in is worked out once.
        arguments = [call.args[0] if call.args else None for call in stats.calls]
        different = list(dict.fromkeys(arguments))
        self._columns = [None if each is None else compiled(each, now, getter) for each in different]
        self._takes = [different.index(each) for each in arguments]
        self._timed = [call.name in {"earliest", "latest"} for call in stats.calls]
        self._timestamp = getter("@timestamp")

    def columns(self, records: list[Any]) -> list[list[Any]]:
        """What each aggregate takes in."""
        columns = [records if value is None else list(map(value, records)) for value in self._columns]
        times = list(map(self._timestamp, records)) if any(self._timed) else []
        return [
            list(zip(columns[column], times, strict=True)) if timed else columns[column]
            for column, timed in zip(self._takes, self._timed, strict=True)
        ]

    def keys(self, records: list[Any]) -> list[tuple[Any, ...]] | None:
        """What each record is grouped by; None where there is one group."""
        if not self._by:
            return None
        return list(zip(*[map(value, records) for value in self._by], strict=True))


def _parts(keys: list[tuple[Any, ...]]) -> dict[tuple[Any, ...], list[int]]:
    """Group → the places of its records."""
    parts: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    try:
        for place, key in enumerate(keys):
            parts[key].append(place)
    except TypeError:  # lists or objects among them
        parts.clear()
        for place, key in enumerate(keys):
            parts[_hashable(key)].append(place)
    return parts


def _hashable(key: tuple[Any, ...]) -> tuple[Any, ...]:
    try:
        hash(key)
    except TypeError:
        return tuple(map(text_of, key))
    return key


def _maker(call: Call) -> Callable[[], Aggregate]:
    percent = 50.0
    if len(call.args) == 2 and isinstance(call.args[1], Literal):
        percent = float(call.args[1].value)
    return aggregates.maker(call.name, percent)
