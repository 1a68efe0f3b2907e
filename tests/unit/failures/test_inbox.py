"""The inbox, over real failures of a real function."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from lambdalog.cloud import connect
from lambdalog.deadletter import DeadLetter, DeadLetters
from lambdalog.failures import Inbox

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud
    from tests.unit.failures.conftest import Pay


def test_letters_are_joined_with_what_their_log_tells(pay: Pay, inbox: Inbox) -> None:
    """A letter names no type; its log line does, with frames and fingerprint."""
    (request,) = pay.fail({"id": 1})
    (letter,) = inbox.letters()
    assert (letter.request_id, letter.function, letter.queue) == (request, "pay", "pay-dlq")
    assert (letter.body, letter.error_message) == ('{"id": 1}', "order 1 declined")
    explained = inbox.explain(letter)
    assert (explained.failure.type, explained.version) == ("Declined", "$LATEST")
    assert explained.failure.frames[-1].function == "handler"


def test_failures_of_one_kind_are_one_group(pay: Pay, inbox: Inbox) -> None:
    """Other ids are the same failure; another place or type is another; the most frequent comes first."""
    pay.fail({"id": 1}, {"id": 2}, {"id": 3, "fail": "other"}, {"id": 4}, {"id": 5, "fail": "exit"})
    groups = inbox.groups()
    assert (groups[0].type, groups[0].count) == ("Declined", 3)
    assert {group.type for group in groups} == {"Declined", "LookupError", "Runtime.ExitError"}
    declined = groups[0]
    assert declined.functions == ("pay",)
    assert declined.message == "order 4 declined"
    assert declined.first_seen == declined.letters[0].sent_at <= declined.last_seen


def test_a_letters_lines_are_its_own(pay: Pay, inbox: Inbox) -> None:
    """From START to REPORT, of this request and no other."""
    requests = pay.fail({"id": 1}, {"id": 2})
    lines = inbox.lines(inbox.letters()[1])
    assert lines[0].message.startswith(f"START RequestId: {requests[1]}")
    assert lines[-1].message.startswith("REPORT")
    assert not [line for line in lines if requests[0] in line.message]


def test_looking_takes_nothing(pay: Pay, inbox: Inbox, cloud: Cloud) -> None:
    """However often it is looked at, a letter can be received, for the first time."""
    pay.fail({"id": 1})
    for _ in range(3):
        inbox.groups()
    (message,) = cloud.sqs.receive_message(QueueUrl=pay.url, MessageSystemAttributeNames=["All"])["Messages"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_queue_that_is_not_there_says_so(cloud: Cloud, inbox: Inbox) -> None:
    """Asking for a queue by name is an error if there is none; asking for all is not."""
    assert inbox.groups() == []
    with pytest.raises(cloud.sqs.exceptions.QueueDoesNotExist):
        inbox.letters("none")


def test_letters_of_others_are_shown_too(cloud: Cloud, inbox: Inbox) -> None:
    """A message that no Lambda of ours sent, without attributes or JSON, is a letter all the same."""
    url = cloud.sqs.create_queue(QueueName="x-dlq")["QueueUrl"]
    cloud.sqs.send_message(QueueUrl=url, MessageBody="no JSON at all")
    DeadLetters(cloud.sqs).send(
        "x-dlq", DeadLetter("{}", "r", "RequestId: r Error: Task timed out after 3.00 seconds")
    )
    groups = {group.type: group for group in inbox.groups()}
    assert groups.keys() == {"Unknown", "Sandbox.Timedout"}
    assert groups["Unknown"].letters[0].body == "no JSON at all"


def test_the_same_on_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over boto3 the inbox reads the queue and puts everything back."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws(), connect("aws:us-east-1") as cloud:
        url = cloud.sqs.create_queue(QueueName="pay-dlq")["QueueUrl"]
        for number in range(12):
            DeadLetters(cloud.sqs).send(
                url, DeadLetter(json.dumps({"id": number}), f"r-{number}", "order 1 declined")
            )
        inbox = Inbox(cloud)
        (group,) = inbox.groups()
        assert group.count == 12
        assert abs(group.last_seen - time.time() * 1000) < 60_000
        got: list[Any] = []
        while page := cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            got += page
        assert len(got) == 12
