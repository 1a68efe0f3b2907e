"""Receipt handles: where a claimed message lies, and the secret of that claim. Opaque to whoever receives."""

from __future__ import annotations

import struct
from binascii import a2b_base64, b2a_base64
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from lambdalog.local.sqs.message import Taken

_FORM: Final = struct.Struct(">BIQQQQ")
# Whether the body lies in the row or apart.
_INLINE, _LARGE = 1, 2


class Receipt(NamedTuple):
    """One claim of one message. Times are epoch ms."""

    queue: int
    seq: int
    visible_at: int
    secret: int
    claimed: int
    inline: bool = True


def handle_of(taken: Taken, queue: int, now: int) -> str:
    """The ReceiptHandle of a claim made at `now`."""
    kind = _INLINE if taken.inline else _LARGE
    raw = _FORM.pack(kind, queue, taken.seq, taken.visible_at, taken.receipt, now)
    return b2a_base64(raw, newline=False).decode()


def parse(handle: str) -> Receipt | None:
    """The receipt in a handle; None if it is no handle of ours."""
    try:
        kind, queue, seq, visible_at, secret, claimed = _FORM.unpack(a2b_base64(handle, strict_mode=True))
    except (ValueError, struct.error):
        return None
    if kind not in {_INLINE, _LARGE}:
        return None
    return Receipt(queue, seq, visible_at, secret, claimed, kind == _INLINE)
