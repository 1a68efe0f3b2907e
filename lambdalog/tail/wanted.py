"""Which lines a source is about, and which groups that means."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lambdalog.query.pattern import Pattern


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
