"""The MD5 digests with which SQS lets a client check what was stored."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_STRING, _BINARY = b"\x01", b"\x02"


def of_text(text: str) -> str:
    """MD5OfMessageBody."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def of_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> str:
    """MD5OfMessageAttributes: names in order; each length-prefixed with its type and its value."""
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        value = attributes[name]
        kind = value["DataType"]
        binary = kind.startswith("Binary")
        raw = bytes(value["BinaryValue"]) if binary else value["StringValue"].encode()
        for part in (name.encode(), kind.encode()):
            digest.update(struct.pack(">I", len(part)) + part)
        digest.update(_BINARY if binary else _STRING)
        digest.update(struct.pack(">I", len(raw)) + raw)
    return digest.hexdigest()
