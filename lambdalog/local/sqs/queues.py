"""The operations of SQS on queues: made, found, changed, emptied, deleted."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.sqs import attributes as known
from lambdalog.local.sqs import policies, schema
from lambdalog.local.sqs.desk import Desk
from lambdalog.store.tables import transaction

if TYPE_CHECKING:
    import sqlite3

# A deleted queue's name is free again after a minute; a queue can be purged once a minute.
DELETED_MS: Final = 60_000
PURGE_MS: Final = 60_000


class QueueOperations(Desk):
    """Queues."""

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
            if self._exchange.mailbox.sweep_due(queue, now):
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
