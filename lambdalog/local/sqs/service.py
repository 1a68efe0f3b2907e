"""The operations of SQS: parameters checked, the queue found, the work handed on, errors worded."""

from __future__ import annotations

import array
import base64
import json
import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lambdalog.arn import Arn
from lambdalog.clock import SYSTEM
from lambdalog.local.base import Double
from lambdalog.local.sqs import attributes as known
from lambdalog.local.sqs import browse, message, permissions, policies, rules, schema
from lambdalog.local.sqs.arrivals import Arrivals
from lambdalog.local.sqs.exchange import Changed, Durability, Exchange
from lambdalog.local.sqs.mailbox import OverLimit
from lambdalog.local.sqs.moves import RATE_MAX, parse_handle
from lambdalog.store.tables import Tables, transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from botocore.exceptions import ClientError

    from lambdalog.arn import Scope
    from lambdalog.clock import Clock
    from lambdalog.local.sqs.queue import Queue
    from lambdalog.local.sqs.rules import Breach

# A deleted queue's name is free again after a minute; a queue can be purged once a minute.
DELETED_MS: Final = 60_000
PURGE_MS: Final = 60_000
TAGS_MAX: Final = 50
# Looks that a client goes on with, of several pages each.
LOOKS_MAX: Final = 4
_NAMES: Final = {
    "AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist",
    "InvalidParameterValue": "InvalidParameterValueException",
    "MissingParameter": "MissingRequiredParameterException",
    "QueueAlreadyExists": "QueueNameExists",
}


class Sqs(Double):
    """A boto3-shaped SQS client on `<root>/queues.sqlite`.

    `durability` NORMAL survives the death of every process, FULL also a power cut; what reaches a dead-letter queue is always
    written as FULL says. Beyond AWS it has `peek_messages`.
    """

    service = "sqs"
    notes: ClassVar[dict[str, str]] = {
        "AddPermission": "Kept in the policy, and not enforced.",
        "CreateQueue": "Encryption attributes are kept; nothing is encrypted.",
        "DeleteQueue": "At once; AWS takes up to a minute.",
        "PurgeQueue": "At once; AWS takes up to a minute.",
        "ReceiveMessage": "Every message that can be received is; AWS samples its servers.",
        "RemovePermission": "Kept in the policy, and not enforced.",
        "SetQueueAttributes": "At once; AWS takes up to a minute.",
        "StartMessageMoveTask": "500 messages a second where no rate is given; without a worker: whoever uses one of the queues does what is due.",
    }

    def __init__(
        self, root: Path, *, scope: Scope, clock: Clock = SYSTEM, durability: Durability = "NORMAL"
    ) -> None:
        super().__init__(scope=scope, clock=clock)
        self._tables = Tables(
            root / "queues.sqlite",
            schema.SCHEMA,
            synchronous=durability,
            version=schema.VERSION,
            page_bytes=schema.PAGE_BYTES,
        )
        self._exchange = Exchange(self._tables, scope=scope, clock=clock, durability=durability)
        self._arrivals = Arrivals(root / "queues.sqlite", clock)
        # The rest of looks that were begun: (seq, visible_at) of messages, by token.
        self._looks: OrderedDict[str, tuple[array.array[int], array.array[int]]] = OrderedDict()

    def close(self) -> None:
        """End waits; close the database."""
        self._arrivals.close()
        self._tables.close()

    # --- queues

    def create_queue(
        self, *, QueueName: str, Attributes: dict[str, str] | None = None, tags: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """CreateQueue: the same name with the same attributes gives the queue that is there."""
        attributes = dict(Attributes or {})
        fifo = attributes.get("FifoQueue") == "true"
        self._check(known.check_name(QueueName, fifo=fifo))
        self._check(known.check(attributes, fifo=fifo, creating=True))
        self._check(known.check_together(attributes, fifo=fifo))
        self._check_tags(tags or {})
        self._check_target(QueueName, attributes)
        now = self.clock.now_ms()
        with transaction(self._db) as db:
            existing = self._exchange.catalog.find(QueueName)
            if existing is not None:
                there = known.effective(existing.attributes, fifo=fifo)
                for name, value in attributes.items():
                    if not _same(there.get(name, ""), value):
                        raise self.error(
                            "QueueAlreadyExists",
                            f"A queue already exists with the same name and a different value for attribute {name}",
                        )
                return {"QueueUrl": self._url(QueueName)}
            gone = db.execute(schema.DELETED, (QueueName,)).fetchone()
            if gone is not None and now - gone[0] < DELETED_MS:
                raise self.error(
                    "AWS.SimpleQueueService.QueueDeletedRecently",
                    "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
                )
            kept = known.merged({}, attributes)
            dead = any(
                queue.redrive is not None and queue.redrive.target == self.scope.queue(QueueName)
                for queue in self._exchange.catalog.by_prefix()
            )
            db.execute(
                schema.ADD_QUEUE,
                (QueueName, now, now, json.dumps(kept), json.dumps(tags or {}), now, int(dead)),
            )
            self._mark_target(db, kept)
        return {"QueueUrl": self._url(QueueName)}

    def get_queue_url(self, *, QueueName: str, QueueOwnerAWSAccountId: str | None = None) -> dict[str, Any]:
        """GetQueueUrl."""
        if QueueOwnerAWSAccountId not in {None, self.scope.account} or self._find(QueueName) is None:
            raise self._no_queue()
        return {"QueueUrl": self._url(QueueName)}

    def list_queues(
        self, *, QueueNamePrefix: str = "", NextToken: str | None = None, MaxResults: int | None = None
    ) -> dict[str, Any]:
        """ListQueues, by name: at most a thousand, and a token only where MaxResults is given."""
        names = [queue.name for queue in self._exchange.catalog.by_prefix(QueueNamePrefix)]
        names, token = self._page(names, NextToken, MaxResults)
        response: dict[str, Any] = {} if token is None else {"NextToken": token}
        return response | ({"QueueUrls": [self._url(name) for name in names]} if names else {})

    def delete_queue(self, *, QueueUrl: str) -> dict[str, Any]:
        """DeleteQueue, with its messages."""
        queue = self._fresh(QueueUrl)
        with transaction(self._db) as db:
            self._exchange.mailbox.empty(db, queue)
            db.execute("DELETE FROM dedup WHERE queue = ?", (queue.id,))
            db.execute(schema.REMOVE_QUEUE, (queue.id,))
            db.execute(schema.ADD_DELETED, (queue.name, self.clock.now_ms()))
        self._find(queue.name)
        return {}

    def purge_queue(self, *, QueueUrl: str) -> dict[str, Any]:
        """PurgeQueue: once a minute."""
        queue = self._fresh(QueueUrl)
        now = self.clock.now_ms()
        if queue.purged and now - queue.purged < PURGE_MS:
            raise self.error(
                "AWS.SimpleQueueService.PurgeQueueInProgress",
                f"Only one PurgeQueue operation on {queue.name} is allowed every 60 seconds.",
                status=403,
            )
        with transaction(self._db) as db:
            self._exchange.mailbox.empty(db, queue)
            db.execute(schema.SET_PURGED, (now, queue.id))
        return {}

    def get_queue_attributes(
        self, *, QueueUrl: str, AttributeNames: list[str] | None = None
    ) -> dict[str, Any]:
        """GetQueueAttributes."""
        queue = self._helped(self._fresh(QueueUrl))
        if not AttributeNames:
            return {}
        for name in AttributeNames:
            if name != "All" and name not in known.KNOWN:
                raise self.error("InvalidAttributeName", f"Unknown Attribute {name}.")
        wanted = set(known.KNOWN) if "All" in AttributeNames else set(AttributeNames)
        found = {
            "QueueArn": self.scope.queue(queue.name),
            "CreatedTimestamp": str(queue.created // 1000),
            "LastModifiedTimestamp": str(queue.modified // 1000),
            **known.effective(queue.attributes, fifo=queue.fifo),
        }
        if wanted & set(known.COUNTED):
            now = self.clock.now_ms()
            self._exchange.sweep(queue, now)
            counts = self._exchange.mailbox.counts(queue, now)
            found |= {name: str(count) for name, count in zip(known.COUNTED, counts, strict=True)}
        chosen = {name: value for name, value in found.items() if name in wanted}
        return {"Attributes": chosen} if chosen else {}

    def set_queue_attributes(self, *, QueueUrl: str, Attributes: dict[str, str]) -> dict[str, Any]:
        """SetQueueAttributes: an empty value brings the default back, or takes a policy away."""
        queue = self._fresh(QueueUrl)
        self._check(known.check(Attributes, fifo=queue.fifo, creating=False))
        self._check_target(queue.name, Attributes)
        with transaction(self._db) as db:
            queue = self._fresh(QueueUrl)
            self._check(known.check_together(queue.attributes | Attributes, fifo=queue.fifo))
            changed = known.merged(queue.attributes, Attributes)
            db.execute(schema.SET_ATTRIBUTES, (json.dumps(changed), self.clock.now_ms(), queue.id))
            self._mark_target(db, changed)
            if queue.fifo and "DelaySeconds" in Attributes:
                self._exchange.fifo.delay(db, queue, int(changed.get("DelaySeconds", 0)) * 1000)
        self._exchange.mailbox.unsweep(queue)
        return {}

    def list_dead_letter_source_queues(
        self, *, QueueUrl: str, NextToken: str | None = None, MaxResults: int | None = None
    ) -> dict[str, Any]:
        """ListDeadLetterSourceQueues: the queues whose redrive policy names this one."""
        arn = self.scope.queue(self._fresh(QueueUrl).name)
        queues = self._exchange.catalog.by_prefix()
        names = [queue.name for queue in queues if queue.redrive is not None and queue.redrive.target == arn]
        names, token = self._page(names, NextToken, MaxResults)
        response: dict[str, Any] = {"queueUrls": [self._url(name) for name in names]}
        return response if token is None else response | {"NextToken": token}

    # --- tags and permissions

    def tag_queue(self, *, QueueUrl: str, Tags: dict[str, str]) -> dict[str, Any]:
        """TagQueue."""
        with transaction(self._db) as db:
            queue = self._fresh(QueueUrl)
            tags = queue.tags | Tags
            self._check_tags(tags)
            db.execute(schema.SET_TAGS, (json.dumps(tags), queue.id))
        return {}

    def untag_queue(self, *, QueueUrl: str, TagKeys: list[str]) -> dict[str, Any]:
        """UntagQueue."""
        with transaction(self._db) as db:
            queue = self._fresh(QueueUrl)
            left = {key: value for key, value in queue.tags.items() if key not in TagKeys}
            db.execute(schema.SET_TAGS, (json.dumps(left), queue.id))
        return {}

    def list_queue_tags(self, *, QueueUrl: str) -> dict[str, Any]:
        """ListQueueTags."""
        tags = self._fresh(QueueUrl).tags
        return {"Tags": tags} if tags else {}

    def add_permission(
        self, *, QueueUrl: str, Label: str, AWSAccountIds: list[str], Actions: list[str]
    ) -> dict[str, Any]:
        """AddPermission: a statement more in the queue's policy."""
        arn = self.scope.queue(self._fresh(QueueUrl).name)
        self._change_policy(
            QueueUrl, lambda policy: permissions.add(policy, arn, Label, AWSAccountIds, Actions)
        )
        return {}

    def remove_permission(self, *, QueueUrl: str, Label: str) -> dict[str, Any]:
        """RemovePermission: a statement less, by its label."""
        self._change_policy(QueueUrl, lambda policy: permissions.remove(policy, Label))
        return {}

    def _change_policy(self, url: str, change: Callable[[str | None], str | Breach]) -> None:
        with transaction(self._db) as db:
            queue = self._fresh(url)
            policy = change(queue.attributes.get("Policy"))
            if not isinstance(policy, str):
                raise self.error(policy.code, policy.message)
            changed = known.merged(queue.attributes, {"Policy": policy})
            db.execute(schema.SET_ATTRIBUTES, (json.dumps(changed), self.clock.now_ms(), queue.id))

    # --- sending

    def send_message(self, *, QueueUrl: str, **entry: Any) -> dict[str, Any]:
        """SendMessage."""
        while True:
            queue = self._queue(QueueUrl)
            if queue.fifo or "MessageGroupId" in entry or "MessageDeduplicationId" in entry:
                self._check(rules.order(entry, fifo=queue.fifo, content_based=queue.content_based))
            self._check(self._exchange.refusal(queue, entry))
            try:
                return self._exchange.send(queue, (entry,))[0]
            except Changed:
                self._find(queue.name)

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        """SendMessageBatch: each entry succeeds or fails for itself."""
        self._queue(QueueUrl)
        self._check(rules.batch([entry["Id"] for entry in Entries]))
        total = sum(
            rules.size(entry["MessageBody"], entry.get("MessageAttributes") or {}) for entry in Entries
        )
        if total > rules.MESSAGE_MAX:
            raise self.error(
                "AWS.SimpleQueueService.BatchRequestTooLong",
                f"Batch requests cannot be longer than {rules.MESSAGE_MAX} bytes. You have sent {total} bytes.",
            )
        while True:
            queue = self._queue(QueueUrl)
            failed, accepted = [], []
            for entry in Entries:
                breach = rules.order(entry, fifo=queue.fifo, content_based=queue.content_based)
                if breach is not None:
                    # Groups, duplicates and delays that don't suit the queue fail the whole request.
                    raise self.error("InvalidParameterValue", breach.message)
                breach = self._exchange.refusal(queue, entry, batch=True)
                if breach is None:
                    accepted.append(entry)
                else:
                    failed.append(_failed(entry["Id"], breach))
            try:
                told = self._exchange.send(queue, accepted) if accepted else []
            except Changed:
                self._find(queue.name)
                continue
            return _batch_result(
                [{"Id": entry["Id"]} | one for entry, one in zip(accepted, told, strict=True)], failed
            )

    # --- receiving

    def receive_message(
        self,
        *,
        QueueUrl: str,
        AttributeNames: list[str] | None = None,
        MessageSystemAttributeNames: list[str] | None = None,
        MessageAttributeNames: list[str] | None = None,
        MaxNumberOfMessages: int = 1,
        VisibilityTimeout: int | None = None,
        WaitTimeSeconds: int | None = None,
        ReceiveRequestAttemptId: str | None = None,
    ) -> dict[str, Any]:
        """ReceiveMessage: up to ten messages, hidden from others for the visibility timeout."""
        queue = self._queue(QueueUrl)
        if not 1 <= MaxNumberOfMessages <= 10:
            self._check(rules.receive_count(MaxNumberOfMessages))
        if VisibilityTimeout is not None:
            self._check(rules.between("VisibilityTimeout", VisibilityTimeout, 0, 43_200))
        if WaitTimeSeconds is not None:
            self._check(rules.between("WaitTimeSeconds", WaitTimeSeconds, 0, 20))
        if ReceiveRequestAttemptId is not None:
            self._check(rules.identity("ReceiveRequestAttemptId", ReceiveRequestAttemptId))
        found = self._take(queue, MaxNumberOfMessages, VisibilityTimeout, ReceiveRequestAttemptId)
        waiting = queue.wait if WaitTimeSeconds is None else WaitTimeSeconds
        if not found and waiting:
            found = self._wait(
                queue.name, MaxNumberOfMessages, VisibilityTimeout, ReceiveRequestAttemptId, waiting
            )
        if not found:
            return {}
        wanted = {*(AttributeNames or ()), *(MessageSystemAttributeNames or ())}
        names = MessageAttributeNames or ()
        return {
            "Messages": [
                {"ReceiptHandle": handle} | message.shape(taken, self.scope.account, wanted, names)
                for taken, handle in found
            ]
        }

    def _take(
        self, queue: Queue, count: int, hidden: int | None, attempt: str | None
    ) -> list[tuple[message.Taken, str]]:
        while True:
            if queue.moving:
                queue = self._helped(queue)
            seconds = queue.visibility if hidden is None else hidden
            try:
                return self._exchange.receive(queue, count, seconds, attempt)
            except Changed:
                found = self._find(queue.name)
                if found is None:
                    raise self._no_queue() from None
                queue = found
            except OverLimit:
                raise self.error(
                    "OverLimit", "Too many messages in flight: the limit of a queue is 120000."
                ) from None

    def _wait(
        self, name: str, count: int, hidden: int | None, attempt: str | None, seconds: int
    ) -> list[tuple[message.Taken, str]]:
        """Wait for a message: ended by whatever is written, by whichever process."""
        until = self.clock.monotonic() + seconds
        while True:
            seen = self._arrivals.seen()
            queue = self._find(name)
            if queue is None:
                raise self._no_queue()
            due_now, next_due = self._exchange.waiting(queue)
            if (due_now or queue.moving) and (found := self._take(queue, count, hidden, attempt)):
                return found
            left = until - self.clock.monotonic()
            if left <= 0:
                return []
            if next_due is not None:
                left = min(left, max(next_due - self.clock.now_ms(), 1) / 1000)
            self._arrivals.wait(seen, left)

    def peek_messages(
        self, *, QueueUrl: str, MaxNumberOfMessages: int = 100, NextToken: str | None = None
    ) -> dict[str, Any]:
        """Look at messages, in flight or not, without taking them: nothing of AWS's.

        Messages as ReceiveMessage gives them with all attributes, without a receipt handle. A NextToken means more; all pages
        together are the messages that were there at the first, each once.
        """
        queue = self._helped(self._fresh(QueueUrl))
        look, _, after = (NextToken or "").partition(":")
        places = self._looks.pop(look, None)
        if places is None:
            rows = self._exchange.mailbox.places(queue, self.clock.now_ms(), int(after or 0))
            places = array.array("q", (seq for seq, _ in rows)), array.array("q", (at for _, at in rows))
        seqs, times = places
        page = list(zip(seqs[:MaxNumberOfMessages], times[:MaxNumberOfMessages], strict=True))
        response: dict[str, Any] = {
            "Messages": [
                message.shape(taken, self.scope.account, {"All"}, ["All"])
                for taken in self._exchange.mailbox.look(queue, page)
            ]
        }
        if len(seqs) > MaxNumberOfMessages:
            look = look or secrets.token_hex(8)
            self._looks[look] = seqs[MaxNumberOfMessages:], times[MaxNumberOfMessages:]
            while len(self._looks) > LOOKS_MAX:
                self._looks.popitem(last=False)
            response["NextToken"] = f"{look}:{page[-1][0]}"
        return response

    def browse_messages(self, *, QueueUrl: str) -> list[browse.Looked]:
        """Every message of a queue as it lies there, in flight or not, without taking any: nothing of AWS's."""
        queue = self._helped(self._fresh(QueueUrl))
        return browse.all_of(self._exchange.mailbox, queue, self.clock.now_ms())

    def take_messages(
        self, *, QueueUrl: str, MessageIds: Collection[str], VisibilityTimeout: int
    ) -> dict[str, Any]:
        """Receive chosen messages of a standard queue, those that can be received: nothing of AWS's.

        Messages as ReceiveMessage gives them with all attributes, however many; other messages are not touched.
        """
        queue = self._helped(self._fresh(QueueUrl))
        if queue.fifo:
            raise self.error("InvalidAddress", "Messages of a FIFO queue are received in their order.")
        now = self.clock.now_ms()
        taken = browse.claim(self._exchange.mailbox, queue, MessageIds, VisibilityTimeout * 1000, now)
        return {
            "Messages": [
                message.shape(found, self.scope.account, {"All"}, ["All"])
                | {"ReceiptHandle": message.handle_of(found, queue.id, now)}
                for found in taken
            ]
        }

    # --- deleting, and changing visibility

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> dict[str, Any]:
        """DeleteMessage: a stale handle of a standard queue succeeds, and deletes nothing."""
        self._check(self._exchange.delete(self._queue(QueueUrl), ReceiptHandle))
        return {}

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        """DeleteMessageBatch."""
        queue = self._queue(QueueUrl)
        self._check(rules.batch([entry["Id"] for entry in Entries]))
        breaches = self._exchange.delete_many(queue, [entry["ReceiptHandle"] for entry in Entries])
        return _each(Entries, breaches)

    def change_message_visibility(
        self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int
    ) -> dict[str, Any]:
        """ChangeMessageVisibility by the last handle of a message."""
        self._check(self._exchange.hide(self._fresh(QueueUrl), ReceiptHandle, VisibilityTimeout))
        return {}

    def change_message_visibility_batch(
        self, *, QueueUrl: str, Entries: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """ChangeMessageVisibilityBatch."""
        queue = self._fresh(QueueUrl)
        self._check(rules.batch([entry["Id"] for entry in Entries]))
        return _each(
            Entries,
            [
                self._exchange.hide(queue, entry["ReceiptHandle"], entry.get("VisibilityTimeout", 0))
                for entry in Entries
            ],
        )

    # --- move tasks

    def start_message_move_task(
        self,
        *,
        SourceArn: str,
        DestinationArn: str | None = None,
        MaxNumberOfMessagesPerSecond: int | None = None,
    ) -> dict[str, Any]:
        """StartMessageMoveTask from a dead-letter queue of a queue."""
        source = self._by_arn("SourceArn", SourceArn)
        queues = self._exchange.catalog.by_prefix()
        if not any(queue.redrive is not None and queue.redrive.target == SourceArn for queue in queues):
            raise self.error(
                "InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue."
            )
        if DestinationArn is not None:
            destination = self._by_arn("DestinationArn", DestinationArn)
            if destination.id == source.id:
                raise self.error(
                    "InvalidParameterValue", "Source queue arn and destination queue arn cannot be the same."
                )
            if destination.fifo != source.fifo:
                raise self.error(
                    "InvalidParameterValue",
                    "The source queue and destination queue must be of the same queue type.",
                )
        rate = MaxNumberOfMessagesPerSecond
        if rate is not None and not 1 <= rate <= RATE_MAX:
            raise self.error(
                "InvalidParameterValue",
                f"Value {rate} for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and "
                f"{RATE_MAX}, if provided.",
            )
        task = self._exchange.moves.start(source, DestinationArn or "", rate, self.clock.now_ms())
        if task is None:
            raise self.error(
                "InvalidParameterValue",
                "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
            )
        return {"TaskHandle": task.handle}

    def cancel_message_move_task(self, *, TaskHandle: str) -> dict[str, Any]:
        """CancelMessageMoveTask: what has moved stays moved."""
        known_handle = parse_handle(TaskHandle)
        if known_handle is None:
            raise self.error("InvalidParameterValue", "Value for parameter TaskHandle is invalid.")
        task_id, source = known_handle
        self._by_arn("SourceArn", source)
        task = self._exchange.moves.find(task_id)
        if task is None:
            raise self.error("ResourceNotFoundException", "Task does not exist.", status=404)
        done = self._exchange.moves.cancel(task, self.clock.now_ms())
        if done is None:
            raise self.error("InvalidParameterValue", "Only active tasks can be cancelled.")
        return {"ApproximateNumberOfMessagesMoved": done.moved}

    def list_message_move_tasks(self, *, SourceArn: str, MaxResults: int = 1) -> dict[str, Any]:
        """ListMessageMoveTasks of a source, newest first."""
        self._by_arn("SourceArn", SourceArn)
        if not 1 <= MaxResults <= 10:
            raise self.error(
                "InvalidParameterValue",
                f"Value {MaxResults} for parameter MaxResults is invalid. Reason: Must be between 1 and 10, if provided.",
            )
        self._exchange.moves.advance(self.clock.now_ms())
        tasks = self._exchange.moves.of_source(SourceArn, MaxResults)
        return {"Results": [task.shape() for task in tasks]} if tasks else {}

    # --- what operations share

    def error(self, code: str, message: str = "", *, status: int = 400, **fields: Any) -> ClientError:
        """SQS's errors bear two codes: the old query protocol's, and the name by which the exception class is found."""
        name = _NAMES.get(code, code.removeprefix("AWS.SimpleQueueService."))
        found = super().error(name, message, status=status, **fields)
        details: Any = found.response["Error"]
        details |= {"Code": code, "QueryErrorCode": name, "Type": "Sender"}
        return type(found)(found.response, found.operation_name)

    @property
    def _db(self) -> sqlite3.Connection:
        return self._tables.connection

    def unknown_operation(self, operation: str) -> ClientError:
        """What SQS says of an operation that it doesn't know."""
        return self.error("InvalidAction", f"The action {operation} is not valid for this endpoint.")

    def _no_queue(self) -> ClientError:
        return self.error("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")

    def _check(self, breach: Breach | None) -> None:
        if breach is not None:
            raise self.error(breach.code, breach.message)

    def _check_tags(self, tags: dict[str, str]) -> None:
        if len(tags) > TAGS_MAX:
            raise self.error(
                "InvalidParameterValue", f"Too many tags added for queue. Maximum allowed is {TAGS_MAX}."
            )

    def _check_target(self, name: str, attributes: dict[str, str]) -> None:
        """A redrive policy's target must be there, and allow it."""
        text = attributes.get("RedrivePolicy")
        redrive = policies.redrive(text)
        if text is None or redrive is None:
            return
        target = self._exchange.target(redrive.target)
        if target is None or redrive.target != self.scope.queue(target.name):
            self._check(policies.refused(text, "Dead letter target does not exist."))
        elif not policies.allows(target.attributes, self.scope.queue(name)):
            self._check(
                policies.refused(
                    text, "The dead-letter queue's redrive allow policy does not allow this source queue."
                )
            )

    @staticmethod
    def _mark_target(db: sqlite3.Connection, attributes: dict[str, str]) -> None:
        redrive = policies.redrive(attributes.get("RedrivePolicy"))
        if redrive is not None:
            db.execute(schema.SET_DEAD, (redrive.target.rpartition(":")[2],))

    def _url(self, name: str) -> str:
        return f"https://sqs.{self.scope.region}.amazonaws.com/{self.scope.account}/{name}"

    def _find(self, name: str) -> Queue | None:
        return self._exchange.catalog.find(name)

    def _queue(self, url: str) -> Queue:
        """The queue as it was last seen: whatever is done with it checks that it still is."""
        queue = self._exchange.catalog.remembered(url.rpartition("/")[2])
        if queue is None:
            raise self._no_queue()
        return queue

    def _fresh(self, url: str) -> Queue:
        queue = self._find(url.rpartition("/")[2])
        if queue is None:
            raise self._no_queue()
        return queue

    def _helped(self, queue: Queue) -> Queue:
        """Do what move tasks of this queue may by now; the queue after it."""
        if not queue.moving:
            return queue
        self._exchange.moves.advance(self.clock.now_ms())
        found = self._find(queue.name)
        if found is None:
            raise self._no_queue()
        return found

    def _by_arn(self, parameter: str, arn: str) -> Queue:
        try:
            parsed = Arn.parse(arn)
        except ValueError:
            parsed = None
        if parsed is None or parsed.service != "sqs":
            raise self.error(
                "InvalidParameterValue",
                f"You must use this format to specify the {parameter}: arn:<partition>:<service>:<region>:<account-id>:<resource-id>",
            )
        queue = self._find(parsed.resource)
        if queue is None or arn != self.scope.queue(queue.name):
            raise self.error(
                "ResourceNotFoundException",
                f"The resource that you specified for the {parameter} parameter doesn't exist.",
                status=404,
            )
        return queue

    def _page(self, names: list[str], token: str | None, most: int | None) -> tuple[list[str], str | None]:
        """One page of names, and the token of the next."""
        if most is not None and not 1 <= most <= 1000:
            raise self.error(
                "InvalidParameterValue",
                f"Value {most} for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000.",
            )
        if token is not None:
            if most is None:
                raise self.error(
                    "InvalidParameterValue", "NextToken can be specified only when MaxResults is specified."
                )
            try:
                after = base64.b64decode(token, validate=True).decode()
            except ValueError:
                raise self.error(
                    "InvalidParameterValue",
                    f"Value {token} for parameter NextToken is invalid. Reason: Invalid or expired next token.",
                ) from None
            names = [name for name in names if name > after]
        if most is None:
            return names[:1000], None
        following = base64.b64encode(names[most - 1].encode()).decode() if len(names) > most else None
        return names[:most], following


def _same(there: str, given: str) -> bool:
    """Whether an attribute has the value that is asked for; policies are compared as JSON."""
    if there == given:
        return True
    try:
        return bool(there and given) and bool(json.loads(there) == json.loads(given))
    except ValueError:
        return False


def _failed(entry_id: str, breach: Breach) -> dict[str, Any]:
    return {"Id": entry_id, "SenderFault": True, "Code": breach.code, "Message": breach.message}


def _each(entries: Sequence[dict[str, Any]], breaches: Sequence[Breach | None]) -> dict[str, Any]:
    pairs = list(zip(entries, breaches, strict=True))
    return _batch_result(
        [{"Id": entry["Id"]} for entry, breach in pairs if breach is None],
        [_failed(entry["Id"], breach) for entry, breach in pairs if breach is not None],
    )


def _batch_result(successful: list[Any], failed: list[Any]) -> dict[str, Any]:
    return ({"Successful": successful} if successful else {}) | ({"Failed": failed} if failed else {})
