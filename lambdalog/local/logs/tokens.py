"""Event ids and page tokens: opaque to callers, stable, and good after segments were sealed.

An id and a GetLogEvents token are 56 digits, as AWS's are: timestamp 13, ingestion 13, a hash of the segment 20, the
offset in it 10. A FilterLogEvents token carries the position whole, and what it was made for.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambdalog.store import Event, Position

DIGITS: Final = 56
# A sequence token is no longer looked at, but still returned (PutLogEvents).
SEQUENCE_TOKEN: Final = "4" * DIGITS

# Comes after the names of all segments, which are ASCII.
_LAST: Final = "\x7f"


class Mark(NamedTuple):
    """A position as far as 56 digits tell it."""

    timestamp: int
    ingestion: int
    segment: int
    offset: int


@lru_cache(maxsize=4096)
def _segment_number(segment: str) -> int:
    return int.from_bytes(hashlib.sha256(segment.encode()).digest()[:16], "big") % 10**20


def mark_of(position: Position) -> Mark:
    """The mark of an event at this position."""
    timestamp, ingestion, segment, offset = position
    return Mark(timestamp, ingestion, _segment_number(segment), offset)


def position_of(mark: Mark, segments: Iterable[str], *, descending: bool) -> Position:
    """The position that a mark tells of one in these segments. If its own is gone, all events of its very time are passed."""
    for segment in segments:
        if _segment_number(segment) == mark.segment:
            return mark.timestamp, mark.ingestion, segment, mark.offset
    return mark.timestamp, mark.ingestion, "" if descending else _LAST, 0


def digits(mark: Mark) -> str:
    """A mark as 56 digits."""
    return f"{mark.timestamp:013d}{mark.ingestion:013d}{mark.segment:020d}{mark.offset:010d}"


def event_id(event: Event) -> str:
    """An event's id: unique, stable, and in the order of time."""
    return digits(mark_of(event.position))


def parse_mark(text: str) -> Mark:
    """A mark from its digits; ValueError if it is none."""
    if len(text) != DIGITS or not text.isascii() or not text.isdigit():
        raise ValueError("not a token")
    return Mark(int(text[:13]), int(text[13:26]), int(text[26:46]), int(text[46:]))


def filter_token(position: Position, purpose: str) -> str:
    """A FilterLogEvents token: go on after this position of the same search."""
    return base64.urlsafe_b64encode(orjson.dumps([*position, purpose])).decode().rstrip("=")


def parse_filter_token(token: str, purpose: str) -> Position:
    """The position in a token; ValueError if it is none, or one of another search."""
    try:
        found = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        timestamp, ingestion, segment, offset, made_for = found
    except (binascii.Error, ValueError, TypeError) as error:
        raise ValueError("not a token") from error
    if (
        made_for != purpose
        or not isinstance(segment, str)
        or not all(isinstance(n, int) for n in (timestamp, ingestion, offset))
    ):
        raise ValueError("a token of another search")
    return timestamp, ingestion, segment, offset


def purpose_of(*parts: object) -> str:
    """What a search asks for, as a short hash that its tokens carry."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
