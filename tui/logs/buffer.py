"""Lines kept in order: late ones find their place, and whoever is reading is told how far the text moved."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from operator import itemgetter, lt
from typing import TYPE_CHECKING, Final

from lambdalog.level import ERROR, WARN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lambdalog.tail import Line

Key = tuple[int, int, str]
# From here on one merge is cheaper than as many inserts.
_MANY: Final = 64

# `Line.order`, without the call of a property: this is asked of each line several times.
key_of: Callable[[Line], Key] = itemgetter(0, 1, 5)
"""The order of lines: time, arrival, then position."""


Severe = list[tuple["Line", int]]
"""Warnings and errors among some lines, each with its level."""


def severe_of(lines: Iterable[Line]) -> Severe:
    """Those of the lines that name a level from WARN on."""
    return [(line, level) for line in lines if (level := line.level or 0) >= WARN]


@dataclass(slots=True)
class Ordered:
    """Lines sorted by time, without doubles."""

    lines: list[Line] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines)

    def find(self, key: Key) -> int:
        """The index of the first line not before `key`."""
        return bisect_left(self.lines, key, key=key_of)

    def has(self, key: Key) -> bool:
        """Whether the line with this key is there."""
        index = self.find(key)
        return index < len(self.lines) and key_of(self.lines[index]) == key

    def add(self, batch: Sequence[Line], top: int) -> tuple[int, int]:
        """Put a sorted batch without doubles in; (how many were new, how many of them stand before index `top`)."""
        lines = self.lines
        if not batch:
            return 0, 0
        if not lines or key_of(batch[0]) > key_of(lines[-1]):
            lines.extend(batch)
            return len(batch), 0
        if key_of(batch[-1]) < key_of(lines[0]):
            lines[:0] = batch
            return len(batch), len(batch)
        if len(batch) > _MANY:
            return self._merge(batch, top)
        new = before = 0
        for line in batch:
            if key_of(line) > key_of(lines[-1]):
                lines.append(line)
                new += 1
                continue
            index = self.find(key_of(line))
            if key_of(lines[index]) == key_of(line):
                continue
            lines.insert(index, line)
            new += 1
            if index <= top + before:
                before += 1
        return new, before

    def _merge(self, batch: Sequence[Line], top: int) -> tuple[int, int]:
        """As `add`, in one pass over the stretch that the batch falls into."""
        lines = self.lines
        low, high = self.find(key_of(batch[0])), self.find(key_of(batch[-1])) + 1
        stretch = lines[low:high]
        known = set(map(key_of, stretch))
        fresh = [line for line in batch if key_of(line) not in known]
        anchor = key_of(lines[top]) if top < len(lines) else None
        lines[low:high] = sorted(stretch + fresh, key=key_of)
        before = len(fresh) if anchor is None else bisect_left(fresh, anchor, key=key_of)
        return len(fresh), before

    def trim(self, limit: int, slack: int) -> int:
        """Forget the oldest lines once there are `slack` more than `limit`; how many went."""
        excess = len(self.lines) - limit
        if excess < slack:
            return 0
        del self.lines[:excess]
        return excess


class LogBuffer:
    """All lines, and those that the filter lets through.

    `limit` bounds the lines kept; what is forgotten is counted in `trimmed` (the store still has it), as long as it isn't
    read again. `errors` and `warnings` (errors among them) are the lines to jump between.
    """

    def __init__(self, limit: int = 200_000) -> None:
        self.limit = limit
        self.trimmed = 0
        self._forgotten: tuple[Key, Key] | None = (
            None  # from the first line that was trimmed up to the first that wasn't
        )
        self.errors = Ordered()
        self.warnings = Ordered()
        self._all = Ordered()
        self._shown = self._all
        self._matches: Callable[[Line], bool] | None = None
        self._since: list[Line] | None = None  # what was added since the snapshot

    @property
    def total(self) -> int:
        """How many lines are kept."""
        return len(self._all)

    @property
    def shown(self) -> Sequence[Line]:
        """The lines that the filter lets through, oldest first."""
        return self._shown.lines

    @property
    def lines(self) -> Sequence[Line]:
        """All lines kept, oldest first."""
        return self._all.lines

    def add(
        self,
        batch: Iterable[Line],
        top: int,
        *,
        trim: bool,
        severe: Severe | None = None,
        read: bool = False,
    ) -> tuple[int, int]:
        """Take lines in; (how many of them are shown, the shift of what stood at index `top`).

        `trim` is False while somebody reads further up: then nothing is forgotten. `severe` is that of the lines, if it
        is known. `read`: they were read from the store, not new, and may be some that were forgotten.
        """
        ordered = _in_order(batch)
        if read and self._forgotten is not None:
            low, high = self._forgotten
            self.trimmed -= sum(low <= key < high and not self.has(key) for key in map(key_of, ordered))
        self._mark(severe_of(ordered) if severe is None else severe)
        if self._since is not None:
            self._since += ordered
        if self._matches is None:
            new, shift = self._all.add(ordered, top)
        else:
            self._all.add(ordered, 0)
            new, shift = self._shown.add([line for line in ordered if self._matches(line)], top)
        if trim:
            shift -= self._trim()
        return new, shift

    def snapshot(self) -> list[Line]:
        """All lines, for somebody to filter elsewhere; `filter` takes what was found among them."""
        self._since = []
        return list(self._all.lines)

    def filter(self, matches: Callable[[Line], bool] | None, found: Sequence[Line] | None = None) -> None:
        """Show only what `matches`; None shows everything. `found` are the lines of the last snapshot that do."""
        since, self._since = self._since, None
        self._matches = matches
        if matches is None:
            self._shown = self._all
        elif found is None or since is None:
            self._shown = Ordered([line for line in self._all.lines if matches(line)])
        else:
            self._shown = Ordered(list(found))
            self._shown.add(_in_order(line for line in since if matches(line)), 0)
            kept = self._all.lines
            forgotten = self._shown.find(key_of(kept[0])) if kept else len(self._shown)
            del self._shown.lines[:forgotten]

    def has(self, key: Key) -> bool:
        """Whether the line with this key is kept."""
        return self._all.has(key)

    def index_near(self, key: Key) -> int:
        """The index among the shown lines of the first one not before `key`."""
        return self._shown.find(key)

    def find_in(self, marked: Ordered, index: int, step: int) -> int | None:
        """The index of the next (`step` 1) or last (-1) shown line that is among `marked`, seen from a shown index."""
        shown = self._shown
        if not shown.lines:
            return None
        if index < 0:
            place = 0 if step > 0 else -1
        elif index >= len(shown.lines):
            place = len(marked.lines) if step > 0 else len(marked.lines) - 1
        else:
            here = key_of(shown.lines[index])
            place = marked.find(here)
            if step > 0:
                place += place < len(marked.lines) and key_of(marked.lines[place]) == here
            else:
                place -= 1
        while 0 <= place < len(marked.lines):
            key = key_of(marked.lines[place])
            found = shown.find(key)
            if found < len(shown.lines) and key_of(shown.lines[found]) == key:
                return found
            place += step
        return None

    def forget_before(self, key: Key) -> int:
        """Forget the lines before `key`; how many of them were shown."""
        gone = self._all.find(key)
        del self._all.lines[:gone]
        return self._cut(key, gone)

    def clear(self) -> None:
        """Forget every line."""
        self._all = Ordered()
        self.trimmed, self._forgotten = 0, None
        self._since = None
        self.errors, self.warnings = Ordered(), Ordered()
        self._shown = self._all if self._matches is None else Ordered()

    def _mark(self, severe: Severe) -> None:
        if severe:
            self.warnings.add(_in_order(line for line, _ in severe), 0)
            self.errors.add(_in_order(line for line, level in severe if level >= ERROR), 0)

    def _trim(self) -> int:
        """Forget the oldest beyond the limit; how many of them were shown."""
        lines = self._all.lines
        first = lines[0] if lines else None
        gone = self._all.trim(self.limit, max(self.limit // 20, 1))
        if not gone or first is None:
            return 0
        self.trimmed += gone
        low, high = self._forgotten or (key_of(first), key_of(lines[0]))
        self._forgotten = min(low, key_of(first)), max(high, key_of(lines[0]))
        return self._cut(key_of(self._all.lines[0]), gone)

    def _cut(self, first: Key, gone: int) -> int:
        """Forget what is marked and shown before `first`, of which `gone` lines went; how many of them were shown."""
        for marked in (self.errors, self.warnings):
            del marked.lines[: marked.find(first)]
        if self._matches is None:
            return gone
        cut = self._shown.find(first)
        del self._shown.lines[:cut]
        return cut


def _in_order(batch: Iterable[Line]) -> list[Line]:
    """The lines sorted, each once. What is followed mostly comes so."""
    lines = list(batch)
    keys = list(map(key_of, lines))
    if all(map(lt, keys, keys[1:])):
        return lines
    return list(dict(sorted(zip(keys, lines, strict=True), key=itemgetter(0))).values())
