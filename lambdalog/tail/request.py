"""Which lines belong to a request: those that name it, and what its environment wrote in between.

A function's prints and stack traces name no request. An environment works on one at a time, so in its stream all lines
from the first that names the request to its report are the request's, but for those that name another.
"""

from __future__ import annotations

import heapq
from operator import attrgetter
from typing import TYPE_CHECKING

from lambdalog.platform_line import named, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lambdalog.query.pattern import Pattern
    from lambdalog.tail.line import Line


def naming(request: str) -> Pattern:
    """What finds the lines that name a request."""
    from lambdalog.query.pattern import parse
    from lambdalog.query.pattern.scanner import quoted

    return parse(quoted(request))


class Belonging:
    """Told the lines of streams, each stream's in order, says which belong to a request."""

    def __init__(self, request: str) -> None:
        self._request = request
        self._inside: set[tuple[str, str]] = set()

    def __call__(self, line: Line) -> bool:
        """Whether the line is the request's."""
        key = (line.group, line.stream)
        if self._request in line.message:
            found = read(line.message)
            if found is not None and found.kind == "report":
                self._inside.discard(key)
            else:
                self._inside.add(key)
            return True
        if key not in self._inside:
            return False
        found = read(line.message)
        if found is not None and found.kind in {"init", "start"}:  # the next one, or a new environment
            self._inside.discard(key)
            return False
        return named(line.message) is None

    def over(self, line: Line) -> bool:
        """Whether, as of this line of its stream, the request has ended there."""
        return (line.group, line.stream) not in self._inside


def lines_of(
    request: str, naming: Iterable[Line], read_on: Callable[[Line], Iterator[Line]]
) -> Iterator[Line]:
    """A request's lines, in order. `naming`: lines that name it; `read_on(line)`: its whole stream from `line`'s time on."""
    first: dict[tuple[str, str], Line] = {}
    last: dict[tuple[str, str], Line] = {}
    for line in naming:
        first.setdefault((line.group, line.stream), line)
        last[line.group, line.stream] = line
    parts = [_of_stream(request, read_on(line), last[key]) for key, line in first.items()]
    return heapq.merge(*parts, key=attrgetter("order"))


def _of_stream(request: str, lines: Iterator[Line], last: Line) -> Iterator[Line]:
    belongs = Belonging(request)
    try:
        for line in lines:
            if belongs(line):
                yield line
            elif line.timestamp > last.timestamp and belongs.over(line):
                return
    finally:
        close = getattr(lines, "close", None)
        if close is not None:
            close()
