"""Which segments of one group there are, live and sealed, each once however often it stands on disk."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from lambdalog.errors import CorruptSegment
from lambdalog.store import files, line
from lambdalog.store.event import Damage
from lambdalog.store.segment import BLOCK, LiveSegment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from lambdalog.store.files import GroupLayout
    from lambdalog.store.index import SegmentEntry
    from lambdalog.store.sealed import SealedFile

# A folder that changed so long ago bears another time when it changes again; longer where its file system may have no more
# than seconds.
_SETTLED_NS: Final = 100_000_000
_SETTLED_SECONDS_NS: Final = 3_000_000_000


class Span(NamedTuple):
    """The times of a segment: first and last event, last ingestion."""

    first: int
    last: int
    ingested: int


class Held(NamedTuple):
    """A sealed file and those of its segments that are to be read there."""

    file: SealedFile
    entries: list[SegmentEntry]


class Found(NamedTuple):
    """What a group holds at one moment."""

    live: list[LiveSegment]
    sealed: list[Held]


class _Sealed(NamedTuple):
    """The sealed files as they were listed; a segment belongs to one of those that hold it."""

    names: frozenset[str]
    files: dict[str, SealedFile]
    owner: dict[str, SealedFile]
    held: list[Held]


class GroupSegments:
    """The segments of one group. What was learnt of sealed files is kept: they never change."""

    def __init__(self, name: str, layout: GroupLayout, damage: Callable[[Damage], None]) -> None:
        self._name = name
        self._layout = layout
        self._damage = damage
        self._known = _Sealed(frozenset(), {}, {}, [])
        self._spans: dict[str, tuple[int, Span | None]] = {}
        # By suffix: the folder's inode and time of change, and its names.
        self._listings: dict[str, tuple[tuple[int, int], list[str]]] = {}

    def found(self, streams: Collection[str], gone: Collection[str]) -> Found:
        """Live and sealed segments of `streams`. A segment that is in both is read where it is sealed."""
        # In this order: what is sealed between the two looks is seen in the second one.
        live = self.live_names()
        sealed = self._sealed()
        names = {files.quote(name): name for name in streams} if live else {}
        if len(names) == 1:  # of ten thousand
            (begin,) = names
            live = [name for name in live if name.startswith(begin)]
        segments = []
        for name in live:
            segment = name.removesuffix(files.LIVE_SUFFIX)
            stream = names.get(files.stream_part(segment))
            if stream is not None and segment not in sealed.owner and segment not in gone:
                segments.append((segment, stream))
        # Many at once must not hold 256 KiB each.
        block = max(BLOCK // max(len(segments) // 16, 1), 8192)
        return Found(
            [
                LiveSegment(self._layout.live_path(segment), stream, self.bytes_of, block=block)
                for segment, stream in segments
            ],
            [
                Held(
                    file,
                    [entry for entry in entries if entry.stream in streams and entry.segment not in gone],
                )
                for file, entries in sealed.held
            ],
        )

    def live_names(self) -> list[str]:
        """The names of the live files."""
        return self._listed(self._layout.live, files.LIVE_SUFFIX)

    def sealed_names(self) -> frozenset[str]:
        """The names of the sealed files."""
        return frozenset(self._listed(self._layout.sealed, files.SEALED_SUFFIX))

    def _listed(self, folder: Path, suffix: str) -> list[str]:
        # The file system's clock is the real one.
        began = time.time_ns()
        try:
            stat = folder.stat()
            stamp = stat.st_ino, stat.st_mtime_ns
            known = self._listings.get(suffix)
            if known is not None and known[0] == stamp:
                return known[1]
            names = [name for name in os.listdir(folder) if name.endswith(suffix) and name[0] != "."]
        except FileNotFoundError:
            return []
        settled = _SETTLED_NS if stat.st_mtime_ns % 1_000_000_000 else _SETTLED_SECONDS_NS
        if began - stat.st_mtime_ns > settled:
            self._listings[suffix] = stamp, names
        return names

    def sealed(self) -> list[Held]:
        """The sealed files with the segments that are to be read there."""
        return self._sealed().held

    def file(self, name: str) -> SealedFile | None:
        """One sealed file, or None if it is gone or can't be read."""
        return self._sealed().files.get(name)

    def find(self, segment: str) -> tuple[SealedFile, SegmentEntry] | None:
        """Where a segment is sealed now, or None."""
        file = self._sealed().owner.get(segment)
        if file is None:
            return None
        return file, next(entry for entry in file.index.segments if entry.segment == segment)

    def bytes_of(self, segment: str) -> SealedSegment | None:
        """A sealed segment as bytes, or None if it isn't there."""
        found = self.find(segment)
        return None if found is None else SealedSegment(self, segment, *found)

    def span(self, segment: LiveSegment) -> Span | None:
        """The times of a live segment; None if it holds nothing, or is gone."""
        return self.sized(segment)[1]

    def sized(self, segment: LiveSegment) -> tuple[int, Span | None]:
        """How large a live segment's file is (0: it is gone, or was sealed meanwhile), and its times as `span` has them."""
        try:
            size = os.stat(segment.path).st_size  # noqa: PTH116 - a text's, for thousands
        except FileNotFoundError:
            size = -1
        known = self._spans.get(segment.segment)
        if known is not None and known[0] == size:
            return max(size, 0), known[1]
        span = None
        with suppress(FileNotFoundError):
            first, last = segment.first_line(), segment.last_line()
            if first is not None and last is not None and line.is_whole(first) and line.is_whole(last):
                span = Span(line.timestamp_of(first), line.timestamp_of(last), line.ingestion_of(last))
            elif first is not None:
                span = Span(segment.earliest(), segment.latest() or 0, 0)
        segment.close()
        self._spans[segment.segment] = (size, span)
        return max(size, 0), span

    def report(self, file: SealedFile, frame: int | None, what: str) -> None:
        """Note what can't be read."""
        self._damage(Damage(self._name, file.name, frame, what))

    def report_line(self, segment: str, offset: int) -> None:
        """Note a line that is no event."""
        self.report_segment(segment, f"the line at offset {offset} is no event")

    def report_segment(self, segment: str, what: str) -> None:
        """Note what can't be read of a segment, wherever it is."""
        self._damage(Damage(self._name, segment, None, what))

    def _sealed(self) -> _Sealed:
        names = self.sealed_names()
        if names != self._known.names:
            # While one file replaces others, one look may miss both; two equal ones have not.
            while (again := self.sealed_names()) != names:
                names = again
            self._known = self._learn(names, self._known.files)
        return self._known

    def _learn(self, names: frozenset[str], known: Mapping[str, SealedFile]) -> _Sealed:
        from lambdalog.store.sealed import SealedFile  # what only writes needs neither zstd nor msgspec

        found: dict[str, SealedFile] = {}
        owner: dict[str, SealedFile] = {}
        held = []
        for name in sorted(names):
            file = known.get(name) or SealedFile(self._layout.sealed / name)
            try:
                index = file.index
            except FileNotFoundError:
                continue
            except CorruptSegment as error:
                self.report(file, None, str(error))
                continue
            if file.rebuilt:
                self.report(file, None, f"{file.path}: the index is damaged")
            found[name] = file
            held.append(
                Held(
                    file, [entry for entry in index.segments if owner.setdefault(entry.segment, file) is file]
                )
            )
        for segment in owner:
            self._spans.pop(segment, None)
        return _Sealed(names, found, owner, held)


class SealedSegment:
    """A segment's bytes in whichever sealed file it is: packing may move it."""

    def __init__(self, segments: GroupSegments, segment: str, file: SealedFile, entry: SegmentEntry) -> None:
        self._segments = segments
        self._segment = segment
        self._file = file
        self._entry = entry
        self._cached = (0, b"")
        self.size = entry.size

    def pread(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes from `offset` on. FileNotFoundError if the segment is gone for good."""
        base, data = self._cached
        if not (base <= offset and offset + size <= base + len(data)):
            base = offset
            data = self._read(max(size, BLOCK), offset)
            self._cached = (base, data)
        return data[offset - base : offset - base + size]

    def _read(self, size: int, offset: int) -> bytes:
        while True:
            try:
                return self._file.read_segment(self._entry, offset, size)
            except FileNotFoundError:
                found = self._segments.find(self._segment)
                if found is None or found[0] is self._file:
                    raise
                self._file, self._entry = found
