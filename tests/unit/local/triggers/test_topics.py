"""Topics as triggers: a function gets what its policy lets in, and what it doesn't goes to the dead-letter queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.unit.local.triggers.conftest import accepted

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"


def test_a_topic_invokes_whom_it_may(client: Any, manual_cloud: Cloud) -> None:
    """Without a statement for the topic the message goes to the subscription's queue; with one, to the function."""
    sns: Any = manual_cloud.sns
    topic = sns.create_topic(Name="news")["TopicArn"]
    url = manual_cloud.sqs.create_queue(QueueName="undelivered")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": manual_cloud.scope.queue("undelivered")})
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=FUNCTION, Attributes={"RedrivePolicy": policy})
    sns.publish(TopicArn=topic, Message="one")
    manual_cloud.client("sns").deliver()
    assert accepted(client) == []
    (letter,) = manual_cloud.sqs.receive_message(QueueUrl=url)["Messages"]
    assert '"one"' in letter["Body"]
    client.add_permission(
        FunctionName="f",
        StatementId="sns",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    sns.publish(TopicArn=topic, Message="two")
    manual_cloud.client("sns").deliver()
    assert [event["Records"][0]["Sns"]["Message"] for event in accepted(client)] == ["two"]
