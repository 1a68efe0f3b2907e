"""One dead letter as the inbox shows it, read from an SQS message, whoever made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambdalog.failure import Failure


@dataclass(frozen=True, slots=True)
class Letter:
    """A failed event in a dead-letter queue. `sent_at` is epoch ms; `body` is kept to the byte.

    `function` is empty where neither the message nor the queue tells whose it is.
    """

    message_id: str
    queue: str
    body: str
    sent_at: int
    request_id: str
    error_code: str
    error_message: str
    function: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Explained:
    """A letter with the failure that its log, or else its text, tells of."""

    letter: Letter
    failure: Failure
    version: str = ""


def from_message(message: Mapping[str, Any], queue: str, function: str) -> Letter:
    """The letter in a message as ReceiveMessage gives it, all attributes asked for."""
    attributes = {
        name: str(value.get("StringValue", ""))
        for name, value in message.get("MessageAttributes", {}).items()
    }
    return Letter(
        message_id=message["MessageId"],
        queue=queue,
        body=message["Body"],
        sent_at=int(message.get("Attributes", {}).get("SentTimestamp", 0)),
        request_id=attributes.get("RequestID", ""),
        error_code=attributes.get("ErrorCode", ""),
        error_message=attributes.get("ErrorMessage", ""),
        function=function,
        attributes=attributes,
    )
