"""What a source of lines is, on disk and on AWS alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.tail.line import Line
    from lambdalog.tail.streams import Streams


class Following(Protocol):
    """New lines as they come."""

    late: int
    """Lines that came too late to be looked for again."""

    def poll(self, timeout: float) -> list[Line]:
        """Lines that came, in order; [] after `timeout` seconds."""
        ...

    def wake(self) -> None:
        """Let a `poll` in another thread return."""
        ...

    def notes(self) -> list[str]:
        """What the user should know: throttled, sampled, late. Each is given once."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class Source(Protocol):
    """Lines of many groups."""

    def groups(self) -> list[str]:
        """The groups that are read, as there are now."""
        ...

    def streams(self) -> Streams:
        """The streams of those groups that are meant, the newest of them.

        On AWS one page of DescribeLogStreams by LastEventTime for each of a few groups: further ones are never listed.
        """
        ...

    def lines(self, start: int | None, end: int | None, *, descending: bool = False) -> Iterator[Line]:
        """Lines with `start` ≤ time < `end`, merged by time, or newest first; read as they are asked for. Close it."""
        ...

    def page(self, start: int | None, end: int | None, limit: int, *, descending: bool = False) -> list[Line]:
        """The first `limit` of `lines`."""
        ...

    def minutes(self, start: int, end: int) -> dict[int, tuple[int, int]] | None:
        """Minute's beginning (epoch ms) → (events, errors), for minutes that begin in [start, end).

        None where only reading the lines can tell: on AWS, and where not all lines of the groups are meant.
        """
        ...

    def follow(self, since: int | None, *, undecoded: bool = False) -> Following:
        """New lines, from `since` (epoch ms) on; None means from now.

        `undecoded` lines of a store may be of another class, and come whatever the pattern: for whoever looks at few of many.
        """
        ...

    def before(self, line: Line, count: int) -> list[Line]:
        """Up to `count` lines of its stream that end right before `line`, in order, whatever the pattern."""
        ...

    def after(self, line: Line, count: int) -> list[Line]:
        """Up to `count` lines of its stream that follow `line`, in order, whatever the pattern."""
        ...

    def notes(self) -> list[str]:
        """What the user should know of what was read: damaged, refused. Each is given once."""
        ...
