"""The roll of invocations: marks go in as they come or from the past, the newest invocations stay."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Final

from lambdalog.invocations.invocation import Invocation, attempts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lambdalog.invocations.marks import Mark

Key = tuple[str, str]
Place = tuple[str, str]

KEPT: Final = 5000
# An invocation has a few lines; whoever writes START lines by the thousand under one id gets no thousand attempts.
MARKS_MAX: Final = 64
# Streams whose running request is known; the ones that were heard of last stay.
STREAMS_MAX: Final = 10_000


class Roll:
    """At most `kept` invocations, the ones that began last; `dropped` counts what was let go. Not for several threads."""

    def __init__(self, kept: int = KEPT) -> None:
        self.kept = kept
        self.dropped = 0
        self._found: dict[Key, Invocation] = {}
        self._marks: dict[Key, dict[tuple[int, str, str], Mark]] = {}
        self._running: dict[Place, str] = {}
        # (began, group, request id), ascending.
        self._order: list[tuple[int, str, str]] = []

    def __len__(self) -> int:
        return len(self._found)

    def newest_first(self) -> list[Invocation]:
        """All of them, the last that began first."""
        return [self._found[group, request] for _, group, request in reversed(self._order)]

    def get(self, group: str, request_id: str) -> Invocation | None:
        """An invocation, if it is there."""
        return self._found.get((group, request_id))

    def find(self, request_id: str) -> Invocation | None:
        """An invocation by its request id alone; the newest where several groups have it."""
        found = [invocation for (_, request), invocation in self._found.items() if request == request_id]
        return max(found, key=lambda invocation: invocation.began) if found else None

    @property
    def oldest(self) -> int | None:
        """When the oldest of them began, epoch ms."""
        return self._order[0][0] if self._order else None

    def add(self, marks: Sequence[Mark], *, past: bool = False) -> list[Invocation]:
        """Take marks in, in order of time within this call; the invocations that are new or changed.

        `past`: they are from before those that were given until now.
        """
        touched: dict[Key, None] = {}
        running: dict[Place, str] = {} if past else self._running
        for mark in named(marks, running):
            key = (mark.group, mark.request_id)
            members = self._marks.setdefault(key, {})
            # By what it says and not by its id: sealing moves an event to another place on disk.
            itself = (mark.at, mark.stream, mark.kind)
            if itself not in members and len(members) < MARKS_MAX:
                members[itself] = mark
                touched[key] = None
        for key in touched:
            self._place(Invocation(*key, attempts_of(self._marks[key].values()), self._throttled(key)))
        if past:
            # What ran last in a stream is known from later lines, if there were any.
            self._running = running | self._running
        while len(self._running) > STREAMS_MAX:
            del self._running[next(iter(self._running))]
        self._trim()
        return [self._found[key] for key in touched if key in self._found]

    def refuse(self, group: str, request_id: str, at: int) -> Invocation:
        """Note that a request was throttled at `at`, epoch ms."""
        old = self._found.get((group, request_id))
        times = tuple(sorted({*(old.throttled if old is not None else ()), at}))
        attempts = old.attempts if old is not None else ()
        found = Invocation(group, request_id, attempts, times[-MARKS_MAX:])
        self._place(found)
        self._trim()
        return found

    def _throttled(self, key: Key) -> tuple[int, ...]:
        old = self._found.get(key)
        return old.throttled if old is not None else ()

    def _place(self, invocation: Invocation) -> None:
        key = invocation.key
        old = self._found.get(key)
        self._found[key] = invocation
        entry = (invocation.began, *key)
        if old is not None:
            before = (old.began, *key)
            if before == entry:
                return
            del self._order[bisect_left(self._order, before)]
        insort(self._order, entry)

    def _trim(self) -> None:
        extra = len(self._order) - self.kept
        if extra <= 0:
            return
        for _, group, request in self._order[:extra]:
            del self._found[group, request]
            self._marks.pop((group, request), None)
        del self._order[:extra]
        self.dropped += extra


def named(marks: Iterable[Mark], running: dict[Place, str]) -> Iterator[Mark]:
    """Marks in order of time, each with its request: a line that bears none belongs to what its stream runs then.

    `running` is what each stream ran last, and is kept up. A mark whose request can't be known is left out.
    """
    waiting: dict[Place, list[Mark]] = {}
    for mark in marks:
        place = (mark.group, mark.stream)
        if mark.request_id:
            earlier = waiting.pop(place, ())
            # What stands before a START belongs to an invocation that isn't known.
            if mark.kind != "start":
                for one in earlier:
                    yield one._replace(request_id=mark.request_id)
            running.pop(place, None)
            running[place] = mark.request_id
            yield mark
        elif place in running:
            yield mark._replace(request_id=running[place])
        else:
            # Its START lies further back; its END or REPORT comes yet.
            waiting.setdefault(place, []).append(mark)
