"""Dead letters as Lambda makes them, and destination records, which are a different thing.

A dead letter's body is the event, unchanged; RequestID, ErrorCode and ErrorMessage are message attributes (Lambda
developer guide, "Dead-letter queues"). A destination record wraps event and response in JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

# Lambda keeps the first 1 KB of the error message.
ERROR_MESSAGE_BYTES: Final = 1024
# SQS takes ten attributes a message; three are Lambda's own.
EXTRA_MAX: Final = 7
# What neither SQS nor SNS takes: "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF".
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One failed asynchronous invocation. `extra` adds String attributes of our own, at most seven.

    `trace_header` is the X-Ray header of the event, by which Lambda counts how often a chain of invocations went round.
    """

    body: str
    request_id: str
    error_message: str = ""
    error_code: int = 200
    extra: Mapping[str, str] = field(default_factory=dict)
    trace_header: str = ""


def message_attributes(letter: DeadLetter) -> dict[str, dict[str, str]]:
    """The attributes of the message: RequestID, ErrorCode, ErrorMessage cut at 1 KB, and the letter's own.

    What a message can't hold is shown as U+FFFD: an escape sequence in an exception's text must not keep the letter from
    being sent.
    """
    texts = {"RequestID": letter.request_id, "ErrorMessage": letter.error_message, **letter.extra}
    clean = {name: _FORBIDDEN.sub("\ufffd", text) for name, text in texts.items() if text}
    if "ErrorMessage" in clean:
        clean["ErrorMessage"] = _cut(clean["ErrorMessage"])
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in clean.items()}
    attributes["ErrorCode"] = {"DataType": "Number", "StringValue": str(letter.error_code)}
    return attributes


class DeadLetters:
    """Sends dead letters through boto3-shaped clients."""

    def __init__(self, sqs: SQSClient, sns: SNSClient | None = None) -> None:
        self._sqs = sqs
        self._sns = sns

    def send(self, target: str, letter: DeadLetter) -> str:
        """Send to a queue (ARN, URL or name) or a topic (ARN); the message's id.

        Raises what the client raises: whoever calls keeps the letter until this returns.
        """
        if len(letter.extra) > EXTRA_MAX:
            raise ValueError(
                f"a dead letter takes {EXTRA_MAX} attributes of its own, not {len(letter.extra)}"
            )
        attributes: Any = message_attributes(letter)
        body = body_of(letter.body)
        parts = target.split(":", 5) if target.startswith("arn:") else []
        if parts and parts[2] == "sns":
            if self._sns is None:
                raise ValueError(f"no SNS client to send to {target} with")
            told = self._sns.publish(TopicArn=target, Message=body, MessageAttributes=attributes)
            return told["MessageId"]
        if target.endswith(".fifo"):
            # "Lambda doesn't support FIFO queues and topics as dead-letter queues" (developer guide)
            raise ValueError(f"{target} is a FIFO queue, which takes no dead letters")
        arguments: dict[str, Any] = {}
        if letter.trace_header:
            header = {"DataType": "String", "StringValue": letter.trace_header}
            arguments["MessageSystemAttributes"] = {"AWSTraceHeader": header}
        url = target if "/" in target else self._url(target, parts)
        told_too = self._sqs.send_message(
            QueueUrl=url, MessageBody=body, MessageAttributes=attributes, **arguments
        )
        return told_too["MessageId"]

    def _url(self, target: str, parts: list[str]) -> str:
        if not parts:
            return self._sqs.get_queue_url(QueueName=target)["QueueUrl"]
        owner = {"QueueOwnerAWSAccountId": parts[4]} if parts[4] else {}
        return self._sqs.get_queue_url(QueueName=parts[5], **owner)["QueueUrl"]


def body_of(event: str) -> str:
    """The event, unchanged; where it has characters that a message can't hold, its JSON with these escaped.

    Valid JSON has them inside of texts only, where an escape means the same.
    """
    if _FORBIDDEN.search(event) is None:
        return event
    return _FORBIDDEN.sub(lambda found: "".join(f"\\u{unit:04x}" for unit in _units(found[0])), event)


def _units(character: str) -> list[int]:
    raw = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[start : start + 2], "big") for start in range(0, len(raw), 2)]


Condition = Literal["Success", "RetriesExhausted", "EventAgeExceeded", "ZeroReservedConcurrency"]


def destination_record(
    *,
    now: float,
    request_id: str,
    function_arn: str,
    condition: Condition,
    invoke_count: int,
    request_payload: bytes,
    executed_version: str = "$LATEST",
    function_error: str | None = None,
    response_payload: bytes | None = None,
) -> str:
    """The JSON that Lambda sends to a destination, keys in Lambda's order. `function_arn` is qualified."""
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    context = {
        "requestId": request_id,
        "functionArn": function_arn,
        "condition": condition,
        "approximateInvokeCount": invoke_count,
    }
    # Payloads stand in it as they are: what is read and written again is not always the same (1.0, 1e400, doubled keys).
    parts = {
        "version": '"1.0"',
        "timestamp": json.dumps(moment),
        "requestContext": _compact(context),
        "requestPayload": _json(request_payload),
    }
    if condition != "ZeroReservedConcurrency" and response_payload is not None:
        answer: dict[str, Any] = {"statusCode": 200, "executedVersion": executed_version}
        if function_error is not None:
            answer["functionError"] = function_error
        parts["responseContext"] = _compact(answer)
        parts["responsePayload"] = _answer(response_payload)
    return body_of("{" + ",".join(f'"{name}":{text}' for name, text in parts.items()) + "}")


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _json(payload: bytes) -> str:
    """A payload as it stands in JSON; ValueError for what is none. What is nested too deeply to be read is text in it."""
    text = payload.decode() or "null"
    try:
        json.loads(text)
    except RecursionError:
        return json.dumps(text)
    return text.strip()


def _answer(payload: bytes) -> str:
    """A response likewise; where it is no JSON, as a runtime of one's own may answer, it is text."""
    try:
        return _json(payload)
    except ValueError:
        return json.dumps(payload.decode("utf-8", "replace"))


def _cut(text: str) -> str:
    return text.encode("utf-8", "replace")[:ERROR_MESSAGE_BYTES].decode("utf-8", "ignore")
