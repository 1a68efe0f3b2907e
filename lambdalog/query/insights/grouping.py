"""`stats … by …`: one row for each combination of values, with its aggregates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lambdalog.errors import QueryError
from lambdalog.query.insights import aggregates
from lambdalog.query.insights.expressions import SLOT, compiled
from lambdalog.query.insights.records import Record
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
        self._makers = [_maker(call, now) for call in stats.calls]
        self._groups: dict[Hashable, tuple[tuple[Any, ...], list[Aggregate]]] = {}
        if not stats.by:
            self._aggregates((), ())

    def add(self, record: Record) -> None:
        """Take a record in."""
        values = tuple([value(record) for _, value in self._by])
        try:
            found = self._groups.get(values)
        except TypeError:  # a list or an object
            values = tuple(text_of(value) for value in values)
            found = self._groups.get(values)
        for aggregate in self._aggregates(values, values) if found is None else found[1]:
            aggregate.add(record)

    def add_counted(self, values: tuple[Any, ...], count: int) -> None:
        """Take in records of which nothing but `count(*)` is asked, counted elsewhere."""
        found = self._groups.get(values)
        for aggregate in self._aggregates(values, values) if found is None else found[1]:
            assert isinstance(aggregate, aggregates.Count)
            aggregate.add_many(count)

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

    def _aggregates(self, key: Hashable, values: tuple[Any, ...]) -> list[Aggregate]:
        if len(self._groups) >= GROUPS_MAX:
            raise QueryError(
                f"there are more than {GROUPS_MAX} groups; group by fewer fields, or filter first"
            )
        made = [make() for make in self._makers]
        self._groups[key] = (values, made)
        return made


def _maker(call: Call, now: int) -> Callable[[], Aggregate]:
    percent = 50.0
    args = list(call.args)
    if len(args) == 2 and isinstance(args[1], Literal):
        percent = float(args.pop().value)
    return aggregates.maker(call.name, [compiled(arg, now) for arg in args], percent)
