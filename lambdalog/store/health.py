"""Is everything in the store readable? `check` looks at every byte, `repair` mends what can be mended, `usage` counts."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from lambdalog.errors import CorruptSegment, NewerFormat, StoreError
from lambdalog.store import files, frames, line, rollup, tables
from lambdalog.store import index as layout
from lambdalog.store.build import IndexBuilder
from lambdalog.store.event import Damage
from lambdalog.store.maintenance import alone
from lambdalog.store.records import Mended, check_records, folders, mend_records
from lambdalog.store.seal import closing, put_in_place
from lambdalog.store.sealed import SealedFile, rebuild
from lambdalog.store.segment import LiveSegment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from lambdalog.store.files import GroupLayout
    from lambdalog.store.index import HeaderEntry, Index
    from lambdalog.store.logs import LogStore

# Added to the name of a file of which nothing can be read; it is no sealed file any more, and nobody's but the user's.
SET_ASIDE = ".damaged"


@dataclass(frozen=True, slots=True)
class GroupUse:
    """What a group holds. `events` are in sealed segments, `live_events` are not; bytes are as on disk, `raw_bytes` unpacked."""

    name: str
    streams: int
    live_segments: int
    live_bytes: int
    sealed_files: int
    sealed_segments: int
    sealed_bytes: int
    raw_bytes: int
    events: int
    live_events: int
    earliest: int | None
    latest: int | None


def check(
    store: LogStore, groups: Sequence[str] | None = None, *, looked: Callable[[int], None] = lambda _: None
) -> Iterator[Damage]:
    """Everything that is wrong with the groups (all, if None): every checksum, index, bloom, line and record.

    `looked` is told the bytes of each file that was gone through.
    """
    if groups is None:
        yield from check_records(store)
        yield from check_tables(store.root)
    for name in _readable(store) if groups is None else groups:
        group = store.layout.group(name)
        segments = store.segments(name)
        for file in sorted(segments.sealed_names()):
            with suppress(FileNotFoundError):
                size = _size(group.sealed / file)
                yield from _check_sealed(name, group.sealed / file)
                looked(size)
        for file in sorted(segments.live_names()):
            with suppress(FileNotFoundError):
                size = _size(group.live / file)
                yield from _check_live(name, group.live / file)
                looked(size)


def _readable(store: LogStore) -> list[str]:
    """The groups whose records are sound; of the others `check_records` tells."""
    names = []
    for folder in folders(store):
        with suppress(StoreError):
            info = store.catalog.group_in(folder)
            if info is not None:
                names.append(info.name)
    return sorted(names)


def check_tables(root: Path) -> Iterator[Damage]:
    """What SQLite finds wrong with the store's databases."""
    for path in sorted(root.glob("*.sqlite")):
        for what in tables.integrity(path):
            yield Damage("", path.name, None, what)


def _check_sealed(group: str, path: Path) -> Iterator[Damage]:
    file = SealedFile(path)

    def damage(frame: int | None, what: str) -> Damage:
        return Damage(group, path.name, frame, what)

    try:
        index = file.stored_index()
    except NewerFormat as error:
        yield damage(None, str(error))
        return
    except CorruptSegment as error:
        yield damage(None, str(error))
        try:
            index, _ = rebuild(path)
        except CorruptSegment as worse:
            yield damage(None, str(worse))
            return
        for number, frame in enumerate(index.frames):
            if frame.count == layout.UNREADABLE:
                yield damage(number, f"frame {number} is damaged")
        return
    try:
        header = _header(path)
    except CorruptSegment as error:
        yield damage(None, str(error))
        header = _header_of(index)
    if header != _header_of(index):
        yield damage(None, "the header does not match the index")
    builder = IndexBuilder(_header_of(index))
    whole = True
    for number, frame in enumerate(index.frames):
        try:
            packed = file.packed(frame, number)
            builder.add(file.unpacked(packed, frame, number), frame.offset, packed)
        except CorruptSegment:
            whole = False
            yield damage(
                number,
                f"frame {number} ({frame.count} events of {_names(index, number)}) is damaged",
            )
            builder.add_damaged(frame.offset, frame.size, frame.length)
    try:
        blooms = file.read(index.blooms, index.blooms_size)
        made, made_blooms = builder.finish(index.blooms)
        if whole and (_as_stored(made, index), made_blooms) != (index, blooms):
            yield damage(
                None,
                "the index does not match the frames" if made_blooms == blooms else "the blooms are damaged",
            )
    except IndexError:
        yield damage(None, "the index does not match the frames")


def _names(index: Index, number: int) -> str:
    """The segments that a frame holds, the first few by name."""
    frame = index.frames[number]
    held = [
        entry.segment
        for entry in index.segments
        if entry.raw < frame.raw + frame.length and frame.raw < entry.raw + entry.size
    ]
    more = f" and {len(held) - 3} more segments" if len(held) > 3 else ""
    return ", ".join(held[:3]) + more


def _header(path: Path) -> list[HeaderEntry]:
    with path.open("rb") as file:
        head = file.read(frames.SKIPPABLE_HEAD)
        size = frames.skippable_size(head, layout.HEADER)
        return layout.read_header(head + file.read(size or 0))[0]


def _as_stored(made: Index, index: Index) -> Index:
    """A rebuilt index in the stored one's format, without the checksums that it may be too old to have."""
    if len(made.frames) != len(index.frames):
        return made
    frames = [
        replace(one, crc=layout.NO_CHECKSUM) if stored.crc == layout.NO_CHECKSUM else one
        for one, stored in zip(made.frames, index.frames, strict=True)
    ]
    return replace(made, version=index.version, frames=frames)


def _header_of(index: Index) -> list[HeaderEntry]:
    return [
        layout.HeaderEntry(entry.segment, entry.stream, entry.origin, entry.size) for entry in index.segments
    ]


def _check_live(group: str, path: Path) -> Iterator[Damage]:
    segment = LiveSegment(path, "")
    try:
        for offset, data in segment.blocks(None, None, descending=False):
            lines = rollup.event_lines(data)
            if len(lines) == data.count(b"\n"):
                bad = [found for found in lines if not _is_event(found)]
            else:
                bad = [found for found in data[:-1].split(b"\n") if not _is_event(found)]
            if bad:
                yield Damage(group, path.name, None, f"{len(bad)} lines after offset {offset} are no events")
        whole = segment.size
    finally:
        segment.close()
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _is_free(fd) and (torn := os.fstat(fd).st_size - whole) > 0:
            yield Damage(group, path.name, None, f"a crash cut the last line short ({torn} bytes)")
    finally:
        os.close(fd)


def _is_event(found: bytes) -> bool:
    if not line.is_whole(found):
        return False
    try:
        line.message_of(found)
    except ValueError:
        return False
    return True


def _is_free(fd: int) -> bool:
    """Whether a live file's writer is gone."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# --- repair


def repair(
    store: LogStore, groups: Sequence[str] | None = None, *, looked: Callable[[int], None] = lambda _: None
) -> Iterator[Mended]:
    """Mend the groups (all, if None): torn tails are cut, indexes made anew, damaged frames taken out.

    StoreLocked if another process maintains a group. `looked` is as for `check`. Of what SQLite keeps nothing is touched.
    """
    if groups is None:
        yield from mend_records(store)
    for name in store.groups() if groups is None else groups:
        group = store.layout.group(name)
        with alone(group, name):
            for file in sorted(store.segments(name).live_names()):
                with suppress(FileNotFoundError):
                    size = _size(group.live / file)
                    yield from _cut_tail(name, group.live / file)
                    looked(size)
            for file in sorted(store.segments(name).sealed_names()):
                with suppress(FileNotFoundError):
                    size = _size(group.sealed / file)
                    yield from _mend(name, group, group.sealed / file)
                    looked(size)


def _cut_tail(group: str, path: Path) -> Iterator[Mended]:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    segment = LiveSegment(path, "")
    try:
        if _is_free(fd) and (torn := os.fstat(fd).st_size - segment.size) > 0:
            os.ftruncate(fd, segment.size)
            yield Mended(group, path.name, f"cut {torn} bytes of an unfinished line", 0)
    except OSError as error:
        raise StoreError(f"can't repair {path}: {error.strerror}") from error
    finally:
        segment.close()
        os.close(fd)


def _mend(group: str, place: GroupLayout, path: Path) -> Iterator[Mended]:
    found = [damage.what for damage in _check_sealed(group, path)]
    if not found:
        return
    file = SealedFile(path)
    try:
        index = file.index
    except CorruptSegment:
        path.rename(path.with_name(path.name + SET_ASIDE))
        yield Mended(
            group, path.name, f"set aside as {path.name}{SET_ASIDE}: nothing in it can be read", None
        )
        return
    lost, unknown = _rewrite(file, index, place)
    path.unlink()
    yield Mended(group, path.name, f"written anew ({'; '.join(found)})", None if unknown else lost)


def _rewrite(file: SealedFile, index: Index, place: GroupLayout) -> tuple[int, bool]:
    """Write what is left of a sealed file under a new name: (events lost, whether more may be).

    Line breaks stand in for a damaged frame, so that the offsets of all other events stay what they were.
    """
    path = place.sealed_segment(files.pack_id(index.earliest, os.getpid()))
    temporary = path.with_name(f"{files.TEMPORARY}{os.urandom(8).hex()}")
    header = _header_of(index)
    builder = IndexBuilder(header)
    lost, unknown = 0, False
    try:
        with temporary.open("xb") as out:
            out.write(layout.header_block(header))
            for number, frame in enumerate(index.frames):
                try:
                    packed = file.packed(frame, number)
                    content = file.unpacked(packed, frame, number)
                except CorruptSegment:
                    content = b"\n" * frame.length
                    packed = frames.pack(content)
                    lost += max(frame.count, 0)
                    unknown = unknown or frame.count == layout.UNREADABLE
                builder.add(content, out.tell(), packed)
                out.write(packed)
            for block in closing(builder, out.tell()):
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        put_in_place(temporary, path)
    except OSError as error:
        raise StoreError(f"can't repair {file.path}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    return lost, unknown


# --- usage


def usage(store: LogStore) -> list[GroupUse]:
    """What each group holds, sorted by name."""
    return [use for name in store.groups() if (use := _use(store, name)) is not None]


def _use(store: LogStore, name: str) -> GroupUse | None:
    try:
        streams = store.streams(name)
        found = store.segments(name).found(store.catalog.streams(name), store.catalog.gone(name))
    except KeyError:
        return None  # deleted meanwhile
    place = store.layout.group(name)
    entries = [entry for held in found.sealed for entry in held.entries]
    first = [stream.first_event for stream in streams if stream.first_event is not None]
    last = [stream.last_event for stream in streams if stream.last_event is not None]
    return GroupUse(
        name=name,
        streams=len(streams),
        live_segments=len(found.live),
        live_bytes=sum(_size(place.live_segment(live.segment)) for live in found.live),
        sealed_files=len(found.sealed),
        sealed_segments=len(entries),
        sealed_bytes=sum(_size(held.file.path) for held in found.sealed),
        raw_bytes=sum(entry.size for entry in entries),
        events=sum(entry.count for entry in entries),
        live_events=sum(_lines(live) for live in found.live),
        earliest=min(first, default=None),
        latest=max(last, default=None),
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _lines(segment: LiveSegment) -> int:
    """How many lines a live segment has."""
    try:
        return sum(data.count(b"\n") for _, data in segment.blocks(None, None, descending=False))
    except FileNotFoundError:
        return 0
    finally:
        segment.close()
