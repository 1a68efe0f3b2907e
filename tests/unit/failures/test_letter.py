"""What a message in a queue is: read from its attributes and its body, whoever made it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdalog.deadletter import destination_record
from lambdalog.failures.inbox import by_itself, by_text
from lambdalog.failures.letter import Letter, from_message

ARN = "arn:aws:lambda:eu-west-1:111111111111:function:pay:$LATEST"
LAMBDAS = {
    "RequestID": {"DataType": "String", "StringValue": "r-1"},
    "ErrorCode": {"DataType": "Number", "StringValue": "200"},
    "ErrorMessage": {"DataType": "String", "StringValue": "it failed"},
}


def letter(body: str, attributes: dict[str, Any] | None = None, **system: str) -> Letter:
    """The letter that a message with this body is."""
    message = {"MessageId": "m-1", "Body": body, "Attributes": system, "MessageAttributes": attributes or {}}
    return from_message(message, "q")


def topic(message: str, **attributes: str) -> str:
    """What SNS delivers to a queue."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "n-1",
            "TopicArn": "arn:aws:sns:eu-west-1:111111111111:t",
            "Message": message,
            "Timestamp": "2026-01-01T00:00:00.000Z",
            "MessageAttributes": {
                name: {"Type": "String", "Value": value} for name, value in attributes.items()
            },
        }
    )


def record(condition: str = "RetriesExhausted", **more: Any) -> str:
    """A destination record with odd spacing and numbers in its payload."""
    context = {"requestId": "r-2", "functionArn": ARN, "condition": condition, "approximateInvokeCount": 3}
    rest = "".join(f', "{name}": {json.dumps(value)}' for name, value in more.items())
    return f'{{"version":"1.0","requestContext":{json.dumps(context)},"requestPayload": {{"a":1.10,  "b": 1e400}}{rest}}}'


def test_a_dead_letter_is_the_event_with_lambdas_attributes() -> None:
    """The body is the event, as it stands; the attributes say what failed."""
    found = letter(' {"id": 1.0}\n', LAMBDAS, SentTimestamp="17", ApproximateReceiveCount="2")
    assert (found.kind, found.event, found.body) == ("dead-letter", ' {"id": 1.0}\n', ' {"id": 1.0}\n')
    assert (found.request_id, found.error_code, found.error_message) == ("r-1", "200", "it failed")
    assert (found.sent_at, found.receives) == (17, 2)


def test_a_destination_record_has_the_event_cut_out_to_the_character() -> None:
    """Numbers and spaces stay as they were written; function, version and attempts are told."""
    found = letter(
        record(
            responseContext={"statusCode": 200, "executedVersion": "7", "functionError": "Unhandled"},
            responsePayload={"errorType": "Declined", "errorMessage": "no"},
        )
    )
    assert (found.kind, found.event) == ("destination", '{"a":1.10,  "b": 1e400}')
    assert (found.function, found.qualifier, found.version, found.tries) == ("pay", "", "7", 3)
    assert (found.condition, found.request_id, found.error_message) == ("RetriesExhausted", "r-2", "no")
    told = by_itself(found)
    assert told is not None
    assert (told.type, told.message) == ("Declined", "no")


def test_our_own_destination_records_are_read_back() -> None:
    """What `destination_record` makes holds the payload as it was."""
    text = destination_record(
        now=0,
        request_id="r",
        function_arn=ARN.replace("$LATEST", "live"),
        condition="EventAgeExceeded",
        invoke_count=1,
        request_payload=b'{"x": 1.50}',
        response_payload=b'{"errorMessage":"m","errorType":"T"}',
        function_error="Unhandled",
    )
    found = letter(text)
    assert (found.kind, found.event, found.qualifier) == ("destination", '{"x": 1.50}', "live")


def test_a_success_is_shown_as_one() -> None:
    """A record of an invocation that succeeded is no failure."""
    found = letter(record("Success", responsePayload={"errorType": "x"}))
    assert found.kind == "success"
    told = by_itself(found)
    assert told is not None
    assert told.type == "Success"


def test_no_capacity_tells_no_answer() -> None:
    """ZeroReservedConcurrency: the function never ran; the condition is what failed."""
    found = letter(record("ZeroReservedConcurrency"))
    assert (found.kind, found.response, by_itself(found)) == ("destination", None, None)
    assert by_text(found).type == "ZeroReservedConcurrency"


@pytest.mark.parametrize("name", ["DDBStreamBatchInfo", "KinesisBatchInfo"])
def test_a_streams_record_says_where_the_batch_is(name: str) -> None:
    """There is no event in it, but where one was kept in S3."""
    context = {
        "requestId": "r",
        "functionArn": ARN.removesuffix(":$LATEST"),
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 2,
    }
    body = {
        "requestContext": context,
        "version": "1.0",
        name: {"streamArn": "arn:aws:x:stream", "batchSize": 1},
    }
    found = letter(json.dumps(body | {"responseContext": {"functionError": None}}))
    assert (found.kind, found.event, found.function, found.source) == (
        "stream",
        None,
        "pay",
        "arn:aws:x:stream",
    )
    assert letter(json.dumps(body | {"payload": {"Records": []}})).event == '{"Records": []}'


def test_what_sqs_moved_tells_where_it_came_from() -> None:
    """The source queue is in the system attributes; the body can be anything."""
    found = letter("no JSON \u2713", DeadLetterQueueSourceArn="arn:aws:sqs:eu-west-1:1:work")
    assert (found.kind, found.event, found.source) == (
        "redrive",
        "no JSON \u2713",
        "arn:aws:sqs:eu-west-1:1:work",
    )


def test_a_topics_envelope_is_taken_off() -> None:
    """A dead letter and a destination record that came through a topic are what they are; the body stays whole."""
    body = topic('{"id": 2}', RequestID="r-9", ErrorCode="200", ErrorMessage="m")
    found = letter(body)
    assert (found.kind, found.event, found.body) == ("dead-letter", '{"id": 2}', body)
    assert (found.request_id, found.topic) == ("r-9", "arn:aws:sns:eu-west-1:111111111111:t")
    assert letter(topic(record())).kind == "destination"
    plain = letter(topic("hello"))
    assert (plain.kind, plain.event) == ("message", "hello")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[1]",
        '{"requestContext": 3}',
        '{"requestContext": {"condition": "x", "functionArn": "y"}}',
        '{"TopicArn": "x", "Type": "Notification"}',
        '{"Type":"SubscriptionConfirmation","TopicArn":"arn:x","Message":"m"}',
        '{"TopicArn" "requestContext"',
        "\ud83d",
    ],
)
def test_anything_else_is_a_message(body: str) -> None:
    """What only looks like one of the known kinds is shown as it is."""
    found = letter(body)
    assert (found.kind, found.event, found.body) == ("message", body, body)


def test_binary_attributes_are_kept_and_shown_in_base64() -> None:
    """Bytes stay bytes."""
    found = letter("x", {"b": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}})
    assert found.message_attributes["b"]["BinaryValue"] == b"\x00\xff"
    assert found.attributes == {"b": "AP8="}
