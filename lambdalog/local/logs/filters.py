"""What metric filters and subscription filters have in common: they belong to a group, have a name, and read on."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.logs.room import Room
from lambdalog.store.arrivals import Arrivals

if TYPE_CHECKING:
    from lambdalog.query.pattern import Pattern
    from lambdalog.store import GroupInfo

# Where a group's record has them: name → record.
METRIC: Final = "metricFilters"
SUBSCRIPTION: Final = "subscriptionFilters"
# PutMetricFilter: a quota of regular expression patterns in a log group, metric and subscription filters together.
REGEXES_MAX: Final = 5
PAGE: Final = 50

Record = dict[str, Any]


def records(info: GroupInfo, kind: str) -> dict[str, Record]:
    """A group's filters of a kind, by name."""
    found: dict[str, Record] = info.extra.get(kind, {})
    return found


class Filters(Room):
    """Putting and deleting filters of either kind."""

    def _put_filter(
        self, kind: str, group: str, name: str, pattern: Pattern, record: Record, *, most: int
    ) -> None:
        """Make a filter, which reads what is written from now on, or change one, which reads on."""
        self._group(group)
        new = str(uuid.uuid4())
        if name not in records(self._group(group), kind):
            self._try(lambda: self._ledger.begin(new, Arrivals(self._store, group).ends()))

        def change(info: GroupInfo) -> GroupInfo:
            there = records(info, kind)
            others = {other: found for other, found in there.items() if other != name}
            if len(others) >= most or self._regexes(info, kind, name) + _has_regex(pattern) > REGEXES_MAX:
                raise self.error("LimitExceededException", "Resource limit exceeded.")
            identity = there[name]["id"] if name in there else new
            kept = others | {name: record | {"id": identity, "created": self.clock.now_ms()}}
            return replace(info, extra=info.extra | {kind: kept})

        self._update(group, change)

    def _delete_filter(self, kind: str, group: str, name: str, missing: str) -> None:
        gone: list[str] = []

        def change(info: GroupInfo) -> GroupInfo:
            kept = dict(records(info, kind))
            found = kept.pop(name, None)
            if found is None:
                raise self.error("ResourceNotFoundException", missing)
            gone[:] = [found["id"]]
            return replace(info, extra=info.extra | {kind: kept})

        self._update(group, change)
        self._try(lambda: self._ledger.forget(gone))

    @staticmethod
    def _regexes(info: GroupInfo, kind: str, name: str) -> int:
        """How many of the group's other filters have regular expressions in their patterns."""
        from lambdalog.query.pattern import parse

        return sum(
            _has_regex(parse(record["pattern"]))
            for each in (METRIC, SUBSCRIPTION)
            for other, record in records(info, each).items()
            if (each, other) != (kind, name)
        )


def _has_regex(pattern: Pattern) -> bool:
    return pattern.tree.regexes() > 0
