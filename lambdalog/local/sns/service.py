"""The operations of SNS, for standard topics with queues as subscribers."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lambdalog.clock import SYSTEM
from lambdalog.local.base import Double
from lambdalog.store.tables import Tables, transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from botocore.exceptions import ClientError
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

    from lambdalog.arn import Scope
    from lambdalog.clock import Clock

SCHEMA: Final = """
CREATE TABLE topics (arn TEXT PRIMARY KEY, attributes TEXT NOT NULL, tags TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE subscriptions (
    arn TEXT PRIMARY KEY, topic TEXT NOT NULL, protocol TEXT NOT NULL, endpoint TEXT NOT NULL, attributes TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""
MESSAGE_MAX: Final = 262_144


class Sns(Double):
    """A boto3-shaped SNS client on `<root>/topics.sqlite`. A publish returns when each queue has the message."""

    service = "sns"
    notes: ClassVar[dict[str, str]] = {
        "CreateTopic": "Standard topics; FIFO topics are refused.",
        "Subscribe": "Protocol `sqs`; the others are refused. Delivered within the publish.",
        "Publish": "Messages are not signed: Signature says so. Filter policies are not applied.",
    }

    def __init__(
        self,
        root: Path,
        *,
        scope: Scope,
        clock: Clock = SYSTEM,
        sqs: SQSClient,
        lambda_: Callable[[], LambdaClient] | None = None,
    ) -> None:
        super().__init__(scope=scope, clock=clock)
        self._tables = Tables(root / "topics.sqlite", SCHEMA)
        self._sqs = sqs
        self._lambda = lambda_

    def close(self) -> None:
        """Close the database."""
        self._tables.close()

    def create_topic(
        self,
        *,
        Name: str,
        Attributes: dict[str, str] | None = None,
        Tags: list[dict[str, str]] | None = None,
        DataProtectionPolicy: str | None = None,
    ) -> dict[str, Any]:
        """CreateTopic: the same name gives the topic that is there."""
        del DataProtectionPolicy
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", Name):
            raise self._invalid("Topic Name")
        tags = {tag["Key"]: tag["Value"] for tag in Tags or []}
        arn = self.scope.topic(Name)
        self._tables.connection.execute(
            "INSERT INTO topics VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (arn, json.dumps(Attributes or {}), json.dumps(tags)),
        )
        return {"TopicArn": arn}

    def delete_topic(self, *, TopicArn: str) -> dict[str, Any]:
        """DeleteTopic, with its subscriptions."""
        with transaction(self._tables.connection) as db:
            db.execute("DELETE FROM topics WHERE arn = ?", (TopicArn,))
            db.execute("DELETE FROM subscriptions WHERE topic = ?", (TopicArn,))
        return {}

    def list_topics(self, *, NextToken: str | None = None) -> dict[str, Any]:
        """ListTopics, a hundred a page."""
        rows = self._tables.connection.execute(
            "SELECT arn FROM topics WHERE arn > ? ORDER BY arn LIMIT 101", (NextToken or "",)
        ).fetchall()
        response: dict[str, Any] = {"Topics": [{"TopicArn": arn} for (arn,) in rows[:100]]}
        return response | ({"NextToken": rows[99][0]} if len(rows) > 100 else {})

    def get_topic_attributes(self, *, TopicArn: str) -> dict[str, Any]:
        """GetTopicAttributes."""
        attributes = self._topic(TopicArn)
        count = len(self._subscriptions(TopicArn))
        return {
            "Attributes": {
                "TopicArn": TopicArn,
                "Owner": self.scope.account,
                "DisplayName": "",
                "SubscriptionsConfirmed": str(count),
                "SubscriptionsPending": "0",
                "SubscriptionsDeleted": "0",
                **attributes,
            }
        }

    def subscribe(
        self,
        *,
        TopicArn: str,
        Protocol: str,
        Endpoint: str = "",
        Attributes: dict[str, str] | None = None,
        ReturnSubscriptionArn: bool = False,
    ) -> dict[str, Any]:
        """Subscribe a queue, by its ARN."""
        del ReturnSubscriptionArn
        self._topic(TopicArn)
        if Protocol != "sqs":
            raise self._invalid(f"Protocol {Protocol} is not supported here; there is sqs")
        if not Endpoint.startswith("arn:"):
            raise self._invalid("SQS endpoint ARN")
        with transaction(self._tables.connection) as db:
            row = db.execute(
                "SELECT arn FROM subscriptions WHERE topic = ? AND protocol = ? AND endpoint = ?",
                (TopicArn, Protocol, Endpoint),
            ).fetchone()
            arn = row[0] if row else f"{TopicArn}:{uuid.uuid4()}"
            db.execute(
                "INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?, ?, ?)",
                (arn, TopicArn, Protocol, Endpoint, json.dumps(Attributes or {})),
            )
        return {"SubscriptionArn": arn}

    def unsubscribe(self, *, SubscriptionArn: str) -> dict[str, Any]:
        """Unsubscribe."""
        self._tables.connection.execute("DELETE FROM subscriptions WHERE arn = ?", (SubscriptionArn,))
        return {}

    def list_subscriptions_by_topic(self, *, TopicArn: str, NextToken: str | None = None) -> dict[str, Any]:
        """ListSubscriptionsByTopic."""
        del NextToken
        self._topic(TopicArn)
        return {
            "Subscriptions": [
                {
                    "SubscriptionArn": arn,
                    "Owner": self.scope.account,
                    "Protocol": protocol,
                    "Endpoint": endpoint,
                    "TopicArn": TopicArn,
                }
                for arn, protocol, endpoint, _ in self._subscriptions(TopicArn)
            ]
        }

    def publish(
        self,
        *,
        Message: str,
        TopicArn: str | None = None,
        TargetArn: str | None = None,
        PhoneNumber: str | None = None,
        Subject: str | None = None,
        MessageStructure: str | None = None,
        MessageAttributes: dict[str, Any] | None = None,
        MessageDeduplicationId: str | None = None,
        MessageGroupId: str | None = None,
    ) -> dict[str, Any]:
        """Publish to a topic: each subscribed queue gets the envelope, or the message itself with raw delivery."""
        del MessageStructure, MessageDeduplicationId, MessageGroupId
        topic = TopicArn or TargetArn
        if topic is None or PhoneNumber is not None:
            raise self._invalid("TopicArn or TargetArn Reason: no value for required parameter")
        self._topic(topic)
        if not Message:
            raise self._invalid("Empty message")
        if len(Message.encode()) > MESSAGE_MAX:
            raise self._invalid("Message too long")
        attributes = MessageAttributes or {}
        message_id = str(uuid.uuid4())
        for arn, _, endpoint, settings in self._subscriptions(topic):
            url = self._sqs.get_queue_url(QueueName=endpoint.rpartition(":")[2])["QueueUrl"]
            if json.loads(settings).get("RawMessageDelivery") == "true":
                self._sqs.send_message(QueueUrl=url, MessageBody=Message, MessageAttributes=attributes)
            else:
                envelope = self._envelope(topic, arn, message_id, Message, Subject, attributes)
                self._sqs.send_message(QueueUrl=url, MessageBody=json.dumps(envelope))
        return {"MessageId": message_id}

    def _envelope(
        self,
        topic: str,
        subscription: str,
        message_id: str,
        message: str,
        subject: str | None,
        attributes: dict[str, Any],
    ) -> dict[str, Any]:
        """What a queue gets, keys in SNS's order."""
        home = f"https://sns.{self.scope.region}.amazonaws.com/"
        moment = datetime.fromtimestamp(self.clock.now(), UTC)
        envelope: dict[str, Any] = {"Type": "Notification", "MessageId": message_id, "TopicArn": topic}
        if subject is not None:
            envelope["Subject"] = subject
        envelope |= {
            "Message": message,
            "Timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            "SignatureVersion": "1",
            "Signature": "UNSIGNED",
            "SigningCertURL": f"{home}SimpleNotificationService-local.pem",
            "UnsubscribeURL": f"{home}?Action=Unsubscribe&SubscriptionArn={subscription}",
        }
        if attributes:
            envelope["MessageAttributes"] = {
                name: {"Type": value["DataType"], "Value": value.get("StringValue", "")}
                for name, value in attributes.items()
            }
        return envelope

    def unknown_operation(self, operation: str) -> ClientError:
        """What SNS says of an operation that it doesn't know."""
        return self.error("InvalidAction", f"The action {operation} is not valid for this endpoint.")

    def _invalid(self, what: str) -> ClientError:
        return self.error("InvalidParameter", f"Invalid parameter: {what}")

    def _topic(self, arn: str) -> dict[str, str]:
        row = self._tables.connection.execute(
            "SELECT attributes FROM topics WHERE arn = ?", (arn,)
        ).fetchone()
        if row is None:
            raise self.error("NotFound", "Topic does not exist", status=404)
        found: dict[str, str] = json.loads(row[0])
        return found

    def _subscriptions(self, topic: str) -> list[tuple[str, str, str, str]]:
        return self._tables.connection.execute(
            "SELECT arn, protocol, endpoint, attributes FROM subscriptions WHERE topic = ? ORDER BY arn",
            (topic,),
        ).fetchall()
