"""All that the dashboard knows of the world comes through a `Feed`; nothing else in `tui` reads data.

Methods block and are called from worker threads. `StoreFeed` reads a store or AWS; tests hand in one of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lambdalog.failures import Inbox
from lambdalog.tail import Line, open_source

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from lambdalog.cloud import Cloud
    from lambdalog.failures import Group, Letter

__all__ = ["FailureRow", "Feed", "Line", "StoreFeed"]


@dataclass(frozen=True, slots=True)
class FailureRow:
    """Failures of one fingerprint, as the table shows them. Times are epoch ms."""

    fingerprint: str
    type: str
    message: str
    count: int
    first_seen: int
    last_seen: int
    functions: tuple[str, ...]
    queue: str
    times: tuple[int, ...]
    request_ids: tuple[str, ...]
    body: str


class Feed(Protocol):
    """Where lines and failures come from."""

    @property
    def label(self) -> str:
        """What is being watched, for the title."""
        ...

    def history(self, limit: int) -> list[Line]:
        """The newest lines, oldest first."""
        ...

    def follow(self, since: int, deliver: Callable[[list[Line]], None], stop: threading.Event) -> None:
        """Hand over lines as they come, from `since` (epoch ms) on, until `stop` is set."""
        ...

    def failures(self) -> list[FailureRow]:
        """The failure groups, the most recent first."""
        ...

    def lines_of(self, row: FailureRow) -> list[Line]:
        """The log lines of a group's newest failure."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class StoreFeed:
    """Reads a `Cloud`: a store on disk, or AWS."""

    # A poll this long means a key press to quit waits no longer.
    POLL_SECONDS = 0.2

    def __init__(self, cloud: Cloud, groups: Sequence[str] = ()) -> None:
        self._cloud = cloud
        self._source = open_source(cloud, groups=list(groups))
        self._inbox = Inbox(cloud, cloud.clock)
        self._groups: dict[str, Group] = {}

    @property
    def label(self) -> str:
        """The store's own name."""
        return str(self._cloud.target)

    def history(self, limit: int) -> list[Line]:
        """The newest lines, oldest first."""
        return self._source.page(None, None, limit, descending=True)[::-1]

    def follow(self, since: int, deliver: Callable[[list[Line]], None], stop: threading.Event) -> None:
        """Hand over lines as they come."""
        following = self._source.follow(since)
        try:
            while not stop.is_set():
                if lines := following.poll(self.POLL_SECONDS):
                    deliver(lines)
        finally:
            following.close()

    def failures(self) -> list[FailureRow]:
        """The failure groups, the most recent first."""
        groups = self._inbox.groups()
        self._groups = {group.fingerprint: group for group in groups}
        rows = [_row(group) for group in groups]
        return sorted(rows, key=lambda row: row.last_seen, reverse=True)

    def lines_of(self, row: FailureRow) -> list[Line]:
        """The log lines of a group's newest failure."""
        group = self._groups.get(row.fingerprint)
        return self._inbox.lines(_newest(group)) if group is not None else []

    def close(self) -> None:
        """Close the cloud."""
        self._cloud.close()


def _newest(group: Group) -> Letter:
    return max(group.letters, key=lambda letter: letter.sent_at)


def _row(group: Group) -> FailureRow:
    letters = sorted(group.letters, key=lambda letter: letter.sent_at, reverse=True)
    return FailureRow(
        fingerprint=group.fingerprint,
        type=group.type,
        message=group.message,
        count=group.count,
        first_seen=group.first_seen,
        last_seen=group.last_seen,
        functions=tuple(group.functions),
        queue=", ".join(sorted({letter.queue for letter in letters})),
        times=tuple(letter.sent_at for letter in letters),
        request_ids=tuple(letter.request_id for letter in letters if letter.request_id),
        body=letters[0].body if letters else "",
    )
