"""Dead letters as Lambda makes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lambdalog.deadletter import DeadLetter, DeadLetters, destination_record, message_attributes

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud

LETTER = DeadLetter('{"id": 1}', "req-1", "it failed", extra={"fingerprint": "ab"})


def test_a_dead_letter_is_the_event_with_three_attributes(cloud: Cloud) -> None:
    """The body is the event unchanged; RequestID, ErrorCode and ErrorMessage say what happened."""
    url = cloud.sqs.create_queue(QueueName="q-dlq")["QueueUrl"]
    for target in (url, "q-dlq", cloud.scope.queue("q-dlq")):
        message_id = DeadLetters(cloud.sqs).send(target, LETTER)
        (message,) = cloud.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
        assert message["MessageId"] == message_id
        assert message["Body"] == '{"id": 1}'
        assert message["MessageAttributes"]["ErrorCode"] == {"DataType": "Number", "StringValue": "200"}
        assert message["MessageAttributes"]["RequestID"] == {"DataType": "String", "StringValue": "req-1"}
        assert message["MessageAttributes"]["fingerprint"] == {"DataType": "String", "StringValue": "ab"}


def test_a_topic_gets_it_too(cloud: Cloud) -> None:
    """A topic's ARN is published to."""
    topic = cloud.sns.create_topic(Name="t")["TopicArn"]
    url = cloud.sqs.create_queue(QueueName="q")["QueueUrl"]
    cloud.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=cloud.scope.queue("q"))
    DeadLetters(cloud.sqs, cloud.sns).send(topic, LETTER)
    (message,) = cloud.sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["Message"] == LETTER.body
    with pytest.raises(ValueError, match="no SNS client"):
        DeadLetters(cloud.sqs).send(topic, LETTER)


def test_the_error_message_is_cut_at_a_kilobyte() -> None:
    """Not inside a character."""
    attributes = message_attributes(DeadLetter("{}", "r", "é" * 1000))
    assert attributes["ErrorMessage"]["StringValue"] == "é" * 512


def test_a_queue_that_is_not_there_raises(cloud: Cloud) -> None:
    """Whoever sends keeps the letter: the client's error comes through."""
    with pytest.raises(cloud.sqs.exceptions.QueueDoesNotExist):
        DeadLetters(cloud.sqs).send("none", LETTER)


def test_a_destination_record_has_lambdas_keys_in_order() -> None:
    """The record of a failure and that of a function that is switched off, as AWS writes them."""
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST"
    failed = json.loads(
        destination_record(
            now=1_700_000_000.5,
            request_id="r",
            function_arn=arn,
            condition="RetriesExhausted",
            invoke_count=3,
            request_payload=b'{"a": 1}',
            function_error="Unhandled",
            response_payload=b'{"errorMessage": "x"}',
        )
    )
    assert list(failed) == [
        "version", "timestamp", "requestContext", "requestPayload", "responseContext", "responsePayload",
    ]  # fmt: skip
    assert failed["timestamp"] == "2023-11-14T22:13:20.500Z"
    assert failed["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    off = json.loads(
        destination_record(
            now=1.0,
            request_id="r",
            function_arn=arn,
            condition="ZeroReservedConcurrency",
            invoke_count=0,
            request_payload=b"{}",
        )
    )
    assert "responseContext" not in off
    assert "responsePayload" not in off


def test_what_a_message_cannot_hold_does_not_keep_a_letter_back(cloud: Cloud) -> None:
    """An escape sequence in the error's text is shown as U+FFFD; in the event, a JSON escape means the same."""
    url = cloud.sqs.create_queue(QueueName="q-dlq")["QueueUrl"]
    event = '{"a": "x\uffffy", "b": 1.0}'
    DeadLetters(cloud.sqs).send("q-dlq", DeadLetter(event, "r", "\x1b[31mred\x00", trace_header="Root=1-2-3"))
    (message,) = cloud.sqs.receive_message(
        QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )["Messages"]
    assert message["Body"] == '{"a": "x\\uffffy", "b": 1.0}'
    assert json.loads(message["Body"]) == json.loads(event)
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "\ufffd[31mred\ufffd"
    assert message["Attributes"]["AWSTraceHeader"] == "Root=1-2-3"


def test_fifo_queues_take_no_dead_letters(cloud: Cloud) -> None:
    """Lambda doesn't support them as targets."""
    with pytest.raises(ValueError, match="FIFO"):
        DeadLetters(cloud.sqs).send("q.fifo", LETTER)


def answered(request: bytes, response: bytes | None = None) -> str:
    """The record of an invocation with these payloads."""
    return destination_record(
        now=0,
        request_id="r",
        function_arn="arn:f:1",
        condition="Success",
        invoke_count=1,
        request_payload=request,
        response_payload=response,
    )


def test_a_records_payloads_stand_as_they_are() -> None:
    """Numbers keep their form; what is no JSON is refused."""
    record = answered(b' {"a":1.10,"a":1e400} ', b"")
    assert '"requestPayload":{"a":1.10,"a":1e400},' in record
    assert record.endswith('"responsePayload":null}')
    with pytest.raises(ValueError, match="Expecting"):
        answered(b"{")


@pytest.mark.parametrize("answer", [b"plain text", b"\xff", b"[" * 20_000, b"[" * 20_000 + b"]" * 20_000])
def test_a_response_that_is_no_json_stands_as_text(answer: bytes) -> None:
    """A runtime of one's own may answer anything, and its destination is told all the same."""
    assert json.loads(answered(b"{}", answer))["responsePayload"] == answer.decode("utf-8", "replace")
