"""What a source of lines is, and which groups it reads."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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


def line_of_answer(group: str, event: Mapping[str, Any]) -> Line:
    """An event as FilterLogEvents and StartLiveTail answer it; the latter gives it no id, so it is empty."""
    return Line(
        event["timestamp"],
        event["ingestionTime"],
        group,
        event["logStreamName"],
        event["message"],
        event.get("eventId", ""),
    )


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


@dataclass(frozen=True)
class Wanted:
    """Which lines a source is about."""

    groups: tuple[str, ...] = ()
    stream_prefix: str | None = None
    pattern: Pattern | None = None
    request: str | None = None
    """Only the lines of this request, those included that don't name it."""
    group: Callable[[str], bool] = field(init=False, compare=False, repr=False)
    """Whether a group of this name is meant."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "group", matcher(self.groups))

    @property
    def everything(self) -> bool:
        """Whether all lines of its groups are meant."""
        return self.stream_prefix is None and self.pattern is None and self.request is None


class Source(Protocol):
    """Lines of many groups."""

    def groups(self) -> list[str]:
        """The groups that are read, as there are now."""
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

    def follow(self, since: int | None) -> Following:
        """New lines, from `since` (epoch ms) on; None means from now."""
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
    stream_prefix: str | None = None,
    pattern: Pattern | None = None,
    request: str | None = None,
    live: bool = True,
) -> Source:
    """A source over groups by name or glob (`/aws/lambda/*`, or just `orders`); none of them means all.

    `live` False keeps from StartLiveTail, which AWS charges by the minute.
    """
    wanted = Wanted(tuple(groups), stream_prefix, pattern, request)
    if cloud.store is not None:
        from lambdalog.tail.disk import DiskSource

        return DiskSource(cloud.store, wanted)
    from lambdalog.tail.aws import AwsSource
    from lambdalog.tail.budget import Budget

    budget = cloud.shared("logs budget", lambda: Budget(cloud.clock))
    return AwsSource(cloud.logs, wanted, clock=cloud.clock, budget=budget, live=live)


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


def prefixes(groups: Sequence[str]) -> list[str]:
    """What the names of all groups that are meant begin with, one or the other: to ask AWS for no more than those."""
    begun = {found for given in groups for found in _prefixes(given)}
    # What another one covers need not be asked for.
    return sorted(
        one for one in begun if not any(one != other and one.startswith(other) for other in begun)
    ) or [""]


def _prefixes(given: str) -> tuple[str, ...]:
    begin = re.split(r"[*?\[]", given, maxsplit=1)[0]
    if begin.startswith("/aws/lambda/"):
        return (begin,)  # no function's name begins with a slash
    return (begin, f"/aws/lambda/{begin}")
