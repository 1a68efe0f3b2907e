"""A published message, and what each kind of endpoint gets of it. Pure."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTIFICATION: Final = "Notification"
CONFIRMATION: Final = "SubscriptionConfirmation"


class Message(NamedTuple):
    """A message as it was published. `at` is epoch ms; `sequence`, `group` and `dedup` are of FIFO topics.

    `structured`: the text is JSON with a text for each protocol. `token` is of a subscription's confirmation, `trace` the publisher's
    trace header.
    """

    topic: str
    id: str
    at: int
    text: str
    subject: str | None = None
    attributes: Mapping[str, Mapping[str, Any]] = {}
    structured: bool = False
    group: str | None = None
    dedup: str | None = None
    sequence: str | None = None
    signature_version: str = "1"
    token: str | None = None
    trace: str | None = None

    @property
    def type(self) -> str:
        """Its Type in the envelope."""
        return NOTIFICATION if self.token is None else CONFIRMATION

    @property
    def timestamp(self) -> str:
        """When it was published, as the envelope has it."""
        moment = datetime.fromtimestamp(self.at / 1000, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self.at % 1000:03d}Z"

    def text_for(self, protocol: str) -> str:
        """The text that an endpoint of this protocol gets."""
        if not self.structured:
            return self.text
        texts = json.loads(self.text)
        found = texts.get(protocol)
        return found if isinstance(found, str) else str(texts["default"])


def dump(message: Message) -> str:
    """A message as JSON, but for what has a column of its own."""
    content = message._asdict()
    for name in ("topic", "id", "at"):
        del content[name]
    return json.dumps(
        {name: value for name, value in content.items() if value},
        default=lambda value: {"base64": base64.b64encode(bytes(value)).decode()},
    )


def load(topic: str, id_: str, at: int, content: str) -> Message:
    """A message back from its row."""
    found: dict[str, Any] = json.loads(content)
    for value in found.get("attributes", {}).values():
        if isinstance(value.get("BinaryValue"), dict):
            value["BinaryValue"] = base64.b64decode(value["BinaryValue"]["base64"])
    return Message(topic=topic, id=id_, at=at, **({"text": ""} | found))


def shown_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Message attributes as the envelope has them."""
    return {
        name: {
            "Type": value["DataType"],
            "Value": value["StringValue"]
            if "StringValue" in value
            else base64.b64encode(bytes(value["BinaryValue"])).decode(),
        }
        for name, value in attributes.items()
    }


def envelope(message: Message, protocol: str, subscription: str, home: str) -> dict[str, Any]:
    """What a queue or an HTTP endpoint gets, keys in SNS's order. `home`: the address of the endpoint that serves SNS."""
    if message.token is not None:
        return _confirmation(message, home)
    found: dict[str, Any] = {"Type": message.type, "MessageId": message.id}
    if message.sequence is not None:
        found["SequenceNumber"] = message.sequence
    found["TopicArn"] = message.topic
    if message.subject is not None:
        found["Subject"] = message.subject
    found |= {"Message": message.text_for(protocol), "Timestamp": message.timestamp}
    if message.sequence is None:  # what comes through a FIFO topic is not signed
        found |= _signature(message, home)
    found["UnsubscribeURL"] = f"{home}/?Action=Unsubscribe&SubscriptionArn={subscription}"
    if message.attributes:
        found["MessageAttributes"] = shown_attributes(message.attributes)
    return found


def _confirmation(message: Message, home: str) -> dict[str, Any]:
    url = f"{home}/?Action=ConfirmSubscription&TopicArn={message.topic}&Token={message.token}"
    return {
        "Type": message.type,
        "MessageId": message.id,
        "Token": message.token,
        "TopicArn": message.topic,
        "Message": f"You have chosen to subscribe to the topic {message.topic}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message.",
        "SubscribeURL": url,
        "Timestamp": message.timestamp,
    } | _signature(message, home)


def _signature(message: Message, home: str) -> dict[str, str]:
    return {
        "SignatureVersion": message.signature_version,
        "Signature": "UNSIGNED",
        "SigningCertURL": f"{home}/SimpleNotificationService-local.pem",
    }


def lambda_event(message: Message, subscription: str, home: str) -> dict[str, Any]:
    """The event of a function that is subscribed."""
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": subscription,
                "Sns": {
                    "Type": message.type,
                    "MessageId": message.id,
                    "TopicArn": message.topic,
                    "Subject": message.subject,
                    "Message": message.text_for("lambda"),
                    "Timestamp": message.timestamp,
                    "SignatureVersion": message.signature_version,
                    "Signature": "UNSIGNED",
                    "SigningCertUrl": f"{home}/SimpleNotificationService-local.pem",
                    "UnsubscribeUrl": f"{home}/?Action=Unsubscribe&SubscriptionArn={subscription}",
                    "MessageAttributes": shown_attributes(message.attributes),
                },
            }
        ]
    }
