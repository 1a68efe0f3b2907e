"""A row per failure group: how often, since when, where it stands, what, where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lambdalog.failures import sparkline
from lambdalog.printable import printable
from tui.grid import Cell, Column, Part
from tui.numbers import ago

if TYPE_CHECKING:
    from lambdalog.failures.groups import Status
    from tui.feed.failures import Group

COLUMNS: Final = (
    Column("count", 7, right=True),
    Column("last hour", 12, since=96),
    Column("first", 5, right=True, since=96),
    Column("last", 4, right=True),
    Column("status", 9),
    Column("type", 18, until=139),
    Column("type", 28, since=140),
    Column("message", 0),
    Column("function", 12, until=139),
    Column("function", 20, since=140),
    Column("versions", 8, since=110),
    Column("queue", 20, since=140),
)
QUIET: Final = frozenset({"muted", "resolved"})
# Names and messages are anyone's, and may be a megabyte.
NAME_MAX: Final = 200
_ROLES: Final[dict[Status, str]] = {
    "new": "strong",
    "ongoing": "message",
    "regressed": "fatal",
    "resolved": "quiet",
    "muted": "quiet",
}


def cells(group: Group, now: int) -> dict[str, Cell]:
    """The row's cells; nothing in them acts on a terminal."""
    quiet = group.status in QUIET
    error, plain = ("quiet", "quiet") if quiet else ("error", "message")
    return {
        "count": (Part(f"{group.count:,}", "quiet" if quiet else "strong"),),
        "last hour": (Part(sparkline(group.trend), "quiet" if quiet else "track-error"),),
        "first": (Part(ago(now - group.first_seen), "time"),),
        "last": (Part(ago(now - group.last_seen), plain),),
        "status": (Part(group.status, _ROLES[group.status]),),
        "type": (Part(printable(group.type[:NAME_MAX]), error),),
        "message": (Part(printable(group.message[:NAME_MAX]), plain),),
        "function": (Part(_names(group.functions), plain),),
        "versions": (Part(_names(group.versions), "quiet"),),
        "queue": (Part(_names(group.queues), "quiet"),),
    }


def text_of(group: Group) -> str:
    """What a filter looks at, in one line."""
    names = (*group.functions, *group.versions, *group.queues)
    told = (group.type, group.message, group.status, group.fingerprint, *names)
    return " ".join(part[: 5 * NAME_MAX] for part in told)


def _names(names: tuple[str, ...]) -> str:
    return printable(", ".join(name[:NAME_MAX] for name in names[:NAME_MAX]))
