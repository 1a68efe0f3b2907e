"""The same on AWS: over boto3's own clients, against moto."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from moto import mock_aws

from lambdalog.cloud import connect
from lambdalog.deadletter import DeadLetter, DeadLetters
from lambdalog.failures import Desk, Destination, Pace, where
from lambdalog.failures.look import receive_and_give_back

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.cloud import Cloud


def _answer(status: int, code: str) -> Any:
    """What a service answers with an error."""
    return {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An account of moto's, whose Lambda answers without running anything."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws(config={"lambda": {"use_docker": False}}), connect("aws:us-east-1") as cloud:
        yield cloud


@pytest.fixture
def desk(aws: Cloud, tmp_path: Path) -> Iterator[Desk]:
    """A desk with its journal in a folder."""
    with Desk(aws, root=tmp_path / "journal") as opened:
        yield opened


def bodies(cloud: Cloud, url: str) -> list[str]:
    """What can be received at this moment, and is left where it was."""
    found: list[str] = []
    sqs: Any = cloud.sqs
    while page := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60).get(
        "Messages"
    ):
        found += [message["Body"] for message in page]
        for message in page:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return sorted(found)


def letters(cloud: Cloud, count: int) -> str:
    """A dead-letter queue with letters of one kind and, every third, of another; its URL."""
    url = cloud.sqs.create_queue(QueueName="pay-dlq")["QueueUrl"]
    for number in range(count):
        message = "no money" if number % 3 == 0 else "no card"
        DeadLetters(cloud.sqs).send(url, DeadLetter(json.dumps({"id": number}), f"r-{number}", message))
    return url


def test_chosen_letters_go_to_a_function_and_the_others_stay(aws: Cloud, desk: Desk) -> None:
    """What succeeded is deleted; all else can be received at once."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): pass")
    iam = boto3.client("iam", region_name="us-east-1")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    aws.lambda_.create_function(
        FunctionName="pay",
        Role=role,
        Runtime="python3.12",
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
    )
    url = letters(aws, 12)
    planned = desk.plan("pay-dlq", where=where(["message~money"]), destination=Destination("function", "pay"))
    assert (len(planned.letters), planned.total) == (4, 12)
    result = desk.run(desk.begin(planned, pace=Pace(canary=1)).id)
    assert result.counts == {"acked": 4}
    assert [json.loads(body)["id"] % 3 for body in bodies(aws, url)].count(0) == 0


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ReadTimeoutError(endpoint_url="https://lambda"), "in-doubt"),
        (ConnectionClosedError(endpoint_url="https://lambda"), "in-doubt"),
        (ClientError(_answer(500, "ServiceException"), "Invoke"), "in-doubt"),
        (ClientError(_answer(404, "ResourceNotFoundException"), "Invoke"), "failed"),
        (EndpointConnectionError(endpoint_url="https://lambda"), "failed"),
    ],
)
def test_what_may_have_been_sent_is_in_doubt(aws: Cloud, desk: Desk, error: Exception, state: str) -> None:
    """A silent or broken connection and a fault of the service say nothing of the event; a refusal does."""
    url = letters(aws, 3)

    def fail(**_: Any) -> None:
        raise error

    aws.careful("lambda").meta.events.register("before-call.lambda.Invoke", fail)
    planned = desk.plan("pay-dlq", destination=Destination("function", "pay"))
    result = desk.run(desk.begin(planned, pace=Pace(canary=1)).id)
    assert (result.counts, result.stopped) == ({state: 1, "planned": 2}, "the canary failed")
    assert len(desk.plan("pay-dlq", destination=Destination("function", "pay")).letters) == (
        2 if state == "in-doubt" else 3
    )
    assert len(bodies(aws, url)) == 3


def test_a_look_gives_back_in_batches_and_names_what_it_could_not(aws: Cloud) -> None:
    """Each message is seen once; those that SQS would not let go are told of, and the others can be received at once."""
    url = letters(aws, 12)
    whole: Any = aws.sqs.change_message_visibility_batch
    asked: list[int] = []

    def part(**arguments: Any) -> Any:
        asked.append(len(arguments["Entries"]))
        lost, *rest = arguments["Entries"]
        answer = whole(QueueUrl=url, Entries=rest)
        return answer | {"Failed": [{"Id": lost["Id"], "Code": "InternalError", "SenderFault": False}]}

    aws.sqs.change_message_visibility_batch = part  # type: ignore[method-assign]
    received = receive_and_give_back(aws.sqs, url, aws.clock, most=100)
    assert len({message["MessageId"] for message in received.messages}) == 12
    assert asked == [10, 2]
    assert len(received.kept) == 2
    assert "2 could not be given back" in received.note
    assert len(bodies(aws, url)) == 10


def test_a_look_without_leave_to_give_back_still_shows(aws: Cloud) -> None:
    """Who may receive but not change visibility sees the messages, and is told that they are hidden for a while."""
    url = letters(aws, 3)

    def refuse(**_: Any) -> Any:
        raise aws.sqs.exceptions.ClientError(_answer(403, "AccessDenied"), "ChangeMessageVisibilityBatch")

    aws.sqs.change_message_visibility_batch = refuse  # type: ignore[method-assign]
    received = receive_and_give_back(aws.sqs, url, aws.clock, most=2)
    assert (len(received.messages), len(received.kept)) == (2, 2)


def test_messages_go_to_a_queue_and_to_a_file(aws: Cloud, desk: Desk, tmp_path: Path) -> None:
    """In batches, with the replay id; what is discarded is gone, for a reason."""
    url = letters(aws, 25)
    out = aws.sqs.create_queue(QueueName="out")["QueueUrl"]
    run = desk.begin(
        desk.plan("pay-dlq", where=where(["$.id < 12"]), destination=Destination("queue", "out"))
    )
    assert desk.run(run.id).counts == {"acked": 12}
    (message, *_) = aws.sqs.receive_message(QueueUrl=out, MessageAttributeNames=["All"], VisibilityTimeout=0)[
        "Messages"
    ]
    assert message["MessageAttributes"].keys() == {"LambdalogReplayId"}
    assert len(bodies(aws, out)) == 12
    file = tmp_path / "x.jsonl"
    run = desk.begin(
        desk.plan("pay-dlq", where=where(["$.id < 20"]), destination=Destination("file", str(file)))
    )
    assert desk.run(run.id).counts == {"acked": 8}
    assert len(file.read_bytes().splitlines()) == 8
    run = desk.begin_discard(desk.plan_discard("pay-dlq", where=where(["$.id > 20"])), reason="old")
    assert desk.run(run.id).counts == {"discarded": 4}
    assert bodies(aws, url) == ['{"id": 20}']


def test_a_careful_client_sends_each_request_once(aws: Cloud) -> None:
    """boto3's own would send an invocation again where the connection broke."""
    client = aws.careful("lambda")
    assert client.meta.config.retries["total_max_attempts"] == 1
    assert client.meta.config.read_timeout > 900
    assert aws.careful("lambda") is client
    assert aws.client("lambda") is not client
