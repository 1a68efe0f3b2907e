"""Events as batches that PutLogEvents takes: sorted, within the bytes, the count and the 24 hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# PutLogEvents: 1,048,576 bytes and 10,000 events a batch; each event counts its UTF-8 bytes and 26 more.
BATCH_BYTES: Final = 1_048_576
BATCH_EVENTS: Final = 10_000
OVERHEAD: Final = 26
# PutLogEvents: a batch spans at most 24 hours.
BATCH_MS: Final = 24 * 3_600_000
# An event is at most 1 MB; a part leaves room for its mark.
PART_BYTES: Final = 1_000_000


class Entry(NamedTuple):
    """One event on its way: epoch ms and text, never empty."""

    timestamp: int
    message: str


def size(message: str) -> int:
    """What a message counts in a batch."""
    return (len(message) if message.isascii() else len(message.encode("utf-8", "surrogatepass"))) + OVERHEAD


def parts(message: str) -> list[str]:
    """A message as events: itself, a space for an empty one, or marked parts of one that is over 1 MB."""
    if len(message) * 4 <= PART_BYTES or size(message) <= PART_BYTES:
        return [message or " "]
    raw = message.encode("utf-8", "surrogatepass")
    pieces = []
    start = 0
    while start < len(raw):
        stop = min(start + PART_BYTES - 64, len(raw))
        # Not inside a character: continuation bytes are 10xxxxxx.
        while stop < len(raw) and raw[stop] & 0xC0 == 0x80:
            stop -= 1
        pieces.append(raw[start:stop].decode("utf-8", "surrogatepass"))
        start = stop
    return [f"[part {number} of {len(pieces)}] {piece}" for number, piece in enumerate(pieces, 1)]


def batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Entries in order of time, cut wherever PutLogEvents wants a new batch."""
    batch: list[Entry] = []
    total = 0
    for entry in sorted(entries, key=lambda found: found.timestamp):
        length = size(entry.message)
        if batch and (
            total + length > BATCH_BYTES
            or len(batch) == BATCH_EVENTS
            or entry.timestamp - batch[0].timestamp > BATCH_MS
        ):
            yield batch
            batch, total = [], 0
        batch.append(entry)
        total += length
    if batch:
        yield batch
