"""The operations of SQS, for standard queues."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import orjson

from lambdalog.clock import SYSTEM
from lambdalog.local.base import Double
from lambdalog.local.sqs import digests, rules, schema
from lambdalog.store.tables import Tables, transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from botocore.exceptions import ClientError

    from lambdalog.arn import Scope
    from lambdalog.clock import Clock
    from lambdalog.local.sqs.rules import Breach

# A deleted queue's name is free again after a minute; a queue can be purged once a minute.
DELETED_MS: Final = 60_000
PURGE_MS: Final = 60_000
# How often a waiting receive looks again.
LOOK_SECONDS: Final = 0.02
_NAMES: Final = {
    "AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist",
    "InvalidParameterValue": "InvalidParameterValueException",
    "MissingParameter": "MissingRequiredParameterException",
    "QueueAlreadyExists": "QueueNameExists",
}


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue's row."""

    id: int
    name: str
    created: int
    modified: int
    attributes: dict[str, str]
    tags: dict[str, str]
    purged: int

    def number(self, name: str) -> int:
        """A numeric attribute, or its default."""
        return int(self.attributes.get(name, rules.NUMBERS[name][0]))

    @property
    def redrive(self) -> tuple[str, int] | None:
        """(dead-letter queue's ARN, maxReceiveCount), or None."""
        policy = self.attributes.get("RedrivePolicy")
        if not policy:
            return None
        found = json.loads(policy)
        return found["deadLetterTargetArn"], int(found["maxReceiveCount"])


class Sqs(Double):
    """A boto3-shaped SQS client on `<root>/queues.sqlite`. Durable against the death of a process.

    Beyond AWS it has `peek_messages`.
    """

    service = "sqs"
    notes: ClassVar[dict[str, str]] = {
        "CreateQueue": "Standard queues; FIFO queues are refused.",
        "ReceiveMessage": "A waiting receive looks again each 20 ms.",
    }

    def __init__(self, root: Path, *, scope: Scope, clock: Clock = SYSTEM) -> None:
        super().__init__(scope=scope, clock=clock)
        self._tables = Tables(root / "queues.sqlite", schema.SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._tables.close()

    # --- queues

    def create_queue(
        self, *, QueueName: str, Attributes: dict[str, str] | None = None, tags: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """CreateQueue: the same name with the same attributes gives the queue that is there."""
        attributes = dict(Attributes or {})
        if QueueName.endswith(".fifo"):
            raise self.error(
                "AWS.SimpleQueueService.UnsupportedOperation", "FIFO queues are not supported here yet."
            )
        self._check(rules.queue_name(QueueName))
        self._check(rules.queue_attributes(attributes))
        self._check_redrive(attributes)
        now = self.clock.now_ms()
        with transaction(self._db) as db:
            existing = self._find(QueueName)
            if existing is not None:
                for name, value in attributes.items():
                    if self._effective(existing, name) != value:
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
            db.execute(
                schema.ADD_QUEUE, (QueueName, now, now, json.dumps(attributes), json.dumps(tags or {}))
            )
        return {"QueueUrl": self._url(QueueName)}

    def get_queue_url(self, *, QueueName: str, QueueOwnerAWSAccountId: str | None = None) -> dict[str, Any]:
        """GetQueueUrl."""
        del QueueOwnerAWSAccountId
        if self._find(QueueName) is None:
            raise self._no_queue()
        return {"QueueUrl": self._url(QueueName)}

    def list_queues(
        self, *, QueueNamePrefix: str = "", NextToken: str | None = None, MaxResults: int | None = None
    ) -> dict[str, Any]:
        """ListQueues, by name; pages only where MaxResults is given."""
        names = [queue.name for queue in self._list(QueueNamePrefix)]
        if NextToken is not None:
            names = [name for name in names if name > base64.b64decode(NextToken).decode()]
        response: dict[str, Any] = {}
        if MaxResults is not None and len(names) > MaxResults:
            names = names[:MaxResults]
            response["NextToken"] = base64.b64encode(names[-1].encode()).decode()
        if names:
            response["QueueUrls"] = [self._url(name) for name in names]
        return response

    def delete_queue(self, *, QueueUrl: str) -> dict[str, Any]:
        """DeleteQueue, with its messages."""
        queue = self._queue(QueueUrl)
        with transaction(self._db) as db:
            db.execute(schema.PURGE_STATE, (queue.id,))
            db.execute(schema.PURGE_BODIES, (queue.id,))
            db.execute(schema.REMOVE_QUEUE, (queue.id,))
            db.execute(schema.ADD_DELETED, (queue.name, self.clock.now_ms()))
        return {}

    def purge_queue(self, *, QueueUrl: str) -> dict[str, Any]:
        """PurgeQueue: once a minute."""
        queue = self._queue(QueueUrl)
        now = self.clock.now_ms()
        if now - queue.purged < PURGE_MS:
            raise self.error(
                "AWS.SimpleQueueService.PurgeQueueInProgress",
                f"Only one PurgeQueue operation on {queue.name} is allowed every 60 seconds.",
                status=403,
            )
        with transaction(self._db) as db:
            db.execute(schema.PURGE_STATE, (queue.id,))
            db.execute(schema.PURGE_BODIES, (queue.id,))
            db.execute(schema.PURGED, (now, queue.id))
        return {}

    def get_queue_attributes(
        self, *, QueueUrl: str, AttributeNames: list[str] | None = None
    ) -> dict[str, Any]:
        """GetQueueAttributes."""
        queue = self._queue(QueueUrl)
        if not AttributeNames:
            return {}
        now = self.clock.now_ms()
        self._expire(queue, now)
        visible, flying, delayed = self._db.execute(schema.COUNTS, {"now": now, "queue": queue.id}).fetchone()
        known = {
            "QueueArn": self.scope.queue(queue.name),
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(flying),
            "ApproximateNumberOfMessagesDelayed": str(delayed),
            "CreatedTimestamp": str(queue.created // 1000),
            "LastModifiedTimestamp": str(queue.modified // 1000),
            **{name: str(default) for name, (default, _, _) in rules.NUMBERS.items()},
            "SqsManagedSseEnabled": "true",
            **queue.attributes,
        }
        if "All" in AttributeNames:
            return {"Attributes": known}
        for name in AttributeNames:
            if name not in known and name not in rules.OTHERS | rules.FIFO_ONLY:
                raise self.error("InvalidAttributeName", f"Unknown Attribute {name}.")
        chosen = {name: known[name] for name in AttributeNames if name in known}
        return {"Attributes": chosen} if chosen else {}

    def set_queue_attributes(self, *, QueueUrl: str, Attributes: dict[str, str]) -> dict[str, Any]:
        """SetQueueAttributes; an empty RedrivePolicy takes it away."""
        queue = self._queue(QueueUrl)
        self._check(rules.queue_attributes({name: value for name, value in Attributes.items() if value}))
        self._check_redrive(Attributes)
        changed = {name: value for name, value in (queue.attributes | Attributes).items() if value}
        self._db.execute(schema.SET_ATTRIBUTES, (json.dumps(changed), self.clock.now_ms(), queue.id))
        return {}

    def list_dead_letter_source_queues(
        self, *, QueueUrl: str, NextToken: str | None = None, MaxResults: int | None = None
    ) -> dict[str, Any]:
        """ListDeadLetterSourceQueues: the queues whose redrive policy names this one."""
        del NextToken, MaxResults
        arn = self.scope.queue(self._queue(QueueUrl).name)
        sources = [queue.name for queue in self._list("") if queue.redrive and queue.redrive[0] == arn]
        return {"queueUrls": [self._url(name) for name in sources]}

    def tag_queue(self, *, QueueUrl: str, Tags: dict[str, str]) -> dict[str, Any]:
        """TagQueue."""
        queue = self._queue(QueueUrl)
        self._db.execute(schema.SET_TAGS, (json.dumps(queue.tags | Tags), queue.id))
        return {}

    def untag_queue(self, *, QueueUrl: str, TagKeys: list[str]) -> dict[str, Any]:
        """UntagQueue."""
        queue = self._queue(QueueUrl)
        left = {key: value for key, value in queue.tags.items() if key not in TagKeys}
        self._db.execute(schema.SET_TAGS, (json.dumps(left), queue.id))
        return {}

    def list_queue_tags(self, *, QueueUrl: str) -> dict[str, Any]:
        """ListQueueTags."""
        tags = self._queue(QueueUrl).tags
        return {"Tags": tags} if tags else {}

    # --- sending

    def send_message(
        self,
        *,
        QueueUrl: str,
        MessageBody: str,
        DelaySeconds: int | None = None,
        MessageAttributes: dict[str, Any] | None = None,
        MessageSystemAttributes: dict[str, Any] | None = None,
        MessageDeduplicationId: str | None = None,
        MessageGroupId: str | None = None,
    ) -> dict[str, Any]:
        """SendMessage."""
        queue = self._queue(QueueUrl)
        del MessageDeduplicationId
        entry: dict[str, Any] = {"MessageBody": MessageBody, "MessageAttributes": MessageAttributes or {}}
        entry |= {"DelaySeconds": DelaySeconds, "MessageSystemAttributes": MessageSystemAttributes or {}}
        entry["MessageGroupId"] = MessageGroupId
        self._check(self._refusal(queue, entry))
        with transaction(self._db) as db:
            return self._add(db, queue, entry)

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        """SendMessageBatch: each entry succeeds or fails for itself."""
        queue = self._queue(QueueUrl)
        self._check(rules.batch([entry["Id"] for entry in Entries]))
        total = sum(rules.size(entry["MessageBody"], entry.get("MessageAttributes", {})) for entry in Entries)
        if total > rules.MESSAGE_MAX:
            raise self.error(
                "AWS.SimpleQueueService.BatchRequestTooLong",
                f"Batch requests cannot be longer than {rules.MESSAGE_MAX} bytes. You have sent {total} bytes.",
            )
        successful, failed = [], []
        with transaction(self._db) as db:
            for entry in Entries:
                breach = self._refusal(queue, entry)
                if breach is None:
                    successful.append({"Id": entry["Id"]} | self._add(db, queue, entry))
                else:
                    failed.append(_failed(entry["Id"], breach))
        return _batch_result(successful, failed)

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
        del ReceiveRequestAttemptId
        queue = self._queue(QueueUrl)
        self._check(rules.receive_count(MaxNumberOfMessages))
        hidden = queue.number("VisibilityTimeout") if VisibilityTimeout is None else VisibilityTimeout
        self._check(rules.between("VisibilityTimeout", hidden, 0, 43_200))
        waiting = (
            queue.number("ReceiveMessageWaitTimeSeconds") if WaitTimeSeconds is None else WaitTimeSeconds
        )
        self._check(rules.between("WaitTimeSeconds", waiting, 0, 20))
        wanted = set(AttributeNames or []) | set(MessageSystemAttributeNames or [])
        until = self.clock.monotonic() + waiting
        while True:
            found = self._claim(queue, MaxNumberOfMessages, hidden)
            left = until - self.clock.monotonic()
            if found or left <= 0:
                break
            self.clock.sleep(min(LOOK_SECONDS, left))
        messages = [self._shape(row, wanted, MessageAttributeNames or []) for row in found]
        return {"Messages": messages} if messages else {}

    def peek_messages(
        self, *, QueueUrl: str, MaxNumberOfMessages: int = 100, NextToken: str | None = None
    ) -> dict[str, Any]:
        """Look at messages, in flight or not, without taking them: nothing of AWS's.

        Messages as ReceiveMessage gives them with all attributes, without a receipt handle. A NextToken means more.
        """
        queue = self._queue(QueueUrl)
        self._expire(queue, self.clock.now_ms())
        rows = self._db.execute(
            schema.PEEK, (queue.id, int(NextToken or 0), MaxNumberOfMessages + 1)
        ).fetchall()
        messages = []
        for seq, *body, receives, _ in rows[:MaxNumberOfMessages]:
            shaped = self._shape(_Taken(seq, receives, "", *body), {"All"}, ["All"])
            del shaped["ReceiptHandle"]
            messages.append(shaped)
        response: dict[str, Any] = {"Messages": messages}
        if len(rows) > MaxNumberOfMessages:
            response["NextToken"] = str(rows[MaxNumberOfMessages - 1][0])
        return response

    # --- deleting, and changing visibility

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> dict[str, Any]:
        """DeleteMessage: a stale handle of a standard queue succeeds, and deletes nothing."""
        queue = self._queue(QueueUrl)
        self._check(self._delete(queue, ReceiptHandle))
        return {}

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        """DeleteMessageBatch."""
        queue = self._queue(QueueUrl)
        self._check(rules.batch([entry["Id"] for entry in Entries]))
        return self._each(Entries, lambda entry: self._delete(queue, entry["ReceiptHandle"]))

    def change_message_visibility(
        self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int
    ) -> dict[str, Any]:
        """ChangeMessageVisibility of a message in flight."""
        queue = self._queue(QueueUrl)
        self._check(self._hide(queue, ReceiptHandle, VisibilityTimeout))
        return {}

    def change_message_visibility_batch(
        self, *, QueueUrl: str, Entries: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """ChangeMessageVisibilityBatch."""
        queue = self._queue(QueueUrl)
        self._check(rules.batch([entry["Id"] for entry in Entries]))
        return self._each(
            Entries,
            lambda entry: self._hide(queue, entry["ReceiptHandle"], entry.get("VisibilityTimeout", 0)),
        )

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

    def _check_redrive(self, attributes: dict[str, str]) -> None:
        text = attributes.get("RedrivePolicy")
        if not text:
            return
        reason = f"Value {text} for parameter RedrivePolicy is invalid. Reason: "
        try:
            policy = json.loads(text)
            arn, most = policy["deadLetterTargetArn"], int(policy["maxReceiveCount"])
        except (ValueError, KeyError, TypeError):
            raise self.error(
                "InvalidParameterValue", f"{reason}Redrive policy is not a valid JSON map."
            ) from None
        if not 1 <= most <= 1000:
            raise self.error(
                "InvalidParameterValue",
                f"{reason}Invalid value for maxReceiveCount: {most}, valid values are from 1 to 1000 both inclusive.",
            )
        if self._find(arn.rpartition(":")[2]) is None:
            raise self.error("InvalidParameterValue", f"{reason}Dead letter target does not exist.")

    def _url(self, name: str) -> str:
        return f"https://sqs.{self.scope.region}.amazonaws.com/{self.scope.account}/{name}"

    def _find(self, name: str) -> Queue | None:
        row = self._db.execute(schema.QUEUE, (name,)).fetchone()
        return None if row is None else _queue_of(row)

    def _list(self, prefix: str) -> list[Queue]:
        return [_queue_of(row) for row in self._db.execute(schema.QUEUES, (prefix, prefix + "\U0010ffff"))]

    def _queue(self, url: str) -> Queue:
        queue = self._find(url.rpartition("/")[2])
        if queue is None:
            raise self._no_queue()
        return queue

    def _effective(self, queue: Queue, name: str) -> str | None:
        if name in queue.attributes:
            return queue.attributes[name]
        return str(rules.NUMBERS[name][0]) if name in rules.NUMBERS else None

    def _refusal(self, queue: Queue, entry: dict[str, Any]) -> Breach | None:
        delay = entry.get("DelaySeconds")
        if delay is not None and (breach := rules.between("DelaySeconds", delay, 0, 900)) is not None:
            return breach
        return rules.message(
            entry["MessageBody"], entry.get("MessageAttributes", {}), queue.number("MaximumMessageSize")
        )

    def _add(self, db: sqlite3.Connection, queue: Queue, entry: dict[str, Any]) -> dict[str, Any]:
        now = self.clock.now_ms()
        attributes = entry.get("MessageAttributes") or {}
        system = {"SenderId": self.scope.account}
        for name, value in (entry.get("MessageSystemAttributes") or {}).items():
            system[name] = value["StringValue"]
        if entry.get("MessageGroupId"):
            system["MessageGroupId"] = entry["MessageGroupId"]
        delay = entry.get("DelaySeconds")
        delay = queue.number("DelaySeconds") if delay is None else delay
        message_id = str(uuid.uuid4())
        md5 = digests.of_text(entry["MessageBody"])
        row = (
            queue.id,
            message_id,
            entry["MessageBody"],
            md5,
            _dump(attributes),
            json.dumps(system),
            now,
            None,
        )
        seq = db.execute(schema.ADD_BODY, row).lastrowid
        db.execute(schema.ADD_STATE, (queue.id, now + delay * 1000, seq, 0))
        sent = {"MD5OfMessageBody": md5, "MessageId": message_id}
        if attributes:
            sent["MD5OfMessageAttributes"] = digests.of_attributes(attributes)
        return sent

    def _claim(self, queue: Queue, count: int, hidden: int) -> list[_Taken]:
        now = self.clock.now_ms()
        self._expire(queue, now)
        db = self._db
        # Looking costs no lock; only who sees something asks for it.
        if db.execute(schema.DUE, (queue.id, now, 1)).fetchone() is None:
            return []
        taken: list[_Taken] = []
        with transaction(db):
            redrive = queue.redrive
            for visible_at, seq, receives in db.execute(schema.DUE, (queue.id, now, count)).fetchall():
                db.execute(schema.REMOVE_STATE, (queue.id, visible_at, seq))
                if (
                    redrive is not None
                    and receives >= redrive[1]
                    and self._bury(db, queue, seq, receives, redrive[0], now)
                ):
                    continue
                receipt = secrets.token_urlsafe(24)
                db.execute(schema.CLAIM, (queue.id, now + hidden * 1000, seq, receives + 1, receipt))
                db.execute(schema.FIRST_RECEIVED, (now, seq))
                body = db.execute(schema.BODY, (seq,)).fetchone()
                taken.append(_Taken(seq, receives + 1, receipt, *body))
        return taken

    def _bury(
        self, db: sqlite3.Connection, queue: Queue, seq: int, receives: int, arn: str, now: int
    ) -> bool:
        """Move a message to the dead-letter queue: id, attributes and enqueue time stay, the count goes on."""
        target = self._find(arn.rpartition(":")[2])
        if target is None:
            return False
        (system,) = db.execute("SELECT system FROM bodies WHERE seq = ?", (seq,)).fetchone()
        marked = json.loads(system) | {"DeadLetterQueueSourceArn": self.scope.queue(queue.name)}
        db.execute(schema.MOVE_BODY, (target.id, json.dumps(marked), seq))
        db.execute(schema.ADD_STATE, (target.id, now, seq, receives))
        return True

    def _expire(self, queue: Queue, now: int) -> None:
        oldest = now - queue.number("MessageRetentionPeriod") * 1000
        expired = self._db.execute(schema.EXPIRED + " LIMIT 1", (queue.id, oldest)).fetchone()
        if expired is None:
            return
        with transaction(self._db) as db:
            for (seq,) in db.execute(schema.EXPIRED, (queue.id, oldest)).fetchall():
                db.execute(schema.REMOVE_STATE_OF, (seq,))
                db.execute(schema.REMOVE_BODY, (seq,))

    def _handle(self, handle: str) -> tuple[int, str] | None:
        try:
            seq, receipt = base64.urlsafe_b64decode(handle.encode()).decode().split(":", 1)
            return int(seq), receipt
        except ValueError:
            return None

    def _bad_handle(self) -> Breach:
        return rules.Breach("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")

    def _delete(self, queue: Queue, handle: str) -> Breach | None:
        known = self._handle(handle)
        if known is None:
            return self._bad_handle()
        seq, receipt = known
        with transaction(self._db) as db:
            row = db.execute(schema.STATE_OF, (queue.id, seq)).fetchone()
            if row is not None and row[2] == receipt:
                db.execute(schema.REMOVE_STATE, (queue.id, row[0], seq))
                db.execute(schema.REMOVE_BODY, (seq,))
        return None

    def _hide(self, queue: Queue, handle: str, seconds: int) -> Breach | None:
        if (breach := rules.between("VisibilityTimeout", seconds, 0, 43_200)) is not None:
            return breach
        known = self._handle(handle)
        if known is None:
            return self._bad_handle()
        seq, receipt = known
        now = self.clock.now_ms()
        with transaction(self._db) as db:
            row = db.execute(schema.STATE_OF, (queue.id, seq)).fetchone()
            if row is None or row[2] != receipt or row[0] <= now:
                return rules.Breach(
                    "InvalidParameterValue",
                    f"Value {handle} for parameter ReceiptHandle is invalid. Reason: "
                    "Message does not exist or is not available for visibility timeout change.",
                )
            db.execute(schema.REMOVE_STATE, (queue.id, row[0], seq))
            db.execute(schema.CLAIM, (queue.id, now + seconds * 1000, seq, row[1], receipt))
        return None

    def _each(self, entries: Sequence[dict[str, Any]], work: Any) -> dict[str, Any]:
        successful, failed = [], []
        for entry in entries:
            breach = work(entry)
            if breach is None:
                successful.append({"Id": entry["Id"]})
            else:
                failed.append(_failed(entry["Id"], breach))
        return _batch_result(successful, failed)

    def _shape(self, taken: _Taken, wanted: set[str], attribute_names: list[str]) -> dict[str, Any]:
        system = json.loads(taken.system) | {
            "SentTimestamp": str(taken.sent),
            "ApproximateReceiveCount": str(taken.receives),
        }
        if taken.first_received is not None:
            system["ApproximateFirstReceiveTimestamp"] = str(taken.first_received)
        message: dict[str, Any] = {
            "MessageId": taken.message_id,
            "ReceiptHandle": base64.urlsafe_b64encode(f"{taken.seq}:{taken.receipt}".encode()).decode(),
            "MD5OfBody": taken.md5,
            "Body": taken.body,
        }
        chosen = {name: value for name, value in system.items() if "All" in wanted or name in wanted}
        if chosen:
            message["Attributes"] = chosen
        attributes = {
            name: value for name, value in _load(taken.attributes).items() if _named(name, attribute_names)
        }
        if attributes:
            message["MessageAttributes"] = attributes
            message["MD5OfMessageAttributes"] = digests.of_attributes(attributes)
        return message


@dataclass(frozen=True, slots=True)
class _Taken:
    """A message as a receive finds it."""

    seq: int
    receives: int
    receipt: str
    message_id: str
    body: str
    md5: str
    attributes: str
    system: str
    sent: int
    first_received: int | None


def _queue_of(row: tuple[Any, ...]) -> Queue:
    number, name, created, modified, attributes, tags, purged = row
    return Queue(number, name, created, modified, json.loads(attributes), json.loads(tags), purged)


def _failed(entry_id: str, breach: Breach) -> dict[str, Any]:
    return {"Id": entry_id, "SenderFault": True, "Code": breach.code, "Message": breach.message}


def _batch_result(successful: list[Any], failed: list[Any]) -> dict[str, Any]:
    return ({"Successful": successful} if successful else {}) | ({"Failed": failed} if failed else {})


def _named(name: str, patterns: list[str]) -> bool:
    """Whether MessageAttributeNames asks for it: All, .*, a name, or a prefix as `foo.*`."""
    return any(
        pattern in {"All", ".*", name} or (pattern.endswith(".*") and name.startswith(pattern[:-2]))
        for pattern in patterns
    )


def _dump(attributes: dict[str, Any]) -> str:
    return orjson.dumps(
        attributes, default=lambda value: {"base64": base64.b64encode(bytes(value)).decode()}
    ).decode()


def _load(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    for value in found.values():
        if isinstance(value.get("BinaryValue"), dict):
            value["BinaryValue"] = base64.b64decode(value["BinaryValue"]["base64"])
    return found
