"""What a source of lines is, and which groups it reads."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lambdalog.cloud import Cloud
    from lambdalog.query.pattern import Pattern


class Line(NamedTuple):
    """One log event with where it came from. Times are epoch ms; `id` is the event's own."""

    timestamp: int
    ingestion: int
    group: str
    stream: str
    message: str
    id: str

    @property
    def order(self) -> tuple[int, int, str]:
        """What lines of many groups are merged by."""
        return (self.timestamp, self.ingestion, self.id)


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

    def page(self, start: int | None, end: int | None, limit: int, *, descending: bool = False) -> list[Line]:
        """Lines with `start` ≤ time < `end`, merged by time: the first `limit` of them, or the last, newest first."""
        ...

    def follow(self, since: int | None) -> Following:
        """New lines, from `since` (epoch ms) on; None means from now."""
        ...


def open_source(
    cloud: Cloud,
    *,
    groups: Sequence[str] = (),
    stream_prefix: str | None = None,
    pattern: Pattern | None = None,
) -> Source:
    """A source over groups by name or glob (`/aws/lambda/*`, or just `orders`); none of them means all."""
    wanted = matcher(groups)
    if cloud.store is not None:
        from lambdalog.tail.disk import DiskSource

        return DiskSource(cloud.store, wanted, stream_prefix, pattern)
    from lambdalog.tail.aws import AwsSource

    return AwsSource(cloud.logs, wanted, stream_prefix, pattern, clock=cloud.clock)


def select(names: Iterable[str], groups: Sequence[str]) -> list[str]:
    """Those of `names` that `groups` mean. ConfigError for one of `groups` that means none of them."""
    names = list(names)
    for given in groups:
        if not any(map(matcher([given]), names)):
            raise ConfigError(f"no log group is called {given}; see them with: lambdalog group list")
    return list(filter(matcher(groups), names))


def matcher(groups: Sequence[str]) -> Callable[[str], bool]:
    """Whether a group is meant by any of `groups`: its whole name, a function's name, or a glob over either."""
    if not groups:
        return lambda _: True

    def wanted(name: str) -> bool:
        short = name.removeprefix("/aws/lambda/")
        return any(
            given in {name, short} or fnmatchcase(name, given) or fnmatchcase(short, given)
            for given in groups
        )

    return wanted
