"""Failures of one kind as a group: how many, since when, of which functions, how they come, and where they stand."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lambdalog.failures.letter import Letter
    from lambdalog.failures.marks import Mark

Status = Literal["new", "ongoing", "regressed", "resolved", "muted"]
STATUSES: Final[tuple[Status, ...]] = ("new", "ongoing", "regressed", "resolved", "muted")
# A group whose first letter is younger than this is new.
NEW_MS: Final = 86_400_000
BARS: Final = "▁▂▃▄▅▆▇█"
TREND_CELLS: Final = 12
TREND_MS: Final = 3_600_000


class Explained(msgspec.Struct, frozen=True, gc=False):
    """A letter with the failure that its log, its own record, or else its text tells of."""

    letter: Letter
    type: str
    message: str
    fingerprint: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Failures of one fingerprint. Times are epoch ms; `type` and `message` are the newest's.

    `trend` is how many came in each part of the last hour, the newest at the right. Of a hundred thousand failures just
    the newest is held.
    """

    fingerprint: str
    type: str
    message: str
    first_seen: int
    last_seen: int
    functions: tuple[str, ...]
    versions: tuple[str, ...]
    queues: tuple[str, ...]
    kinds: tuple[str, ...]
    status: Status
    count: int
    trend: tuple[int, ...]
    newest: Letter
    mark: Mark | None = None


def trend(newest_first: Iterable[int], now: int, span_ms: int, cells: int = TREND_CELLS) -> tuple[int, ...]:
    """How many of these times fall into each part of the span before `now`."""
    counts = [0] * cells
    for time in newest_first:
        cell = cells - 1 - (now - time) * cells // span_ms
        if cell < 0:
            break
        counts[min(cell, cells - 1)] += 1
    return tuple(counts)


def sparkline(counts: Sequence[int]) -> str:
    """Counts as a row of bars; a dot for none."""
    peak = max(counts, default=0)
    return "".join(BARS[-(-count * (len(BARS) - 1) // peak)] if count else "·" for count in counts)


def status_of(first_seen: int, last_seen: int, mark: Mark | None, now: int) -> Status:
    """Where a group stands: what was resolved and failed again has regressed; what was never marked is new for a day."""
    if mark is not None and mark.status == "muted" and (mark.until is None or now < mark.until):
        return "muted"
    if mark is not None and mark.status == "resolved":
        return "regressed" if last_seen > mark.at else "resolved"
    return "new" if now - first_seen < NEW_MS else "ongoing"


def grouped(members: Iterable[Explained], marks: Mapping[str, Mark], now: int) -> list[Group]:
    """Failures in order of time, by fingerprint; the most frequent group first, then the most recent."""
    found: defaultdict[str, list[Explained]] = defaultdict(list)
    for member in members:
        found[member.fingerprint].append(member)
    groups = [_group(key, those, marks.get(key), now) for key, those in found.items()]
    groups.sort(key=attrgetter("count", "last_seen"), reverse=True)
    return groups


_FUNCTION: Final = attrgetter("letter.function")
_VERSION: Final = attrgetter("version")
_QUEUE: Final = attrgetter("letter.queue")
_KIND: Final = attrgetter("letter.kind")


def _group(fingerprint: str, members: list[Explained], mark: Mark | None, now: int) -> Group:
    newest = members[-1]
    first, last = members[0].letter.sent_at, newest.letter.sent_at
    return Group(
        fingerprint=fingerprint,
        type=newest.type,
        message=newest.message,
        first_seen=first,
        last_seen=last,
        functions=_names(map(_FUNCTION, members)),
        versions=_names(map(_VERSION, members)),
        queues=_names(map(_QUEUE, members)),
        kinds=_names(map(_KIND, members)),
        status=status_of(first, last, mark, now),
        count=len(members),
        trend=trend((member.letter.sent_at for member in reversed(members)), now, TREND_MS),
        newest=newest.letter,
        mark=mark,
    )


def _names(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(texts) - {""}))
