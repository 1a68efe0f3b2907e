"""Messages of queues and topics as functions get them."""

from __future__ import annotations

import hashlib
from typing import Any

from lambdalog.local.events.bucket import iso_milliseconds


def queue_event(
    bodies: list[str], *, queue_arn: str, at: float, message_ids: list[str], attributes: dict[str, str]
) -> dict[str, Any]:
    """SQS's event; attributes are String message attributes of each message."""
    sent = str(int(at * 1000))
    return {
        "Records": [
            {
                "messageId": message_id,
                "receiptHandle": f"sample-{message_id}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": sent,
                    "SenderId": queue_arn.split(":")[4],
                    "ApproximateFirstReceiveTimestamp": sent,
                },
                "messageAttributes": {
                    name: {
                        "stringValue": value,
                        "stringListValues": [],
                        "binaryListValues": [],
                        "dataType": "String",
                    }
                    for name, value in attributes.items()
                },
                "md5OfBody": hashlib.md5(body.encode("utf-8", "replace"), usedforsecurity=False).hexdigest(),
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": queue_arn.split(":")[3],
            }
            for body, message_id in zip(bodies, message_ids, strict=True)
        ]
    }


def topic_event(
    message: str,
    *,
    topic_arn: str,
    at: float,
    message_id: str,
    subject: str | None,
    attributes: dict[str, str],
) -> dict[str, Any]:
    """SNS's event, keys as SNS has them towards Lambda."""
    region = topic_arn.split(":")[3]
    subscription = f"{topic_arn}:{message_id}"
    host = f"https://sns.{region}.amazonaws.com"
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": subscription,
                "Sns": {
                    "Type": "Notification",
                    "MessageId": message_id,
                    "TopicArn": topic_arn,
                    "Subject": subject,
                    "Message": message,
                    "Timestamp": iso_milliseconds(at),
                    "SignatureVersion": "1",
                    "Signature": "sample",
                    "SigningCertUrl": f"{host}/SimpleNotificationService-sample.pem",
                    "UnsubscribeUrl": f"{host}/?Action=Unsubscribe&SubscriptionArn={subscription}",
                    "MessageAttributes": {
                        name: {"Type": "String", "Value": value} for name, value in attributes.items()
                    },
                },
            }
        ]
    }
