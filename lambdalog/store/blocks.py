"""Lines of the store by the block, for those who read them without making events of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambdalog.store.scan import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambdalog.store.event import Event
    from lambdalog.store.scan import Reader
    from lambdalog.store.segment import LiveSegment


class Block(NamedTuple):
    """Whole lines of one stream, among which are all events that a scan asks for in them; some others may be too."""

    reader: Reader
    lines: Lines

    @property
    def stream(self) -> str:
        """The stream that wrote them."""
        return self.lines.stream

    def data(self) -> bytes:
        """The lines, each with its break; those that can't be meant by their bytes are left out."""
        return self.reader.chosen(self.lines)

    def events(self) -> list[Event]:
        """The events that the scan asks for; lines that are no events are reported."""
        return self.reader.events(*self.lines)


class Blocks:
    """Hands on the lines that a scan is led to, as they come."""

    # Whoever takes blocks takes all of them.
    begun = None

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def live(self, segment: LiveSegment) -> Iterator[Block]:
        """A live segment's lines."""
        scan = self._reader.scan
        for offset, data in segment.blocks(scan.start, scan.end, descending=scan.descending):
            yield Block(self._reader, Lines(segment.stream, segment.segment, offset, data))

    def frame(self, parts: Sequence[Lines]) -> Iterator[Block]:
        """A sealed frame's lines."""
        for part in parts:
            if part.data:
                yield Block(self._reader, part)
