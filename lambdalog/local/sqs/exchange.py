"""Sending and receiving as operations mean it: rules first, then the mailbox or its FIFO side; redrive in between."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.durability import durably, is_dead_letter, lightly
from lambdalog.local.sqs import digests, rules, schema
from lambdalog.local.sqs.fifo import Fifo, Sent, dedup_id
from lambdalog.local.sqs.mailbox import Mailbox, OverLimit, marked
from lambdalog.local.sqs.message import Draft, dump_attributes, uuid_text
from lambdalog.local.sqs.moves import SOURCE, Moves
from lambdalog.local.sqs.queue import Catalog
from lambdalog.local.sqs.receipt import Receipt, handle_of, parse
from lambdalog.local.sqs.rules import Breach
from lambdalog.local.sqs.traffic import Traffic
from lambdalog.store.tables import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from lambdalog.arn import Scope
    from lambdalog.clock import Clock
    from lambdalog.local.durability import Durability
    from lambdalog.local.sqs.message import Taken
    from lambdalog.local.sqs.policies import Redrive
    from lambdalog.local.sqs.queue import Queue
    from lambdalog.store.tables import Tables

VISIBILITY_MAX: Final = 43_200


class Changed(Exception):
    """The queue is not as it was when it was looked up."""


class Exchange:
    """The messages of all queues of one database, under SQS's rules."""

    def __init__(
        self,
        tables: Tables,
        *,
        scope: Scope,
        clock: Clock,
        durability: Durability = "NORMAL",
        trace: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._tables = tables
        self._durability = durability
        self._scope = scope
        self._clock = clock
        self._trace = trace
        self.mailbox = Mailbox(tables)
        self.fifo = Fifo(self.mailbox)
        self.catalog = Catalog(lambda: tables.connection)
        self.traffic = Traffic(tables, durability)
        self.moves = Moves(self.mailbox, self.fifo, self.catalog, scope)

    def durably(self, *, full: bool) -> AbstractContextManager[None]:
        """What is written inside outlives a power cut, if `full`; not to be used inside a transaction."""
        return durably(self._tables.connection, self._durability, full=full)

    # --- sending

    def refusal(self, queue: Queue, entry: Mapping[str, Any], *, batch: bool = False) -> Breach | None:
        """Why a message is not accepted."""
        delay = entry.get("DelaySeconds")
        if delay is not None and (breach := rules.between("DelaySeconds", delay, 0, 900)) is not None:
            return breach
        return rules.message(
            entry["MessageBody"], entry.get("MessageAttributes") or {}, queue.message_max, batch=batch
        )

    def send_plain(self, queue: Queue, body: str) -> dict[str, Any] | None:
        """`send` of a body alone to a standard queue that is no dead-letter queue; None if the queue has changed."""
        now = self._clock.now_ms()
        trace = self._trace()
        draft = Draft(
            self.mailbox.ids.next(),
            body,
            None,
            None if trace is None else json.dumps({"AWSTraceHeader": trace}),
        )
        if not self.mailbox.send(queue, draft, now + queue.delay * 1000, now):
            return None
        self.traffic.count(queue.id, "sent", 1, now)
        return {"MD5OfMessageBody": digests.of_text(body), "MessageId": uuid_text(draft.id)}

    def send_one(self, queue: Queue, entry: Mapping[str, Any]) -> dict[str, Any]:
        """`send` of one message, on the shortest way: beside one row, each call between shows."""
        if queue.fifo or queue.dead or is_dead_letter(entry.get("MessageAttributes")):
            return self.send(queue, (entry,))[0]
        now = self._clock.now_ms()
        draft = self._draft(entry, self._trace())
        if not self.mailbox.send(queue, draft, self._due(queue, entry, now), now):
            raise Changed
        self.traffic.count(queue.id, "sent", 1, now)
        return _told(entry, uuid_text(draft.id))

    def send(self, queue: Queue, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Write accepted messages down, all or none; what SendMessage tells of each. Changed if the queue has."""
        if queue.dead or _dead_letters(entries):
            with self.durably(full=True):
                told = self._send(queue, entries)
        else:
            told = self._send(queue, entries)
        self.traffic.count(queue.id, "sent", len(told), self._clock.now_ms())
        return told

    def _send(self, queue: Queue, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        now = self._clock.now_ms()
        if queue.fifo:
            with transaction(self._tables.connection) as db:
                self._keep_current(db, queue)
                return [self._send_fifo(db, queue, entry, now) for entry in entries]
        trace = self._trace()
        drafts = [(self._draft(entry, trace), self._due(queue, entry, now)) for entry in entries]
        if not self.mailbox.send_many(queue, drafts, now):
            raise Changed
        return [_told(entry, uuid_text(draft.id)) for entry, (draft, _) in zip(entries, drafts, strict=True)]

    @staticmethod
    def _keep_current(db: sqlite3.Connection, queue: Queue) -> None:
        """Changed, if the queue is not as it was when it was looked up."""
        if db.execute(schema.CURRENT, (queue.id,)).fetchone() != (queue.version,):
            raise Changed

    def _send_fifo(
        self, db: sqlite3.Connection, queue: Queue, entry: Mapping[str, Any], now: int
    ) -> dict[str, Any]:
        group, dedup = entry["MessageGroupId"], dedup_id(entry)
        sent = self.fifo.duplicate(db, queue, group, dedup, now)
        if sent is None:
            seq = self.fifo.number(db, queue.id, now)
            sequence = str(seq).zfill(20)
            draft = self._draft(entry, self._trace(), MessageDeduplicationId=dedup, SequenceNumber=sequence)
            self.fifo.add(db, queue.id, draft._replace(group=group), now + queue.delay * 1000, seq, now)
            sent = Sent(uuid_text(draft.id), sequence)
            self.fifo.remember(db, queue, group, dedup, sent, now)
        return _told(entry, sent.message_id) | {"SequenceNumber": sent.sequence}

    def _draft(self, entry: Mapping[str, Any], trace: str | None, **system: str) -> Draft:
        if given := entry.get("MessageSystemAttributes"):
            system |= {name: value["StringValue"] for name, value in given.items()}
        # What an invocation sends belongs to its chain of events, whether or not its code says so.
        if trace is not None and "AWSTraceHeader" not in system:
            system["AWSTraceHeader"] = trace
        if (group := entry.get("MessageGroupId")) is not None:
            system["MessageGroupId"] = group
        attributes = entry.get("MessageAttributes")
        return Draft(
            self.mailbox.ids.next(),
            entry["MessageBody"],
            dump_attributes(attributes) if attributes else None,
            json.dumps(system) if system else None,
        )

    @staticmethod
    def _due(queue: Queue, entry: Mapping[str, Any], now: int) -> int:
        delay = entry.get("DelaySeconds")
        return now + (queue.delay if delay is None else delay) * 1000

    # --- receiving

    def receive(self, queue: Queue, count: int, hidden: int, attempt: str | None) -> list[tuple[Taken, str]]:
        """Messages with their handles, hidden for `hidden` seconds. Changed if the queue has; OverLimit."""
        now = self._clock.now_ms()
        if self.mailbox.sweep_due(queue, now):
            self.sweep(queue, now)
        if queue.fifo:
            found = self._receive_fifo(queue, count, now + hidden * 1000, now, attempt)
        elif queue.redrive is None:
            found = self._claim(queue, count, hidden * 1000, now)
        else:
            found = self._receive_few(queue, queue.redrive, count, hidden * 1000, now)
        if found:
            self.traffic.count(queue.id, "received", len(found), now)
        else:
            self.traffic.settle(now)
        return [(taken, handle_of(taken, queue.id, now)) for taken in found]

    def _receive_few(
        self, queue: Queue, redrive: Redrive, count: int, hidden_ms: int, now: int
    ) -> list[Taken]:
        """What was not yet received as often as a redrive policy allows; what was is moved."""
        claimed, found = self._claim(queue, count, hidden_ms, now), []
        while overdue := [taken for taken in claimed if taken.receives > redrive.receives]:
            if not self._bury_claimed(queue, redrive, overdue, now):
                break
            found += [taken for taken in claimed if taken.receives <= redrive.receives]
            # What is not hidden would be claimed once more.
            if len(found) == count or (found and not hidden_ms):
                return found
            try:
                claimed = self._claim(queue, count - len(found), hidden_ms, now)
            except (Changed, OverLimit):
                return found  # these are claimed already, whatever became of the queue
        return found + claimed

    def _claim(self, queue: Queue, count: int, hidden_ms: int, now: int) -> list[Taken]:
        if self._durability == "NORMAL":
            claimed = self.mailbox.claim(queue, count, hidden_ms, now)
        else:
            # A claim that a power cut takes back only means that the message is received once more.
            with lightly(self._tables.connection, self._durability):
                claimed = self.mailbox.claim(queue, count, hidden_ms, now)
        if claimed is None:
            raise Changed
        return claimed

    def _receive_fifo(
        self, queue: Queue, count: int, until: int, now: int, attempt: str | None
    ) -> list[Taken]:
        buries = queue.redrive is not None
        with self.durably(full=buries), transaction(self._tables.connection) as db:
            self._keep_current(db, queue)
            if attempt is not None and (found := self.fifo.retried(db, queue, attempt, until, now)):
                return found
            found = self.fifo.claim(db, queue, count, until, now, self._burier(db, queue, now))
            if attempt is not None:
                handles = [handle_of(taken, queue.id, now) for taken in found]
                self.fifo.attempted(db, queue, attempt, handles, now)
        return found

    def waiting(self, queue: Queue) -> tuple[bool, int | None]:
        """(whether a receive would find something, when it might next: epoch ms)."""
        now = self._clock.now_ms()
        due = [self.mailbox.next_due(queue, now)]
        if queue.moving:
            due.append(self.moves.next_due())
        return self.mailbox.any_due(queue, now), min((at for at in due if at is not None), default=None)

    # --- redrive

    def _burier(self, db: sqlite3.Connection, queue: Queue, now: int) -> Callable[[int, int], bool] | None:
        redrive = queue.redrive
        target = None if redrive is None else self.target(redrive.target)
        if redrive is None or target is None:
            return None

        def bury(visible_at: int, seq: int) -> bool:
            row = db.execute(schema.ROW, (queue.id, visible_at, seq)).fetchone()
            if row[1] < redrive.receives:
                return False
            self._bury_fifo(db, queue, target, visible_at, seq, now)
            return True

        return bury

    def _bury_claimed(self, queue: Queue, redrive: Redrive, overdue: list[Taken], now: int) -> bool:
        """Move what a claim showed to have been received too often already; False if there is no such dead-letter queue.

        That claim was told to nobody, and does not count.
        """
        with self.durably(full=True), transaction(self._tables.connection) as db:
            target = self.target(redrive.target)
            if target is None:
                return False
            for taken in overdue:
                # A visibility timeout of 0 lets another take it in between, and a purge may have removed it.
                place = (queue.id, taken.visible_at, taken.seq, taken.receipt)
                if db.execute(schema.DELETE, place).rowcount:
                    self._bury(db, queue, target, taken, now)
            self.mailbox.unsweep(target)
        return True

    def _bury(self, db: sqlite3.Connection, queue: Queue, target: Queue, taken: Taken, now: int) -> None:
        """Into the dead-letter queue: id, attributes and time stay; the count goes on."""
        body, attributes = (taken.body, taken.attributes) if taken.inline else (None, None)
        system = marked(taken.system, **{SOURCE: self._scope.queue(queue.name)})
        row = (taken.seq, taken.sent, taken.receives - 1, taken.first, taken.id, body, attributes, system)
        db.execute(
            "INSERT INTO state (queue, visible_at, seq, sent, receives, first, receipt, id, body, attributes, system) "
            "VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)",
            (target.id, now, *row),
        )
        db.execute(schema.LOWER_OLDEST, (taken.sent, target.id, taken.sent))

    def _bury_fifo(
        self, db: sqlite3.Connection, queue: Queue, target: Queue, visible_at: int, seq: int, now: int
    ) -> None:
        """The same of a FIFO queue's message, which gets a number and a time of its new queue."""
        _, receives, _, _, raw, body, attributes, system, group = db.execute(
            schema.ROW, (queue.id, visible_at, seq)
        ).fetchone()
        if body is None:
            body, attributes = db.execute(schema.BODY, (seq,)).fetchone()
        self.fifo.remove(db, queue.id, group, visible_at, seq)
        system = marked(system, **{SOURCE: self._scope.queue(queue.name)})
        draft = Draft(raw, body, attributes, system, group)
        self.fifo.add(db, target.id, draft, now, self.fifo.number(db, target.id, now), now, receives)

    def target(self, arn: str) -> Queue | None:
        """The queue that a redrive policy names."""
        return self.catalog.find(arn.rpartition(":")[2])

    # --- deleting, and changing visibility

    def _receipt(self, queue: Queue, handle: str) -> Receipt | None:
        receipt = parse(handle)
        return None if receipt is None or receipt.queue != queue.id else receipt

    def delete(self, queue: Queue, handle: str) -> tuple[bool, Breach | None]:
        """DeleteMessage: whether something was deleted, and what is wrong; a stale handle of a standard queue is not wrong."""
        receipt = self._receipt(queue, handle)
        if receipt is None:
            return False, BAD_HANDLE
        deleted, breach = False, None
        if queue.fifo:
            with transaction(self._tables.connection) as db:
                breach = self._delete_fifo(db, queue, receipt, handle)
        else:
            deleted = self.mailbox.delete(queue, receipt)
        if breach is None:
            self.traffic.count(queue.id, "deleted", 1, self._clock.now_ms())
        return deleted, breach

    def delete_plain(self, queue: Queue, handle: str) -> bool:
        """`delete` of a standard queue's message, if it lies where its claim put it, body and all; False: it doesn't."""
        receipt = parse(handle)
        if receipt is None or receipt.queue != queue.id or not self.mailbox.delete_in_place(queue, receipt):
            return False
        self.traffic.count(queue.id, "deleted", 1, self._clock.now_ms())
        return True

    def delete_many(self, queue: Queue, handles: Sequence[str]) -> list[Breach | None]:
        """DeleteMessageBatch, in one transaction."""
        receipts = [self._receipt(queue, handle) for handle in handles]
        breaches: list[Breach | None]
        if queue.fifo:
            with transaction(self._tables.connection) as db:
                breaches = [
                    BAD_HANDLE if receipt is None else self._delete_fifo(db, queue, receipt, handle)
                    for receipt, handle in zip(receipts, handles, strict=True)
                ]
        else:
            self.mailbox.delete_many(queue, [receipt for receipt in receipts if receipt is not None])
            breaches = [BAD_HANDLE if receipt is None else None for receipt in receipts]
        if done := breaches.count(None):
            self.traffic.count(queue.id, "deleted", done, self._clock.now_ms())
        return breaches

    def _delete_fifo(
        self, db: sqlite3.Connection, queue: Queue, receipt: Receipt, handle: str
    ) -> Breach | None:
        place = self.fifo.place(db, queue, receipt)
        if place is None and not self.fifo.exists(db, queue, receipt):
            return None
        if place is None or place[1] <= self._clock.now_ms():
            return Breach(
                "InvalidParameterValue",
                f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.",
            )
        self.fifo.remove(db, queue.id, place[0], place[1], receipt.seq)
        return None

    def hide(self, queue: Queue, handle: str, seconds: int) -> Breach | None:
        """ChangeMessageVisibility."""
        if (breach := rules.between("VisibilityTimeout", seconds, 0, VISIBILITY_MAX)) is not None:
            return breach
        receipt = self._receipt(queue, handle)
        if receipt is None:
            return BAD_HANDLE
        until = self._clock.now_ms() + seconds * 1000
        if until > receipt.claimed + VISIBILITY_MAX * 1000:
            return Breach(
                "InvalidParameterValue",
                f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the "
                f"message is beyond the limit [{VISIBILITY_MAX} seconds].",
            )
        if queue.fifo:
            with transaction(self._tables.connection) as db:
                done = self.fifo.hide(db, queue, receipt, until)
        else:
            done = self.mailbox.hide(queue, receipt, until)
        if done:
            return None
        return Breach(
            "InvalidParameterValue",
            f"Value {handle} for parameter ReceiptHandle is invalid. Reason: "
            "Message does not exist or is not available for visibility timeout change.",
        )

    # --- retention

    def sweep(self, queue: Queue, now: int) -> None:
        """Remove what has outlived the retention period; it can't be received any more in any case."""
        with transaction(self._tables.connection) as db:
            rows = db.execute(schema.EXPIRED, (queue.id, now - queue.retention_ms)).fetchall()
            for visible_at, seq, large, group in rows:
                if queue.fifo:
                    row = db.execute(
                        "SELECT visible_at FROM fifo WHERE queue = ? AND seq = ?", (queue.id, seq)
                    )
                    self.fifo.remove(db, queue.id, group, row.fetchone()[0], seq)
                else:
                    self.mailbox.remove(db, queue, visible_at, seq, inline=not large)
            db.execute(
                "DELETE FROM extended WHERE queue = ? AND visible_at < ?",
                (queue.id, now - VISIBILITY_MAX * 1000),
            )
            (oldest,) = db.execute(schema.MIN_SENT, (queue.id,)).fetchone()
            oldest = now if oldest is None else oldest
            db.execute(schema.SET_OLDEST, (oldest, queue.id))
        self.mailbox.swept(queue, oldest, now)


BAD_HANDLE: Final = Breach("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")


def _dead_letters(entries: Sequence[Mapping[str, Any]]) -> bool:
    for entry in entries:
        attributes = entry.get("MessageAttributes")
        if attributes and is_dead_letter(attributes):
            return True
    return False


def _told(entry: Mapping[str, Any], message_id: str) -> dict[str, Any]:
    """What SendMessage answers: the digests of what was sent, and the message's id."""
    told = {"MD5OfMessageBody": digests.of_text(entry["MessageBody"]), "MessageId": message_id}
    if attributes := entry.get("MessageAttributes"):
        told["MD5OfMessageAttributes"] = digests.of_attributes(attributes)
    if system := entry.get("MessageSystemAttributes"):
        told["MD5OfMessageSystemAttributes"] = digests.of_attributes(system)
    return told
