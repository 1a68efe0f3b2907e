"""Lines of a store: pages by scans, followed by its follower."""

from __future__ import annotations

import heapq
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING

from lambdalog.store import Scan
from lambdalog.tail.source import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambdalog.query.pattern import Pattern
    from lambdalog.store import Event, LogStore
    from lambdalog.store.follow import Follower


def line_of(event: Event) -> Line:
    """A stored event as a line; its id is its place on disk."""
    return Line(
        event.timestamp,
        event.ingestion,
        event.group,
        event.stream,
        event.message,
        f"{event.segment}:{event.offset:012d}",
    )


class DiskSource:
    """Lines of the groups of a store."""

    def __init__(
        self,
        store: LogStore,
        wanted: Callable[[str], bool],
        stream_prefix: str | None,
        pattern: Pattern | None,
    ) -> None:
        self._store = store
        self._wanted = wanted
        self._prefix = stream_prefix
        self._pattern = pattern

    def groups(self) -> list[str]:
        """The groups that are read."""
        return [name for name in self._store.groups() if self._wanted(name)]

    def page(self, start: int | None, end: int | None, limit: int, *, descending: bool = False) -> list[Line]:
        """Merged over all groups."""
        scans = [self._scan(group, start, end, descending=descending) for group in self.groups()]
        merged = heapq.merge(*scans, key=attrgetter("order"), reverse=descending)
        found = list(islice(merged, limit))
        for scan in scans:
            scan.close()  # type: ignore[attr-defined]
        return found

    def follow(self, since: int | None) -> DiskFollowing:
        """Milliseconds behind the writers."""
        return DiskFollowing(
            self._store.follow(groups=self._wanted, since=since), self._prefix, self._pattern
        )

    def _scan(self, group: str, start: int | None, end: int | None, *, descending: bool) -> Iterator[Line]:
        scan = Scan(
            group,
            start=start,
            end=end,
            stream_prefix=self._prefix,
            descending=descending,
            match=self._pattern.matches if self._pattern is not None else None,
            literals=self._pattern.literals if self._pattern is not None else (),
        )
        try:
            for event in self._store.scan(scan):
                yield line_of(event)
        except KeyError:
            return  # deleted since it was listed


class DiskFollowing:
    """A store's follower, filtered."""

    def __init__(self, follower: Follower, stream_prefix: str | None, pattern: Pattern | None) -> None:
        self.late = 0
        self._follower = follower
        self._prefix = stream_prefix
        self._pattern = pattern

    def poll(self, timeout: float) -> list[Line]:
        """Lines that came."""
        return [
            line_of(event)
            for event in self._follower.poll(timeout)
            if (self._prefix is None or event.stream.startswith(self._prefix))
            and (self._pattern is None or self._pattern.matches(event.message))
        ]

    def wake(self) -> None:
        """End a wait."""
        self._follower.wake()

    def notes(self) -> list[str]:
        """On disk nothing is throttled, sampled or late."""
        return []

    def close(self) -> None:
        """Let go of the files."""
        self._follower.close()
