"""What the head says of the logs: of which groups and times, how many there are, and whether new ones are followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from lambdalog.printable import printable
from tui.logs.format import clock_text
from tui.numbers import count_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.style import Style

    from tui.feed import Query

# More names than fit here are only counted.
NAMES_REACH = 24
NOTES_REACH = 60


class Told(NamedTuple):
    """What is told: `matched` of `total` lines (None while that isn't known), `unseen` new ones below."""

    query: Query
    notes: str
    lines: int
    matched: int
    total: int | None
    searched: bool
    following: bool
    unseen: int
    utc: bool


def nothing_text(query: Query, *, searched: bool) -> str:
    """Why no line is shown, and what shows some."""
    if query.pattern is not None:
        return "Nothing matches. Esc takes the filter away." if searched else "searching …"
    if query.start is not None:
        return "No line is of this time. Esc shows all."
    if query.groups or query.streams:
        return "No line is of these groups and streams yet. s chooses others."
    return "No lines yet. What is written is seen here as it comes; try: lambdalog demo"


def _streams_text(streams: str | tuple[str, ...]) -> str:
    """What is typed, how many were chosen, or the end of one's name: Lambda's begin alike."""
    if isinstance(streams, str):
        return printable(streams)[:NAMES_REACH]
    if len(streams) > 1:
        return count_text(len(streams), "stream")
    name = printable(streams[0])
    return name if len(name) <= NAMES_REACH else f"…{name[1 - NAMES_REACH :]}"


def head_text(told: Told, ink: Callable[[str], Style]) -> Text:
    """The head's words, in the theme's colours of `ink`."""
    query = told.query
    state = Text()
    if told.notes:
        state.append(f"{printable(told.notes)[:NOTES_REACH]}  ", ink("warn"))
    if query.groups:
        names = ", ".join(printable(name.removeprefix("/aws/lambda/")) for name in query.groups)
        shown = names if len(names) <= NAMES_REACH else count_text(len(query.groups), "group")
        state.append(f"{shown}  ", ink("rail"))
    if query.streams:
        state.append(f"{_streams_text(query.streams)}  ", ink("rail"))
    if query.start is not None and query.end is not None:
        low, high = (clock_text(time, utc=told.utc)[:8] for time in (query.start, query.end))
        state.append(f"{low} … {high}  ", ink("rail"))
    if query.pattern is not None:
        of = "" if told.total is None else f" of {max(told.total, told.matched):,}"
        state.append(f"{told.matched:,}{'' if told.searched else '…'}{of} match  ", "bold")
    else:
        state.append(f"{count_text(told.lines, 'line')}  ", "dim")
    if told.following:
        state.append("● LIVE ", ink("live"))
    else:
        state.append(f"‖ PAUSED  ▼ {told.unseen:,} new ", ink("warn"))
    return state
