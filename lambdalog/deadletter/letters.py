"""Dead letters as Lambda makes them, and destination records, which are a different thing.

A dead letter's body is the event, unchanged; RequestID, ErrorCode and ErrorMessage are message attributes (Lambda
developer guide, "Dead-letter queues"). A destination record wraps event and response in JSON.
"""

from __future__ import annotations

import json
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


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One failed asynchronous invocation. `extra` adds String attributes of our own, at most seven."""

    body: str
    request_id: str
    error_message: str = ""
    error_code: int = 200
    extra: Mapping[str, str] = field(default_factory=dict)


def message_attributes(letter: DeadLetter) -> dict[str, dict[str, str]]:
    """The attributes of the message: RequestID, ErrorCode, ErrorMessage cut at 1 KB, and the letter's own."""
    texts = {"RequestID": letter.request_id, "ErrorMessage": _cut(letter.error_message), **letter.extra}
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in texts.items() if text}
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
        if target.startswith("arn:") and target.split(":")[2] == "sns":
            if self._sns is None:
                raise ValueError(f"no SNS client to send to {target} with")
            return self._sns.publish(TopicArn=target, Message=letter.body, MessageAttributes=attributes)[
                "MessageId"
            ]
        url = (
            target
            if "/" in target
            else self._sqs.get_queue_url(QueueName=target.rpartition(":")[2])["QueueUrl"]
        )
        return self._sqs.send_message(QueueUrl=url, MessageBody=letter.body, MessageAttributes=attributes)[
            "MessageId"
        ]


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
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": datetime.fromtimestamp(now, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
        "requestContext": {
            "requestId": request_id,
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": invoke_count,
        },
        "requestPayload": json.loads(request_payload),
    }
    if condition != "ZeroReservedConcurrency" and response_payload is not None:
        context: dict[str, Any] = {"statusCode": 200, "executedVersion": executed_version}
        if function_error is not None:
            context["functionError"] = function_error
        record["responseContext"] = context
        record["responsePayload"] = json.loads(response_payload) if response_payload else None
    return json.dumps(record)


def _cut(text: str) -> str:
    return text.encode("utf-8", "replace")[:ERROR_MESSAGE_BYTES].decode("utf-8", "ignore")
