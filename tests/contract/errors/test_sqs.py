"""SQS's errors, as AWS was recorded to word them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.refusals import Refusal

if TYPE_CHECKING:
    from tests.contract.errors.conftest import Ask, World

IDS = "can only include alphanumeric and punctuation characters. 1 to 128 in length."
LONG = "a" * 129
MISSING = "AWS.SimpleQueueService."


def created(*, name: str = "q", **attributes: str) -> Ask:
    """A queue made with these attributes."""
    return lambda w: (w.sqs.create_queue, {"QueueName": name, "Attributes": attributes})


def sent(**params: Any) -> Ask:
    """A message sent to a standard queue."""
    return lambda w: (w.sqs.send_message, {"QueueUrl": w.queue(), "MessageBody": "m", **params})


def sent_in_order(**params: Any) -> Ask:
    """A message sent to a FIFO queue."""
    return lambda w: (w.sqs.send_message, {"QueueUrl": w.fifo(), "MessageBody": "m", **params})


def received(**params: Any) -> Ask:
    """Messages asked of a queue."""
    return lambda w: (w.sqs.receive_message, {"QueueUrl": w.queue(), **params})


def made_again(w: World, first: dict[str, str], second: dict[str, str]) -> tuple[Any, dict[str, Any]]:
    """A queue made once more, otherwise."""
    name = "q.fifo" if "FifoQueue" in first else "q"
    w.queue(name, **first)
    return w.sqs.create_queue, {"QueueName": name, "Attributes": second}


def oversized(w: World) -> tuple[Any, dict[str, Any]]:
    """A message longer than its queue takes."""
    return w.sqs.send_message, {"QueueUrl": w.queue(MaximumMessageSize="1024"), "MessageBody": "a" * 1025}


def batch_oversized(w: World) -> tuple[Any, dict[str, Any]]:
    """Ten messages, longer together than a queue takes."""
    entries = [{"Id": str(n), "MessageBody": "a" * size} for n, size in enumerate((524_288, 524_289))]
    return w.sqs.send_message_batch, {"QueueUrl": w.queue(), "Entries": entries}


def deleted(*ids: str) -> Ask:
    """Messages deleted in a batch."""
    entries = [{"Id": name, "ReceiptHandle": "r"} for name in ids]
    return lambda w: (w.sqs.delete_message_batch, {"QueueUrl": w.queue(), "Entries": entries})


def permitted_twice(w: World) -> tuple[Any, dict[str, Any]]:
    """A label that is there."""
    asked = {
        "QueueUrl": w.queue(),
        "Label": "l",
        "AWSAccountIds": ["000000000000"],
        "Actions": ["SendMessage"],
    }
    w.sqs.add_permission(**asked)
    return w.sqs.add_permission, asked


def moved(**params: str) -> Ask:
    """Messages moved from a dead-letter queue."""

    def ask(w: World) -> tuple[Any, dict[str, Any]]:
        w.queue("dead")
        w.queue(RedrivePolicy=f'{{"deadLetterTargetArn":"{w.arn("sqs", "dead")}","maxReceiveCount":"1"}}')
        return w.sqs.start_message_move_task, {"SourceArn": w.arn("sqs", "dead"), **params}

    return ask


def cancelled(handle: str) -> Ask:
    """A task cancelled by a handle."""
    return lambda w: (w.sqs.cancel_message_move_task, {"TaskHandle": handle})


def handle_of(source: str) -> str:
    """A handle as AWS makes them, of no task."""
    import base64
    import json

    task = {"taskId": "0c1a8bd2-0d9a-4d4c-a5a4-8b4a0f2fb2b6", "sourceArn": source}
    return base64.b64encode(json.dumps(task).encode()).decode()


def task_of_a_queue(w: World) -> tuple[Any, dict[str, Any]]:
    """A handle of no task, of a queue that is there."""
    w.queue()
    return w.sqs.cancel_message_move_task, {"TaskHandle": handle_of(w.arn("sqs", "q"))}


NONE = "arn:aws:sqs:us-east-1:000000000000:none"
CASES: dict[str, tuple[Ask, str, str, int]] = {
    "made again, FIFO": (
        lambda w: made_again(
            w, {"FifoQueue": "true"}, {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        ),
        "QueueAlreadyExists",
        "A queue already exists with the same name and a different value for attribute ContentBasedDeduplication",
        400,
    ),
    "made again": (
        lambda w: made_again(w, {"DelaySeconds": "1"}, {"DelaySeconds": "2"}),
        "QueueAlreadyExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
        400,
    ),
    "content-based": (
        created(ContentBasedDeduplication="false"),
        "InvalidAttributeName",
        "Unknown Attribute ContentBasedDeduplication.",
        400,
    ),
    "scope": (
        created(DeduplicationScope="queue"),
        "InvalidAttributeName",
        "You can specify the DeduplicationScope only when FifoQueue is set to true.",
        400,
    ),
    "throughput": (
        created(FifoThroughputLimit="perQueue"),
        "InvalidAttributeName",
        "You can specify the FifoThroughputLimit only when FifoQueue is set to true.",
        400,
    ),
    "fifo false": (
        created(FifoQueue="false"),
        "InvalidAttributeName",
        "Unknown Attribute FifoQueue.",
        400,
    ),
    "batch id": (
        deleted("a b"),
        f"{MISSING}InvalidBatchEntryId",
        (
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long."
        ),
        400,
    ),
    "batch of 20": (
        deleted(*map(str, range(20))),
        f"{MISSING}TooManyEntriesInBatchRequest",
        "Maximum number of entries per request are 10. You have sent 20.",
        400,
    ),
    "batch too long": (
        batch_oversized,
        f"{MISSING}BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.",
        400,
    ),
    "delay in order": (
        sent_in_order(MessageGroupId="g", MessageDeduplicationId="d", DelaySeconds=2),
        "InvalidParameterValue",
        (
            "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this "
            "queue type."
        ),
        400,
    ),
    **{
        f"deduplication id {value[:4]!r}": (
            sent_in_order(MessageGroupId="g", MessageDeduplicationId=value),
            "InvalidParameterValue",
            f"Value {value} for parameter MessageDeduplicationId is invalid. Reason: MessageDeduplicationId {IDS}",
            400,
        )
        for value in ("", "group 123", LONG)
    },
    **{
        f"group id {value[:4]!r}": (
            sent(MessageGroupId=value),
            "InvalidParameterValue",
            f"Value {value} for parameter MessageGroupId is invalid. Reason: MessageGroupId {IDS}",
            400,
        )
        for value in ("", "group 123", LONG)
    },
    "no deduplication id": (
        sent_in_order(MessageGroupId="g"),
        "InvalidParameterValue",
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        400,
    ),
    "no group": (
        sent_in_order(MessageDeduplicationId="d"),
        "MissingParameter",
        "The request must contain the parameter MessageGroupId.",
        400,
    ),
    "no body": (
        sent(MessageBody=""),
        "MissingParameter",
        "The request must contain the parameter MessageBody.",
        400,
    ),
    "empty attribute": (
        sent(MessageAttributes={"ErrorDetails": {"DataType": "String", "StringValue": ""}}),
        "InvalidParameterValue",
        "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'.",
        400,
    ),
    "longer than its queue takes": (
        oversized,
        "InvalidParameterValue",
        "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
        400,
    ),
    "longer than any takes": (
        sent(MessageBody="a" * 1_048_577),
        "InvalidParameterValue",
        "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
        400,
    ),
    "eleven": (
        received(MaxNumberOfMessages=11),
        "InvalidParameterValue",
        "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
        400,
    ),
    **{
        f"waits {value}": (
            received(WaitTimeSeconds=value),
            "InvalidParameterValue",
            f"Value {value} for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
            400,
        )
        for value in (21, -1)
    },
    "to a queue of another kind": (
        lambda w: (
            w.sqs.set_queue_attributes,
            {"QueueUrl": w.fifo(), "Attributes": {"FifoQueue": "false"}},
        ),
        "InvalidAttributeValue",
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
        400,
    ),
    "no such label": (
        lambda w: (w.sqs.remove_permission, {"QueueUrl": w.queue(), "Label": "l"}),
        "InvalidParameterValue",
        "Value l for parameter Label is invalid. Reason: can't find label.",
        400,
    ),
    "label twice": (
        permitted_twice,
        "InvalidParameterValue",
        "Value l for parameter Label is invalid. Reason: Already exists.",
        400,
    ),
    "task of no queue": (
        cancelled(handle_of(NONE)),
        "ResourceNotFoundException",
        "The resource that you specified for the SourceArn parameter doesn't exist.",
        404,
    ),
    "no handle": (
        cancelled("foobar"),
        "InvalidParameterValue",
        "Value for parameter TaskHandle is invalid.",
        400,
    ),
    "no such task": (task_of_a_queue, "ResourceNotFoundException", "Task does not exist.", 404),
    "to no queue": (
        moved(DestinationArn=NONE),
        "ResourceNotFoundException",
        "The resource that you specified for the DestinationArn parameter doesn't exist.",
        404,
    ),
    "from no queue": (
        moved(SourceArn=NONE),
        "ResourceNotFoundException",
        "The resource that you specified for the SourceArn parameter doesn't exist.",
        404,
    ),
    "no group in a batch": (
        lambda w: (
            w.sqs.send_message_batch,
            {
                "QueueUrl": w.fifo(),
                "Entries": [{"Id": "1", "MessageBody": "m", "MessageDeduplicationId": "d"}],
            },
        ),
        "InvalidParameterValue",
        "The request must contain the parameter MessageGroupId.",
        400,
    ),
    "no such queue": (
        lambda w: (w.sqs.get_queue_url, {"QueueName": "none"}),
        f"{MISSING}NonExistentQueue",
        "The specified queue does not exist.",
        400,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_as_by_aws(world: World, name: str) -> None:
    """Code, text and status are AWS's."""
    ask, code, text, status = CASES[name]
    assert world.refusal(ask) == Refusal(code, text, status)
