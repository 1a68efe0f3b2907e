"""SQS's contract: redrive policies, dead letters and their way back."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.contract.sqs.conftest import arn_of, attributes_of, receive
from tests.refusals import refusal


def test_a_message_received_too_often_goes_to_the_dead_letter_queue(sqs: Any, url: str) -> None:
    """With a redrive policy, the receive after the last one allowed moves the message, its id and count kept."""
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
    sent = sqs.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(2):
        assert len(receive(sqs, url, VisibilityTimeout=0)) == 1
    assert receive(sqs, url) == []
    (message,) = receive(sqs, dead)
    assert message["MessageId"] == sent["MessageId"]
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]


@pytest.mark.moto_deviates("moto's texts differ")
def test_a_redrive_policy_is_checked(sqs: Any, url: str) -> None:
    """Its JSON, its count, its target, which has to be there and of the same kind; nothing is changed."""
    arn = arn_of(sqs, url)
    fifo = sqs.create_queue(QueueName="d.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

    def reason(policy: object) -> str:
        text = policy if isinstance(policy, str) else json.dumps(policy)
        code, found = refusal(sqs.set_queue_attributes, QueueUrl=url, Attributes={"RedrivePolicy": text})
        assert code == "InvalidParameterValue"
        return found.removeprefix(f"Value {text} for parameter RedrivePolicy is invalid. Reason: ")

    assert reason("{") == (
        "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map."
    )
    assert reason({"maxReceiveCount": 1}) == (
        "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."
    )
    assert reason({"deadLetterTargetArn": arn}) == (
        "Redrive policy does not contain mandatory attribute: maxReceiveCount."
    )
    assert reason({"deadLetterTargetArn": arn, "maxReceiveCount": 0}) == (
        "Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive."
    )
    assert reason({"deadLetterTargetArn": arn, "maxReceiveCount": 1, "x": 1}) == (
        "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn]."
    )
    assert reason({"deadLetterTargetArn": "q", "maxReceiveCount": 1}) == (
        "Only SQS queues are valid resources for deadLetterTargetArn."
    )
    assert reason({"deadLetterTargetArn": f"{arn}2", "maxReceiveCount": 1}) == (
        "Dead letter target does not exist."
    )
    assert reason({"deadLetterTargetArn": arn_of(sqs, fifo), "maxReceiveCount": 1}) == (
        "Dead-letter queue must be same type of queue as the source."
    )
    assert attributes_of(sqs, url, "RedrivePolicy") == {}


@pytest.mark.moto_deviates("moto does not enforce redrive allow policies")
def test_a_redrive_allow_policy_is_checked_and_kept_to(sqs: Any, url: str) -> None:
    """allowAll, denyAll, or by queue, at most ten of them."""
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    redrive = json.dumps({"deadLetterTargetArn": arn_of(sqs, dead), "maxReceiveCount": 3})

    def allow(policy: object) -> Any:
        return {"QueueUrl": dead, "Attributes": {"RedriveAllowPolicy": json.dumps(policy)}}

    for bad, text in (
        ({"redrivePermission": "maybe"}, "unsupported format"),
        ({"redrivePermission": "byQueue"}, "you must also specify one or more sourceQueueArns values."),
        (
            {"redrivePermission": "denyAll", "sourceQueueArns": ["a"]},
            "you must set redrivePermission to byQueue.",
        ),
        (
            {"redrivePermission": "byQueue", "sourceQueueArns": ["a"] * 11},
            "The maximum number of source queue ARNs you can specify is 10.",
        ),
    ):
        assert text in refusal(sqs.set_queue_attributes, **allow(bad))[1]
    sqs.set_queue_attributes(**allow({"redrivePermission": "denyAll"}))
    assert refusal(sqs.set_queue_attributes, QueueUrl=url, Attributes={"RedrivePolicy": redrive})[1].endswith(
        "The dead-letter queue's redrive allow policy does not allow this source queue."
    )
    sqs.set_queue_attributes(**allow({"redrivePermission": "byQueue", "sourceQueueArns": [arn_of(sqs, url)]}))
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive})
    assert attributes_of(sqs, url, "RedrivePolicy") == {"RedrivePolicy": redrive}


@pytest.mark.moto_deviates("moto has no move tasks")
def test_messages_move_back_to_their_source(sqs: Any, url: str) -> None:
    """A task from a dead-letter queue brings each message home; only a dead-letter queue can be a source."""
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    assert refusal(sqs.start_message_move_task, SourceArn=arn_of(sqs, dead)) == (
        "InvalidParameterValue",
        "Source queue must be configured as a Dead Letter Queue.",
    )
    policy = json.dumps({"deadLetterTargetArn": arn_of(sqs, dead), "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})
    for n in range(2):
        sqs.send_message(QueueUrl=url, MessageBody=f"m{n}")
    receive(sqs, url, MaxNumberOfMessages=10)
    assert receive(sqs, url, MaxNumberOfMessages=10) == []
    assert sqs.start_message_move_task(SourceArn=arn_of(sqs, dead))["TaskHandle"]
    found: dict[str, Any] = {}
    for _ in range(10):
        (task,) = sqs.list_message_move_tasks(SourceArn=arn_of(sqs, dead))["Results"]
        for message in receive(sqs, url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=30):
            found[message["Body"]] = message["Attributes"]
        if task["Status"] != "RUNNING" and len(found) == 2:
            break
    assert found.keys() == {"m0", "m1"}
    assert task["Status"] == "COMPLETED"


@pytest.mark.moto_deviates("moto's texts differ")
def test_move_tasks_that_are_refused(sqs: Any, url: str) -> None:
    """Sources, destinations, rates and handles, in AWS's words."""
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    source, gone = arn_of(sqs, dead), arn_of(sqs, dead) + "2"
    policy = json.dumps({"deadLetterTargetArn": source, "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
    start = sqs.start_message_move_task
    missing = "The resource that you specified for the {} parameter doesn't exist."
    assert refusal(start, SourceArn=gone) == ("ResourceNotFoundException", missing.format("SourceArn"))
    assert refusal(start, SourceArn=source, DestinationArn=gone) == (
        "ResourceNotFoundException",
        missing.format("DestinationArn"),
    )
    assert refusal(start, SourceArn=source, DestinationArn=source)[1] == (
        "Source queue arn and destination queue arn cannot be the same."
    )
    assert refusal(start, SourceArn="dead")[1].startswith("You must use this format to specify the SourceArn")
    assert refusal(start, SourceArn=source, MaxNumberOfMessagesPerSecond=501)[1] == (
        "Value 501 for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and 500, if provided."
    )
    cancel = sqs.cancel_message_move_task
    assert refusal(cancel, TaskHandle="x") == (
        "InvalidParameterValue",
        "Value for parameter TaskHandle is invalid.",
    )

    def handle(task: str, arn: str) -> str:
        return base64.b64encode(json.dumps({"taskId": task, "sourceArn": arn}).encode()).decode()

    assert refusal(cancel, TaskHandle=handle("t", source)) == (
        "ResourceNotFoundException",
        "Task does not exist.",
    )
    assert refusal(cancel, TaskHandle=handle("t", gone)) == (
        "ResourceNotFoundException",
        missing.format("SourceArn"),
    )


@pytest.mark.moto_deviates("moto moves all messages at once, and so has nothing to cancel")
def test_a_move_is_cancelled_once(sqs: Any, url: str) -> None:
    """What it had moved is told; a second cancel finds nothing that runs."""
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
    for _ in range(3):
        sqs.send_message(QueueUrl=dead, MessageBody="x")
    handle = sqs.start_message_move_task(SourceArn=arn, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    assert sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] <= 3
    assert refusal(sqs.cancel_message_move_task, TaskHandle=handle)[0] == "InvalidParameterValue"
