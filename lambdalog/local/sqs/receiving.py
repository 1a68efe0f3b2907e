"""The operations of SQS that receive, wait, give back and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambdalog.local.sqs import batch, message, rules
from lambdalog.local.sqs.desk import Desk
from lambdalog.local.sqs.exchange import Changed
from lambdalog.local.sqs.mailbox import OverLimit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambdalog.local.sqs.queue import Queue


class ReceiveOperations(Desk):
    """Receiving, and what follows it."""

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
        if not found:
            # The queue's own wait may have been changed since it was looked up.
            waiting = self._fresh(QueueUrl).wait if WaitTimeSeconds is None else WaitTimeSeconds
            if waiting:
                found = self._wait(
                    queue.name, MaxNumberOfMessages, VisibilityTimeout, ReceiveRequestAttemptId, waiting
                )
        if not found:
            return {}
        return self._told(
            found,
            {*(AttributeNames or ()), *(MessageSystemAttributeNames or ())},
            MessageAttributeNames or (),
        )

    def _told(
        self, found: list[tuple[message.Taken, str]], wanted: set[str], names: Sequence[str]
    ) -> dict[str, Any]:
        account = self.scope.account
        return {"Messages": [message.shape(taken, account, wanted, names, handle) for taken, handle in found]}

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
        """Wait for a message: looks again at whatever is written, by whichever process."""
        until = self.clock.monotonic() + seconds
        ends = self._arrivals.ends
        while self._arrivals.ends == ends:
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
            if (unwritten := self.traffic.settle(self.clock.now_ms())) is not None:
                left = min(left, unwritten)
            self._arrivals.wait(seen, left)
        return []

    # --- deleting, and changing visibility

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> dict[str, Any]:
        """DeleteMessage: a stale handle of a standard queue succeeds, and deletes nothing."""
        deleted, breach = self._exchange.delete(self._queue(QueueUrl), ReceiptHandle)
        if not deleted:
            self._fresh(QueueUrl)  # of a queue that is gone nothing can be deleted
            self._check(breach)
        return {}

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        """DeleteMessageBatch."""
        queue = self._fresh(QueueUrl)
        self._check(rules.batch([entry["Id"] for entry in Entries]))
        breaches = self._exchange.delete_many(queue, [entry["ReceiptHandle"] for entry in Entries])
        return batch.each(Entries, breaches)

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
        return batch.each(
            Entries,
            [
                self._exchange.hide(queue, entry["ReceiptHandle"], entry.get("VisibilityTimeout", 0))
                for entry in Entries
            ],
        )
