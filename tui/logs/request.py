"""Which request a line belongs to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lambdalog.platform_line import named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambdalog.tail import Line

_ANY: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# An environment works on one request at a time: the START before a line of its stream is that line's.
LOOK_BACK: Final = 5000


def _mentioned(message: str) -> str | None:
    """The request id that a message bears as its own, else the first that it mentions."""
    found = named(message)
    if found is not None:
        return found
    bare = _ANY.search(message)
    return bare.group() if bare is not None else None


def request_id_of(line: Line, lines: Sequence[Line]) -> str | None:
    """The request of a line: what it says itself, else what the last line of its stream said that named one."""
    found = _mentioned(line.message)
    if found is not None:
        return found
    from bisect import bisect_left

    from tui.logs.buffer import key_of

    place = bisect_left(lines, key_of(line), key=key_of)
    for index in range(place - 1, max(place - LOOK_BACK, -1), -1):
        other = lines[index]
        if other.stream == line.stream and other.group == line.group:
            found = _mentioned(other.message)
            if found is not None:
                return found
    return None
