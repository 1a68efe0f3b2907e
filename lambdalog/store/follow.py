"""New events as they are written, by whichever process: groups, streams and segments that appear are picked up."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from lambdalog.store import files
from lambdalog.store.event import Event
from lambdalog.store.line import is_whole, message_of
from lambdalog.store.segment import LiveSegment
from lambdalog.store.watch import new_watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambdalog.store.files import GroupLayout
    from lambdalog.store.logs import LogStore


class _Tail:
    """One live file, read on from an offset. Kept open: a file that is removed is still read to its end."""

    def __init__(self, fd: int, segment: str, stream: str, offset: int) -> None:
        self.fd = fd
        self.segment = segment
        self.stream = stream
        self.offset = offset


class _Group:
    """A followed group and its open files."""

    def __init__(self, name: str, layout: GroupLayout) -> None:
        self.name = name
        self.layout = layout
        self.tails: dict[str, _Tail] = {}


class Follower:
    """Hands over each event once. Not thread-safe, but for `wake`."""

    def __init__(self, store: LogStore, *, groups: Callable[[str], bool] | None, since: int | None) -> None:
        self._store = store
        self._wanted = groups
        self._since = since
        self._watch = new_watch()
        self._root = store.layout.logs
        self._groups: dict[Path, _Group] = {}
        self._skipped: set[str] = set()
        self._root_watched = False
        self._woken = False
        try:
            self._look_for_groups(fresh=False)
            for group in self._groups.values():
                self._look_for_files(group, fresh=False)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def poll(self, timeout: float) -> list[Event]:
        """Events that came, in order of (timestamp, ingestion, segment, offset); [] after `timeout` seconds."""
        until = time.monotonic() + timeout
        events = self._read(None)
        while not events:
            left = until - time.monotonic()
            if left <= 0:
                break
            if not self._root_watched:
                left = min(left, 0.05)  # the store isn't there yet: nothing tells when it is made
            changed = self._watch.wait(left)
            if self._woken:
                self._woken = False
                return self._read(None)
            events = self._read(changed if self._root_watched else None)
        return events

    def wake(self) -> None:
        """Let a `poll` in another thread return."""
        self._woken = True
        self._watch.wake()

    def close(self) -> None:
        """Let go of every file."""
        for group in self._groups.values():
            for tail in group.tails.values():
                os.close(tail.fd)
        self._groups = {}
        self._watch.close()

    # --- finding

    def _look_for_groups(self, *, fresh: bool) -> None:
        if not self._root_watched:
            self._root_watched = self._watch.add(self._root)
            if not self._root_watched:
                return
        known = {group.name for group in self._groups.values()}
        for name in self._store.groups():
            if name in known or name in self._skipped:
                continue
            if self._wanted is not None and not self._wanted(name):
                self._skipped.add(name)
                continue
            layout = self._store.layout.group(name)
            if self._watch.add(layout.live):
                group = self._groups[layout.live] = _Group(name, layout)
                if fresh:
                    self._look_for_files(group, fresh=True)
        for folder, group in list(self._groups.items()):
            if not group.layout.info.exists():
                for tail in group.tails.values():
                    os.close(tail.fd)
                del self._groups[folder]

    def _look_for_files(self, group: _Group, *, fresh: bool) -> None:
        """Open files that are new; of those that were there at the start, only what `since` asks for is read."""
        with suppress(FileNotFoundError):
            names = [name for name in os.listdir(group.layout.live) if name.endswith(".jsonl")]
            unknown = [name for name in names if name not in group.tails]
            if not unknown:
                return
            streams = {files.quote(stream): stream for stream in self._store.catalog.streams(group.name)}
            for name in unknown:
                stream = streams.get(files.stream_part(name))
                if stream is None:
                    continue
                offset = 0
                if not fresh:
                    segment = LiveSegment(group.layout.live / name, stream)
                    try:
                        offset = segment.size if self._since is None else segment.offset_at(self._since)
                    finally:
                        segment.close()
                fd = os.open(group.layout.live / name, os.O_RDONLY | os.O_CLOEXEC)
                group.tails[name] = _Tail(fd, name.removesuffix(".jsonl"), stream, offset)

    # --- reading

    def _read(self, changed: set[Path] | None) -> list[Event]:
        if changed is None or self._root in changed or not self._root_watched:
            self._look_for_groups(fresh=True)
        events: list[Event] = []
        with suppress(KeyError):
            for folder, group in self._groups.items():
                if changed is not None and folder not in changed:
                    continue
                self._look_for_files(group, fresh=True)
                for name, tail in list(group.tails.items()):
                    self._read_tail(group.name, tail, events)
                    if os.fstat(tail.fd).st_nlink == 0:
                        os.close(tail.fd)
                        del group.tails[name]
        events.sort(key=lambda event: event.position)
        return events

    def _read_tail(self, group: str, tail: _Tail, events: list[Event]) -> None:
        size = os.fstat(tail.fd).st_size
        while tail.offset < size:
            data = os.pread(tail.fd, size - tail.offset, tail.offset)
            whole = data.rfind(b"\n") + 1  # a write may be half done
            if not whole:
                return
            position = tail.offset
            for found in data[: whole - 1].split(b"\n"):
                if is_whole(found):
                    timestamp = int(found[5:18])
                    if self._since is None or timestamp >= self._since:
                        events.append(
                            Event(
                                timestamp,
                                int(found[23:36]),
                                message_of(found),
                                group,
                                tail.stream,
                                tail.segment,
                                position,
                            )
                        )
                position += len(found) + 1
            tail.offset += whole
