"""An account whose caller may not do all that a look needs: the rest is shown, and what was refused is said."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from lambdalog.cloud import connect
from lambdalog.failures.inbox import Inbox
from lambdalog.tail.filtered import budget_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.cloud import Cloud


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An account with two dead-letter queues, of a letter each, and the log of the function that failed."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws(), connect("aws:us-east-1") as cloud:
        for name in ("orders-dlq", "pay-dlq"):
            url = cloud.sqs.create_queue(QueueName=name)["QueueUrl"]
            said = {
                "RequestID": f"r-{name}",
                "ErrorCode": "200",
                "ErrorMessage": "declined",
                "FunctionName": "pay",
            }
            cloud.sqs.send_message(
                QueueUrl=url,
                MessageBody='{"id": 1}',
                MessageAttributes={
                    key: {"DataType": "String", "StringValue": text} for key, text in said.items()
                },
            )
        cloud.logs.create_log_group(logGroupName="/aws/lambda/pay")
        cloud.logs.create_log_stream(logGroupName="/aws/lambda/pay", logStreamName="s")
        line = '{"errorType": "Declined", "errorMessage": "no card", "requestId": "r-pay-dlq"}'
        cloud.logs.put_log_events(
            logGroupName="/aws/lambda/pay",
            logStreamName="s",
            logEvents=[{"timestamp": int(time.time() * 1000), "message": line}],
        )
        yield cloud


def refuse(client: Any, operation: str, code: str, *, times: int = 1_000, queue: str = "") -> list[str]:
    """Let an operation be refused so many times, of one queue or all; the list grows with each refusal."""
    refused: list[str] = []
    service = client.meta.service_model.service_id.hyphenize()

    def answer(params: dict[str, Any], **_: Any) -> Any:
        if len(refused) >= times or queue not in str(params["body"]):
            return None
        refused.append(operation)
        error = {"Code": code, "Message": f"you may not {operation}"}
        return SimpleNamespace(status_code=400), {
            "Error": error,
            "ResponseMetadata": {"HTTPStatusCode": 400},
        }

    client.meta.events.register(f"before-call.{service}.{operation}", answer)
    return refused


@pytest.mark.parametrize("operation", ["ReceiveMessage", "GetQueueAttributes"])
def test_one_queue_that_may_not_be_read_hides_no_other(aws: Cloud, operation: str) -> None:
    """Among all queues it is passed over with a note; one that was asked for by name is an error."""
    refuse(aws.sqs, operation, "AccessDenied", queue="orders-dlq")
    inbox = Inbox(aws)
    assert [letter.queue for letter in inbox.letters()] == ["pay-dlq"]
    assert f"orders-dlq can't be looked into: you may not {operation}" in inbox.notes
    with pytest.raises(ClientError, match="AccessDenied"):
        inbox.letters("orders-dlq")


def test_a_log_that_may_not_be_read_is_said_once(aws: Cloud) -> None:
    """The failures are grouped by what their letters say."""
    refuse(aws.logs, "FilterLogEvents", "AccessDeniedException")
    inbox = Inbox(aws)
    groups = inbox.groups()
    assert sum(group.count for group in groups) == 2
    assert inbox.notes == ["/aws/lambda/pay can't be read: you may not FilterLogEvents"]


def test_logs_are_read_out_of_the_shared_budget(aws: Cloud) -> None:
    """FilterLogEvents is throttled by account and region, whoever asks: a refusal slows all readers, and is waited out."""
    refused = refuse(aws.logs, "FilterLogEvents", "ThrottlingException", times=1)
    before = budget_of(aws).rate
    types = {group.type for group in Inbox(aws).groups()}
    assert "Declined" in types
    assert len(refused) == 1
    assert budget_of(aws).refused == 1
    assert budget_of(aws).rate < before


def test_all_queues_of_an_account_are_listed(aws: Cloud) -> None:
    """ListQueues tells of more than a thousand queues only to who asks for pages."""
    asked: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        asked.append(params)

    aws.sqs.meta.events.register("provide-client-params.sqs.ListQueues", note)
    Inbox(aws).queues()
    assert [params["MaxResults"] for params in asked] == [1000]
