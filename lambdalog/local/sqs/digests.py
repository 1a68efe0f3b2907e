"""The MD5 digests with which SQS lets a client check what was stored."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

try:
    # CPython's own MD5 is ready at once; OpenSSL's makes up for its start only with thousands of bytes.
    from _md5 import md5 as short_md5  # type: ignore[import-not-found]
except ImportError:
    from hashlib import md5 as short_md5

_STRING, _BINARY = b"\x01", b"\x02"
_SHORT: Final = 4096


def of_text(text: str) -> str:
    """MD5OfMessageBody."""
    raw = text.encode()
    made = (short_md5 if len(raw) < _SHORT else hashlib.md5)(raw, usedforsecurity=False)
    found: str = made.hexdigest()
    return found


def of_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> str:
    """MD5OfMessageAttributes: names in order; each length-prefixed with its type and its value."""
    digest = short_md5(usedforsecurity=False)
    for name in sorted(attributes):
        value = attributes[name]
        kind = value["DataType"]
        binary = kind.startswith("Binary")
        raw = bytes(value["BinaryValue"]) if binary else value["StringValue"].encode()
        for part in (name.encode(), kind.encode()):
            digest.update(struct.pack(">I", len(part)) + part)
        digest.update(_BINARY if binary else _STRING)
        digest.update(struct.pack(">I", len(raw)) + raw)
    found: str = digest.hexdigest()
    return found
