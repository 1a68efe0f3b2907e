"""New events as they are written, by whichever process: groups, streams and segments that appear are picked up.

What a follower has read of a segment is a number of bytes, which means the same while the segment is live and after it
is sealed; so nothing is lost or doubled when files are sealed, packed or removed between two reads. Nor when a poll fails
(a full table of files, a disk that doesn't answer): the next one goes on where it was.
"""

from __future__ import annotations

import heapq
import os
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from lambdalog.errors import CorruptSegment
from lambdalog.store import files
from lambdalog.store.event import Event, Scan
from lambdalog.store.read import GroupReader
from lambdalog.store.scan import Lines, Reader, merge
from lambdalog.store.segments import Found, GroupSegments
from lambdalog.store.watch import new_watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lambdalog.store.event import Position
    from lambdalog.store.files import GroupLayout
    from lambdalog.store.index import SegmentEntry
    from lambdalog.store.logs import LogStore
    from lambdalog.store.scan import Source
    from lambdalog.store.sealed import SealedFile
    from lambdalog.store.watch import Changes

# Files that change stay open, the least recently changed are closed; all are read on by their offsets.
OPEN_MAX: Final = 128
# A poll takes in at most so much of a file and, of what was sealed before it began, so many events.
READ_BYTES: Final = 4 * 1024 * 1024
BACKLOG_EVENTS: Final = 10_000

_position = itemgetter(0, 1, 5, 6)

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Form(Generic[Made]):
    """What a follower makes of whole lines, and of the events that were sealed before it began; and its order."""

    lines: Callable[[Reader, Lines], list[Made]]
    event: Callable[[Event], Made]
    order: Callable[[Made], Any]


EVENTS: Final[Form[Event]] = Form(lambda reader, lines: reader.events(*lines), lambda event: event, _position)


class _State(Enum):
    """What became of reading a live file."""

    READ = 0
    PART = 1  # there is more in it than is taken in at once
    GONE = 2


class _Tail:
    """How far a segment was read."""

    __slots__ = ("offset", "segment", "stream")

    def __init__(self, segment: str, stream: str, offset: int) -> None:
        self.segment = segment
        self.stream = stream
        self.offset = offset


class _Group:
    """A followed group."""

    def __init__(
        self,
        name: str,
        layout: GroupLayout,
        segments: GroupSegments,
        since: int | None,
        identity: bytes,
    ) -> None:
        self.name = name
        self.layout = layout
        self.segments = segments
        self.reader = Reader(Scan(name, start=since), segments.report_line)
        # By live file name. A segment stays here until the sealed file that it went into was looked at.
        self.tails: dict[str, _Tail] = {}
        # Sealed files all of whose events were handed over, or were there before the follower.
        self.done: set[str] = set()
        self.streams: dict[str, str] = {}
        self.identity = identity


class Follower(Generic[Made]):
    """Hands over each event once, in a form. Not thread-safe, but for `wake`."""

    def __init__(
        self,
        store: LogStore,
        form: Form[Made],
        *,
        groups: Callable[[str], bool] | None,
        since: int | None,
    ) -> None:
        self._store = store
        self._form = form
        self._wanted = groups
        self._since = since
        self._watch = new_watch()
        self._root = store.layout.logs
        self._groups: dict[str, _Group] = {}
        self._folders: dict[Path, tuple[_Group, bool]] = {}  # True: the folder of sealed files
        # Of groups that are being made: the root has told of the folder, and won't of the record that makes it a group.
        self._unfinished: set[Path] = set()
        self._open: OrderedDict[Path, int] = OrderedDict()
        # What was sealed before it began, by group; which of it were taken out, and up to where they were handed over.
        self._past: list[list[Source[Event]]] = []
        self._backlog: Iterator[Event] | None = None
        self._taken: list[Event] = []
        self._handed: Position | None = None
        self._found: list[Made] = []  # read, and not handed over yet
        self._more = False
        self._skipped: set[str] = set()
        self._root_watched = False
        self._woken = False
        try:
            self._look_for_groups(fresh=False)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def poll(self, timeout: float) -> list[Made]:
        """Events that came, in order of (timestamp, ingestion, segment, offset); [] after `timeout` seconds.

        Whatever is raised, the next poll goes on: it has what was read before, and looks for what it was told of.
        """
        try:
            return self._poll(timeout)
        except BaseException:
            self._more = True
            if self._backlog is not None:
                self._backlog = self._merged(self._taken[-1].position if self._taken else self._handed)
            raise

    def _poll(self, timeout: float) -> list[Made]:
        if self._backlog is not None:
            self._taken.extend(islice(self._backlog, BACKLOG_EVENTS))
            if self._taken:
                taken, self._taken = self._taken, []
                self._handed = taken[-1].position
                return list(map(self._form.event, taken))
            self._backlog, self._past = None, []
            self._more = True
        until = time.monotonic() + timeout
        events = self._read(None) if self._more else []
        while not events:
            left = until - time.monotonic()
            if not self._root_watched:
                left = min(left, 0.05)  # the store isn't there yet: nothing tells when it is made
            changes = self._watch.wait(0 if self._more else max(left, 0))
            events = self._read(None if self._more or not self._root_watched else changes)
            if self._woken:
                self._woken = False
                break
            if not self._more and time.monotonic() >= until:
                break
        return events

    def wake(self) -> None:
        """Let a `poll` in another thread return."""
        self._woken = True
        self._watch.wake()

    def close(self) -> None:
        """Let go of every file."""
        for fd in self._open.values():
            os.close(fd)
        self._open.clear()
        self._groups = {}
        self._folders = {}
        self._watch.close()

    # --- finding

    def _look_for_groups(self, *, fresh: bool) -> None:
        if not self._root_watched:
            self._root_watched = self._watch.add(self._root)
            if not self._root_watched:
                return
        for group in list(self._groups.values()):
            if self._identity(group.name) != group.identity:
                self._forget(group)
        self._unfinished = {folder for folder in self._store.catalog.unfinished() if self._watch.add(folder)}
        for name in self._store.groups():
            if name in self._groups or name in self._skipped:
                continue
            if self._wanted is not None and not self._wanted(name):
                self._skipped.add(name)
                continue
            layout = self._store.layout.group(name)
            # Watched first, then looked into: what comes in between is seen, and read by its offset once.
            if not (self._watch.add(layout.live) and self._watch.add(layout.sealed)):
                continue
            group = _Group(
                name,
                layout,
                # Its own: a group made again under the same name must not be taken for the old one.
                GroupSegments(name, layout, self._store.report),
                self._since,
                self._identity(name),
            )
            self._groups[name] = group
            self._folders[layout.live] = (group, False)
            self._folders[layout.sealed] = (group, True)
            with suppress(KeyError):
                if fresh:
                    self._more = True
                else:
                    self._past.append(self._begin(group))
        if self._past and self._since is not None and not fresh:
            self._backlog = self._merged(None)

    def _merged(self, after: Position | None) -> Iterator[Event]:
        parts = [merge(sources, descending=False, after=after) for sources in self._past]
        return heapq.merge(*parts, key=_position)

    def _identity(self, name: str) -> bytes:
        try:
            return self._store.catalog.identity(name)
        except KeyError:
            return b""

    def _forget(self, group: _Group) -> None:
        del self._groups[group.name]
        for folder in (group.layout.live, group.layout.sealed):
            self._folders.pop(folder, None)
        for path in [path for path in self._open if path.parent == group.layout.live]:
            os.close(self._open.pop(path))

    def _begin(self, group: _Group) -> list[Source[Event]]:
        """Take note of what is there at the start; the sealed part of it, as far as `since` asks for it."""
        streams = self._store.catalog.streams(group.name)
        found = group.segments.found(streams, self._store.catalog.gone(group.name))
        for live in found.live:
            with suppress(FileNotFoundError):
                offset = live.size if self._since is None else live.offset_at(self._since)
                name = live.segment + files.LIVE_SUFFIX
                group.tails[name] = _Tail(live.segment, live.stream, offset)
            live.close()
        sealed = group.segments.sealed()
        group.done = {held.file.name for held in sealed}
        self._more = True
        if self._since is None:
            return []
        scan = Scan(group.name, start=self._since)
        reader = GroupReader(group.segments, scan, Reader(scan, group.segments.report_line))
        return reader.sources(Found([], found.sealed))

    # --- reading

    def _read(self, changes: Changes | None) -> list[Made]:
        self._more = False
        if (
            changes is None
            or self._root in changes
            or not self._root_watched
            or not self._unfinished.isdisjoint(changes)
        ):
            self._look_for_groups(fresh=True)
            if self._more:
                changes = None
                self._more = False
        events = self._found
        if changes is None:
            for group in list(self._groups.values()):
                self._read_group(group, None, events)
        else:
            for folder, names in changes.items():
                known = self._folders.get(folder)
                if known is not None and known[1]:
                    self._read_group(known[0], None, events)
                elif known is not None:
                    self._read_group(known[0], names, events)
        self._found = []
        events.sort(key=self._form.order)
        return events

    def _read_group(self, group: _Group, names: set[str] | None, events: list[Made]) -> None:
        """Read live files (all, if None), then what was sealed."""
        whole = names is None
        if names is None:
            names = {*group.segments.live_names(), *group.tails}
        behind: set[str] = set()
        with suppress(KeyError):  # the group is gone
            for name in sorted(names):  # a stream's segments in the order they were begun
                if not name.endswith(files.LIVE_SUFFIX):
                    continue
                part = files.stream_part(name)
                if part in behind:
                    continue  # what its stream wrote before isn't all read yet
                state = self._read_live(group, name, events)
                if state is _State.PART:
                    behind.add(part)
                    self._more = True
                elif state is _State.GONE:
                    # Sealed since we were told of it. Its rest comes now, before what its stream wrote next is handed over.
                    whole = True
            if whole:
                self._read_sealed(group, events)

    def _read_live(self, group: _Group, name: str, events: list[Made]) -> _State:
        """Read on in a live file."""
        tail = group.tails.get(name)
        if tail is None:
            tail = self._new_tail(group, name)
            if tail is None:
                return _State.READ
        path = group.layout.live / name
        try:
            if path not in self._open and path.stat().st_size <= tail.offset:
                return _State.READ
            fd = self._descriptor(path)
        except FileNotFoundError:
            return _State.GONE
        size = os.fstat(fd).st_size
        if size <= tail.offset:
            return _State.READ
        begin = tail.offset
        data = os.pread(fd, min(size - begin, READ_BYTES), begin)
        whole = data.rfind(b"\n") + 1  # a write may be half done
        if not whole and len(data) == READ_BYTES:
            data = os.pread(fd, size - tail.offset, tail.offset)
            whole = data.rfind(b"\n") + 1
        if whole:
            lines = Lines(tail.stream, tail.segment, tail.offset, data[:whole])
            events += self._form.lines(group.reader, lines)
            tail.offset += whole
        return _State.PART if len(data) < size - begin else _State.READ

    def _new_tail(self, group: _Group, name: str) -> _Tail | None:
        segment = name.removesuffix(files.LIVE_SUFFIX)
        found = group.segments.find(segment)
        if found is not None and (found[0].name in group.done or found[1].origin in group.done):
            return None  # it was sealed and read; whoever sealed it has only not removed the live file yet
        part = files.stream_part(segment)
        if part not in group.streams:
            group.streams = {files.quote(name): name for name in self._store.catalog.streams(group.name)}
        stream = group.streams.get(part)
        if stream is None:
            return None  # deleted
        tail = group.tails[name] = _Tail(segment, stream, 0)
        return tail

    def _descriptor(self, path: Path) -> int:
        fd = self._open.get(path)
        if fd is not None:
            self._open.move_to_end(path)
            return fd
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        while len(self._open) >= OPEN_MAX:
            os.close(self._open.popitem(last=False)[1])
        self._open[path] = fd
        return fd

    # --- what was sealed

    def _read_sealed(self, group: _Group, events: list[Made]) -> None:
        # What is packed while it is read is looked for again at once: other events of its streams are in hand already.
        while self._read_new(group, events):
            pass

    def _read_new(self, group: _Group, events: list[Made]) -> bool:
        """Read what was sealed since; whether some of it was moved meanwhile."""
        moved = False
        new = [held.file for held in group.segments.sealed() if held.file.name not in group.done]
        if not new:
            self._drop_removed(group)
            return False
        streams = self._store.catalog.streams(group.name)
        gone = self._store.catalog.gone(group.name)
        handled: set[str] = set()
        read: list[SealedFile] = []
        for file in new:
            try:
                for entry in file.index.segments:
                    if (
                        entry.origin not in group.done
                        and entry.stream in streams
                        and entry.segment not in gone
                    ):
                        self._read_entry(group, file, entry, events)
            except FileNotFoundError:
                moved = True  # packed into another file, which is read in its turn
                continue
            handled.update({file.name}, (entry.origin for entry in file.index.segments))
            read.append(file)
        for file in read:
            for entry in file.index.segments:
                self._drop(group, entry.segment + files.LIVE_SUFFIX)
        group.done |= handled
        return moved

    def _read_entry(self, group: _Group, file: SealedFile, entry: SegmentEntry, events: list[Made]) -> None:
        name = entry.segment + files.LIVE_SUFFIX
        tail = group.tails.get(name)
        offset = 0 if tail is None else tail.offset
        if offset >= entry.size:
            return
        if self._since is None or entry.latest >= self._since:
            for number in file.frames_of(entry, offset):
                frame = file.index.frames[number]
                begin = max(entry.raw + offset - frame.raw, 0)
                end = min(entry.raw + entry.size - frame.raw, frame.length)
                try:
                    data = file.frame(number)
                except CorruptSegment as error:
                    group.segments.report(file, number, str(error))
                    offset += end - begin
                    continue
                except BaseException:
                    group.tails[name] = _Tail(entry.segment, entry.stream, offset)
                    raise
                lines = Lines(entry.stream, entry.segment, offset, data[begin:end])
                events += self._form.lines(group.reader, lines)
                offset += end - begin
        group.tails[name] = _Tail(entry.segment, entry.stream, entry.size)

    def _drop_removed(self, group: _Group) -> None:
        """Forget segments that are neither live nor sealed: deleted or expired."""
        live = set(group.segments.live_names())
        for name in [name for name in group.tails if name not in live]:
            if group.segments.find(name.removesuffix(files.LIVE_SUFFIX)) is None:
                self._drop(group, name)

    def _drop(self, group: _Group, name: str) -> None:
        group.tails.pop(name, None)
        fd = self._open.pop(group.layout.live / name, None)
        if fd is not None:
            os.close(fd)
