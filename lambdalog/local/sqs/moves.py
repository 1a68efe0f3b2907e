"""Message move tasks: messages go from a dead-letter queue back to where they came from, or to another queue.

A task is a row, and needs no worker: whoever uses one of its queues first does what the task's rate allows by now. So it is
asynchronous, goes on after a restart, and two processes at once share the work; each message moves in one transaction.
"""

from __future__ import annotations

import base64
import json
import uuid
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lambdalog.local.sqs import schema
from lambdalog.local.sqs.mailbox import unmarked
from lambdalog.local.sqs.message import Draft
from lambdalog.store.tables import transaction

if TYPE_CHECKING:
    import sqlite3

    from lambdalog.arn import Scope
    from lambdalog.local.sqs.fifo import Fifo
    from lambdalog.local.sqs.mailbox import Mailbox
    from lambdalog.local.sqs.queue import Catalog, Queue

RATE_MAX: Final = 500
# Messages that one transaction moves: others get their turn in between.
CHUNK: Final = 100
# Tasks that are remembered of one source.
KEPT: Final = 10
SOURCE: Final = "DeadLetterQueueSourceArn"

_TASK: Final = "SELECT id, source, destination, rate, started, status, moved, planned, reason FROM moves"


class Task(NamedTuple):
    """A move task. `destination` is empty where each message goes back to its own source; `started` epoch ms."""

    id: str
    source: str
    destination: str
    rate: int | None
    started: int
    status: str
    moved: int
    planned: int
    reason: str | None

    @property
    def handle(self) -> str:
        """The TaskHandle."""
        return base64.b64encode(
            json.dumps({"taskId": self.id, "sourceArn": self.source}, separators=(",", ":")).encode()
        ).decode()

    @property
    def per_second(self) -> int:
        """How many it moves a second."""
        return self.rate or RATE_MAX

    def allowed(self, now: int) -> int:
        """How many it may have moved by now."""
        return max(now - self.started, 0) * self.per_second // 1000

    def shape(self) -> dict[str, Any]:
        """An entry of ListMessageMoveTasks; the handle is shown while it is of use."""
        found: dict[str, Any] = {"TaskHandle": self.handle} if self.status == "RUNNING" else {}
        found |= {"Status": self.status, "SourceArn": self.source}
        if self.destination:
            found["DestinationArn"] = self.destination
        if self.rate is not None:
            found["MaxNumberOfMessagesPerSecond"] = self.rate
        found |= {
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.planned,
            "StartedTimestamp": self.started,
        }
        return found | ({"FailureReason": self.reason} if self.reason else {})


def parse_handle(handle: str) -> tuple[str, str] | None:
    """(task id, source ARN) of a TaskHandle; None if it is none."""
    try:
        found = json.loads(base64.b64decode(handle.encode(), validate=True))
        return str(found["taskId"]), str(found["sourceArn"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


class Moves:
    """The move tasks of a database."""

    def __init__(self, mailbox: Mailbox, fifo: Fifo, catalog: Catalog, scope: Scope) -> None:
        self._mailbox = mailbox
        self._fifo = fifo
        self._catalog = catalog
        self._scope = scope

    def find(self, task_id: str) -> Task | None:
        """A task by its id."""
        row = self._mailbox.db.execute(f"{_TASK} WHERE id = ?", (task_id,)).fetchone()
        return None if row is None else Task(*row)

    def of_source(self, source: str, count: int) -> list[Task]:
        """The last tasks of a source queue, newest first."""
        rows = self._mailbox.db.execute(f"{_TASK} WHERE source = ? ORDER BY n DESC LIMIT ?", (source, count))
        return [Task(*row) for row in rows]

    def start(self, source: Queue, destination: str, rate: int | None, now: int) -> Task | None:
        """Begin a task; None if one of that source is running."""
        arn = self._scope.queue(source.name)
        with transaction(self._mailbox.db) as db:
            if db.execute("SELECT 1 FROM moves WHERE source = ? AND status = 'RUNNING'", (arn,)).fetchone():
                return None
            planned = self._mailbox.counts(source, now)[0]
            task = Task(str(uuid.uuid4()), arn, destination, rate, now, "RUNNING", 0, planned, None)
            db.execute(
                "INSERT INTO moves (id, source, destination, rate, started, status, planned) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (task.id, arn, destination, rate, now, task.status, planned),
            )
            db.execute(
                "DELETE FROM moves WHERE source = ?1 AND n NOT IN (SELECT n FROM moves WHERE source = ?1 ORDER BY n DESC LIMIT ?2)",
                (arn, KEPT),
            )
            self._flag(db)
        return task

    def cancel(self, task: Task, now: int) -> Task | None:
        """End a running task after what its rate allows by now; None if it isn't running."""
        self._advance(task.id, now)
        with transaction(self._mailbox.db) as db:
            changed = db.execute(
                "UPDATE moves SET status = 'CANCELLED' WHERE id = ? AND status = 'RUNNING'", (task.id,)
            )
            self._flag(db)
            return self.find(task.id) if changed.rowcount else None

    def advance(self, now: int) -> None:
        """Do what all running tasks may by now."""
        rows = self._mailbox.db.execute("SELECT id FROM moves WHERE status = 'RUNNING'").fetchall()
        for (task_id,) in rows:
            self._advance(task_id, now)

    def next_due(self) -> int | None:
        """When the next message of some task may move, epoch ms."""
        rows = self._mailbox.db.execute(f"{_TASK} WHERE status = 'RUNNING'").fetchall()
        tasks = [Task(*row) for row in rows]
        return min(
            (task.started + -(-(task.moved + 1) * 1000 // task.per_second) for task in tasks), default=None
        )

    def _advance(self, task_id: str, now: int) -> None:
        while True:
            with transaction(self._mailbox.db) as db:
                task = self.find(task_id)
                if task is None or task.status != "RUNNING":
                    return
                count = min(task.allowed(now) - task.moved, CHUNK)
                if count <= 0:
                    return
                moved, ending, reason = self._move(db, task, count, now)
                db.execute(
                    "UPDATE moves SET moved = moved + ?, status = ?, reason = ?, planned = max(planned, moved + ?) WHERE id = ?",
                    (moved, ending, reason, moved, task_id),
                )
                if ending != "RUNNING":
                    self._flag(db)
                    return

    def _move(self, db: sqlite3.Connection, task: Task, count: int, now: int) -> tuple[int, str, str | None]:
        """Move up to `count` messages; how many, the task's status after it, and why it failed."""
        source = self._catalog.find(task.source.rpartition(":")[2])
        if source is None:
            return 0, "FAILED", "AWS.SimpleQueueService.NonExistentQueue"
        rows = db.execute(
            "SELECT visible_at, seq FROM state WHERE queue = ? AND visible_at <= ? AND sent > ? ORDER BY visible_at, seq LIMIT ?",
            (source.id, now, now - source.retention_ms, count),
        ).fetchall()
        if source.fifo and rows:
            rows = rows[:1]  # the next of its group comes to the front only when this one is gone
        for done, (visible_at, seq) in enumerate(rows):
            reason = self._move_one(db, task, source, visible_at, seq, now)
            if reason is not None:
                return done, "FAILED", reason
        left = db.execute(schema.ANY_DUE, (source.id, now, now - source.retention_ms)).fetchone()
        return len(rows), "RUNNING" if left is not None else "COMPLETED", None

    def _move_one(
        self, db: sqlite3.Connection, task: Task, source: Queue, visible_at: int, seq: int, now: int
    ) -> str | None:
        """Move one message; why it can't be moved, or None."""
        _, _, _, _, _, body, attributes, system, group = db.execute(
            schema.ROW, (source.id, visible_at, seq)
        ).fetchone()
        if body is None:
            body, attributes = db.execute(schema.BODY, (seq,)).fetchone()
        arn = task.destination or (json.loads(system) if system else {}).get(SOURCE)
        if not arn:
            return "CouldNotDetermineMessageSource"
        target = self._catalog.find(arn.rpartition(":")[2])
        if target is None:
            return "AWS.SimpleQueueService.NonExistentQueue"
        if source.fifo:
            self._fifo.remove(db, source.id, group or "", visible_at, seq)
        else:
            self._mailbox.remove(db, source, visible_at, seq, inline=False)
        # A moved message is a new one: with an id, a time and a count of its own.
        draft = Draft(self._mailbox.ids.next(), body, attributes, unmarked(system, SOURCE), group)
        due = now + target.delay * 1000
        if target.fifo:
            number = self._fifo.number(db, target.id, now)
            marked_again = Draft(*draft[:3], _numbered(draft.system, number), group)
            self._fifo.add(db, target.id, marked_again, due, number, now)
        else:
            self._mailbox.put(db, target.id, draft, due, self._mailbox.numbers.take(now), now)
        return None

    def _flag(self, db: sqlite3.Connection) -> None:
        """Mark the queues that running tasks touch, so that whoever uses one helps."""
        rows = db.execute("SELECT source, destination FROM moves WHERE status = 'RUNNING'").fetchall()
        touched = {arn.rpartition(":")[2] for row in rows for arn in row if arn}
        home = {source for source, destination in rows if not destination}
        for queue in self._catalog.by_prefix():
            back = queue.redrive is not None and queue.redrive.target in home
            db.execute(
                schema.SET_MOVING,
                (int(back or queue.name in touched), queue.name, int(back or queue.name in touched)),
            )


def _numbered(system: str | None, number: int) -> str:
    return json.dumps((json.loads(system) if system else {}) | {"SequenceNumber": str(number).zfill(20)})
