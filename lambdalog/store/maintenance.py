"""Upkeep of a group's files: sealing what is no longer written, packing what is small, removing what expired.

Never done by a writer: by whoever reads, serves, or is told to. One process at a time does it in a group, and may be
killed at any moment. What makes a change count is one rename; whatever is then left over is removed by the next run.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from lambdalog.errors import CorruptSegment, StoreError, StoreLocked
from lambdalog.store import files
from lambdalog.store.index import HeaderEntry
from lambdalog.store.logs import DAY_MS
from lambdalog.store.seal import Piece, write_sealed
from lambdalog.store.segment import LiveSegment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.store.files import GroupLayout
    from lambdalog.store.index import SegmentEntry
    from lambdalog.store.logs import LogStore
    from lambdalog.store.sealed import SealedFile
    from lambdalog.store.segments import GroupSegments, Held

# Smaller segments are packed together.
SMALL_BYTES: Final = 1024 * 1024
PACK_BYTES: Final = 64 * 1024 * 1024
# Each live file is held open and locked while it is packed.
PACK_SEGMENTS: Final = 200
# A pack expires as a whole when its newest event does; retention counts in days.
PACK_SPAN_MS: Final = DAY_MS
# Left alone by default, small segments wait until there are so many, or the oldest was last written so long ago.
WAIT_COUNT: Final = 64
WAIT_SECONDS: Final = 3600.0
# A writer that wrote nothing for so long lets its segment be sealed.
IDLE_SECONDS: Final = 300.0

_CHUNK: Final = 1024 * 1024


@dataclass(slots=True)
class Upkeep:
    """What a run did. `busy`: segments left alone, as their writer lives; `bytes_*`: of what was sealed."""

    sealed: int = 0
    packs: int = 0
    expired: int = 0
    busy: int = 0
    waiting: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    torn: int = 0

    def __iadd__(self, other: Upkeep) -> Self:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        return self

    @property
    def changed(self) -> bool:
        """Whether anything was sealed or removed."""
        return bool(self.sealed or self.expired)


class _Live(NamedTuple):
    """A live file whose writer is gone: locked through `fd`, `size` bytes of whole lines."""

    path: Path
    segment: str
    stream: str
    fd: int
    size: int


class _Small(NamedTuple):
    """A small segment in a sealed file that may be packed with others."""

    file: SealedFile
    entry: SegmentEntry


def maintain(store: LogStore, *, everything: bool = True) -> Upkeep:
    """Seal, pack and expire in all groups; a group that another process maintains is passed over.

    `everything` False is for running often: small segments wait until packing them is worth it.
    """
    done = Upkeep()
    _bury(store)
    for name in store.groups():
        with suppress(StoreLocked, KeyError):
            done += maintain_group(store, name, everything=everything)
    return done


def maintain_group(store: LogStore, group: str, *, everything: bool = True) -> Upkeep:
    """Seal, pack and expire in one group. StoreLocked if another process is at it; KeyError if there is no such group."""
    if store.group(group) is None:
        raise KeyError(group)
    try:
        with alone(store.layout.group(group), group):
            return _Group(store, group, everything=everything).run()
    except FileNotFoundError:
        if store.group(group) is None:  # removed meanwhile
            return Upkeep()
        raise


@contextmanager
def alone(layout: GroupLayout, group: str) -> Iterator[None]:
    """Hold a group's maintenance lock. The kernel lets go of it when the process dies."""
    try:
        fd = os.open(layout.maintenance_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"can't write to the store at {layout.root}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreLocked(f"another process is maintaining the group {group}") from error
        yield
    finally:
        os.close(fd)


def _bury(store: LogStore) -> None:
    """Remove what a crash left of groups that were being removed."""
    with suppress(FileNotFoundError, NotADirectoryError):
        for name in os.listdir(store.layout.logs):
            if name.startswith(files.GRAVE):
                shutil.rmtree(store.layout.logs / name, ignore_errors=True)
                store.changes.tell()


class _Group:
    """One run over one group, with its lock held."""

    def __init__(self, store: LogStore, group: str, *, everything: bool) -> None:
        self._layout = store.layout.group(group)
        self._segments: GroupSegments = store.segments(group)
        self._gone = store.catalog.gone(group)
        self._streams = {files.quote(name): name for name in store.catalog.streams(group)}
        self._expired_before = store.expired_before(store.group(group))
        self._everything = everything
        self._now = store.clock.now()
        self._done = Upkeep()

    def run(self) -> Upkeep:
        self._clean()
        self._expire_sealed()
        self._seal_live()
        self._pack_sealed()
        return self._done

    # --- what is left over, and what expired

    def _clean(self) -> None:
        """Remove files half written, and live files that are sealed already."""
        for name in os.listdir(self._layout.sealed):
            if name.startswith(files.TEMPORARY):
                (self._layout.sealed / name).unlink(missing_ok=True)
        for name in self._segments.live_names():
            segment = name.removesuffix(files.LIVE_SUFFIX)
            if self._segments.find(segment) is not None:
                self._layout.live_segment(segment).unlink(missing_ok=True)

    def _expire_sealed(self) -> None:
        """Remove sealed files that hold nothing any more: expired, deleted, or packed into another file."""
        for held in self._segments.sealed():
            if held.file.index.unreadable:
                continue  # not known to hold nothing
            if all(self._is_dead(entry) for entry in held.entries):
                held.file.path.unlink(missing_ok=True)
                self._done.expired += len(held.entries)

    def _is_dead(self, entry: SegmentEntry) -> bool:
        if entry.segment in self._gone:
            return True
        return self._expired_before is not None and entry.latest < self._expired_before

    # --- sealing

    def _seal_live(self) -> None:
        waiting: list[str] = []
        for name in sorted(self._segments.live_names(), key=_time_of):
            try:
                size = (self._layout.live / name).stat().st_size
            except FileNotFoundError:
                continue
            if size >= SMALL_BYTES:
                self._seal_batch([name])
            else:
                waiting.append(name)
        if not self._everything and not self._worth_it(waiting):
            self._done.waiting += len(waiting)
            return
        batch: list[str] = []
        for name in waiting:
            full = len(batch) >= PACK_SEGMENTS
            if full or (batch and _time_of(name) - _time_of(batch[0]) > PACK_SPAN_MS):
                self._seal_batch(batch)
                batch = []
            batch.append(name)
        self._seal_batch(batch)

    def _worth_it(self, names: list[str]) -> bool:
        """Whether small live files are many enough, large enough in sum, or old enough to be packed."""
        if len(names) >= WAIT_COUNT:
            return True
        stats = []
        for name in names:
            with suppress(FileNotFoundError):
                stats.append((self._layout.live / name).stat())
        return sum(stat.st_size for stat in stats) >= SMALL_BYTES or any(
            self._now - stat.st_mtime > WAIT_SECONDS for stat in stats
        )

    def _seal_batch(self, names: list[str]) -> None:
        """Seal live files into one sealed file, those that are no longer written."""
        with ExitStack() as stack:
            taken = [found for name in names if (found := self._take(name, stack)) is not None]
            if not taken:
                return
            name = (
                taken[0].segment
                if len(taken) == 1
                else files.pack_id(_time_of(taken[0].path.name), os.getpid())
            )
            path = self._layout.sealed_segment(name)
            pieces = [
                Piece(HeaderEntry(one.segment, one.stream, path.name, one.size), _chunks(one.fd, one.size))
                for one in taken
            ]
            self._done.bytes_after += write_sealed(path, pieces)
            self._done.bytes_before += sum(one.size for one in taken)
            self._done.sealed += len(taken)
            self._done.packs += len(taken) > 1
            for one in taken:
                one.path.unlink(missing_ok=True)

    def _take(self, name: str, stack: ExitStack) -> _Live | None:
        """Lock a live file; None if its writer lives, or there is nothing in it to keep (then it is removed)."""
        path = self._layout.live / name
        segment = name.removesuffix(files.LIVE_SUFFIX)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"can't read {path}: {error.strerror}") from error
        stack.callback(os.close, fd)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._done.busy += 1
            return None
        stream = self._streams.get(files.stream_part(segment))
        live = LiveSegment(path, stream or "")
        try:
            size, latest = live.size, live.latest()
        except FileNotFoundError:
            return None
        finally:
            live.close()
        if os.fstat(fd).st_size > size:
            self._done.torn += 1
        dead = latest is None or (self._expired_before is not None and latest < self._expired_before)
        if dead or segment in self._gone:
            path.unlink(missing_ok=True)
            self._done.expired += bool(size)
            return None
        # The stream of a file that the catalogue doesn't know was deleted by a crash, or is being deleted: left alone.
        return None if stream is None else _Live(path, segment, stream, fd, size)

    # --- packing

    def _pack_sealed(self) -> None:
        """Put small sealed files together. For a moment a segment is in two; readers take one of them."""
        small = [
            held
            for held in self._segments.sealed()
            if held.entries
            and held.file.index.raw_size < SMALL_BYTES
            and not held.file.rebuilt
            and not held.file.index.unreadable
        ]
        small.sort(key=lambda held: held.file.index.earliest)
        batch: list[Held] = []
        count = size = 0
        for held in small:
            index = held.file.index
            if batch and (
                count + len(index.segments) > PACK_SEGMENTS * 5
                or size + index.raw_size > PACK_BYTES
                or index.latest - batch[0].file.index.earliest > PACK_SPAN_MS
            ):
                self._pack(batch)
                batch, count, size = [], 0, 0
            batch.append(held)
            count += len(index.segments)
            size += index.raw_size
        self._pack(batch)

    def _pack(self, batch: list[Held]) -> None:
        # Two or three are not worth a rewrite each minute; in sum the work stays linear in what is written.
        if len(batch) < (2 if self._everything else 8):
            return
        kept = [
            _Small(held.file, entry) for held in batch for entry in held.entries if not self._is_dead(entry)
        ]
        if kept:
            path = self._layout.sealed_segment(
                files.pack_id(min(one.entry.earliest for one in kept), os.getpid())
            )
            frames = _LastFrame()
            pieces = [
                Piece(
                    HeaderEntry(one.entry.segment, one.entry.stream, one.entry.origin, one.entry.size),
                    frames.read(one),
                )
                for one in kept
            ]
            try:
                write_sealed(path, pieces)
            except CorruptSegment:
                return  # left as it is; `check` tells
            self._done.packs += 1
        for held in batch:
            held.file.path.unlink(missing_ok=True)


class _LastFrame:
    """Reads small segments one after another; those in one frame are read with it once."""

    def __init__(self) -> None:
        self._file: SealedFile | None = None
        self._number = -1
        self._data = b""

    def read(self, one: _Small) -> Iterator[bytes]:
        """A segment's bytes, read when they are asked for."""
        yield one.file.read_segment(one.entry, frame_of=lambda number: self._frame(one.file, number))

    def _frame(self, file: SealedFile, number: int) -> bytes:
        if (file, number) != (self._file, self._number):
            self._file, self._number, self._data = file, number, file.frame(number)
        return self._data


def _chunks(fd: int, size: int) -> Iterator[bytes]:
    """The first `size` bytes of a file."""
    offset = 0
    while offset < size and (data := os.pread(fd, min(_CHUNK, size - offset), offset)):
        yield data
        offset += len(data)


def _time_of(name: str) -> int:
    """A live file's first time; 0 for a name that is none of ours."""
    try:
        return files.first_ms(name.removesuffix(files.LIVE_SUFFIX))
    except ValueError:
        return 0
