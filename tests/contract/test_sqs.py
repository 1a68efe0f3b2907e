"""SQS's contract."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.refusals import refusal

if TYPE_CHECKING:
    from tests.contract.conftest import Backend


@pytest.fixture
def sqs(backend: Backend) -> Any:
    """A client."""
    return backend.client("sqs")


@pytest.fixture
def url(sqs: Any) -> str:
    """A queue."""
    found: str = sqs.create_queue(QueueName="q")["QueueUrl"]
    return found


def receive(sqs: Any, url: str, **params: Any) -> list[Any]:
    """The messages of one receive, with all attributes."""
    found: list[Any] = sqs.receive_message(
        QueueUrl=url, MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"], **params
    ).get("Messages", [])
    return found


def test_a_message_comes_back_as_it_was_sent(sqs: Any, url: str) -> None:
    """Body, attributes and digests are those of the send."""
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": "r-1"},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    sent = sqs.send_message(QueueUrl=url, MessageBody="naïve", MessageAttributes=attributes)
    (message,) = receive(sqs, url)
    assert message["Body"] == "naïve"
    assert message["MessageId"] == sent["MessageId"]
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"] == hashlib.md5("naïve".encode()).hexdigest()
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["MessageAttributes"] == attributes
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_received_message_is_hidden_until_deleted(sqs: Any, url: str) -> None:
    """While it is in flight no one else gets it; deleted, no one ever does."""
    sqs.send_message(QueueUrl=url, MessageBody="a")
    (message,) = receive(sqs, url)
    assert receive(sqs, url) == []
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_a_message_can_be_given_back(sqs: Any, url: str) -> None:
    """Visibility 0 lets the next receive have it, counted."""
    sqs.send_message(QueueUrl=url, MessageBody="a")
    (message,) = receive(sqs, url)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    (again,) = receive(sqs, url)
    assert again["MessageId"] == message["MessageId"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def test_batches_succeed_and_fail_entry_by_entry(sqs: Any, url: str) -> None:
    """What is sent in a batch is received in batches and deleted in one."""
    sent = sqs.send_message_batch(
        QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": f"m{n}"} for n in range(10)]
    )
    assert [entry["Id"] for entry in sent["Successful"]] == [str(n) for n in range(10)]
    messages = receive(sqs, url, MaxNumberOfMessages=10)
    entries = [
        {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)
    ]
    assert len(sqs.delete_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 10


@pytest.mark.parametrize(
    ("count", "code"),
    [
        (0, "AWS.SimpleQueueService.EmptyBatchRequest"),
        (20, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
    ],
)
def test_a_batch_has_one_to_ten_entries(sqs: Any, url: str, count: int, code: str) -> None:
    """An empty or an overfull batch is refused whole."""
    entries = [{"Id": str(n), "MessageBody": "m"} for n in range(count)]
    assert refusal(sqs.send_message_batch, QueueUrl=url, Entries=entries)[0] == code


def test_what_is_not_there(sqs: Any) -> None:
    """A queue that doesn't exist is AWS's error, by code and by class."""
    found = refusal(sqs.get_queue_url, QueueName="none")
    assert found[0] == "AWS.SimpleQueueService.NonExistentQueue"
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="none")


@pytest.mark.moto_deviates("moto words the maximum of a receive in its own way")
def test_a_receive_asks_for_one_to_ten(sqs: Any, url: str) -> None:
    """Eleven messages at once are refused in AWS's words."""
    assert refusal(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=11) == (
        "InvalidParameterValue",
        "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
    )


def test_a_message_has_a_largest_size(sqs: Any, url: str) -> None:
    """A message over the queue's maximum is refused."""
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MaximumMessageSize": "1024"})
    assert refusal(sqs.send_message, QueueUrl=url, MessageBody="x" * 1025) == (
        "InvalidParameterValue",
        "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
    )


@pytest.mark.moto_deviates("moto does not name the attribute that differs")
def test_the_same_queue_can_be_created_again(sqs: Any, url: str) -> None:
    """The same attributes give the same queue; others are refused with the attribute's name."""
    assert sqs.create_queue(QueueName="q", Attributes={})["QueueUrl"] == url
    found = refusal(sqs.create_queue, QueueName="q", Attributes={"DelaySeconds": "3"})
    assert found == (
        "QueueAlreadyExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
    )


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


def test_queues_are_listed_by_prefix(sqs: Any, url: str) -> None:
    """Only names with the prefix come."""
    other = sqs.create_queue(QueueName="other")["QueueUrl"]
    assert sqs.list_queues(QueueNamePrefix="o")["QueueUrls"] == [other]
    assert sqs.list_queues()["QueueUrls"] == [other, url] or sqs.list_queues()["QueueUrls"] == [url, other]


# --- queues and their attributes


def arn_of(sqs: Any, url: str) -> str:
    """A queue's ARN."""
    found: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return found


def attributes_of(sqs: Any, url: str, *names: str) -> dict[str, str]:
    """Some attributes of a queue."""
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names)).get(
        "Attributes", {}
    )
    return found


@pytest.mark.moto_deviates("moto knows no encryption by default")
def test_a_queue_has_attributes_by_default(sqs: Any, url: str) -> None:
    """What is not set is AWS's default; a value that is set can be brought back."""
    found = attributes_of(sqs, url, "All")
    assert found.pop("CreatedTimestamp") == found.pop("LastModifiedTimestamp")
    assert found.pop("QueueArn").endswith(":q")
    default = {
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "DelaySeconds": "0",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "30",
    }
    assert found == default
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "7", "KmsMasterKeyId": "key"})
    changed = attributes_of(sqs, url, "DelaySeconds", "KmsMasterKeyId", "SqsManagedSseEnabled")
    assert changed == {"DelaySeconds": "7", "KmsMasterKeyId": "key", "SqsManagedSseEnabled": "false"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "", "KmsMasterKeyId": ""})
    assert attributes_of(sqs, url, "DelaySeconds", "KmsMasterKeyId") == {"DelaySeconds": "0"}


BAD_QUEUES: list[Any] = [
    (
        "a b",
        {},
        (
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        ),
    ),
    (
        "n",
        {"DelaySeconds": "901"},
        ("InvalidAttributeValue", "Invalid value for the parameter DelaySeconds."),
    ),
    (
        "n",
        {"VisibilityTimeout": "x"},
        ("InvalidAttributeValue", "Invalid value for the parameter VisibilityTimeout."),
    ),
    ("n", {"Nonsense": "1"}, ("InvalidAttributeName", "Unknown Attribute Nonsense.")),
    ("n", {"FifoQueue": "false"}, ("InvalidAttributeName", "Unknown Attribute FifoQueue.")),
    (
        "n",
        {"ContentBasedDeduplication": "true"},
        ("InvalidAttributeName", "Unknown Attribute ContentBasedDeduplication."),
    ),
    (
        "n",
        {"DeduplicationScope": "queue"},
        (
            "InvalidAttributeName",
            "You can specify the DeduplicationScope only when FifoQueue is set to true.",
        ),
    ),
    ("n", {"Policy": "no"}, ("InvalidAttributeValue", "Invalid value for the parameter Policy.")),
    (
        "n",
        {"KmsMasterKeyId": "key", "SqsManagedSseEnabled": "true"},
        (
            "InvalidAttributeName",
            "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
        ),
    ),
    (
        "n",
        {"KmsDataKeyReusePeriodSeconds": "59"},
        ("InvalidAttributeValue", "Invalid value for the parameter KmsDataKeyReusePeriodSeconds."),
    ),
    (
        "n",
        {"FifoQueue": "true"},
        (
            "InvalidParameterValue",
            (
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with "
                ".fifo suffix and be 1 to 80 in length."
            ),
        ),
    ),
    (
        "n.fifo",
        {"FifoQueue": "true", "FifoThroughputLimit": "perMessageGroupId"},
        (
            "InvalidParameterValue",
            "The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup.",
        ),
    ),
]


@pytest.mark.moto_deviates("moto takes many of them")
def test_a_queue_that_can_not_be(sqs: Any) -> None:
    """Names and attributes that are refused, in AWS's words; no queue is made."""
    for name, attributes, expected in BAD_QUEUES:
        assert refusal(sqs.create_queue, QueueName=name, Attributes=attributes) == expected
    assert "QueueUrls" not in sqs.list_queues()


def test_queues_are_listed_in_pages(sqs: Any) -> None:
    """A token comes with MaxResults only, and leads on; boto3's paginator finds all."""
    urls = [sqs.create_queue(QueueName=f"q{n}")["QueueUrl"] for n in range(5)]
    first = sqs.list_queues(QueueNamePrefix="q", MaxResults=3)
    rest = sqs.list_queues(QueueNamePrefix="q", MaxResults=3, NextToken=first["NextToken"])
    assert first["QueueUrls"] + rest["QueueUrls"] == urls
    assert "NextToken" not in rest
    pages = sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 2})
    assert [url for page in pages for url in page["QueueUrls"]] == urls


def test_tags_of_a_queue(sqs: Any) -> None:
    """They come with the queue, are added to, and taken away."""
    url = sqs.create_queue(QueueName="q", tags={"a": "1"})["QueueUrl"]
    sqs.tag_queue(QueueUrl=url, Tags={"b": "2", "a": "3"})
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "3", "b": "2"}
    sqs.untag_queue(QueueUrl=url, TagKeys=["a", "none"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"b": "2"}


@pytest.mark.moto_deviates("moto's policies are of another version")
def test_permissions_are_statements_of_the_policy(sqs: Any, url: str) -> None:
    """A label names a statement; the last one that goes takes the policy along."""
    for label, accounts in (("one", ["111122223333"]), ("two", ["111122223333", "444455556666"])):
        sqs.add_permission(QueueUrl=url, Label=label, AWSAccountIds=accounts, Actions=["ReceiveMessage"])
    policy = json.loads(attributes_of(sqs, url, "Policy")["Policy"])
    assert policy["Version"] == "2008-10-17"
    assert policy["Statement"][0] == {
        "Sid": "one",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "SQS:ReceiveMessage",
        "Resource": arn_of(sqs, url),
    }
    assert policy["Statement"][1]["Principal"] == {
        "AWS": ["arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:root"]
    }
    sqs.remove_permission(QueueUrl=url, Label="one")
    assert refusal(sqs.remove_permission, QueueUrl=url, Label="one") == (
        "InvalidParameterValue",
        "Value one for parameter Label is invalid. Reason: can't find label.",
    )


@pytest.mark.moto_deviates("moto checks fewer of them")
def test_permissions_that_are_refused(sqs: Any, url: str) -> None:
    """Labels, accounts and actions, in AWS's words."""
    right: dict[str, Any] = {
        "QueueUrl": url,
        "Label": "l",
        "AWSAccountIds": ["111122223333"],
        "Actions": ["SendMessage"],
    }
    sqs.add_permission(**right)
    for change, text in (
        ({}, "Value l for parameter Label is invalid. Reason: Already exists."),
        (
            {"Label": "a b"},
            (
                "Value a b for parameter Label is invalid. Reason: Can only include alphanumeric characters, hyphens, or "
                "underscores. 1 to 80 in length."
            ),
        ),
        (
            {"Label": "m", "AWSAccountIds": ["12"]},
            "Value [12] for parameter PrincipalId is invalid. Reason: Unable to verify.",
        ),
        (
            {"Label": "m", "Actions": ["Dance"]},
            (
                "Value SQS:Dance for parameter ActionName is invalid. Reason: Please refer to the appropriate WSDL for a list "
                "of valid actions."
            ),
        ),
        (
            {"Label": "m", "Actions": ["AddPermission"]},
            (
                "Value SQS:AddPermission for parameter ActionName is invalid. Reason: Only the queue owner is allowed to "
                "invoke this action."
            ),
        ),
    ):
        assert refusal(sqs.add_permission, **(right | change)) == ("InvalidParameterValue", text)
    assert refusal(sqs.add_permission, **(right | {"Label": "m", "Actions": ["*"] * 8})) == (
        "OverLimit",
        "8 Actions were found, maximum allowed is 7.",
    )
    sqs.remove_permission(QueueUrl=url, Label="l")
    assert attributes_of(sqs, url, "Policy") == {}


# --- dead letters


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


# --- messages


@pytest.mark.moto_deviates("moto takes many of them")
def test_a_message_that_is_not_taken(sqs: Any, url: str) -> None:
    """Bodies, attributes and numbers that break a rule; each has its text, and the queue stays empty."""
    text = {"DataType": "String", "StringValue": "x"}
    for params, expected in (
        ({"MessageBody": ""}, ("MissingParameter", "The request must contain the parameter MessageBody.")),
        (
            {"MessageBody": "a￿"},
            (
                "InvalidMessageContents",
                (
                    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to "
                    "#xFFFD | #x10000 to #x10FFFF"
                ),
            ),
        ),
        (
            {"MessageBody": "m", "DelaySeconds": 901},
            (
                "InvalidParameterValue",
                "Value 901 for parameter DelaySeconds is invalid. Reason: Must be >= 0 and <= 900, if provided.",
            ),
        ),
        (
            {"MessageBody": "m", "MessageGroupId": "a b"},
            (
                "InvalidParameterValue",
                (
                    "Value a b for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric "
                    "and punctuation characters. 1 to 128 in length."
                ),
            ),
        ),
        (
            {"MessageBody": "m", "MessageDeduplicationId": "d"},
            (
                "InvalidParameterValue",
                (
                    "Value d for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is "
                    "not valid for this queue type."
                ),
            ),
        ),
        (
            {"MessageBody": "m", "MessageAttributes": {"E": {"DataType": "String", "StringValue": ""}}},
            (
                "InvalidParameterValue",
                "Message (user) attribute 'E' must contain a non-empty value of type 'String'.",
            ),
        ),
        (
            {"MessageBody": "m", "MessageAttributes": {"AWS.x": text}},
            ("InvalidParameterValue", "Message (user) attribute name 'AWS.x' is invalid."),
        ),
        (
            {"MessageBody": "m", "MessageAttributes": {f"a{n}": text for n in range(11)}},
            ("InvalidParameterValue", "Number of message attributes [11] exceeds the allowed maximum [10]."),
        ),
        (
            {"MessageBody": "x" * 1_048_577},
            (
                "InvalidParameterValue",
                "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
            ),
        ),
    ):
        assert refusal(sqs.send_message, QueueUrl=url, **params) == expected
    assert receive(sqs, url) == []


@pytest.mark.moto_deviates("moto refuses a batch whole")
def test_one_bad_entry_leaves_the_others(sqs: Any, url: str) -> None:
    """A batch succeeds and fails entry by entry: sent, hidden, deleted."""
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MaximumMessageSize": "1024"})
    sent = sqs.send_message_batch(
        QueueUrl=url,
        Entries=[{"Id": "large", "MessageBody": "x" * 1025}, {"Id": "right", "MessageBody": "m"}],
    )
    assert [entry["Id"] for entry in sent["Successful"]] == ["right"]
    assert sent["Failed"] == [
        {
            "Id": "large",
            "SenderFault": True,
            "Code": "InvalidParameterValue",
            "Message": "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.",
        }
    ]
    (message,) = receive(sqs, url)
    entries: list[Any] = [
        {"Id": "bad", "ReceiptHandle": "no handle", "VisibilityTimeout": 5},
        {"Id": "long", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 43_201},
        {"Id": "right", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 60},
    ]
    hidden = sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in hidden["Successful"]] == ["right"]
    assert [entry["Code"] for entry in hidden["Failed"]] == [
        "ReceiptHandleIsInvalid",
        "InvalidParameterValue",
    ]
    for entry in entries:
        del entry["VisibilityTimeout"]
    deleted = sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in deleted["Successful"]] == ["long", "right"]
    assert [entry["Message"] for entry in deleted["Failed"]] == ["The input receipt handle is invalid."]


@pytest.mark.moto_deviates("moto does not check every id")
def test_the_entries_of_a_batch_are_checked(sqs: Any, url: str) -> None:
    """Ids are distinct and plain; together they are no longer than one message."""

    def batch(*ids: str, body: str = "m") -> tuple[str, str]:
        entries = [{"Id": entry, "MessageBody": body} for entry in ids]
        return refusal(sqs.send_message_batch, QueueUrl=url, Entries=entries)

    plain = (
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters "
        "long."
    )
    prefix = "AWS.SimpleQueueService"
    assert batch("a:b") == (f"{prefix}.InvalidBatchEntryId", plain)
    assert batch("a" * 81) == (f"{prefix}.InvalidBatchEntryId", plain)
    assert batch("a", "a") == (f"{prefix}.BatchEntryIdsNotDistinct", "Id a repeated.")
    assert batch("a", "b", body="x" * 600_000) == (
        f"{prefix}.BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes.",
    )
    assert refusal(
        sqs.delete_message_batch,
        QueueUrl=url,
        Entries=[{"Id": str(n), "ReceiptHandle": "x"} for n in range(11)],
    ) == (
        f"{prefix}.TooManyEntriesInBatchRequest",
        "Maximum number of entries per request are 10. You have sent 11.",
    )


def test_only_the_attributes_that_are_asked_for_come(sqs: Any, url: str) -> None:
    """By name, by prefix, or all; system attributes by name."""
    text = {"DataType": "String", "StringValue": "x"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
    sqs.send_message(
        QueueUrl=url, MessageBody="m", MessageAttributes={"Foo": text, "Foo.Bar": text, "Baz": text}
    )
    for names, expected in (
        ([], set()),
        (["Foo"], {"Foo"}),
        (["Foo.*"], {"Foo", "Foo.Bar"}),
        (["All"], {"Foo", "Foo.Bar", "Baz"}),
    ):
        (message,) = sqs.receive_message(
            QueueUrl=url, MessageAttributeNames=names, AttributeNames=["SentTimestamp"]
        )["Messages"]
        assert message.get("MessageAttributes", {}).keys() == expected
        assert message["Attributes"].keys() == {"SentTimestamp"}
        assert ("MD5OfMessageAttributes" in message) == bool(expected)


def test_a_trace_header_is_carried_on(sqs: Any, url: str) -> None:
    """AWSTraceHeader is a system attribute of the message."""
    header = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1"
    sqs.send_message(
        QueueUrl=url,
        MessageBody="m",
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": header}},
    )
    (message,) = receive(sqs, url)
    assert message["Attributes"]["AWSTraceHeader"] == header


def test_a_handle_that_is_none(sqs: Any, url: str) -> None:
    """It is refused, by name of the error."""
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        sqs.delete_message(QueueUrl=url, ReceiptHandle="garbage")
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle="garbage", VisibilityTimeout=3)


# --- FIFO


@pytest.fixture
def fifo(sqs: Any) -> str:
    """A FIFO queue."""
    found: str = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    return found


def send(sqs: Any, url: str, body: str, group: str = "g", dedup: str | None = None) -> Any:
    """Send to a FIFO queue."""
    return sqs.send_message(
        QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=dedup or body
    )


def test_a_group_comes_in_order_and_one_hand(backend: Backend, sqs: Any, fifo: str) -> None:
    """While a message of a group is in flight, none behind it is given out; other groups are."""
    if backend.name == "moto":
        pytest.skip("moto orders what was sent within a millisecond by chance")
    for body, group in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        sent = send(sqs, fifo, body, group)
        assert len(sent["SequenceNumber"]) == 20
    first = receive(sqs, fifo)
    second = receive(sqs, fifo)
    assert [message["Body"] for message in first + second] == ["a1", "b1"]
    assert first[0]["Attributes"].items() >= {"MessageGroupId": "a", "MessageDeduplicationId": "a1"}.items()
    assert receive(sqs, fifo) == []
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=first[0]["ReceiptHandle"])
    (third,) = receive(sqs, fifo)
    assert third["Body"] == "a2"
    assert int(third["Attributes"]["SequenceNumber"]) > int(first[0]["Attributes"]["SequenceNumber"])


@pytest.mark.moto_deviates("moto gives a duplicate an id of its own")
def test_a_duplicate_is_accepted_and_not_kept(sqs: Any, fifo: str) -> None:
    """It gets the first one's id, also past its deletion, and in another group."""
    sent = send(sqs, fifo, "x", "a", "d")
    assert send(sqs, fifo, "other", "b", "d")["MessageId"] == sent["MessageId"]
    (message,) = receive(sqs, fifo, MaxNumberOfMessages=10)
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=message["ReceiptHandle"])
    again = send(sqs, fifo, "x", "a", "d")
    assert (again["MessageId"], again["SequenceNumber"]) == (sent["MessageId"], sent["SequenceNumber"])
    assert receive(sqs, fifo) == []


def test_the_same_content_is_a_duplicate(sqs: Any, fifo: str) -> None:
    """With content-based deduplication the id is the body's SHA-256; a given id goes before it."""
    sqs.set_queue_attributes(QueueUrl=fifo, Attributes={"ContentBasedDeduplication": "true"})
    for dedup in ({}, {}, {"MessageDeduplicationId": "own"}):
        sqs.send_message(QueueUrl=fifo, MessageBody="m", MessageGroupId="g", **dedup)
    found = receive(sqs, fifo, MaxNumberOfMessages=10)
    assert [message["Attributes"]["MessageDeduplicationId"] for message in found] == [
        hashlib.sha256(b"m").hexdigest(),
        "own",
    ]


@pytest.mark.moto_deviates("moto asks for the parameters in another order")
def test_what_a_fifo_queue_asks_for(sqs: Any, fifo: str) -> None:
    """A group, a deduplication id unless the content tells, and no delay of its own; in a batch for all of it."""
    for params, text in (
        ({}, "The request must contain the parameter MessageGroupId."),
        (
            {"MessageGroupId": "g"},
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        ),
        (
            {"MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 2},
            (
                "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for "
                "this queue type."
            ),
        ),
    ):
        assert refusal(sqs.send_message, QueueUrl=fifo, MessageBody="m", **params)[1] == text
        assert refusal(
            sqs.send_message_batch, QueueUrl=fifo, Entries=[{"Id": "1", "MessageBody": "m"} | params]
        ) == ("InvalidParameterValue", text)
    assert refusal(sqs.set_queue_attributes, QueueUrl=fifo, Attributes={"FifoQueue": "false"}) == (
        "InvalidAttributeValue",
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
    )


def test_a_queue_is_found_by_its_name_until_it_is_deleted(sqs: Any, url: str) -> None:
    """Then it isn't there."""
    assert sqs.get_queue_url(QueueName="q")["QueueUrl"] == url
    sqs.delete_queue(QueueUrl=url)
    assert refusal(sqs.get_queue_url, QueueName="q") == (
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist.",
    )


def test_a_purge_empties_a_queue(sqs: Any, url: str) -> None:
    """Of what waits and of what is in flight."""
    for text in ("a", "b"):
        sqs.send_message(QueueUrl=url, MessageBody=text)
    assert len(receive(sqs, url)) == 1
    sqs.purge_queue(QueueUrl=url)
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert counts == dict.fromkeys(names, "0")


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
