"""What can't succeed goes to the dead-letter target at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog import handler
from lambdalog.instrument.permanent import letter
from tests.unit.instrument.heard import Context

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud


class Invalid(Exception):
    """Never right, however often it is tried."""


@handler(permanent=Invalid, dead_letter="orders-dlq")
def orders(event: Any, context: Any) -> str:
    """Refuses some orders for good, and fails at others."""
    if event.get("fail") == "permanent":
        raise Invalid("order o-1 has no items\x00")
    if event.get("fail"):
        raise ConnectionError("try again")
    return "taken"


@pytest.fixture(autouse=True)
def _in_lambda(monkeypatch: pytest.MonkeyPatch, store_path: Path) -> None:
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
    monkeypatch.setenv("LAMBDALOG_STORE", f"disk:{store_path}")


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The only line."""
    (text,) = capsys.readouterr().out.splitlines()
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_permanent_failure_ends_in_the_queue(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """The invocation succeeds; the letter is what Lambda would send, and says which failure, function and version."""
    url = cloud.sqs.create_queue(QueueName="orders-dlq")["QueueUrl"]
    event = {"fail": "permanent", "name": "Åsa\U0001f600"}
    assert orders(event, Context()) is None
    (message,) = cloud.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert json.loads(message["Body"]) == event
    attributes = {name: found.get("StringValue") for name, found in message["MessageAttributes"].items()}
    told = line(capsys)
    assert attributes == {
        "RequestID": "req-1",
        "ErrorCode": "200",
        "ErrorMessage": "Invalid: order o-1 has no items\ufffd",
        "Fingerprint": told["failure"]["fingerprint"],
        "FunctionName": "orders",
        "FunctionVersion": "7",
    }
    assert (told["permanent"], told["deadLetter"]) == (True, message["MessageId"])


def test_a_topic_may_be_the_target(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """A topic's ARN gets the same letter."""
    url = cloud.sqs.create_queue(QueueName="behind")["QueueUrl"]
    arn = cloud.sns.create_topic(Name="orders-failed")["TopicArn"]
    queue = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    cloud.sns.subscribe(
        TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"}
    )

    @handler(permanent=(Invalid,), dead_letter=arn)
    def refuse(event: Any, context: Any) -> None:
        raise Invalid("never")

    assert refuse({"id": 1}, Context()) is None
    (message,) = cloud.sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"]) == {"id": 1}


def test_without_its_queue_the_failure_is_raised(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """A letter that can't be delivered leaves the event with Lambda: the original exception, and why, in the line."""
    with pytest.raises(Invalid, match="no items"):
        orders({"fail": "permanent"}, Context())
    told = line(capsys)
    assert "NonExistentQueue" in told["deadLetterError"]
    assert "deadLetter" not in told


def test_an_event_that_is_no_json_is_raised(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """What can't be sent as it is isn't sent at all."""
    cloud.sqs.create_queue(QueueName="orders-dlq")
    with pytest.raises(Invalid):
        orders({"fail": "permanent", "object": object()}, Context())
    assert "TypeError" in line(capsys)["deadLetterError"]


def test_other_failures_are_raised(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """What may succeed next time is Lambda's to try again."""
    url = cloud.sqs.create_queue(QueueName="orders-dlq")["QueueUrl"]
    with pytest.raises(ConnectionError):
        orders({"fail": True}, Context())
    assert "permanent" not in line(capsys)
    assert "Messages" not in cloud.sqs.receive_message(QueueUrl=url)
    assert orders({}, Context()) == "taken"


@pytest.mark.parametrize("text", ["\ud800", "\x00", "\ufffe", "ä"])
def test_any_json_can_be_sent(text: str, cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """Characters that no message can hold are escaped in it: what is read from it is the event."""
    url = cloud.sqs.create_queue(QueueName="orders-dlq")["QueueUrl"]
    event = {"fail": "permanent", "name": text}
    assert orders(event, Context()) is None
    (message,) = cloud.sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"]) == event


def test_a_secret_in_the_message_stays_out_of_the_letter() -> None:
    """Attributes are scrubbed like the line; the event is as it was: it is to be tried again."""
    found = letter(
        {"password": "hunter2"},
        {"type": "E", "message": "password=[scrubbed]", "fingerprint": "f" * 16},
        {"requestId": None, "function": "orders", "version": None},
    )
    assert found.error_message == "E: password=[scrubbed]"
    assert json.loads(found.body) == {"password": "hunter2"}
    assert found.extra == {"Fingerprint": "f" * 16, "FunctionName": "orders"}


def test_the_events_trace_goes_with_the_letter(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda counts by it how often a chain of invocations went round."""
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=a:2"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    url = cloud.sqs.create_queue(QueueName="orders-dlq")["QueueUrl"]
    assert orders({"fail": "permanent"}, Context()) is None
    (message,) = cloud.sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["AWSTraceHeader"])[
        "Messages"
    ]
    assert message["Attributes"]["AWSTraceHeader"] == trace
