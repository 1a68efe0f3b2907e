"""What a source of lines is, on disk and on AWS alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lambdalog.tail.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambdalog.cloud import Cloud
    from lambdalog.query.pattern import Pattern
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


def open_source(
    cloud: Cloud,
    *,
    groups: Sequence[str] = (),
    streams: str | tuple[str, ...] = "",
    pattern: Pattern | None = None,
    request: str | None = None,
    live: bool = True,
) -> Source:
    """A source over groups by name or glob (`/aws/lambda/*`, or just `orders`); none of them means all.

    `streams`: what the streams' names begin with, or a glob over them (`*` and `?`), or whole names; empty means all.
    `live` False keeps from StartLiveTail, which AWS charges by the minute.
    """
    wanted = Wanted(tuple(groups), streams, pattern, request)
    if cloud.store is not None:
        from lambdalog.tail.disk import DiskSource

        return DiskSource(cloud.store, wanted)
    from lambdalog.tail.aws import AwsSource
    from lambdalog.tail.budget import Budget

    budget = cloud.shared("logs budget", lambda: Budget(cloud.clock))
    return AwsSource(cloud.logs, wanted, clock=cloud.clock, budget=budget, live=live)
