"""`stats … by …`: one row for each combination of values, with its aggregates."""

from __future__ import annotations

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


class Grouping:
    """Takes records in and gives rows, in the order of what they are grouped by."""

    def __init__(self, stats: Stats, now: int) -> None:
        self._by = [(item.name, compiled(item.expression, now)) for item in stats.by]
        self._items = [(item.name, compiled(item.expression, now)) for item in stats.items]
        self._makers = [_maker(call) for call in stats.calls]
        # What several aggregates take in is worked out once.
        arguments = [call.args[0] if call.args else None for call in stats.calls]
        different = list(dict.fromkeys(arguments))
        self._columns = [None if each is None else compiled(each, now) for each in different]
        self._takes = [different.index(each) for each in arguments]
        self._timed = [call.name in {"earliest", "latest"} for call in stats.calls]
        self._groups: dict[Hashable, tuple[tuple[Any, ...], list[Aggregate]]] = {}
        if not stats.by:
            self._aggregates(())

    def add(self, records: list[Record]) -> None:
        """Take records in."""
        columns: list[list[Any]] = [
            list(records) if value is None else [value(record) for record in records]
            for value in self._columns
        ]
        times = [_timestamp(record) for record in records] if any(self._timed) else []
        taken = [
            list(zip(columns[column], times, strict=True)) if timed else columns[column]
            for column, timed in zip(self._takes, self._timed, strict=True)
        ]
        parts = self._parts(records)
        for key, places in parts.items():
            for aggregate, values in zip(self._aggregates(key), taken, strict=True):
                aggregate.extend(values if len(parts) == 1 else [values[place] for place in places])

    def _parts(self, records: list[Record]) -> dict[tuple[Any, ...], list[int]]:
        """Group → the places of its records."""
        if not self._by:
            return {(): []}
        keys = list(zip(*[[value(record) for record in records] for _, value in self._by], strict=True))
        parts: dict[tuple[Any, ...], list[int]] = {}
        for place, key in enumerate(keys):
            try:
                found = parts.get(key)
            except TypeError:  # a list or an object
                key = tuple(map(text_of, key))  # noqa: PLW2901
                found = parts.get(key)
            if found is None:
                found = parts[key] = []
            found.append(place)
        return parts

    def add_counted(self, key: tuple[Any, ...], count: int) -> None:
        """Take in records of which nothing but `count(*)` is asked, counted elsewhere."""
        for aggregate in self._aggregates(key):
            assert isinstance(aggregate, aggregates.Count)
            aggregate.add(count)

    def rows(self) -> Iterator[Record]:
        """The rows, sorted by what they are grouped by."""
        for values, found in sorted(
            self._groups.values(), key=lambda group: [sort_key(value) for value in group[0]]
        ):
            made = {name: value for (name, _), value in zip(self._by, values, strict=True)}
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
        found = self._groups.get(key)
        if found is not None:
            return found[1]
        if len(self._groups) >= GROUPS_MAX:
            raise QueryError(
                f"there are more than {GROUPS_MAX} groups; group by fewer fields, or filter first"
            )
        made = [make() for make in self._makers]
        self._groups[key] = (key, made)
        return made


def _maker(call: Call) -> Callable[[], Aggregate]:
    percent = 50.0
    if len(call.args) == 2 and isinstance(call.args[1], Literal):
        percent = float(call.args[1].value)
    return aggregates.maker(call.name, percent)


_timestamp = getter("@timestamp")
