"""What the store hands out and is asked for: events, and scans over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

# The place of an event in the order of a group: timestamp, ingestion, segment, offset.
Position = tuple[int, int, str, int]


class Event(NamedTuple):
    """One stored log event. Times are epoch ms; (segment, offset) is its stable place on disk.

    It begins with its position: events of a group sort by it.
    """

    timestamp: int
    ingestion: int
    segment: str
    offset: int
    message: str
    group: str
    stream: str

    @property
    def position(self) -> Position:
        """The event's place in the order of its group."""
        return self[:4]


class Asked(NamedTuple):
    """What is asked for of a frame: the bytes [begin, end) of one segment, and of them the times since ≤ t < until.

    `blocks` is how many are unpacked at first.
    """

    begin: int
    end: int
    since: int | None
    until: int | None
    descending: bool
    blocks: int = 1


class Stretch(NamedTuple):
    """Lines that stand together: the times of the first and the last (epoch ms), and how many bytes they are, unpacked."""

    earliest: int
    latest: int
    size: int


class Extent(NamedTuple):
    """What a scan has to read of one file: its segments there, and the stretches of their lines that may be meant."""

    segments: frozenset[str]
    stretches: list[Stretch]

    @property
    def size(self) -> int:
        """The bytes of all stretches."""
        return sum(stretch.size for stretch in self.stretches)


@dataclass(frozen=True, slots=True)
class Damage:
    """Events that can't be read: a frame of a sealed file, or (frame None) its index, blooms or all of it."""

    group: str
    file: str
    frame: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Scan:
    """Which events of one group to read, in which order.

    `start` is inclusive and `end` exclusive, epoch ms. `after` resumes strictly past a position, in the scan's own
    direction. `match` decides on the message; `literals` are texts that every matching message contains, which let
    most of the bytes go by undecoded. Streams are chosen by name, by what names begin with, and by `stream_named`; all of
    these that are given must hold. `segments` are those that are read, where others read the rest.
    """

    group: str
    start: int | None = None
    end: int | None = None
    streams: frozenset[str] | None = None
    stream_prefix: str | None = None
    stream_named: Callable[[str], bool] | None = None
    descending: bool = False
    after: Position | None = None
    match: Callable[[str], bool] | None = None
    literals: tuple[str, ...] = ()
    segments: frozenset[str] | None = None

    def wants(self, segment: str, stream: str) -> bool:
        """Whether the scan reads this segment of a stream."""
        return (self.segments is None or segment in self.segments) and self.wants_stream(stream)

    def wants_stream(self, stream: str) -> bool:
        """Whether the scan reads this stream."""
        if self.streams is not None and stream not in self.streams:
            return False
        if self.stream_prefix is not None and not stream.startswith(self.stream_prefix):
            return False
        return self.stream_named is None or self.stream_named(stream)
