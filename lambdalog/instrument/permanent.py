"""What can't succeed isn't tried again: its event goes to the dead-letter target at once.

Imported when that happens: this is where an AWS SDK, or the store, comes into a function.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any, Final

from lambdalog.deadletter import DeadLetter, DeadLetters
from lambdalog.settings import STORE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

# A queue or topic that doesn't answer in this time is one that can't be reached: the invocation fails, and Lambda
# tries again.
TIMEOUT_SECONDS: Final = 5
TRACE_VARIABLE: Final = "_X_AMZN_TRACE_ID"
# What an SQS message can't hold (SendMessage: "A message can include only XML, JSON, and unformatted text").
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def letter(event: Any, record: Mapping[str, Any], running: Mapping[str, Any]) -> DeadLetter:
    """The dead letter of an event, as Lambda would send it, and three attributes more.

    `record` is the failure's, `running` the line's requestId, function and version. TypeError, ValueError for an event
    that is no JSON.
    """
    extra = {
        "Fingerprint": str(record["fingerprint"]),
        "FunctionName": str(running.get("function") or ""),
        "FunctionVersion": str(running.get("version") or ""),
    }
    message = _FORBIDDEN.sub("\ufffd", f"{record['type']}: {record['message']}")
    return DeadLetter(
        body=_json(event),
        request_id=str(running.get("requestId") or ""),
        error_message=message,
        extra={name: text for name, text in extra.items() if text},
        # By it Lambda sees that a chain of invocations goes round, this message included.
        trace_header=os.environ.get(TRACE_VARIABLE, ""),
    )


def _json(event: Any) -> str:
    text = json.dumps(event, ensure_ascii=False, allow_nan=False)
    # Escaped, JSON holds what a message can't: lone surrogates, U+FFFE.
    return json.dumps(event) if _FORBIDDEN.search(text) else text


def send(target: str, found: DeadLetter) -> str:
    """Send it; the message's id. Raises whatever keeps it from being delivered."""
    if os.environ.get(STORE_VARIABLE, "") or not os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        from lambdalog.cloud import connect

        with connect() as cloud:
            return DeadLetters(cloud.sqs, cloud.sns).send(target, found)
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=TIMEOUT_SECONDS, read_timeout=TIMEOUT_SECONDS)
    # Only the client that is needed: each costs a function some 50 ms.
    topic = target.startswith("arn:") and target.split(":")[2] == "sns"
    sns = boto3.client("sns", config=config) if topic else None
    sqs: Any = None if topic else boto3.client("sqs", config=config)
    try:
        return DeadLetters(sqs, sns).send(target, found)
    finally:
        for client in (sqs, sns):
            if client is not None:
                client.close()
