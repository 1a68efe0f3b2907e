"""Which lines a source is about, and which groups that means."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lambdalog.query.pattern import Pattern

# How the groups of functions are called.
FUNCTIONS: Final = "/aws/lambda/"


@dataclass(frozen=True)
class Wanted:
    """Which lines a source is about."""

    groups: tuple[str, ...] = ()
    streams: str | tuple[str, ...] = ""
    """What the streams' names begin with, or a glob over them, or whole names; empty means all."""
    pattern: Pattern | None = None
    request: str | None = None
    """Only the lines of this request, those included that don't name it."""
    group: Callable[[str], bool] = field(init=False, compare=False, repr=False)
    """Whether a group of this name is meant."""
    stream: Callable[[str], bool] | None = field(init=False, compare=False, repr=False)
    """Whether a stream of this name is meant; None: all are."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "group", matcher(self.groups))
        object.__setattr__(self, "stream", stream_matcher(self.streams) if self.streams else None)

    def named(self, group: str) -> bool:
        """Whether a group was asked for by its own name, or its function's: that it can't be read is then an error."""
        return not {group, group.removeprefix(FUNCTIONS)}.isdisjoint(self.groups)

    @property
    def glob(self) -> bool:
        """Whether what streams' names begin with is not enough to tell which are meant."""
        return _is_glob(self.streams)

    @property
    def stream_prefix(self) -> str | None:
        """What the names of all streams that are meant begin with, for those who can ask for no more; None: nothing."""
        if isinstance(self.streams, tuple):
            return _common(self.streams) or None
        return re.split(r"[*?]", self.streams, maxsplit=1)[0] or None

    @property
    def everything(self) -> bool:
        """Whether all lines of its groups are meant."""
        return self.stream is None and self.pattern is None and self.request is None


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
        short = name.removeprefix(FUNCTIONS)
        return any(
            given in {name, short} or fnmatchcase(name, given) or fnmatchcase(short, given)
            for given in groups
        )

    return wanted


def stream_matcher(streams: str | tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a stream's name is meant by what it begins with, or by a glob: `*` any text, `?` any character; or is one of some.

    Brackets are no glob's here: `2026/11/26/[$LATEST]…` is how Lambda's own streams are called.
    """
    if isinstance(streams, tuple):
        return frozenset(streams).__contains__
    if not _is_glob(streams):
        return lambda name: name.startswith(streams)
    glob = streams.replace("[", "[[]")
    return lambda name: fnmatchcase(name, glob)


def _is_glob(streams: str | tuple[str, ...]) -> bool:
    return isinstance(streams, tuple) or not set("*?").isdisjoint(streams)


def _common(names: tuple[str, ...]) -> str:
    """What all names begin with."""
    low, high = min(names), max(names)
    pairs = zip(low, high, strict=False)
    return low[: next((at for at, (one, other) in enumerate(pairs) if one != other), len(low))]


def prefixes(groups: Sequence[str]) -> list[str]:
    """What the names of all groups that are meant begin with, one or the other: to ask AWS for no more than those."""
    begun = {found for given in groups for found in _prefixes(given)}
    # What another one covers need not be asked for.
    return sorted(
        one for one in begun if not any(one != other and one.startswith(other) for other in begun)
    ) or [""]


def _prefixes(given: str) -> tuple[str, ...]:
    begin = re.split(r"[*?\[]", given, maxsplit=1)[0]
    if begin.startswith(FUNCTIONS):
        return (begin,)  # no function's name begins with a slash
    return (begin, f"{FUNCTIONS}{begin}")
