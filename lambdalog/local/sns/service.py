"""SNS, as boto3's client has it: publishing, and what runs beside it."""

from __future__ import annotations

import hashlib
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lambdalog.lineage import caller_trace
from lambdalog.local.durability import durably, is_dead_letter
from lambdalog.local.sns import rules
from lambdalog.local.sns.courier import QUICK
from lambdalog.local.sns.envelope import Message
from lambdalog.local.sns.filter_policy import policy
from lambdalog.local.sns.subscriptions import SubscriptionOperations
from lambdalog.local.sns.topics import TopicOperations
from lambdalog.store.tables import transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from threading import Event

    from lambdalog.local.sns.filter_policy import FilterPolicy
    from lambdalog.local.sns.outbox import Delivery
    from lambdalog.local.sns.topic import Topic

# Duplicates are known for five minutes.
DEDUP_MS: Final = 300_000
# Loops for endpoints that take their time: one that hangs holds up a third of the others.
SLOW_LOOPS: Final = 3
# Filter policies that are kept ready.
POLICIES_MAX: Final = 1000


class Sns(TopicOperations, SubscriptionOperations):
    """A boto3-shaped SNS client on `<root>/topics.sqlite`.

    A publish is acknowledged when it is on disk, and has been tried once with queues, functions and the store's own files.
    HTTP, commands and retries are worked off by `background()`, where the store is served, or by `deliver()`.
    Beyond AWS there are the protocols `file` and `command`, `deliver` and `subscription_deliveries`.
    """

    notes: ClassVar[dict[str, str]] = {
        "AddPermission": "Kept in the policy, and not enforced.",
        "CreateTopic": "Encryption, tracing, archiving, feedback and data protection are kept, and do nothing.",
        "DeleteTopic": "At once, with its subscriptions.",
        "PutDataProtectionPolicy": "Kept, and not enforced.",
        "Publish": "To topics. Messages are not signed: Signature says so. What is sent over HTTP or to a command, and "
        "retries, wait until the store is served. Retries have no jitter.",
        "RemovePermission": "Kept in the policy, and not enforced.",
        "Subscribe": "Protocols `sqs`, `lambda`, `http`, `https`; beyond AWS `file` (a line for each message in "
        "`outbox/` of the store) and `command` (a JSON list of arguments; the message on standard input; only with "
        "LAMBDALOG_ALLOW_COMMANDS=1). Mail, SMS, mobile push and Firehose are refused. Filter policies also know "
        "`wildcard`, and take effect at once.",
    }

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._policies: dict[tuple[str, str], FilterPolicy] = {}

    def close(self) -> None:
        """End the loops' waits; close the database."""
        self._arrivals.close()
        self._tables.close()

    @property
    def home(self) -> str:
        """Where SNS is served: the address in the URLs that subscribers get."""
        return self._endpoints.home

    @home.setter
    def home(self, url: str) -> None:
        self._endpoints.home = url

    def end_waits(self) -> None:
        """Let what waits go on at once, with what there is."""
        self._arrivals.end()

    def background(self) -> Iterable[tuple[str, Callable[[Event], object]]]:
        """Deliveries: one loop for what is quick, some for HTTP and commands."""
        yield "topics", partial(self._courier.run, self._arrivals, quick=True)
        for number in range(SLOW_LOOPS):
            yield f"topics-{number}", partial(self._courier.run, self._arrivals, quick=False)

    def deliver(self) -> int:
        """Try everything that is due by now; how many attempts that were. Nothing of AWS's."""
        return self._courier.work(quick=True) + self._courier.work(quick=False)

    # --- publishing

    def publish(
        self,
        *,
        Message: str,
        TopicArn: str | None = None,
        TargetArn: str | None = None,
        PhoneNumber: str | None = None,
        **entry: Any,
    ) -> dict[str, Any]:
        """Publish to a topic."""
        entry["Message"] = Message
        self._check_entry(entry)
        arn = TargetArn if TopicArn is None else TopicArn
        if PhoneNumber is not None:
            raise self._invalid("PhoneNumber Reason: text messages are not sent from this machine")
        if arn is None:
            raise self._invalid("TopicArn or TargetArn Reason: no value for required parameter")
        topic = self._topic(arn, "TopicArn" if TopicArn is not None else "TargetArn")
        self._check(rules.order(entry, fifo=topic.fifo, content_based=topic.content_based))
        if rules.size(Message, entry.get("MessageAttributes") or {}) > topic.message_max:
            raise self._invalid("Message too long")
        return self._publish(topic, [entry])[0]

    def publish_batch(
        self, *, TopicArn: str, PublishBatchRequestEntries: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """PublishBatch: up to ten messages, together as large as one may be."""
        entries = PublishBatchRequestEntries
        topic = self._topic(TopicArn)
        self._check(rules.batch([entry["Id"] for entry in entries]))
        total = sum(rules.size(entry["Message"], entry.get("MessageAttributes") or {}) for entry in entries)
        self._check(rules.batch_size(total, topic.message_max))
        for entry in entries:
            self._check_entry(entry)
            self._check(rules.order(entry, fifo=topic.fifo, content_based=topic.content_based))
        told = self._publish(topic, entries)
        successful = [{"Id": entry["Id"]} | one for entry, one in zip(entries, told, strict=True)]
        return {"Successful": successful, "Failed": []}

    def _check_entry(self, entry: Mapping[str, Any]) -> None:
        """What holds for a message whatever its topic is."""
        self._check(rules.subject(entry.get("Subject")))
        if not entry["Message"]:
            raise self._invalid("Empty message")
        structure = entry.get("MessageStructure")
        if structure == "json":
            self._check(rules.structured(entry["Message"]))
        elif structure is not None:
            raise self._invalid("MessageStructure")
        self._check(rules.message_attributes(entry.get("MessageAttributes") or {}))

    def _publish(self, topic: Topic, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Put messages down, all or none, and deliver what takes no time; what Publish tells of each."""
        full = any(is_dead_letter(entry.get("MessageAttributes")) for entry in entries)
        now = self.clock.now_ms()
        db = self._catalog.db
        with durably(db, self._durability, full=full), transaction(db):
            # Once more: it may have been deleted or changed in between.
            topic = self._topic(topic.arn)
            put = [self._put(topic, entry, now) for entry in entries]
        self._courier.deliver([delivery for _, deliveries in put for delivery in deliveries])
        return [told for told, _ in put]

    def _put(self, topic: Topic, entry: Mapping[str, Any], now: int) -> tuple[dict[str, Any], list[Delivery]]:
        """Put one message down: what Publish tells of it, and what of it is to be delivered at once."""
        group, dedup, sequence = entry.get("MessageGroupId"), None, None
        if topic.fifo:
            dedup = (
                entry.get("MessageDeduplicationId") or hashlib.sha256(entry["Message"].encode()).hexdigest()
            )
            if (known := self._duplicate(topic, str(group), dedup, now)) is not None:
                return known, []
            sequence = self._sequence(topic.arn)
        message = Message(
            topic=topic.arn,
            id=str(uuid.uuid4()),
            at=now,
            text=entry["Message"],
            subject=entry.get("Subject"),
            attributes=entry.get("MessageAttributes") or {},
            structured=entry.get("MessageStructure") == "json",
            group=group,
            dedup=dedup,
            sequence=sequence,
            signature_version=topic.attributes.get("SignatureVersion", "1"),
            trace=caller_trace(),
        )
        to = [
            (found.arn, found.protocol in QUICK and not found.endpoint.startswith("/"))
            for found in self._catalog.subscriptions(topic.arn)
            if not found.pending and (found.filter is None or self._passes(found.filter, message))
        ]
        deliveries = self._outbox.add(message, to, now, ordered=topic.fifo)
        if sequence is None:
            return {"MessageId": message.id}, deliveries
        self._remember(topic, message, now)
        return {"MessageId": message.id, "SequenceNumber": sequence}, deliveries

    def _passes(self, found: tuple[str, str], message: Message) -> bool:
        """Whether a filter policy takes a message."""
        made = self._policies.get(found)
        if made is None:
            if len(self._policies) >= POLICIES_MAX:
                self._policies.clear()
            made = self._policies[found] = policy(*found)
        return made.takes(message.text, message.attributes)

    # --- FIFO topics

    def _duplicate(self, topic: Topic, group: str, dedup: str, now: int) -> dict[str, Any] | None:
        """What was told of a message with this deduplication id within five minutes."""
        db = self._catalog.db
        db.execute("DELETE FROM dedup WHERE topic = ? AND at <= ?", (topic.arn, now - DEDUP_MS))
        row = db.execute(
            "SELECT message_id, sequence FROM dedup WHERE topic = ? AND scope = ? AND id = ?",
            (topic.arn, _scope(topic, group), dedup),
        ).fetchone()
        return None if row is None else {"MessageId": row[0], "SequenceNumber": row[1]}

    def _remember(self, topic: Topic, message: Message, now: int) -> None:
        self._catalog.db.execute(
            "INSERT OR REPLACE INTO dedup (topic, scope, id, at, message_id, sequence) VALUES (?, ?, ?, ?, ?, ?)",
            (topic.arn, _scope(topic, str(message.group)), message.dedup, now, message.id, message.sequence),
        )

    def _sequence(self, arn: str) -> str:
        (number,) = self._catalog.db.execute(
            "UPDATE topics SET sequence = sequence + 1 WHERE arn = ? RETURNING sequence", (arn,)
        ).fetchone()
        # Twenty digits, as AWS's.
        return str(10**19 + int(number))


def _scope(topic: Topic, group: str) -> str:
    return f"g{group}" if topic.dedup_by_group else ""
