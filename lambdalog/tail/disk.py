"""Lines of a store: pages by scans, followed by its follower."""

from __future__ import annotations

import heapq
from contextlib import suppress
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING

from lambdalog.query import crew
from lambdalog.store import Scan
from lambdalog.store.rollup import add
from lambdalog.tail.line import Line, line_of
from lambdalog.tail.request import lines_of, naming
from lambdalog.tail.stored import DiskFollowing
from lambdalog.tail.streams import Stream, Streams, newest_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambdalog.query.pattern import Pattern
    from lambdalog.store import LogStore
    from lambdalog.tail.source import Following
    from lambdalog.tail.wanted import Wanted


class DiskSource:
    """Lines of the groups of a store."""

    def __init__(self, store: LogStore, wanted: Wanted) -> None:
        self._store = store
        self._wanted = wanted
        self._told = 0

    def groups(self) -> list[str]:
        """The groups that are read."""
        return [name for name in self._store.groups() if self._wanted.group(name)]

    def streams(self) -> Streams:
        """The newest streams of all groups that are meant."""
        found: list[Stream] = []
        for group in self.groups():
            with suppress(KeyError):  # deleted since it was listed
                found += [
                    Stream(group, one.name, one.last_event)
                    for one in self._store.streams(group)
                    if self._wanted.stream is None or self._wanted.stream(one.name)
                ]
        return newest_of(found)

    def lines(self, start: int | None, end: int | None, *, descending: bool = False) -> Iterator[Line]:
        """Merged over all groups, as they are read: by several processes where much of that is to be looked at."""
        pattern = self._wanted.pattern
        if self._wanted.request is not None or pattern is None:
            return self._lines(start, end, descending=descending)
        scans = [self._asked(group, start, end, pattern, descending=descending) for group in self.groups()]
        return self._divided(scans, pattern)

    def page(self, start: int | None, end: int | None, limit: int, *, descending: bool = False) -> list[Line]:
        """Merged over all groups."""
        lines = self._lines(start, end, descending=descending)
        try:
            return list(islice(lines, limit))
        finally:
            lines.close()  # type: ignore[attr-defined]

    def minutes(self, start: int, end: int) -> dict[int, tuple[int, int]] | None:
        """From the rollups of what is sealed, and a look at the rest. They know of groups only, and of whole minutes."""
        if not self._wanted.everything:
            return None
        counts: dict[int, tuple[int, int]] = {}
        for group in self.groups():
            try:
                add(counts, self._store.minutes(group, start=start, end=end))
            except KeyError:
                continue  # deleted since it was listed
        return dict(sorted(counts.items()))

    def follow(self, since: int | None, *, undecoded: bool = False) -> Following:
        """Milliseconds behind the writers."""
        if undecoded:
            from lambdalog.tail.undecoded import StoredFollowing, stored

            return StoredFollowing(stored(self._store, self._wanted, since), self._wanted, self.notes)
        return DiskFollowing(
            self._store.follow(groups=self._wanted.group, since=since), self._wanted, self.notes
        )

    def before(self, line: Line, count: int) -> list[Line]:
        """What stands right before a line in its stream, in order, whatever the filter."""
        stream = self._stream(line, None, line.timestamp + 1, descending=True)
        found: list[Line] = []
        for one in stream:
            if one.order < line.order:
                found.append(one)
                if len(found) == count:
                    break
        return found[::-1]

    def after(self, line: Line, count: int) -> list[Line]:
        """What follows a line in its stream, in order, whatever the filter."""
        stream = self._stream(line, line.timestamp, None)
        return list(islice((one for one in stream if one.order > line.order), count))

    def notes(self) -> list[str]:
        """What could not be read, each once."""
        damage = self._store.damage[self._told :]
        self._told += len(damage)
        return [f"{one.group}: {one.what}; passed over, see: lambdalog store check" for one in damage]

    # --- scans

    def _lines(self, start: int | None, end: int | None, *, descending: bool) -> Iterator[Line]:
        if self._wanted.request is not None:
            return self._of_request(self._wanted.request, start, end, descending=descending)
        return self._merged(start, end, self._wanted.pattern, descending=descending)

    def _divided(self, scans: Sequence[Scan], pattern: Pattern) -> Iterator[Line]:
        events = crew.events(self._store, scans, pattern.wording)
        try:
            for event in events:
                yield line_of(event)
        finally:
            events.close()  # type: ignore[attr-defined]  # a generator

    def _merged(
        self, start: int | None, end: int | None, pattern: Pattern | None, *, descending: bool = False
    ) -> Iterator[Line]:
        scans = [
            self._scan(self._asked(group, start, end, pattern, descending=descending))
            for group in self.groups()
        ]
        try:
            if len(scans) == 1:
                yield from scans[0]
            else:
                yield from heapq.merge(*scans, key=attrgetter("order"), reverse=descending)
        finally:
            for scan in scans:
                scan.close()  # type: ignore[attr-defined]

    def _of_request(
        self, request: str, start: int | None, end: int | None, *, descending: bool
    ) -> Iterator[Line]:
        pattern = self._wanted.pattern
        found = lines_of(
            request,
            self._merged(start, end, naming(request)),
            lambda line: self._stream(line, line.timestamp, end),
        )
        lines = (line for line in found if pattern is None or pattern.matches(line.message))
        # An invocation ends after 15 minutes at most: its lines can be turned round.
        yield from reversed(list(lines)) if descending else lines

    def _stream(
        self, line: Line, start: int | None, end: int | None, *, descending: bool = False
    ) -> Iterator[Line]:
        """A line's stream, whatever is wanted."""
        streams = frozenset({line.stream})
        return self._scan(Scan(line.group, start=start, end=end, streams=streams, descending=descending))

    def _scan(self, scan: Scan) -> Iterator[Line]:
        try:
            for event in self._store.scan(scan):
                yield line_of(event)
        except KeyError:
            return  # deleted since it was listed

    def _asked(
        self, group: str, start: int | None, end: int | None, pattern: Pattern | None, *, descending: bool
    ) -> Scan:
        return Scan(
            group,
            start=start,
            end=end,
            stream_named=self._wanted.stream,
            descending=descending,
            match=pattern.matches if pattern is not None else None,
            literals=pattern.literals if pattern is not None else (),
        )
