"""S3's own notifications, read from the queue that they are sent to."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.events.bucket import is_test, keys_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from mypy_boto3_sqs import SQSClient

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 1


class NotificationReader:
    """Reads one queue for one trigger. `deliver(event)` returns once the event is kept; only then is it deleted."""

    def __init__(self, sqs: SQSClient, url: str, deliver: Callable[[dict[str, Any]], bool]) -> None:
        self._sqs = sqs
        self._url = url
        self._deliver = deliver
        self.passed_over = 0
        """Messages that were no notification, or one for others."""

    def run(self, stop: threading.Event) -> None:
        """Read until the event is set."""
        while not stop.is_set():
            self.step(POLL_SECONDS)

    def step(self, wait: int = 0) -> int:
        """Receive once, deliver and delete; how many messages came."""
        messages = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=wait
        ).get("Messages", [])
        for message in messages:
            event = notification_in(message.get("Body", ""))
            if event is None:
                # S3 sends nothing else; what somebody else put there would only come again and again.
                logger.warning("message %s of %s is no S3 notification", message.get("MessageId"), self._url)
            if event is None or is_test(event) or not self._deliver(event):
                self.passed_over += 1
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.get("ReceiptHandle", ""))
        return len(messages)


def notification_in(body: str) -> dict[str, Any] | None:
    """The notification in a message's body, also in SNS's envelope; None if there is none."""
    try:
        found = json.loads(body)
        if isinstance(found, dict) and found.get("Type") == "Notification":
            found = json.loads(found["Message"])
        if is_test(found):
            return dict(found)
        keys_of(found)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return dict(found)
