"""Which UUIDs a frame may hold: 12 bits an id, 0.3 % false positives, so that a request id is found without reading.

Every text of a UUID's shape counts, whatever stands around it, in either case of letters.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BITS: Final = 12
HASHES: Final = 8

# The middle of a UUID: beginning with a literal, it is searched for five times faster than the whole.
_MIDDLE = re.compile(rb"-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-")
_WHOLE = re.compile(rb"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")
_MASK = (1 << 64) - 1


def uuids(data: bytes) -> set[bytes]:
    """The texts in `data` that look like UUIDs, in lower case (and some that only almost do)."""
    found = set()
    for middle in _MIDDLE.finditer(data):
        begin = middle.start() - 8
        if begin >= 0:
            found.add(data[begin : begin + 36])
    return {text.lower() for text in found}


def required(literals: Iterable[str]) -> list[tuple[int, int]]:
    """The hashes of the whole UUIDs in texts that must all be present."""
    return [
        hashed(text.lower())
        for literal in literals
        for text in _WHOLE.findall(literal.encode("utf-8", "surrogatepass"))
    ]


def hashed(text: bytes) -> tuple[int, int]:
    """The two numbers from which a text's bits follow. Ids are chosen outside, so they are hashed, not trusted."""
    number = int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "little")
    return number & _MASK, (number >> 64) | 1


def build(texts: set[bytes]) -> bytes:
    """The filter of a set of texts; empty for an empty set."""
    if not texts:
        return b""
    bits = bytearray((len(texts) * BITS + 7) // 8)
    size = len(bits) * 8
    for text in texts:
        first, step = hashed(text)
        for _ in range(HASHES):
            bit = first % size
            bits[bit >> 3] |= 1 << (bit & 7)
            first += step
    return bytes(bits)


def may_hold(bits: bytes, wanted: Sequence[tuple[int, int]]) -> bool:
    """Whether all the hashed texts may be in the filter; False is certain."""
    size = len(bits) * 8
    if not size:
        return not wanted
    for first, step in wanted:
        bit = first
        for _ in range(HASHES):
            place = bit % size
            if not bits[place >> 3] & (1 << (place & 7)):
                return False
            bit += step
    return True
