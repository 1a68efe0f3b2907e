"""A line: a log event with where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lambdalog.level import level_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambdalog.store import Event


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

    @property
    def level(self) -> int | None:
        """Its severity, one of `lambdalog.level.LEVELS`; None where it names none."""
        return level_of(self.message)


def line_of(event: Event) -> Line:
    """A stored event as a line; its id is its place on disk."""
    timestamp, ingestion, segment, offset, message, group, stream = event
    return Line(timestamp, ingestion, group, stream, message, f"{segment}:{offset:012d}")


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
