"""Every file and folder name in a store is made here, and nowhere else.

    <root>/format                                     the store's format
    <root>/logs/<group>/group.json                    retention, created, tags
    <root>/logs/<group>/streams.jsonl                 streams made and deleted, in order
    <root>/logs/<group>/.lock                         held while the two above change
    <root>/logs/<group>/live/<segment id>.jsonl       one writer per file
    <root>/logs/<group>/sealed/<segment id>.zst       one segment, or a pack of small ones
    <root>/logs/<group>/.maint.lock                   held while segments are sealed, packed or removed
    <root>/logs.sqlite                                metric values, how far filters have come, queries
    <root>/changes                                    another number once groups, streams or functions are deleted or changed
    <root>/.deliveries.lock                           held while subscription filters deliver
    <root>/queues.sqlite, functions.sqlite, events.sqlite, throttles.sqlite, replay.sqlite
    <root>/.queues.lock                               held while one message, or a batch, is written
    <root>/replay/<run id>.lock                       held by the process that works on a replay or discard
    <root>/endpoint-key.json                          the key pair that clients of the endpoint sign with, mode 0600
    <root>/endpoint.lock                              held by the process that serves the store; tells its address
    <root>/locks/<name>.lock                          held by whoever reads an event source that one alone may read, or has
                                                      taken asynchronous events

A segment's id is `<stream>@<first event's ms>-<pid>-<random>`. Names from outside are quoted: what is left cannot be a
path, cannot begin with a dot, and differs even where the file system ignores case.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
# A component of 255 bytes is what file systems allow; a segment id adds up to 40 to a stream's name.
NAME_MAX = 200
_KEPT = 150
# What begins like this is nobody's: a file half written, a group being removed.
TEMPORARY = ".tmp-"
GRAVE = ".deleted-"
LIVE_SUFFIX, SEALED_SUFFIX = ".jsonl", ".zst"

# Of each byte that does not stay, as the character of its number: a table for `str.translate`.
_QUOTES = {byte: f"%{byte:02X}" for byte in range(256) if not re.match(r"[a-z0-9_.\-]", chr(byte))}
_QUOTED = re.compile(rb"%([0-9A-F]{2})")


def quote(name: str) -> str:
    """`name` as one component of a path, reversible while it is short; longer names end in `~` and a hash.

    Lower-case letters, digits, `_`, `-` and inner dots stay; every other byte of its UTF-8 becomes %XX.
    """
    raw = name.encode("utf-8", "surrogatepass")
    quoted = raw.decode("latin-1").translate(_QUOTES)
    if quoted[:1] == ".":
        quoted = f"%2E{quoted[1:]}"
    if len(quoted) <= NAME_MAX:
        return quoted
    return f"{quoted[:_KEPT]}~{hashlib.sha256(raw).hexdigest()[:40]}"


def unquote(quoted: str) -> str | None:
    """The name that was quoted so; None where that was too long to be kept whole, or for what `quote` never gives."""
    try:
        raw = _QUOTED.sub(lambda found: bytes([int(found.group(1), 16)]), quoted.encode("ascii"))
        name = raw.decode("utf-8", "surrogatepass")
    except UnicodeError:
        return None
    return name if quote(name) == quoted else None


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def segment_id(stream: str, first_ms: int, pid: int) -> str:
    """A new segment's id; the random part keeps two writers of one process and millisecond apart."""
    return f"{quote(stream)}@{first_ms}-{pid}-{os.urandom(4).hex()}"


def pack_id(first_ms: int, pid: int) -> str:
    """A new pack's id; no quoted stream name begins with `~`."""
    return f"~pack@{first_ms}-{pid}-{os.urandom(4).hex()}"


def stream_part(segment: str) -> str:
    """The quoted stream name in a segment's id."""
    return segment.rpartition("@")[0]


def first_ms(segment: str) -> int:
    """The time of the first event of a segment, from its id; ValueError if that is no segment's id."""
    return int(segment.rpartition("@")[2].partition("-")[0])


class Layout:
    """The paths of one store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.format = root / "format"
        self.logs = root / "logs"
        self.log_tables = root / "logs.sqlite"
        self.changes = root / "changes"
        self.deliveries_lock = root / ".deliveries.lock"
        self.spool = root / "spool"
        self.replays = root / "replay"
        self.endpoint_keys = root / "endpoint-key.json"
        self.endpoint = root / "endpoint.lock"
        self.locks = root / "locks"
        # Asked for with every write.
        self._group = lru_cache(1024)(lambda name: GroupLayout(self.logs / quote(name)))

    def replay_lock(self, run: str) -> Path:
        """The lock of one replay or discard."""
        return self.replays / f"{run}.lock"

    def group(self, name: str) -> GroupLayout:
        """The paths of one log group."""
        return self._group(name)


class GroupLayout:
    """The paths of one log group."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.info = root / "group.json"
        self.streams = root / "streams.jsonl"
        self.lock = root / ".lock"
        self.maintenance_lock = root / ".maint.lock"
        self.live = root / "live"
        self.sealed = root / "sealed"

    def live_segment(self, segment: str) -> Path:
        """A live segment's file."""
        return self.live / f"{segment}{LIVE_SUFFIX}"

    def live_path(self, segment: str) -> str:
        """The same as a text, for thousands of them: a `Path` takes ten times as long to make."""
        return f"{self.live}{os.sep}{segment}{LIVE_SUFFIX}"

    def sealed_segment(self, segment: str) -> Path:
        """A sealed segment's file."""
        return self.sealed / f"{segment}{SEALED_SUFFIX}"
