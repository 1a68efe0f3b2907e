"""One failed event as the inbox shows it, read from the SQS message that holds it, whoever made it.

    dead-letter   what Lambda sends to a function's dead-letter target: the event, and three message attributes
    destination   the record that Lambda sends to an on-failure destination: event and response
    success       the record of an invocation that succeeded
    stream        the record of a batch of Kinesis or DynamoDB that was given up: where it lies, seldom what was in it
    redrive       a message that was received too often, moved by SQS
    message       anything else

Any of them may have come through a topic, in SNS's envelope.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambdalog.local.sqs.browse import Looked

Kind = Literal["dead-letter", "destination", "success", "stream", "redrive", "message"]

Typed = dict[str, dict[str, Any]]
_NONE: Final[dict[str, Any]] = {}


class Letter(msgspec.Struct, frozen=True, gc=False):
    """A failed event in a queue. Times are epoch ms. What isn't known is empty.

    `body` is the message's, kept to the character; `event` what the function was given, cut out of it as it stands, or
    None where the message doesn't hold it. `message_attributes` and `system` are as ReceiveMessage gives them.
    """

    message_id: str
    queue: str
    kind: Kind
    body: str
    event: str | None
    sent_at: int
    request_id: str = ""
    error_code: str = ""
    error_message: str = ""
    condition: str = ""
    function: str = ""
    qualifier: str = ""
    version: str = ""
    # The ARN of the queue or stream where the event came from.
    source: str = ""
    topic: str = ""
    # How often the function was tried, where the message tells; how often the message itself was received.
    tries: int = 0
    receives: int = 0
    in_flight: bool = False
    response: str | None = None
    # That of a letter which our decorator sent itself.
    fingerprint: str = ""
    typed: Typed | str | None = None
    system: dict[str, str] = _NONE

    @property
    def message_attributes(self) -> Typed:
        """The message attributes; read when they are asked for, as most of many letters' never are."""
        return _typed(self.typed) if isinstance(self.typed, str) else self.typed or {}

    @property
    def attributes(self) -> dict[str, str]:
        """The message attributes as texts; binary ones in base64."""
        return {name: _text(value) for name, value in self.message_attributes.items()}


class _Context(msgspec.Struct):
    requestId: str = ""  # noqa: N815 - Lambda's own names
    functionArn: str = ""  # noqa: N815
    condition: str = ""
    approximateInvokeCount: int = 0  # noqa: N815


class _Answer(msgspec.Struct):
    executedVersion: str | None = None  # noqa: N815
    functionError: str | None = None  # noqa: N815


class _Batch(msgspec.Struct):
    streamArn: str = ""  # noqa: N815


class _Record(msgspec.Struct):
    """A record of a destination; `Raw` keeps what is in it as it stands."""

    requestContext: _Context  # noqa: N815
    requestPayload: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    responseContext: _Answer | None = None  # noqa: N815
    responsePayload: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    payload: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    DDBStreamBatchInfo: _Batch | None = None
    KinesisBatchInfo: _Batch | None = None


class _Attribute(msgspec.Struct):
    Type: str = "String"
    Value: str = ""


class _Envelope(msgspec.Struct):
    """What SNS puts around a message for a subscriber that doesn't ask for it raw."""

    Type: str
    TopicArn: str
    Message: str
    MessageAttributes: dict[str, _Attribute] = {}


class _Value(msgspec.Struct, frozen=True, gc=False):
    StringValue: str = ""


_EMPTY: Final = _Value()


class _Lambdas(msgspec.Struct, gc=False):
    """The attributes of a dead letter, Lambda's and ours, as a store keeps them: what many letters are read by."""

    RequestID: _Value | None = None
    ErrorCode: _Value | None = None
    ErrorMessage: _Value = _EMPTY
    FunctionName: _Value = _EMPTY
    FunctionVersion: _Value = _EMPTY
    Fingerprint: _Value = _EMPTY


_lambdas: Final = msgspec.json.Decoder(_Lambdas)
_record: Final = msgspec.json.Decoder(_Record)
_envelope: Final = msgspec.json.Decoder(_Envelope)
SOURCE_ATTRIBUTE: Final = "DeadLetterQueueSourceArn"


def from_message(message: Mapping[str, Any], queue: str, function: str = "") -> Letter:
    """The letter in a message as ReceiveMessage gives it, all attributes asked for.

    `function` is whose letters the queue gets, if that is one function's.
    """
    system = message.get("Attributes", {})
    return _letter(
        message["MessageId"],
        queue,
        function,
        message["Body"],
        message.get("MessageAttributes", {}),
        system,
        int(system.get("SentTimestamp", 0)),
        int(system.get("ApproximateReceiveCount", 0)),
    )


def from_looked(looked: Looked, queue: str, function: str, now: int) -> Letter:
    """The letter in a message that was looked at in a store."""
    text = looked.attributes
    system = orjson.loads(looked.system) if looked.system else _NONE
    if text is not None and '"RequestID"' in text:
        known = _lambdas.decode(text)
        if known.RequestID is not None and known.ErrorCode is not None:
            return Letter(
                looked.message_id,
                queue,
                "dead-letter",
                looked.body,
                looked.body,
                looked.sent,
                known.RequestID.StringValue,
                known.ErrorCode.StringValue,
                known.ErrorMessage.StringValue,
                "",
                known.FunctionName.StringValue or function,
                "",
                known.FunctionVersion.StringValue,
                receives=looked.receives,
                in_flight=looked.hidden(now),
                fingerprint=known.Fingerprint.StringValue,
                typed=text,
                system=system,
            )
    return _letter(
        looked.message_id,
        queue,
        function,
        looked.body,
        _typed(text) if text else {},
        system,
        looked.sent,
        looked.receives,
        in_flight=looked.hidden(now),
    )


def _letter(
    message_id: str,
    queue: str,
    function: str,
    body: str,
    attributes: Typed,
    system: dict[str, str],
    sent: int,
    receives: int,
    *,
    in_flight: bool = False,
) -> Letter:
    told, inner, topic = attributes, body, ""
    if "RequestID" not in attributes and body[:1] == "{" and '"TopicArn"' in body:
        envelope = _of_topic(body)
        if envelope is not None:
            topic, inner = envelope.TopicArn, envelope.Message
            told = {
                name: {"DataType": value.Type, "StringValue": value.Value}
                for name, value in envelope.MessageAttributes.items()
            }
    common: dict[str, Any] = {
        "message_id": message_id,
        "queue": queue,
        "body": body,
        "sent_at": sent,
        "topic": topic,
        "receives": receives,
        "in_flight": in_flight,
        "typed": attributes,
        "system": system,
    }
    if "RequestID" in told and "ErrorCode" in told:
        named = told.get("FunctionName")
        mark = told.get("Fingerprint")
        version = told.get("FunctionVersion")
        return Letter(
            kind="dead-letter",
            event=inner,
            request_id=_text(told["RequestID"]),
            error_code=_text(told["ErrorCode"]),
            error_message=_text(told["ErrorMessage"]) if "ErrorMessage" in told else "",
            function=_text(named) if named else function,
            version=_text(version) if version else "",
            fingerprint=_text(mark) if mark else "",
            **common,
        )
    if inner[:1] == "{" and '"requestContext"' in inner:
        found = _of_destination(inner)
        if found is not None:
            return _destination(found, common)
    source = system.get(SOURCE_ATTRIBUTE, "") if system else ""
    return Letter(
        kind="redrive" if source else "message", event=inner, function=function, source=source, **common
    )


def _of_topic(body: str) -> _Envelope | None:
    try:
        found = _envelope.decode(body)
    except (msgspec.DecodeError, ValueError):
        return None
    return found if found.Type == "Notification" and found.TopicArn.startswith("arn:") else None


def _of_destination(text: str) -> _Record | None:
    try:
        found = _record.decode(text)
    except (msgspec.DecodeError, ValueError):
        return None
    context = found.requestContext
    return found if context.condition and ":function:" in context.functionArn else None


def _destination(found: _Record, common: dict[str, Any]) -> Letter:
    context, answer = found.requestContext, found.responseContext
    batch = found.DDBStreamBatchInfo or found.KinesisBatchInfo
    kind: Kind = "destination"
    event = _raw(found.requestPayload)
    if batch is not None:
        kind, event = "stream", _raw(found.payload)
    elif context.condition == "Success":
        kind = "success"
    name, _, qualifier = context.functionArn.partition(":function:")[2].partition(":")
    response = _raw(found.responsePayload)
    return Letter(
        kind=kind,
        event=event,
        request_id=context.requestId,
        condition=context.condition,
        function=name,
        qualifier="" if qualifier == "$LATEST" else qualifier,
        version=answer.executedVersion or "" if answer is not None else "",
        error_code="200" if answer is not None else "",
        error_message=_error_message(response) if kind == "destination" else "",
        source="" if batch is None else batch.streamArn,
        tries=context.approximateInvokeCount,
        response=response,
        **common,
    )


def _typed(text: str) -> Typed:
    """Message attributes as a store keeps them: bytes in base64."""
    found: Typed = orjson.loads(text)
    for value in found.values():
        if isinstance(value.get("BinaryValue"), dict):
            value["BinaryValue"] = base64.b64decode(value["BinaryValue"]["base64"])
    return found


def _raw(value: msgspec.Raw | msgspec.UnsetType) -> str | None:
    return None if isinstance(value, msgspec.UnsetType) else bytes(value).decode()


def _error_message(response: str | None) -> str:
    try:
        found = json.loads(response) if response else None
    except ValueError:
        return ""
    return str(found.get("errorMessage", "")) if isinstance(found, dict) else ""


def _text(value: Mapping[str, Any]) -> str:
    binary = value.get("BinaryValue")
    return base64.b64encode(binary).decode() if binary is not None else str(value.get("StringValue", ""))
