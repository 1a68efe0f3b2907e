"""SQS's contract: queues, their attributes, tags and permissions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.sqs.conftest import arn_of, attributes_of, receive
from tests.refusals import refusal


def test_what_is_not_there(sqs: Any) -> None:
    """A queue that doesn't exist is AWS's error, by code and by class."""
    found = refusal(sqs.get_queue_url, QueueName="none")
    assert found[0] == "AWS.SimpleQueueService.NonExistentQueue"
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="none")


@pytest.mark.moto_deviates("moto does not name the attribute that differs")
def test_the_same_queue_can_be_created_again(sqs: Any, url: str) -> None:
    """The same attributes give the same queue; others are refused with the attribute's name."""
    assert sqs.create_queue(QueueName="q", Attributes={})["QueueUrl"] == url
    found = refusal(sqs.create_queue, QueueName="q", Attributes={"DelaySeconds": "3"})
    assert found == (
        "QueueAlreadyExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
    )


def test_queues_are_listed_by_prefix(sqs: Any, url: str) -> None:
    """Only names with the prefix come."""
    other = sqs.create_queue(QueueName="other")["QueueUrl"]
    assert sqs.list_queues(QueueNamePrefix="o")["QueueUrls"] == [other]
    assert sqs.list_queues()["QueueUrls"] == [other, url] or sqs.list_queues()["QueueUrls"] == [url, other]


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
