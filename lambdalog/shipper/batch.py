"""Events as batches that PutLogEvents takes: sorted, within the bytes, the count and the 24 hours."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# PutLogEvents: 1,048,576 bytes and 10,000 events a batch; each event counts its UTF-8 bytes and 26 more.
BATCH_BYTES: Final = 1_048_576
BATCH_EVENTS: Final = 10_000
OVERHEAD: Final = 26
# PutLogEvents: a batch spans at most 24 hours.
BATCH_MS: Final = 24 * 3_600_000
# InputLogEvent's timestamp is a Long: what is above can't even be told to it.
TIMESTAMP_MAX: Final = 2**63 - 1
# An event is at most 1 MB; a part leaves room for its mark.
PART_BYTES: Final = 1_000_000
_MARK_BYTES: Final = 64

_by_time: Final = itemgetter(0)


class Entry(NamedTuple):
    """One event on its way: epoch ms and text, never empty.

    `mark` is the queue's, for flush to know it by; so is `length`, the text's `size`, which is counted once there. 0: not
    counted yet.
    """

    timestamp: int
    message: str
    mark: Any = None
    length: int = 0


def size(message: str) -> int:
    """What a message counts in a batch."""
    return (len(message) if message.isascii() else len(message.encode("utf-8", "surrogatepass"))) + OVERHEAD


def parts(message: str, limit: int = PART_BYTES) -> list[str]:
    """A message as events: itself, a space for an empty one, or marked parts of one that has over `limit` bytes.

    What UTF-8 can't hold (lone surrogates) is written as its escape: AWS refuses a batch that has any.
    """
    if message.isascii():
        if len(message) + OVERHEAD <= limit:
            return [message or " "]
    else:
        try:
            length = len(message.encode())
        except UnicodeEncodeError:
            message = message.encode("utf-8", "backslashreplace").decode()
            length = len(message.encode())
        if length + OVERHEAD <= limit:
            return [message]
    return _cut(message.encode(), limit)


def _cut(raw: bytes, limit: int) -> list[str]:
    pieces = []
    start = 0
    while start < len(raw):
        stop = min(start + limit - _MARK_BYTES, len(raw))
        # Not inside a character: continuation bytes are 10xxxxxx.
        while stop < len(raw) and raw[stop] & 0xC0 == 0x80:
            stop -= 1
        pieces.append(raw[start:stop].decode())
        start = stop
    return [f"[part {number} of {len(pieces)}] {piece}" for number, piece in enumerate(pieces, 1)]


def batches(
    entries: Iterable[Entry], *, most_bytes: int = BATCH_BYTES, most_events: int = BATCH_EVENTS
) -> Iterator[list[Entry]]:
    """Entries in order of time, cut wherever PutLogEvents, or a smaller limit, wants a new batch."""
    batch: list[Entry] = []
    total = 0
    first = 0
    for entry in sorted(entries, key=_by_time):
        timestamp, message, _, length = entry
        length = length or size(message)
        if batch and (
            total + length > most_bytes or len(batch) == most_events or timestamp - first > BATCH_MS
        ):
            yield batch
            batch, total = [], 0
        if not batch:
            first = timestamp
        batch.append(entry)
        total += length
    if batch:
        yield batch
