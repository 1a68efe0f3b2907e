"""The operations of SQS that send."""

from __future__ import annotations

from typing import Any

from lambdalog.local.sqs import batch, rules
from lambdalog.local.sqs.desk import Desk
from lambdalog.local.sqs.exchange import Changed


class SendOperations(Desk):
    """Sending."""

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
                    failed.append(batch.failed(entry["Id"], breach))
            try:
                told = self._exchange.send(queue, accepted) if accepted else []
            except Changed:
                self._find(queue.name)
                continue
            return batch.result(
                [{"Id": entry["Id"]} | one for entry, one in zip(accepted, told, strict=True)], failed
            )
