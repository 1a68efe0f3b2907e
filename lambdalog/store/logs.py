"""The log store: groups and streams, appended to, scanned and followed. Several processes share it safely."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from lambdalog.clock import SYSTEM
from lambdalog.store import files, line
from lambdalog.store.catalog import Catalog, GroupInfo
from lambdalog.store.files import Layout
from lambdalog.store.scan import merge, needles, segment_events
from lambdalog.store.segment import LiveSegment
from lambdalog.store.writer import Removed, SegmentWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from lambdalog.clock import Clock
    from lambdalog.store.event import Event, Scan
    from lambdalog.store.follow import Follower
    from lambdalog.store.writer import Durability

# Each open writer is a file descriptor; streams beyond these are opened again when they are written to.
WRITERS_MAX: Final = 256


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

    StoreError where the disk refuses, NewerFormat for a store that a newer lambdalog made.
    """

    def __init__(self, root: Path, *, clock: Clock = SYSTEM, durability: Durability = "never") -> None:
        self.root = root
        self.clock = clock
        self.layout = Layout(root)
        self.catalog = Catalog(self.layout, clock)
        self._durability: Durability = durability
        self._lock = threading.Lock()
        self._writers: dict[tuple[str, str], SegmentWriter] = {}
        self._pid = os.getpid()

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
        return self.catalog.delete_group(name)

    def streams(self, group: str) -> list[StreamInfo]:
        """The group's streams, sorted by name; KeyError if there is no such group."""
        created = self.catalog.streams(group)
        spans: dict[str, tuple[int, int, int]] = {}
        for segment in self._segments(group, created):
            try:
                first, last = segment.first_line(), segment.last_line()
                if first is None or last is None:
                    continue
                found = (line.timestamp_of(first), line.timestamp_of(last), line.ingestion_of(last))
            except FileNotFoundError:
                continue
            finally:
                segment.close()
            known = spans.get(segment.stream)
            spans[segment.stream] = (
                found
                if known is None
                else (min(known[0], found[0]), max(known[1], found[1]), max(known[2], found[2]))
            )
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
        if not self.catalog.delete_stream(group, stream):
            return False
        part = files.quote(stream)
        for path in self._live_paths(group):
            if files.stream_part(path.name) == part:
                path.unlink(missing_ok=True)
        return True

    def stored_bytes(self, group: str) -> int:
        """What the group's segments take on disk."""
        total = 0
        for path in self._live_paths(group):
            with suppress(FileNotFoundError):
                total += path.stat().st_size
        return total

    # --- events

    def append(
        self, group: str, stream: str, events: Sequence[tuple[int, str]], *, ingestion: int | None = None
    ) -> None:
        """Write (timestamp ms, message) pairs, in order of time, to a stream of the group.

        KeyError if the stream or group is not there; StoreError if the disk refuses: then none of them is kept.
        """
        if not events:
            return
        ingestion = self.clock.now_ms() if ingestion is None else ingestion
        while True:
            writer = self._writer(group, stream)
            try:
                writer.append(events, ingestion)
            except Removed:
                # Deleted, perhaps made again: the catalogue is asked once more, and says KeyError if it is gone.
                with self._lock:
                    if self._writers.get((group, stream)) is writer:
                        del self._writers[group, stream]
                writer.close()
            else:
                return

    def flush(self, *, invocation_end: bool = False) -> None:
        """Have what was written survive a power cut, where the durability asked for that."""
        if self._durability == "batch" or (self._durability == "invocation" and invocation_end):
            with self._lock:
                writers = list(self._writers.values())
            for writer in writers:
                writer.sync()

    def scan(self, scan: Scan) -> Iterator[Event]:
        """Events in order of (timestamp, ingestion, segment, offset), or its reverse; KeyError if no such group.

        What is written after the scan began may or may not be seen.
        """
        created = self.catalog.streams(scan.group)
        wanted = needles(scan.literals)
        sources = []
        segments = self._segments(scan.group, created, scan)
        try:
            for segment in segments:
                if scan.end is not None and segment.earliest() >= scan.end:
                    continue
                latest = _latest(segment)
                if latest is None or (scan.start is not None and latest < scan.start):
                    continue
                bound = latest if scan.descending else segment.earliest()
                since = created[segment.stream]
                sources.append(
                    (
                        bound,
                        lambda segment=segment, since=since: segment_events(
                            scan.group, segment, scan, wanted, since
                        ),
                    )
                )
            yield from merge(sources, descending=scan.descending, after=scan.after)
        finally:
            for segment in segments:
                segment.close()

    def follow(self, *, groups: Callable[[str], bool] | None = None, since: int | None = None) -> Follower:
        """New events of all groups that `groups` lets through, from `since` (epoch ms) on; None means from now."""
        from lambdalog.store.follow import Follower

        return Follower(self, groups=groups, since=since)

    def close(self) -> None:
        """Let go of every file."""
        with self._lock:
            writers, self._writers = list(self._writers.values()), {}
        for writer in writers:
            writer.close()

    # --- files

    def _writer(self, group: str, stream: str) -> SegmentWriter:
        if self._pid != os.getpid():
            # A forked child: the lock may be held by a thread that doesn't exist here, the files are the parent's.
            self._lock = threading.Lock()
            self._writers = {}
            self._pid = os.getpid()
        with self._lock:
            writer = self._writers.pop((group, stream), None)
            if writer is None:
                if not self.catalog.has_stream(group, stream):
                    raise KeyError(stream)
                if len(self._writers) >= WRITERS_MAX:
                    self._writers.pop(next(iter(self._writers))).close()
                writer = SegmentWriter(
                    self.layout.group(group), stream, clock=self.clock, durability=self._durability
                )
            self._writers[group, stream] = writer
            return writer

    def _live_paths(self, group: str) -> list[Path]:
        live = self.layout.group(group).live
        try:
            return [live / name for name in os.listdir(live) if name.endswith(".jsonl")]
        except FileNotFoundError:
            return []

    def _segments(self, group: str, created: dict[str, int], scan: Scan | None = None) -> list[LiveSegment]:
        names = {files.quote(name): name for name in created if scan is None or scan.wants_stream(name)}
        found = []
        for path in self._live_paths(group):
            stream = names.get(files.stream_part(path.name))
            if stream is not None:
                found.append(LiveSegment(path, stream))
        return found


def _latest(segment: LiveSegment) -> int | None:
    """The bound of a segment's times; None where there is nothing, or nothing any more."""
    try:
        return segment.latest()
    except FileNotFoundError:
        return None
    finally:
        segment.close()
