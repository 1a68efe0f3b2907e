"""The log store: groups and streams, appended to, scanned and followed. Several processes share it safely."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Self

from lambdalog import forked
from lambdalog.clock import SYSTEM
from lambdalog.store import files, line
from lambdalog.store.blocks import Blocks
from lambdalog.store.catalog import Catalog, GroupInfo
from lambdalog.store.changes import Changes
from lambdalog.store.files import Layout
from lambdalog.store.merge import merge
from lambdalog.store.page import StreamPages
from lambdalog.store.read import GroupReader, minutes, narrowed
from lambdalog.store.scan import Reader
from lambdalog.store.segments import GroupSegments
from lambdalog.store.writer import Removed, SegmentWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from lambdalog.clock import Clock
    from lambdalog.store.blocks import Block
    from lambdalog.store.event import Damage, Event, Extent, Scan
    from lambdalog.store.follow import Follower
    from lambdalog.store.merge import Piece, Read_co, Source
    from lambdalog.store.scan import Taker
    from lambdalog.store.segments import Found
    from lambdalog.store.writer import Durability

# Each open writer is a file descriptor; streams beyond these are opened again when they are written to.
WRITERS_MAX: Final = 256
DAMAGE_MAX: Final = 1000
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What is known of a stream; times are epoch ms, None for a stream that was never written."""

    name: str
    created: int
    first_event: int | None = None
    last_event: int | None = None
    last_ingestion: int | None = None


class LogStore:
    """The logs in the store folder `root`, which is made when something is first written.

    `durability` says when what was written, and the groups and streams it is in, are synced to the disk: see
    `SegmentWriter`. StoreError where the disk refuses, NewerFormat for a store that a newer lambdalog made.
    """

    def __init__(self, root: Path, *, clock: Clock = SYSTEM, durability: Durability = "never") -> None:
        self.root = root
        self.clock = clock
        self.layout = Layout(root)
        self.catalog = Catalog(self.layout, clock, durable=durability != "never")
        self.durability: Durability = durability
        self.changes = Changes(self.layout.changes)
        self._lock = threading.Lock()
        self._writers: dict[tuple[str, str], SegmentWriter] = {}
        self._segments: dict[str, GroupSegments] = {}
        # What readers came upon and passed over, each once; `check` looks at everything.
        self.damage: list[Damage] = []
        self._generation = forked.generation

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- groups and streams

    def groups(self) -> list[str]:
        """The names of all groups, sorted."""
        return [info.name for info in self.catalog.groups()]

    def group(self, name: str) -> GroupInfo | None:
        """A group's record, or None."""
        return self.catalog.group(name)

    def create_group(
        self,
        name: str,
        *,
        retention_days: int | None = None,
        tags: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> bool:
        """Make a group; False if it is there already."""
        return self.catalog.create_group(name, retention_days, tags, extra)

    def update_group(self, name: str, change: Callable[[GroupInfo], GroupInfo]) -> GroupInfo:
        """Change a group's record, alone among all processes; KeyError if there is no such group."""
        return self.catalog.update_group(name, change)

    def delete_group(self, name: str) -> bool:
        """Remove a group with its streams and events; False if there is none."""
        with self._lock:
            for key in [key for key in self._writers if key[0] == name]:
                self._writers.pop(key).close()
        try:
            return self.catalog.delete_group(name)
        finally:
            self.changes.tell()

    def streams(self, group: str) -> list[StreamInfo]:
        """The group's streams, sorted by name; KeyError if there is no such group."""
        created = self.catalog.streams(group)
        segments = self.segments(group)
        found = segments.found(created, self.catalog.gone(group))
        spans: dict[str, tuple[int, int, int]] = {}
        for live in found.live:
            span = segments.span(live)
            if span is not None:
                _widen(spans, live.stream, *span)
        for held in found.sealed:
            for entry in held.entries:
                if entry.count:
                    _widen(spans, entry.stream, entry.earliest, entry.latest, entry.ingested)
        return [StreamInfo(name, created[name], *spans.get(name, ())) for name in sorted(created)]

    def create_stream(self, group: str, stream: str) -> bool:
        """Make a stream; False if it is there already, KeyError if there is no such group."""
        return self.catalog.create_stream(group, stream)

    def delete_stream(self, group: str, stream: str) -> bool:
        """Remove a stream and its events; False if it isn't there, KeyError if there is no such group."""
        with self._lock:
            writer = self._writers.pop((group, stream), None)
        if writer is not None:
            writer.close()
        segments = self.segments(group)
        layout = self.layout.group(group)
        part = files.quote(stream)

        def held() -> set[str]:
            live = {name.removesuffix(files.LIVE_SUFFIX) for name in segments.live_names()}
            sealed = {entry.segment for one in segments.sealed() for entry in one.entries}
            return {segment for segment in live | sealed if files.stream_part(segment) == part}

        def remove(gone: set[str]) -> None:
            for segment in gone | held():
                layout.live_segment(segment).unlink(missing_ok=True)

        try:
            return self.catalog.delete_stream(group, stream, held, remove)
        finally:
            self.changes.tell()

    def stored_bytes(self, group: str) -> int:
        """What the group's segments take on disk."""
        layout, segments = self.layout.group(group), self.segments(group)
        paths = [layout.live / name for name in segments.live_names()]
        paths += [layout.sealed / name for name in segments.sealed_names()]
        total = 0
        for path in paths:
            with suppress(FileNotFoundError):
                total += path.stat().st_size
        return total

    def expired_before(self, info: GroupInfo | None) -> int | None:
        """Events of the group older than this (epoch ms) have expired; None if none ever do."""
        if info is None or info.retention_days is None:
            return None
        return self.clock.now_ms() - info.retention_days * DAY_MS

    # --- events

    def append(
        self, group: str, stream: str, events: Sequence[tuple[int, str]], *, ingestion: int | None = None
    ) -> None:
        """Write (timestamp ms, message) pairs, sorted by time if they are not, to a stream of the group; else as `append_columns`."""
        if len(events) == 1:
            ((time, message),) = events
            ingestion = self.clock.now_ms() if ingestion is None else ingestion
            self._write(group, stream, line.encode(time, ingestion, message), time, time)
            return
        times = [time for time, _ in events]
        if times != sorted(times):
            events = sorted(events, key=itemgetter(0))
            times = [time for time, _ in events]
        self.append_columns(group, stream, times, [message for _, message in events], ingestion=ingestion)

    def append_columns(
        self,
        group: str,
        stream: str,
        times: Sequence[int],
        messages: Sequence[str],
        *,
        ingestion: int | None = None,
    ) -> None:
        """Write events to a stream of the group: their times (epoch ms), which must be in order, and as many messages.

        KeyError if the stream or group is not there; ValueError for a time out of range; StoreError if the disk refuses: then
        none of them is kept.
        """
        if not times:
            return
        ingestion = self.clock.now_ms() if ingestion is None else ingestion
        self._write(group, stream, line.encode_all(times, messages, ingestion), times[0], times[-1])

    def _write(self, group: str, stream: str, lines: bytes, first: int, last: int) -> None:
        while True:
            writer = self._writer(group, stream)
            try:
                writer.append(lines, first, last)
            except Removed:
                # Deleted, perhaps made again: the catalogue is asked once more, and says KeyError if it is gone.
                with self._lock:
                    if self._writers.get((group, stream)) is writer:
                        del self._writers[group, stream]
                writer.close()
            else:
                return

    def release(self, idle: float) -> None:
        """Close the writers that wrote nothing for `idle` seconds, so that their segments can be sealed."""
        with self._lock:
            for key in [key for key, writer in self._writers.items() if writer.idle(idle)]:
                self._writers.pop(key).close()

    def end_invocation(self, group: str, stream: str) -> None:
        """An invocation that logs to the stream is over: with the durability `invocation`, have its log survive a power cut."""
        if self.durability == "invocation":
            with self._lock:
                writer = self._writers.get((group, stream))
            if writer is not None:
                writer.sync()

    def scan(self, scan: Scan) -> Iterator[Event]:
        """Events in order of (timestamp, ingestion, segment, offset), or its reverse; KeyError if no such group.

        What is written after the scan began may or may not be seen.
        """
        return chain.from_iterable(self._runs(scan))

    def stream(self, info: GroupInfo, stream: str) -> StreamPages:
        """The events of one stream of a group, by the page; KeyError if there is no such stream."""
        gone = self.catalog.gone_of(info.name, stream)
        segments = self.segments(info.name)
        return StreamPages(segments, segments.found((stream,), gone), self.expired_before(info))

    def gather(self, scan: Scan) -> Iterator[Event]:
        """The events of a scan in whatever order is quickest, for those who count them; `after` is not looked at."""
        for source in self._sources(scan):
            for piece in source.read():
                yield from piece.events

    def blocks(self, scan: Scan) -> Iterator[Block]:
        """The lines that hold a scan's events, as they stand, in whatever order is quickest; `match` is not looked at."""
        for source in self._led(scan, Blocks):
            yield from source.read()

    def extents(self, scan: Scan) -> list[Extent]:
        """What a scan that is read to its end has to read of which files, in the order of `gather`; KeyError if no such group."""
        reader, found = self._way(scan, lambda reader: reader)
        return reader.extents(found)

    def _runs(self, scan: Scan) -> Iterator[list[Event]]:
        # When the first is asked for, not before.
        yield from merge(self._sources(scan), descending=scan.descending, after=scan.after)

    def _sources(self, scan: Scan) -> list[Source[Piece]]:
        return self._led(scan, lambda reader: reader)

    def _led(self, scan: Scan, taking: Callable[[Reader], Taker[Read_co]]) -> list[Source[Read_co]]:
        reader, found = self._way(scan, taking)
        return reader.sources(found)

    def _way(
        self, scan: Scan, taking: Callable[[Reader], Taker[Read_co]]
    ) -> tuple[GroupReader[Read_co], Found]:
        streams = {stream for stream in self.catalog.streams(scan.group) if scan.wants_stream(stream)}
        segments = self.segments(scan.group)
        found = segments.found(streams, self.catalog.gone(scan.group))
        asked = narrowed(scan, self.expired_before(self.catalog.group(scan.group)))
        return GroupReader(segments, asked, taking(Reader(asked, segments.report_line))), found

    def minutes(
        self, group: str, *, start: int | None = None, end: int | None = None
    ) -> dict[int, tuple[int, int]]:
        """Minute's beginning (epoch ms) → (events, errors), for the minutes that begin in [start, end).

        Sealed segments answer from their index. KeyError if there is no such group.
        """
        found = self.segments(group).found(self.catalog.streams(group), self.catalog.gone(group))
        expired = self.expired_before(self.catalog.group(group))
        if expired is not None:
            start = expired if start is None else max(start, expired)
        return minutes(found, start, end)

    def follow(
        self, *, groups: Callable[[str], bool] | None = None, since: int | None = None
    ) -> Follower[Event]:
        """New events of all groups that `groups` lets through, from `since` (epoch ms) on; None means from now."""
        from lambdalog.store.follow import EVENTS, Follower

        return Follower(self, EVENTS, groups=groups, since=since)

    def close(self) -> None:
        """Let go of every file."""
        with self._lock:
            writers, self._writers = list(self._writers.values()), {}
        for writer in writers:
            writer.close()

    # --- files

    def _writer(self, group: str, stream: str) -> SegmentWriter:
        if self._generation != forked.generation:
            # A forked child: the lock may be held by a thread that doesn't exist here, the files are the parent's.
            self._lock = threading.Lock()
            for inherited in self._writers.values():
                inherited.abandon()
            self._writers = {}
            self._generation = forked.generation
        # Without the lock: a writer that is closed meanwhile refuses.
        writer = self._writers.get((group, stream))
        return self._new_writer(group, stream) if writer is None else writer

    def _new_writer(self, group: str, stream: str) -> SegmentWriter:
        with self._lock:
            writer = self._writers.get((group, stream))
            if writer is None:
                if not self.catalog.has_stream(group, stream):
                    raise KeyError(stream)
                if len(self._writers) >= WRITERS_MAX:
                    longest = min(self._writers, key=lambda key: self._writers[key].used)
                    self._writers.pop(longest).close()
                writer = self._writers[group, stream] = SegmentWriter(
                    self.layout.group(group),
                    stream,
                    clock=self.clock,
                    changes=self.changes.told(),
                    exists=partial(self._exists, group, stream),
                    durability=self.durability,
                )
            return writer

    def _exists(self, group: str, stream: str) -> bool:
        try:
            return self.catalog.has_stream(group, stream)
        except KeyError:
            return False

    def segments(self, group: str) -> GroupSegments:
        """The files of a group."""
        with self._lock:
            known = self._segments.get(group)
            if known is None:
                known = self._segments[group] = GroupSegments(group, self.layout.group(group), self.report)
            return known

    def report(self, damage: Damage) -> None:
        """Note what a reader can't read."""
        if damage not in self.damage and len(self.damage) < DAMAGE_MAX:
            self.damage.append(damage)


def _widen(spans: dict[str, tuple[int, int, int]], stream: str, first: int, last: int, ingested: int) -> None:
    known = spans.get(stream, (first, last, ingested))
    spans[stream] = (min(known[0], first), max(known[1], last), max(known[2], ingested))
