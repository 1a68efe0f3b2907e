"""Looking through a whole queue, and claiming chosen messages of it by their ids: nothing of AWS's.

SQS gives messages out in its own order and counts each time; whoever works with the failures of a store needs neither.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import msgspec

from lambdalog.local.sqs import schema
from lambdalog.local.sqs.message import uuid_text
from lambdalog.store.tables import transaction

if TYPE_CHECKING:
    from collections.abc import Collection

    from lambdalog.local.sqs.mailbox import Mailbox
    from lambdalog.local.sqs.message import Taken
    from lambdalog.local.sqs.queue import Queue

_ALL: Final = """
SELECT s.seq, s.id, coalesce(s.body, b.body), coalesce(s.attributes, b.attributes), s.system, s.sent, s.receives, s.first,
    s.visible_at
FROM state s LEFT JOIN bodies b ON s.body IS NULL AND b.seq = s.seq
WHERE s.queue = ? AND s.sent > ?
"""
_STATE: Final = """
SELECT count(*), max(seq), total(receives), total(visible_at > ?) FROM state WHERE queue = ? AND sent > ?
"""
_VISIBLE: Final = "SELECT visible_at, seq, id FROM state WHERE queue = ? AND visible_at <= ? AND sent > ?"
_CLAIM: Final = """
UPDATE state SET
    visible_at = ?, receives = receives + 1, receipt = (random() & 0x3fffffffffffffff) + 1,
    first = CASE first WHEN 0 THEN ? ELSE first END
WHERE queue = ? AND visible_at = ? AND seq = ?
RETURNING seq, sent, receives, first, receipt, id, body, attributes, system
"""


class Looked(msgspec.Struct, frozen=True, gc=False):
    """A message as it lies in its queue. Times are epoch ms; `attributes` and `system` are JSON, or None.

    `visible_at` in the future: it is in flight, or delayed.
    """

    seq: int
    id: bytes
    body: str
    attributes: str | None
    system: str | None
    sent: int
    receives: int
    first: int
    visible_at: int

    @property
    def message_id(self) -> str:
        """The MessageId."""
        return uuid_text(self.id)

    def hidden(self, now: int) -> bool:
        """Whether it is in flight or delayed at epoch ms `now`; behind the first of its group it is neither."""
        return now < self.visible_at < schema.PARKED


def all_of(mailbox: Mailbox, queue: Queue, now: int) -> list[Looked]:
    """Every message of a queue, in flight or not, in the order in which they were sent: as one moment has them."""
    rows = mailbox.db.execute(_ALL, (queue.id, now - queue.retention_ms)).fetchall()
    rows.sort()
    return list(itertools.starmap(Looked, rows))


def state_of(mailbox: Mailbox, queue: Queue, now: int) -> tuple[float, ...]:
    """What differs as soon as a message has come, gone, or been received: far cheaper than a look at all of them."""
    return tuple(mailbox.db.execute(_STATE, (now, queue.id, now - queue.retention_ms)).fetchone())


def claim(mailbox: Mailbox, queue: Queue, ids: Collection[str], hidden_ms: int, now: int) -> list[Taken]:
    """Claim those of `ids` that can be received now, hidden for a while; in the order in which they were sent."""
    wanted = set(ids)
    with transaction(mailbox.db) as db:
        rows = db.execute(_VISIBLE, (queue.id, now, now - queue.retention_ms)).fetchall()
        places = [(visible_at, seq) for visible_at, seq, raw in rows if uuid_text(raw) in wanted]
        claimed = [
            db.execute(_CLAIM, (now + hidden_ms, now, queue.id, *place)).fetchone() for place in places
        ]
        found = [mailbox.taken(db, row, now + hidden_ms) for row in claimed]
    mailbox.counted(queue, len(claimed))
    return sorted((taken for taken in found if taken is not None), key=lambda taken: taken.seq)
