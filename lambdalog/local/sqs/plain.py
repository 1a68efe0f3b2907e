"""Sending, receiving and deleting on the shortest way.

Most messages are a body that goes to a standard queue, is received, and is deleted. SQLite's three commits for it take as
long as it takes to check and to answer three calls in the general way, which knows every parameter and every kind of queue.
So what is plain is done here, in few steps. Whatever is not plain, is wrong, or finds something else than it expects goes the
general way, as if it had not been here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.base import metadata, whole
from lambdalog.local.sqs import rules
from lambdalog.local.sqs.exchange import Changed
from lambdalog.local.sqs.mailbox import OverLimit
from lambdalog.local.sqs.receiving import ReceiveOperations
from lambdalog.local.sqs.sending import SendOperations

if TYPE_CHECKING:
    from lambdalog.local.sqs.queue import Queue

_TYPES: Final[dict[str, type]] = {
    "QueueUrl": str,
    "MaxNumberOfMessages": int,
    "WaitTimeSeconds": int,
    "AttributeNames": list,
    "MessageSystemAttributeNames": list,
    "MessageAttributeNames": list,
}


class PlainOperations(SendOperations, ReceiveOperations):
    """The three operations of every message; what is not plain, the general ones do."""

    @whole
    def send_message(self, *args: Any, **params: Any) -> dict[str, Any]:
        """SendMessage."""
        if len(params) == 2 and not args:
            body = params.get("MessageBody")
            queue = self._standard(params.get("QueueUrl"))
            if (
                type(body) is str
                and queue is not None
                and not queue.dead
                and rules.message(body, {}, queue.message_max) is None
                and (told := self._exchange.send_plain(queue, body)) is not None
            ):
                told["ResponseMetadata"] = metadata()
                return told
        return super().send_message(*args, **params)

    @whole
    def receive_message(self, *args: Any, **params: Any) -> dict[str, Any]:
        """ReceiveMessage."""
        if not args and self._plain_receive(params):
            queue = self._standard(params["QueueUrl"])
            found = None if queue is None else self._receive_plain(queue, params)
            if found is not None:
                found["ResponseMetadata"] = metadata()
                return found
        return super().receive_message(*args, **params)

    def _receive_plain(self, queue: Queue, params: dict[str, Any]) -> dict[str, Any] | None:
        """The answer; None where one has to wait for it, or the queue is not as it was."""
        try:
            found = self._exchange.receive(
                queue, params.get("MaxNumberOfMessages", 1), queue.visibility, None
            )
        except (Changed, OverLimit):
            return None
        if not found:
            return None if params.get("WaitTimeSeconds", queue.wait) else {}
        system = (*params.get("AttributeNames", ()), *params.get("MessageSystemAttributeNames", ()))
        return self._told(found, set(system), params.get("MessageAttributeNames", ()))

    @staticmethod
    def _plain_receive(params: dict[str, Any]) -> bool:
        """Whether these parameters are all right, and among those that most receives have."""
        for name, value in params.items():
            kind = type(value)
            if kind is not _TYPES.get(name):
                return False
            if kind is list and not all(type(one) is str and one.isascii() for one in value):
                return False
        return (
            "QueueUrl" in params
            and 1 <= params.get("MaxNumberOfMessages", 1) <= 10
            and 0 <= params.get("WaitTimeSeconds", 0) <= 20
        )

    @whole
    def delete_message(self, *args: Any, **params: Any) -> dict[str, Any]:
        """DeleteMessage."""
        if len(params) == 2 and not args:
            handle = params.get("ReceiptHandle")
            queue = self._standard(params.get("QueueUrl"))
            if type(handle) is str and queue is not None and self._exchange.delete_plain(queue, handle):
                return {"ResponseMetadata": metadata()}
        return super().delete_message(*args, **params)

    def _standard(self, url: object) -> Queue | None:
        """The standard queue of this URL, if it is known already and no move task brings to it or takes from it."""
        if type(url) is not str:
            return None
        queue = self._exchange.catalog.known(url.rpartition("/")[2])
        return None if queue is None or queue.fifo or queue.moving else queue
