"""The messages of standard queues on disk: sent, claimed, hidden, deleted, expired; and what both kinds of queue share.

A send, a claim of one and a delete are one statement each. A statement says for which version of its queue it holds; where
the queue has changed in between it does nothing, and the caller looks again.
"""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.sqs import schema
from lambdalog.local.sqs.message import Draft, Ids, Numbers, Taken
from lambdalog.store.tables import transaction
from lambdalog.store.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambdalog.local.sqs.queue import Queue
    from lambdalog.local.sqs.receipt import Receipt
    from lambdalog.store.tables import Tables

IN_FLIGHT_MAX: Final = 120_000
SWEEP_MS: Final = 60_000
NUMBERS_TRIED: Final = 20
# A receipt that was extended is remembered for as long as a message can be hidden.
EXTENDED_MS: Final = 43_200_000


class OverLimit(Exception):
    """As many messages as are allowed are in flight."""


class Mailbox:
    """The messages of one database."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.turns = Turns(tables.path.with_name(".queues.lock"))
        self.numbers = Numbers()
        self.ids = Ids()
        # Claims that a queue may still make before the messages in flight are counted again.
        self._headroom: dict[int, int] = {}
        self._sweep_at: dict[int, int] = {}
        # Queues in which the last claim found nothing.
        self._dry: set[int] = set()

    @property
    def db(self) -> sqlite3.Connection:
        """This thread's connection."""
        return self._tables.connection

    # --- sending

    def send(self, queue: Queue, draft: Draft, visible_at: int, now: int) -> bool:
        """Write a message down; False if the queue is not as it was."""
        if not draft.inline:
            return self.send_many(queue, ((draft, visible_at),), now)
        id_, body, attributes, system, _ = draft
        db = self._tables.connection
        tries = NUMBERS_TRIED
        while True:
            seq = self.numbers.take(now)
            row = (queue.id, queue.version, visible_at, seq, now, id_, body, attributes, system)
            try:
                return self.turns.take(db.execute, schema.SEND, row).rowcount == 1
            except sqlite3.IntegrityError:
                # Another process drew the same number, and was first.
                if not tries:
                    raise
                tries -= 1
                self.numbers.renew()

    def send_many(self, queue: Queue, drafts: Sequence[tuple[Draft, int]], now: int) -> bool:
        """Write messages down, each with its time of visibility: all, or none if the queue is not as it was."""
        for _ in range(NUMBERS_TRIED):
            try:
                return self._send_many(queue, drafts, now)
            except sqlite3.IntegrityError:
                self.numbers.renew()
        return self._send_many(queue, drafts, now)

    def _send_many(self, queue: Queue, drafts: Sequence[tuple[Draft, int]], now: int) -> bool:
        rows: list[tuple[Any, ...]] = []
        bodies: list[tuple[Any, ...]] = []
        number, version = queue.id, queue.version
        for seq, (draft, visible_at) in enumerate(drafts, self.numbers.take(now, len(drafts))):
            id_, body, attributes, system, _ = draft
            if draft.inline:
                rows.append((number, version, visible_at, seq, now, id_, body, attributes, system))
            else:
                rows.append((number, version, visible_at, seq, now, id_, None, None, system))
                bodies.append((seq, body, attributes))
        return self.turns.take(self._add_many, rows, bodies)

    def _add_many(self, rows: list[tuple[Any, ...]], bodies: list[tuple[Any, ...]]) -> bool:
        with transaction(self.db) as db:
            if db.executemany(schema.SEND, rows).rowcount != len(rows):
                return False
            if bodies:
                db.executemany(schema.ADD_BODY, bodies)
        return True

    def put(
        self, db: sqlite3.Connection, queue: int, draft: Draft, visible_at: int, seq: int, sent: int
    ) -> None:
        """Write a message down inside a transaction."""
        body, attributes = (draft.body, draft.attributes) if draft.inline else (None, None)
        row = (queue, visible_at, seq, sent, draft.id, body, attributes, draft.system, draft.group)
        db.execute(schema.ADD, row)
        if body is None:
            db.execute(schema.ADD_BODY, (seq, draft.body, draft.attributes))

    # --- receiving

    def claim(self, queue: Queue, count: int, hidden_ms: int, now: int) -> list[Taken] | None:
        """Up to `count` messages, hidden for a while; None: the queue is not as it was. OverLimit if too many are in flight."""
        if self._headroom.get(queue.id, 0) <= 0:
            self._keep_limit(queue, now)
        until = now + hidden_ms
        parameters = (queue.id, queue.version, now, until, now - queue.retention_ms)
        db = self._tables.connection
        # Whoever asks again and again for what isn't there only looks: claiming would keep senders waiting.
        if queue.id in self._dry and not self.any_due(queue, now):
            rows = []
        elif count == 1:
            rows = self.turns.take(_rows, db, schema.CLAIM_ONE, parameters)
        else:
            rows = self.turns.take(_rows, db, schema.CLAIM, (*parameters, count))
        if not rows:
            self._dry.add(queue.id)
            found = db.execute(schema.CURRENT, (queue.id,)).fetchone()
            return [] if found is not None and found[0] == queue.version else None
        self._dry.discard(queue.id)
        rows.sort()
        self.counted(queue, len(rows))
        found = []
        for row in rows:
            taken = self.taken(db, row, until)
            if taken is not None:
                found.append(taken)
        return found

    @staticmethod
    def taken(db: sqlite3.Connection, row: Sequence[Any], visible_at: int) -> Taken | None:
        """A claimed row with its body; None if a purge was faster."""
        seq, sent, receives, first, receipt, raw, body, attributes, system = row
        inline = body is not None
        if not inline:
            large = db.execute(schema.BODY, (seq,)).fetchone()
            if large is None:
                return None
            body, attributes = large
        return Taken(seq, sent, receives, first, receipt, raw, body, attributes, system, visible_at, inline)

    def any_due(self, queue: Queue, now: int) -> bool:
        """Whether a receive would find something; asks for no lock."""
        row = self.db.execute(schema.ANY_DUE, (queue.id, now, now - queue.retention_ms)).fetchone()
        return row is not None

    def next_due(self, queue: Queue, now: int) -> int | None:
        """When the next hidden message will be seen, epoch ms."""
        (found,) = self.db.execute(schema.NEXT_DUE, (queue.id, now)).fetchone()
        return None if found is None or found >= schema.PARKED else int(found)

    def _keep_limit(self, queue: Queue, now: int) -> None:
        """Counting is dear, so it is done again only when what was left may have been used up."""
        count = self.in_flight(queue, now)
        if count >= IN_FLIGHT_MAX:
            raise OverLimit
        self._headroom[queue.id] = max((IN_FLIGHT_MAX - count) // 4, 1)

    def in_flight(self, queue: Queue, now: int) -> int:
        """The messages in flight, counted as far as the limit."""
        row = self.db.execute(schema.IN_FLIGHT, (queue.id, now, schema.PARKED, IN_FLIGHT_MAX)).fetchone()
        return int(row[0])

    def counted(self, queue: Queue, claims: int) -> None:
        """Note that so many messages more are in flight."""
        self._headroom[queue.id] = self._headroom.get(queue.id, 0) - claims

    # --- deleting, and changing visibility

    def delete(self, queue: Queue, receipt: Receipt) -> bool:
        """Delete a message by a claim of it; whether that claim still held."""
        return self.delete_in_place(queue, receipt) or self.turns.take(self._delete, queue, receipt)

    def delete_in_place(self, queue: Queue, receipt: Receipt) -> bool:
        """Delete a message that lies where its claim put it, body and all; False: it doesn't."""
        if not receipt.inline:
            return False
        place = (queue.id, receipt.visible_at, receipt.seq, receipt.secret)
        return bool(self.turns.take(self._tables.connection.execute, schema.DELETE, place).rowcount)

    def _delete(self, queue: Queue, receipt: Receipt) -> bool:
        with transaction(self.db) as db:
            return self.delete_within(db, queue, receipt)

    def delete_many(self, queue: Queue, receipts: Sequence[Receipt]) -> None:
        """Delete messages by claims of them, in one transaction; those whose claim doesn't hold any more stay."""
        self.turns.take(self._delete_many, queue, receipts)

    def _delete_many(self, queue: Queue, receipts: Sequence[Receipt]) -> None:
        places = [(queue.id, one.visible_at, one.seq, one.secret) for one in receipts if one.inline]
        with transaction(self.db) as db:
            # Most often each lies where its claim put it.
            if places and db.executemany(schema.DELETE, places).rowcount == len(receipts):
                return
            for receipt in receipts:
                self.delete_within(db, queue, receipt)

    def delete_within(self, db: sqlite3.Connection, queue: Queue, receipt: Receipt) -> bool:
        """The same inside a transaction."""
        place = (queue.id, receipt.visible_at, receipt.seq, receipt.secret)
        if not db.execute(schema.DELETE, place).rowcount:
            moved = db.execute(schema.EXTENDED, (queue.id, receipt.seq)).fetchone()
            if moved is None:
                return False
            place = (queue.id, moved[0], receipt.seq, receipt.secret)
            if not db.execute(schema.DELETE, place).rowcount:
                return False
            db.execute(schema.UNEXTEND, (queue.id, receipt.seq))
        if not receipt.inline:
            db.execute(schema.REMOVE_BODY, (receipt.seq,))
        return True

    def place(self, db: sqlite3.Connection, queue: Queue, receipt: Receipt) -> int | None:
        """The visible_at at which a claimed message lies now, if the claim is its last; else None."""
        row = db.execute(schema.ROW, (queue.id, receipt.visible_at, receipt.seq)).fetchone()
        if row is not None and row[3] == receipt.secret:
            return receipt.visible_at
        moved = db.execute(schema.EXTENDED, (queue.id, receipt.seq)).fetchone()
        if moved is not None:
            row = db.execute(schema.ROW, (queue.id, moved[0], receipt.seq)).fetchone()
            if row is not None and row[3] == receipt.secret:
                return int(moved[0])
        return None

    def hide(self, queue: Queue, receipt: Receipt, until: int) -> bool:
        """Let a claimed message be seen at `until`; False if the claim is not its last, or it is gone."""
        return self.turns.take(self._hide, queue, receipt, until)

    def _hide(self, queue: Queue, receipt: Receipt, until: int) -> bool:
        with transaction(self.db) as db:
            place = self.place(db, queue, receipt)
            if place is None:
                return False
            db.execute(schema.HIDE, (until, queue.id, place, receipt.seq, receipt.secret))
            db.execute(schema.EXTEND, (queue.id, receipt.seq, until))
        return True

    # --- all of a queue

    def counts(self, queue: Queue, now: int) -> tuple[int, int, int]:
        """Messages that can be received, are in flight, are delayed."""
        parameters = {
            "now": now,
            "queue": queue.id,
            "oldest": now - queue.retention_ms,
            "parked": schema.PARKED,
        }
        if queue.fifo:
            row = self.db.execute(schema.COUNTS_FIFO, parameters).fetchone()
        else:
            del parameters["parked"]
            row = self.db.execute(schema.COUNTS, parameters).fetchone()
        visible, flying, delayed = row
        return visible, flying, delayed

    def places(self, queue: Queue, now: int, after: int = 0) -> list[tuple[int, int]]:
        """(seq, visible_at) of every message, in order, past `after`."""
        return self.db.execute(schema.PLACES, (queue.id, now - queue.retention_ms, after)).fetchall()

    def look(self, queue: Queue, places: Iterable[tuple[int, int]]) -> list[Taken]:
        """The messages at these places, untouched; what was deleted since is left out, what moved is found again."""
        found: dict[int, Taken] = {}
        moved: set[int] = set()
        for seq, visible_at in places:
            taken = self._look(queue, seq, visible_at)
            if taken is None:
                moved.add(seq)
            else:
                found[seq] = taken
        if moved:
            rows = self.db.execute(
                "SELECT seq, visible_at FROM state WHERE queue = ?", (queue.id,)
            ).fetchall()
            for seq, visible_at in rows:
                if seq in moved and (taken := self._look(queue, seq, visible_at)) is not None:
                    found[seq] = taken
        return [found[seq] for seq in sorted(found)]

    def _look(self, queue: Queue, seq: int, visible_at: int) -> Taken | None:
        row = self.db.execute(schema.ROW, (queue.id, visible_at, seq)).fetchone()
        if row is None:
            return None
        sent, receives, first, receipt, raw, body, attributes, system, _ = row
        if body is None:
            large = self.db.execute(schema.BODY, (seq,)).fetchone()
            if large is None:
                return None
            body, attributes = large
        return Taken(seq, sent, receives, first, receipt, raw, body, attributes, system, visible_at)

    def empty(self, db: sqlite3.Connection, queue: Queue) -> None:
        """Remove all messages inside a transaction."""
        for statement in schema.EMPTY:
            db.execute(statement, (queue.id,))
        self._headroom.pop(queue.id, None)

    def remove(
        self, db: sqlite3.Connection, queue: Queue, visible_at: int, seq: int, *, inline: bool
    ) -> None:
        """Remove one message of a standard queue inside a transaction."""
        db.execute(schema.REMOVE, (queue.id, visible_at, seq))
        if not inline:
            db.execute(schema.REMOVE_BODY, (seq,))

    def sweep_due(self, queue: Queue, now: int) -> bool:
        """Whether messages may have outlived the retention period since the last sweep; they are invisible before it."""
        return now >= self._sweep_at.get(queue.id, max(queue.oldest, 0) + queue.retention_ms)

    def swept(self, queue: Queue, oldest: int, now: int) -> None:
        """Note when a sweep is due again."""
        self._sweep_at[queue.id] = max(oldest + queue.retention_ms, now + SWEEP_MS)

    def unsweep(self, queue: Queue) -> None:
        """The retention period changed, or something older came: look anew."""
        self._sweep_at.pop(queue.id, None)


def _rows(db: sqlite3.Connection, statement: str, parameters: tuple[int, ...]) -> list[Any]:
    """All rows: only then is a statement that changes something committed."""
    return db.execute(statement, parameters).fetchall()


def marked(system: str | None, **more: str) -> str:
    """System attributes with more of them, as JSON."""
    return json.dumps((json.loads(system) if system else {}) | more)


def unmarked(system: str | None, *names: str) -> str | None:
    """System attributes without some, as JSON."""
    left = {
        name: value for name, value in (json.loads(system) if system else {}).items() if name not in names
    }
    return json.dumps(left) if left else None
