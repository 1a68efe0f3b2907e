"""New events as they are written, by whichever process: groups, streams and segments that appear are picked up.

What a follower has read of a segment is a number of bytes, which means the same while the segment is live and after it
is sealed; so nothing is lost or doubled when files are sealed, packed or removed between two reads. Nor when a poll fails
(a full table of files, a disk that doesn't answer): the next one goes on where it was.
"""

from __future__ import annotations

import heapq
import time
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

from lambdalog.store.followed import Followed, Form
from lambdalog.store.merge import merge
from lambdalog.store.open_files import OpenFiles
from lambdalog.store.watch import new_watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lambdalog.store.event import Event, Position
    from lambdalog.store.logs import LogStore
    from lambdalog.store.merge import Piece, Source
    from lambdalog.store.watch import Changes

# Of what was sealed before it began a poll takes in so many events.
BACKLOG_EVENTS: Final = 10_000

Made = TypeVar("Made")

EVENTS: Final[Form[Event]] = Form(lambda reader, lines: reader.events(*lines), lambda event: event)


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
        self._groups: dict[str, Followed[Made]] = {}
        self._folders: dict[Path, tuple[Followed[Made], bool]] = {}  # True: the folder of sealed files
        # Of groups that are being made: the root has told of the folder, and won't of the record that makes it a group.
        self._unfinished: set[Path] = set()
        self._open = OpenFiles()
        # What was sealed before it began, by group; which of it were taken out, and up to where they were handed over.
        self._past: list[list[Source[Piece]]] = []
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
        self._open.close_all()
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
            group = Followed(self._store, name, self._identity(name), self._form, self._since, self._open)
            self._groups[name] = group
            self._folders[layout.live] = (group, False)
            self._folders[layout.sealed] = (group, True)
            with suppress(KeyError):
                self._more = True
                if not fresh:
                    self._past.append(group.begin())
        if self._past and self._since is not None and not fresh:
            self._backlog = self._merged(None)

    def _merged(self, after: Position | None) -> Iterator[Event]:
        parts = [chain.from_iterable(merge(sources, descending=False, after=after)) for sources in self._past]
        return heapq.merge(*parts)

    def _identity(self, name: str) -> bytes:
        try:
            return self._store.catalog.identity(name)
        except KeyError:
            return b""

    def _forget(self, group: Followed[Made]) -> None:
        del self._groups[group.name]
        for folder in (group.layout.live, group.layout.sealed):
            self._folders.pop(folder, None)
        group.forget()

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
                self._more |= group.read(None, events)
        else:
            for folder, names in changes.items():
                known = self._folders.get(folder)
                if known is not None and known[1]:
                    self._more |= known[0].read(None, events)
                elif known is not None:
                    self._more |= known[0].read(names, events)
        self._found = []
        events.sort(key=self._form.order)
        return events
