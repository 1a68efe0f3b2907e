"""The operations of SQS that send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambdalog.local.sqs import batch, rules
from lambdalog.local.sqs.desk import Desk
from lambdalog.local.sqs.exchange import Changed
from lambdalog.local.sqs.rules import Breach

if TYPE_CHECKING:
    from lambdalog.local.sqs.queue import Queue


class SendOperations(Desk):
    """Sending."""

    def send_message(self, *, QueueUrl: str, **entry: Any) -> dict[str, Any]:
        """SendMessage."""
        queue = self._queue(QueueUrl)
        while True:
            breach = None
            if queue.fifo or "MessageGroupId" in entry or "MessageDeduplicationId" in entry:
                breach = rules.order(entry, fifo=queue.fifo, content_based=queue.content_based)
            breach = breach or self._exchange.refusal(queue, entry)
            if breach is None:
                try:
                    return self._exchange.send_one(queue, entry)
                except Changed:
                    queue = self._fresh(QueueUrl)
                    continue
            queue = self._stale(queue, QueueUrl, breach)

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        """SendMessageBatch: each entry succeeds or fails for itself."""
        queue = self._queue(QueueUrl)
        self._check(rules.batch([entry["Id"] for entry in Entries]))
        total = sum(
            rules.size(entry["MessageBody"], entry.get("MessageAttributes") or {}) for entry in Entries
        )
        self._check(rules.batch_size(total))
        while True:
            failed, accepted = [], []
            wrong = None
            for entry in Entries:
                breach = None
                if queue.fifo or "MessageGroupId" in entry or "MessageDeduplicationId" in entry:
                    breach = rules.order(entry, fifo=queue.fifo, content_based=queue.content_based)
                if breach is not None:
                    # Groups, duplicates and delays that don't suit the queue fail the whole request.
                    wrong = Breach("InvalidParameterValue", breach.message)
                    break
                breach = self._exchange.refusal(queue, entry, batch=True)
                if breach is None:
                    accepted.append(entry)
                else:
                    failed.append(batch.failed(entry["Id"], breach))
            if wrong is not None:
                queue = self._stale(queue, QueueUrl, wrong)
                continue
            if failed and (now := self._fresh(QueueUrl)).version != queue.version:
                queue = now
                continue
            try:
                told = self._exchange.send(queue, accepted) if accepted else []
            except Changed:
                queue = self._fresh(QueueUrl)
                continue
            return batch.result(
                [{"Id": entry["Id"]} | one for entry, one in zip(accepted, told, strict=True)], failed
            )

    def _stale(self, queue: Queue, url: str, breach: Breach) -> Queue:
        """The queue as it is now, if it has changed since it was looked up; else what it refuses is refused."""
        now = self._fresh(url)
        if now.version == queue.version:
            raise self.error(breach.code, breach.message)
        return now
