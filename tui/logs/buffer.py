"""Lines kept in order: late ones find their place, and whoever is reading is told how far the text moved."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lambdalog.tail import Line

Key = tuple[int, int, str]


def key_of(line: Line) -> Key:
    """The order of lines: time, arrival, then position."""
    return line.order


@dataclass(slots=True)
class Ordered:
    """Lines sorted by time, without doubles."""

    lines: list[Line] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines)

    def find(self, key: Key) -> int:
        """The index of the first line not before `key`."""
        return bisect_left(self.lines, key, key=key_of)

    def add(self, batch: Sequence[Line], top: int) -> tuple[int, int]:
        """Put a sorted batch in; (how many were new, how many of them stand before index `top`)."""
        lines = self.lines
        if not batch:
            return 0, 0
        if not lines or key_of(batch[0]) > key_of(lines[-1]):
            lines.extend(batch)
            return len(batch), 0
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

    def trim(self, limit: int, slack: int) -> int:
        """Forget the oldest lines once there are `slack` more than `limit`; how many went."""
        excess = len(self.lines) - limit
        if excess < slack:
            return 0
        del self.lines[:excess]
        return excess


class LogBuffer:
    """All lines, and those that the filter lets through.

    `limit` bounds the lines kept; what is forgotten is counted in `trimmed` (the store still has it).
    """

    def __init__(self, limit: int = 200_000) -> None:
        self.limit = limit
        self.trimmed = 0
        self._all = Ordered()
        self._shown = self._all
        self._matches: Callable[[Line], bool] | None = None

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

    def add(self, batch: Iterable[Line], top: int, *, trim: bool) -> tuple[int, int]:
        """Take lines in; (how many of them are shown, the shift of what stood at index `top`).

        `trim` is False while somebody reads further up: then nothing is forgotten.
        """
        found = sorted(batch, key=key_of)
        ordered = [
            line for index, line in enumerate(found) if not index or key_of(line) != key_of(found[index - 1])
        ]
        if self._matches is None:
            new, shift = self._all.add(ordered, top)
        else:
            self._all.add(ordered, 0)
            new, shift = self._shown.add([line for line in ordered if self._matches(line)], top)
        if trim:
            slack = max(self.limit // 20, 1)
            gone = self._all.trim(self.limit, slack)
            self.trimmed += gone
            if gone and self._matches is not None:
                cut = self._shown.find(key_of(self._all.lines[0]))
                del self._shown.lines[:cut]
                shift -= cut
            else:
                shift -= gone
        return new, shift

    def filter(self, matches: Callable[[Line], bool] | None) -> None:
        """Show only what `matches`; None shows everything."""
        self._matches = matches
        self._shown = (
            self._all if matches is None else Ordered([line for line in self._all.lines if matches(line)])
        )

    def index_near(self, key: Key) -> int:
        """The index among the shown lines of the first one not before `key`."""
        return self._shown.find(key)

    def clear(self) -> None:
        """Forget every line."""
        self._all = Ordered()
        self._shown = self._all if self._matches is None else Ordered()
