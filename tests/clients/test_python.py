"""What Python programs use: awslogs, watchtower, boto3 of today and of 2023."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from tests.clients.conftest import recipes

if TYPE_CHECKING:
    from lambdalog.testing import LocalCloud
    from tests.clients.conftest import Run

TODAY, OLDER = recipes("boto3", "python")


def test_awslogs(cloud: LocalCloud, shell: Run) -> None:
    """It lists groups, and gets the events that a pattern finds."""
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="/shop/orders")
    logs.create_log_stream(logGroupName="/shop/orders", logStreamName="today")
    now = cloud.store.clock.now_ms()
    events = [
        {"timestamp": now, "message": f"order {n} {what}"} for n, what in ((7, "charged"), (8, "refused"))
    ]
    logs.put_log_events(logGroupName="/shop/orders", logStreamName="today", logEvents=events)
    assert shell(recipes("awslogs", "sh")[0]).splitlines() == ["/shop/orders", "order 7 charged"]


def test_watchtower(cloud: LocalCloud, run: Run) -> None:
    """A logging handler makes its group and stream, and what it is given arrives."""
    run(sys.executable, "-c", recipes("watchtower", "python")[0])
    assert cloud.messages("/shop/web") == ["the till is empty"]


def test_boto3(cloud: LocalCloud, run: Run) -> None:
    """The SDK that lambdalog runs with: a paginator takes page by page."""
    told = run(sys.executable, "-c", TODAY)
    assert told == "['/shop/0', '/shop/1', '/shop/2']\n"


def test_an_older_boto3(cloud: LocalCloud, run: Run) -> None:
    """SQS by the query protocol: batches, attributes, and the error's code."""
    told = run(sys.executable, "-c", OLDER, client="old").splitlines()
    assert told == ["1.26.165 ['one', 'two']", "AWS.SimpleQueueService.NonExistentQueue"]


EVERYTHING = r"""
import json, os
import boto3

sqs = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 9})
url = sqs.create_queue(QueueName="work", Attributes={"RedrivePolicy": redrive}, tags={"a": "b"})["QueueUrl"]
sqs.tag_queue(QueueUrl=url, Tags={"c": "d"})
both = sqs.list_queue_tags(QueueUrl=url)["Tags"]
sqs.untag_queue(QueueUrl=url, TagKeys=["a"])
sqs.add_permission(QueueUrl=url, Label="l", AWSAccountIds=["123456789012"], Actions=["SendMessage"])
sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
every = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
sqs.send_message(
    QueueUrl=url,
    MessageBody="<a>\r&",
    MessageAttributes={"n": {"DataType": "Number", "StringValue": "1"}, "b": {"DataType": "Binary", "BinaryValue": b"\0"}},
    MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": trace}},
)
sent = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "x"}, {"Id": "b", "MessageBody": ""}])
messages = []
while len(messages) < 2:
    answer = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], AttributeNames=["All"], WaitTimeSeconds=5)
    messages += answer["Messages"]
first = next(message for message in messages if message["Body"] != "x")
entry = {"Id": "q", "ReceiptHandle": first["ReceiptHandle"]}
longer = sqs.change_message_visibility_batch(QueueUrl=url, Entries=[entry | {"VisibilityTimeout": 60}])
deleted = sqs.delete_message_batch(QueueUrl=url, Entries=[entry, {"Id": "r", "ReceiptHandle": "zz"}])
pages = sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 1})
sqs.start_message_move_task(SourceArn=arn)

def code(call, **arguments):
    try:
        call(**arguments)
    except sqs.exceptions.ClientError as error:
        return [type(error).__name__, error.response["Error"]["Code"]]

print(json.dumps({
    "tags": [both, sqs.list_queue_tags(QueueUrl=url)["Tags"]],
    "attributes": [every["VisibilityTimeout"], json.loads(every["RedrivePolicy"])["maxReceiveCount"], "123456789012" in every["Policy"]],
    "sent": [[one["Id"] for one in sent["Successful"]], [[one["Id"], one["Code"], one["SenderFault"]] for one in sent["Failed"]]],
    "body": first["Body"],
    "n": first["MessageAttributes"]["n"]["StringValue"],
    "b": first["MessageAttributes"]["b"]["BinaryValue"].hex(),
    "trace": first["Attributes"]["AWSTraceHeader"] == trace,
    "longer": [one["Id"] for one in longer["Successful"]],
    "deleted": [[one["Id"] for one in deleted["Successful"]], [one["Code"] for one in deleted["Failed"]]],
    "queues": [url.rpartition("/")[2] for page in pages for url in page["QueueUrls"]],
    "sources": [url.rpartition("/")[2] for url in sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"]],
    "moves": [task["SourceArn"] == arn for task in sqs.list_message_move_tasks(SourceArn=arn)["Results"]],
    "errors": [
        code(sqs.get_queue_url, QueueName="none"),
        code(sqs.send_message_batch, QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "1"}] * 2),
        code(sqs.create_queue, QueueName="work", Attributes={"VisibilityTimeout": "3"}),
        code(sqs.delete_message, QueueUrl=url, ReceiptHandle="x"),
    ],
}))
"""


def test_all_that_the_query_protocol_names_otherwise(cloud: LocalCloud, run: Run) -> None:
    """Lists, maps, tags, batches, permissions and errors mean the same to an SDK of 2023 as to one of today."""
    assert json.loads(run(sys.executable, "-c", EVERYTHING, client="old")) == {
        "tags": [{"a": "b", "c": "d"}, {"c": "d"}],
        "attributes": ["7", 9, True],
        "sent": [["a"], [["b", "MissingParameter", True]]],
        "body": "<a>\r&",
        "n": "1",
        "b": "00",
        "trace": True,
        "longer": ["q"],
        "deleted": [["q"], ["ReceiptHandleIsInvalid"]],
        "queues": ["dead", "work"],
        "sources": ["work"],
        "moves": [True],
        "errors": [
            ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"],
            ["BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"],
            ["QueueNameExists", "QueueAlreadyExists"],
            ["ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"],
        ],
    }
