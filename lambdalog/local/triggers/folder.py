"""A folder as a bucket: its files seen twice, and what was put and deleted between."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# A file that has not changed for so long is whole; one that is younger must look the same twice.
SETTLED_NS: Final = 1_000_000_000
# Reading a file for its ETag has an end.
ETAG_BYTES_MAX: Final = 64 * 1024 * 1024


class Seen(NamedTuple):
    """A file as it was seen: size in bytes, time of change in ns."""

    size: int
    changed: int


class Changes(NamedTuple):
    """What to tell of, what to remember from now on, and what to look at again."""

    put: dict[str, Seen]
    deleted: list[str]
    unsettled: dict[str, Seen]


def files(folder: Path, *, but: Path | None = None) -> dict[str, Seen]:
    """Key → file of everything in a folder and below, but what is hidden, a link, or no file; `but` is left out."""
    return dict(_walk(folder, "", but))


def _walk(folder: Path, prefix: str, but: Path | None) -> Iterator[tuple[str, Seen]]:
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return  # deleted since it was listed
    for entry in entries:
        if entry.name.startswith(".") or not _sayable(entry.name):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                path = folder / entry.name
                if path != but:
                    yield from _walk(path, f"{prefix}{entry.name}/", but)
            elif entry.is_file(follow_symlinks=False):
                found = entry.stat(follow_symlinks=False)
                yield f"{prefix}{entry.name}", Seen(found.st_size, found.st_mtime_ns)
        except FileNotFoundError:
            continue


def _sayable(name: str) -> bool:
    """Whether a file's name is text: a key in an event is."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def compare(
    known: Mapping[str, Seen], now: Mapping[str, Seen], unsettled: Mapping[str, Seen], now_ns: int
) -> Changes:
    """What has changed since `known`; a file that may still be written waits in `unsettled`."""
    put, waiting = {}, {}
    for key, seen in now.items():
        if known.get(key) == seen:
            continue
        if now_ns - seen.changed >= SETTLED_NS or unsettled.get(key) == seen:
            put[key] = seen
        else:
            waiting[key] = seen
    return Changes(put, [key for key in known if key not in now], waiting)


def etag(path: Path) -> str:
    """The MD5 of a file, as S3's ETag of a plain put; of a very large one, of its beginning. "" if it is gone."""
    digest = hashlib.md5(usedforsecurity=False)
    left = ETAG_BYTES_MAX
    try:
        with path.open("rb") as file:
            while left > 0 and (chunk := file.read(min(1 << 20, left))):
                digest.update(chunk)
                left -= len(chunk)
    except OSError:
        return ""
    return digest.hexdigest()
