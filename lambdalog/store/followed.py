"""One followed group: how far each of its segments was read, and what has come in it since."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from lambdalog.errors import CorruptSegment
from lambdalog.store import files
from lambdalog.store.event import Scan
from lambdalog.store.read import GroupReader
from lambdalog.store.scan import Lines, Reader
from lambdalog.store.segments import Found, GroupSegments

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.store.event import Event
    from lambdalog.store.index import SegmentEntry
    from lambdalog.store.logs import LogStore
    from lambdalog.store.merge import Piece, Source
    from lambdalog.store.open_files import OpenFiles
    from lambdalog.store.sealed import SealedFile

# At once so much of a live file is taken in.
READ_BYTES: Final = 4 * 1024 * 1024

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Form(Generic[Made]):
    """What a follower makes of whole lines, and of the events that were sealed before it began; and its order, if it isn't its own."""

    lines: Callable[[Reader, Lines], list[Made]]
    event: Callable[[Event], Made]
    order: Callable[[Made], Any] | None = None


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


class Followed(Generic[Made]):
    """A group whose events are handed over in a form, each once."""

    def __init__(
        self,
        store: LogStore,
        name: str,
        identity: bytes,
        form: Form[Made],
        since: int | None,
        open_: OpenFiles,
    ) -> None:
        self.name = name
        self.identity = identity
        self.layout = store.layout.group(name)
        # Its own: a group made again under the same name must not be taken for the old one.
        self.segments = GroupSegments(name, self.layout, store.report)
        self._catalog = store.catalog
        self._form = form
        self._since = since
        self._open = open_
        self._reader = Reader(Scan(name, start=since), self.segments.report_line)
        # By live file name. A segment stays here until the sealed file that it went into was looked at.
        self._tails: dict[str, _Tail] = {}
        # Sealed files all of whose events were handed over, or were there before the follower.
        self._done: set[str] = set()
        self._streams: dict[str, str] = {}

    def begin(self) -> list[Source[Piece]]:
        """Take note of what is there at the start; the sealed part of it, as far as `since` asks for it. KeyError if it is gone."""
        streams = self._catalog.streams(self.name)
        found = self.segments.found(streams, self._catalog.gone(self.name))
        for live in found.live:
            with suppress(FileNotFoundError):
                offset = live.size if self._since is None else live.offset_at(self._since)
                name = live.segment + files.LIVE_SUFFIX
                self._tails[name] = _Tail(live.segment, live.stream, offset)
            live.close()
        sealed = self.segments.sealed()
        self._done = {held.file.name for held in sealed}
        if self._since is None:
            return []
        scan = Scan(self.name, start=self._since)
        reader = GroupReader(self.segments, scan, Reader(scan, self.segments.report_line))
        return reader.sources(Found([], found.sealed))

    def read(self, names: set[str] | None, events: list[Made]) -> bool:
        """Read on in live files (all, if None), then in what was sealed; events are added as they are read, whatever is raised then.

        Whether there is more than is taken in at once.
        """
        whole = names is None
        more = False
        if names is None:
            names = {*self.segments.live_names(), *self._tails}
        behind: set[str] = set()
        with suppress(KeyError):  # the group is gone
            for name in sorted(names):  # a stream's segments in the order they were begun
                if not name.endswith(files.LIVE_SUFFIX):
                    continue
                part = files.stream_part(name)
                if part in behind:
                    continue  # what its stream wrote before isn't all read yet
                state = self._read_live(name, events)
                if state is _State.PART:
                    behind.add(part)
                    more = True
                elif state is _State.GONE:
                    # Sealed since we were told of it. Its rest comes now, before what its stream wrote next is handed over.
                    whole = True
            if whole:
                self._read_sealed(events)
        return more

    def forget(self) -> None:
        """Let go of its files."""
        self._open.close_in(self.layout.live)

    # --- live files

    def _read_live(self, name: str, events: list[Made]) -> _State:
        """Read on in a live file."""
        tail = self._tails.get(name)
        if tail is None:
            tail = self._new_tail(name)
            if tail is None:
                return _State.READ
        path = self.layout.live / name
        try:
            if path not in self._open and path.stat().st_size <= tail.offset:
                return _State.READ
            fd = self._open.descriptor(path)
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
            events += self._form.lines(self._reader, lines)
            tail.offset += whole
        return _State.PART if len(data) < size - begin else _State.READ

    def _new_tail(self, name: str) -> _Tail | None:
        segment = name.removesuffix(files.LIVE_SUFFIX)
        found = self.segments.find(segment)
        if found is not None and (found[0].name in self._done or found[1].origin in self._done):
            return None  # it was sealed and read; whoever sealed it has only not removed the live file yet
        part = files.stream_part(segment)
        if part not in self._streams:
            self._streams = {files.quote(name): name for name in self._catalog.streams(self.name)}
        stream = self._streams.get(part)
        if stream is None:
            return None  # deleted
        tail = self._tails[name] = _Tail(segment, stream, 0)
        return tail

    # --- what was sealed

    def _read_sealed(self, events: list[Made]) -> None:
        # What is packed while it is read is looked for again at once: other events of its streams are in hand already.
        while self._read_new(events):
            pass

    def _read_new(self, events: list[Made]) -> bool:
        """Read what was sealed since; whether some of it was moved meanwhile."""
        moved = False
        new = [held.file for held in self.segments.sealed() if held.file.name not in self._done]
        if not new:
            self._drop_removed()
            return False
        streams = self._catalog.streams(self.name)
        gone = self._catalog.gone(self.name)
        handled: set[str] = set()
        read: list[SealedFile] = []
        for file in new:
            try:
                for entry in file.index.segments:
                    if (
                        entry.origin not in self._done
                        and entry.stream in streams
                        and entry.segment not in gone
                    ):
                        self._read_entry(file, entry, events)
            except FileNotFoundError:
                moved = True  # packed into another file, which is read in its turn
                continue
            handled.update({file.name}, (entry.origin for entry in file.index.segments))
            read.append(file)
        for file in read:
            for entry in file.index.segments:
                self._drop(entry.segment + files.LIVE_SUFFIX)
        self._done |= handled
        return moved

    def _read_entry(self, file: SealedFile, entry: SegmentEntry, events: list[Made]) -> None:
        name = entry.segment + files.LIVE_SUFFIX
        tail = self._tails.get(name)
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
                    self.segments.report(file, number, str(error))
                    offset += end - begin
                    continue
                except BaseException:
                    self._tails[name] = _Tail(entry.segment, entry.stream, offset)
                    raise
                lines = Lines(entry.stream, entry.segment, offset, data[begin:end])
                events += self._form.lines(self._reader, lines)
                offset += end - begin
        self._tails[name] = _Tail(entry.segment, entry.stream, entry.size)

    def _drop_removed(self) -> None:
        """Forget segments that are neither live nor sealed: deleted or expired."""
        live = set(self.segments.live_names())
        for name in [name for name in self._tails if name not in live]:
            if self.segments.find(name.removesuffix(files.LIVE_SUFFIX)) is None:
                self._drop(name)

    def _drop(self, name: str) -> None:
        self._tails.pop(name, None)
        self._open.close(self.layout.live / name)
