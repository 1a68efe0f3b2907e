"""The messages of FIFO queues on disk: in order within a group, once within five minutes.

Of a group only the front lies at its own time; what is behind it is parked, so that a receive never walks over it. The front
grows as messages are claimed together, and the next one comes to the front when those before it are gone. A message can be
received when it is visible and none before it in its group is hidden.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lambdalog.local.sqs import schema
from lambdalog.local.sqs.mailbox import IN_FLIGHT_MAX
from lambdalog.local.sqs.receipt import Receipt, parse

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from lambdalog.local.sqs.mailbox import Mailbox
    from lambdalog.local.sqs.message import Draft, Taken
    from lambdalog.local.sqs.queue import Queue

DEDUP_MS: Final = 300_000
# Messages at the front of groups that one receive looks through.
LOOKED_AT: Final = 1000

_ATTEMPT: Final = "SELECT handles FROM attempts WHERE queue = ? AND id = ? AND at > ?"
_ADD_ATTEMPT: Final = "INSERT OR REPLACE INTO attempts (queue, id, at, handles) VALUES (?, ?, ?, ?)"
_DUPLICATE: Final = (
    "SELECT message_id, sequence FROM dedup WHERE queue = ? AND scope IN (?, ?) AND id = ? AND at > ?"
)
_FRONT: Final = "SELECT seq, visible_at, due FROM fifo WHERE queue = ? AND grp = ? ORDER BY seq LIMIT ?"
_BEHIND: Final = (
    "SELECT seq, visible_at, due FROM fifo WHERE queue = ? AND grp = ? AND seq > ? ORDER BY seq LIMIT 1"
)
_NEXT_SEQ: Final = "UPDATE queues SET last_seq = max(last_seq + 1, ?) WHERE id = ? RETURNING last_seq"


class Sent(NamedTuple):
    """What SendMessage tells of a FIFO message; of a duplicate, what was told of the first."""

    message_id: str
    sequence: str


def dedup_id(entry: Mapping[str, Any]) -> str:
    """The MessageDeduplicationId, or the SHA-256 of the body."""
    given: str | None = entry.get("MessageDeduplicationId")
    return hashlib.sha256(entry["MessageBody"].encode()).hexdigest() if given is None else given


class Fifo:
    """The FIFO side of a mailbox. Everything here runs inside a transaction of the caller's."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    # --- sending

    def duplicate(
        self, db: sqlite3.Connection, queue: Queue, group: str, dedup: str, now: int
    ) -> Sent | None:
        """What was answered for a message with this deduplication id within five minutes."""
        db.execute("DELETE FROM dedup WHERE queue = ? AND at <= ?", (queue.id, now - DEDUP_MS))
        # What was sent while the whole queue was the scope is remembered after a change to groups.
        scopes = ("", f"g{group}") if queue.dedup_by_group else ("", "")
        row = db.execute(_DUPLICATE, (queue.id, *scopes, dedup, now - DEDUP_MS)).fetchone()
        return None if row is None else Sent(*row)

    def remember(
        self, db: sqlite3.Connection, queue: Queue, group: str, dedup: str, sent: Sent, now: int
    ) -> None:
        """Remember a deduplication id, past the message's deletion."""
        scope = f"g{group}" if queue.dedup_by_group else ""
        db.execute(
            "INSERT OR REPLACE INTO dedup (queue, scope, id, at, message_id, sequence) VALUES (?, ?, ?, ?, ?, ?)",
            (queue.id, scope, dedup, now, *sent),
        )

    def number(self, db: sqlite3.Connection, queue: int, now: int) -> int:
        """The queue's next number: no message sent before has a higher one, in whichever process."""
        row = db.execute(_NEXT_SEQ, (self._mailbox.numbers.take(now), queue)).fetchone()
        return int(row[0])

    def add(
        self,
        db: sqlite3.Connection,
        queue: int,
        draft: Draft,
        due: int,
        seq: int,
        sent: int,
        receives: int = 0,
    ) -> None:
        """Put a message behind its group."""
        group = draft.group or ""
        first = db.execute(_FRONT, (queue, group, 1)).fetchone()
        visible_at = due if first is None else schema.PARKED
        self._mailbox.put(db, queue, draft._replace(group=group), visible_at, seq, sent)
        if receives:
            db.execute(
                "UPDATE state SET receives = ? WHERE queue = ? AND visible_at = ? AND seq = ?",
                (receives, queue, visible_at, seq),
            )
        db.execute(
            "INSERT INTO fifo (queue, grp, seq, visible_at, due) VALUES (?, ?, ?, ?, ?)",
            (queue, group, seq, visible_at, due),
        )

    # --- receiving

    def claim(
        self,
        db: sqlite3.Connection,
        queue: Queue,
        count: int,
        until: int,
        now: int,
        bury: Callable[[int, int], bool] | None,
    ) -> list[Taken]:
        """Up to `count` messages, as many of a group as there are, in its order; hidden until `until`.

        `bury(visible_at, seq)` moves a message that was received too often away, if it can.
        """
        if self._mailbox.in_flight(queue, now) >= IN_FLIGHT_MAX:
            return []
        found: list[Taken] = []
        rows = db.execute(
            "SELECT grp FROM state WHERE queue = ? AND visible_at <= ? AND sent > ? ORDER BY visible_at, seq LIMIT ?",
            (queue.id, now, now - queue.retention_ms, LOOKED_AT),
        ).fetchall()
        for group in dict.fromkeys(group for (group,) in rows):
            if len(found) < count:
                found += self._claim_group(db, queue, group, count - len(found), until, now, bury)
        return found

    def _claim_group(
        self,
        db: sqlite3.Connection,
        queue: Queue,
        group: str,
        count: int,
        until: int,
        now: int,
        bury: Callable[[int, int], bool] | None,
    ) -> list[Taken]:
        found: list[Taken] = []
        seq = -1
        while len(found) < count:
            # One by one: when a message is buried, the next one comes to the front.
            place = db.execute(_BEHIND, (queue.id, group, seq)).fetchone()
            if place is None:
                break
            seq, visible_at, due = place
            if (due if visible_at == schema.PARKED else visible_at) > now:
                break
            if bury is not None and bury(visible_at, seq):
                continue
            row = db.execute(
                "UPDATE state SET visible_at = ?, receives = receives + 1, receipt = (random() & 0x3fffffffffffffff) + 1, "
                "first = CASE first WHEN 0 THEN ? ELSE first END WHERE queue = ? AND visible_at = ? AND seq = ? "
                "RETURNING seq, sent, receives, first, receipt, id, body, attributes, system",
                (until, now, queue.id, visible_at, seq),
            ).fetchall()
            self._lies(db, queue, group, seq, until)
            taken = self._mailbox.taken(db, row[0], until)
            if taken is not None:
                found.append(taken)
        self._promote(db, queue.id, group)
        return found

    def retried(
        self, db: sqlite3.Connection, queue: Queue, attempt: str, until: int, now: int
    ) -> list[Taken]:
        """The messages of a receive with this attempt id, hidden anew, if none was touched since; else nothing."""
        row = db.execute(_ATTEMPT, (queue.id, attempt, now - DEDUP_MS)).fetchone()
        if row is None:
            return []
        found: list[Taken] = []
        for handle in json.loads(row[0]):
            receipt = parse(handle)
            place = None if receipt is None else self.place(db, queue, receipt)
            if receipt is None or place is None or place[1] <= now:
                return []
            state = db.execute(schema.ROW, (queue.id, place[1], receipt.seq)).fetchone()
            taken = self._mailbox.taken(db, (receipt.seq, *state[:8]), receipt.visible_at)
            if taken is not None:
                found.append(taken)
        for taken in found:
            self.hide(db, queue, Receipt(queue.id, taken.seq, taken.visible_at, taken.receipt, now), until)
        return found

    def attempted(
        self, db: sqlite3.Connection, queue: Queue, attempt: str, handles: list[str], now: int
    ) -> None:
        """Remember which messages a receive with this attempt id got."""
        db.execute("DELETE FROM attempts WHERE queue = ? AND at <= ?", (queue.id, now - DEDUP_MS))
        db.execute(_ADD_ATTEMPT, (queue.id, attempt, now, json.dumps(handles)))

    def next_due(self, db: sqlite3.Connection, queue: Queue, now: int) -> int | None:
        """When something may be seen next, epoch ms."""
        (visible,) = db.execute(schema.NEXT_DUE, (queue.id, now)).fetchone()
        return None if visible is None or visible >= schema.PARKED else int(visible)

    # --- deleting, and changing visibility

    def place(self, db: sqlite3.Connection, queue: Queue, receipt: Receipt) -> tuple[str, int] | None:
        """(group, visible_at) of a message whose last claim is this one; None if it is not, or it is gone."""
        row = db.execute(
            "SELECT grp, visible_at FROM fifo WHERE queue = ? AND seq = ?", (queue.id, receipt.seq)
        ).fetchone()
        if row is None:
            return None
        state = db.execute(schema.ROW, (queue.id, row[1], receipt.seq)).fetchone()
        return None if state[3] != receipt.secret else (row[0], int(row[1]))

    def exists(self, db: sqlite3.Connection, queue: Queue, receipt: Receipt) -> bool:
        """Whether the message of a receipt is still there."""
        row = db.execute("SELECT 1 FROM fifo WHERE queue = ? AND seq = ?", (queue.id, receipt.seq)).fetchone()
        return row is not None

    def hide(self, db: sqlite3.Connection, queue: Queue, receipt: Receipt, until: int) -> bool:
        """Let a claimed message be seen at `until`; False if the claim is not its last, or it is gone."""
        place = self.place(db, queue, receipt)
        if place is None:
            return False
        db.execute(schema.HIDE, (until, queue.id, place[1], receipt.seq, receipt.secret))
        self._lies(db, queue, place[0], receipt.seq, until)
        return True

    def remove(self, db: sqlite3.Connection, queue: int, group: str, visible_at: int, seq: int) -> None:
        """Take a message out; the next of its group comes to the front."""
        db.execute(schema.REMOVE, (queue, visible_at, seq))
        db.execute(schema.REMOVE_BODY, (seq,))
        db.execute("DELETE FROM fifo WHERE queue = ? AND grp = ? AND seq = ?", (queue, group, seq))
        self._promote(db, queue, group)

    def delay(self, db: sqlite3.Connection, queue: Queue, delay_ms: int) -> None:
        """A new delay of the queue holds for what waits in it already (SetQueueAttributes)."""
        rows = db.execute(
            "SELECT f.grp, f.seq, f.visible_at, s.sent FROM fifo f JOIN state s "
            "ON s.queue = f.queue AND s.visible_at = f.visible_at AND s.seq = f.seq WHERE f.queue = ? AND s.receives = 0",
            (queue.id,),
        ).fetchall()
        for group, seq, visible_at, sent in rows:
            due = sent + delay_ms
            db.execute(
                "UPDATE fifo SET due = ? WHERE queue = ? AND grp = ? AND seq = ?", (due, queue.id, group, seq)
            )
            if visible_at != schema.PARKED:
                self._move(db, queue.id, group, seq, visible_at, due)

    def _promote(self, db: sqlite3.Connection, queue: int, group: str) -> None:
        first = db.execute(_FRONT, (queue, group, 1)).fetchone()
        if first is not None and first[1] == schema.PARKED:
            self._move(db, queue, group, first[0], schema.PARKED, first[2])

    def _move(self, db: sqlite3.Connection, queue: int, group: str, seq: int, old: int, new: int) -> None:
        db.execute(
            "UPDATE state SET visible_at = ? WHERE queue = ? AND visible_at = ? AND seq = ?",
            (new, queue, old, seq),
        )
        db.execute(
            "UPDATE fifo SET visible_at = ? WHERE queue = ? AND grp = ? AND seq = ?", (new, queue, group, seq)
        )

    @staticmethod
    def _lies(db: sqlite3.Connection, queue: Queue, group: str, seq: int, visible_at: int) -> None:
        db.execute(
            "UPDATE fifo SET visible_at = ? WHERE queue = ? AND grp = ? AND seq = ?",
            (visible_at, queue.id, group, seq),
        )
