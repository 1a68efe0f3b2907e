"""Where asynchronous events end, and chains that would run for ever."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.lineage import INVOCATIONS_MAX, arrive, current_trace
from tests.functions import zipped
from tests.unit.local.lambda_.conftest import ARN, ROLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambdalog.cloud import Cloud

BOOTSTRAP = """#!{python}
import os, urllib.request
base = f"http://{{os.environ['AWS_LAMBDA_RUNTIME_API']}}/2018-06-01/runtime/invocation"
while True:
    with urllib.request.urlopen(f"{{base}}/next") as event:
        request, how = event.headers["Lambda-Runtime-Aws-Request-Id"], event.read().decode().strip('"')
    answer = b"plain text" if how == "response" else b"[" * 20_000
    urllib.request.urlopen(f"{{base}}/{{request}}/{{how}}", answer).close()
"""
QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"


@pytest.fixture
def queue(manual_cloud: Cloud) -> str:
    """The URL of a queue."""
    return manual_cloud.sqs.create_queue(QueueName="q")["QueueUrl"]


def received(cloud: Cloud, url: str) -> list[Any]:
    """The JSON bodies of a queue's messages."""
    found = cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in found]


def send(client: Any, event: str, **params: Any) -> str:
    """Invoke `f` asynchronously and work the queue off; the request id."""
    answer = client.invoke(FunctionName="f", InvocationType="Event", Payload=event.encode(), **params)
    client.worker().drain()
    request_id: str = answer["ResponseMetadata"]["RequestId"]
    return request_id


def test_a_failure_reaches_its_destination(client: Any, manual_cloud: Cloud, queue: str) -> None:
    """Lambda's record: keys in order, the event, the error, and how often it was tried; and the dead letter beside it."""
    client.update_function_configuration(FunctionName="f", DeadLetterConfig={"TargetArn": QUEUE})
    client.put_function_event_invoke_config(
        FunctionName="f", MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": QUEUE}}
    )
    request_id = send(client, '{"fail": "always"}')
    letter, record = received(manual_cloud, queue)
    assert letter == {"fail": "always"}
    assert list(record) == [
        "version",
        "timestamp",
        "requestContext",
        "requestPayload",
        "responseContext",
        "responsePayload",
    ]
    assert record["requestContext"] == {
        "requestId": request_id,
        "functionArn": f"{ARN}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 2,
    }
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert record["responsePayload"]["errorMessage"] == "always"


def test_a_success_reaches_its_destination(client: Any, manual_cloud: Cloud, queue: str) -> None:
    """Through an alias, with the version that ran; failures go nowhere."""
    client.publish_version(FunctionName="f")
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    client.put_function_event_invoke_config(
        FunctionName="f", Qualifier="live", DestinationConfig={"OnSuccess": {"Destination": QUEUE}}
    )
    send(client, '{"a": 1}', Qualifier="live")
    send(client, '{"a": 2}')
    (record,) = received(manual_cloud, queue)
    assert record["requestContext"]["condition"] == "Success"
    assert record["requestContext"]["functionArn"] == f"{ARN}:live"
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "1"}
    assert record["responsePayload"]["event"] == {"a": 1}


@pytest.mark.parametrize(("how", "answer"), [("response", "plain text"), ("error", "[" * 20_000)])
def test_an_answer_that_is_no_json_reaches_its_destination(
    client: Any,
    make: Callable[..., Any],
    folder: Path,
    manual_cloud: Cloud,
    queue: str,
    how: str,
    answer: str,
) -> None:
    """Of a runtime of one's own, which answers what it likes: as text, and the event is done with."""
    bootstrap = folder / "bootstrap"
    bootstrap.write_text(BOOTSTRAP.format(python=sys.executable))
    bootstrap.chmod(0o755)
    make("own", Runtime="provided.al2023")
    where = {"Destination": QUEUE}
    client.put_function_event_invoke_config(
        FunctionName="own",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnSuccess": where, "OnFailure": where},
    )
    client.invoke(FunctionName="own", InvocationType="Event", Payload=json.dumps(how).encode())
    client.worker().step()
    (record,) = received(manual_cloud, queue)
    assert record["responsePayload"] == answer
    assert client.worker().step() is False


def test_a_function_that_is_off_is_told_without_a_response(
    client: Any, manual_cloud: Cloud, queue: str
) -> None:
    """ZeroReservedConcurrency: never invoked, no response."""
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    client.put_function_event_invoke_config(
        FunctionName="f", DestinationConfig={"OnFailure": {"Destination": QUEUE}}
    )
    send(client, '{"a": 1}')
    (record,) = received(manual_cloud, queue)
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert not {"responseContext", "responsePayload"} & record.keys()


def test_destinations_are_functions_and_topics_too(
    client: Any, manual_cloud: Cloud, queue: str, make: Callable[..., Any]
) -> None:
    """A function gets the record as its event, a topic as its message."""
    make("g")
    topic = manual_cloud.sns.create_topic(Name="t")["TopicArn"]
    manual_cloud.sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=QUEUE, Attributes={"RawMessageDelivery": "true"}
    )
    client.put_function_event_invoke_config(
        FunctionName="f",
        MaximumRetryAttempts=0,
        DestinationConfig={
            "OnSuccess": {"Destination": ARN.replace(":function:f", ":function:g")},
            "OnFailure": {"Destination": topic},
        },
    )
    send(client, '{"a": 1}')
    send(client, '{"fail": "x"}')
    found = manual_cloud.logs.filter_log_events(
        logGroupName="/aws/lambda/g", filterPattern='"START RequestId"'
    )["events"]
    assert len(found) == 1
    manual_cloud.client("sns").deliver()
    (record,) = received(manual_cloud, queue)
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert client.events.counts() == {"succeeded": 2, "dead_lettered": 1}


def chain(times: int) -> str:
    """The trace header of a chain in which `f` has run so often."""
    header: str | None = None
    for _ in range(times):
        header = arrive(header, ARN, 0.0).header
    assert header is not None
    return header


def test_a_function_that_invokes_itself_is_stopped(client: Any, manual_cloud: Cloud, queue: str) -> None:
    """Its 17th invocation in a chain is refused; asynchronous, it ends in the dead-letter queue at once."""
    client.update_function_configuration(FunctionName="f", DeadLetterConfig={"TargetArn": QUEUE})
    token = current_trace.set(chain(INVOCATIONS_MAX - 1))
    try:
        assert "FunctionError" not in client.invoke(FunctionName="f")
        current_trace.set(chain(INVOCATIONS_MAX))
        with pytest.raises(client.exceptions.RecursiveInvocationException, match="in a recursive loop"):
            client.invoke(FunctionName="f")
        client.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"n": 17}')
    finally:
        current_trace.reset(token)
    client.worker().drain()
    assert received(manual_cloud, queue) == [{"n": 17}]


def test_a_function_may_be_allowed_to_recurse(client: Any) -> None:
    """RecursiveLoop=Allow lets the chain go on."""
    client.put_function_recursion_config(FunctionName="f", RecursiveLoop="Allow")
    token = current_trace.set(chain(INVOCATIONS_MAX + 5))
    try:
        assert client.invoke(FunctionName="f")["StatusCode"] == 200
    finally:
        current_trace.reset(token)


def test_a_loop_over_a_queue_ends(cloud: Cloud) -> None:
    """A function that sends itself a message for each it gets runs sixteen times, and leaves the last one in the queue."""
    code = (
        "import lambdalog\n"
        "cloud = lambdalog.connect()\n"
        "url = cloud.sqs.get_queue_url(QueueName='q')['QueueUrl']\n"
        "def handler(event, context):\n"
        "    cloud.sqs.send_message(QueueUrl=url, MessageBody='again')\n"
    )
    client: Any = cloud.client("lambda")
    url = cloud.sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "43200"})["QueueUrl"]
    client.create_function(
        FunctionName="f",
        Role=ROLE,
        Handler="app.handler",
        Timeout=60,
        MemorySize=512,
        Code={"ZipFile": zipped(app=code)},
    )
    name = client.create_event_source_mapping(FunctionName="f", EventSourceArn=QUEUE)["UUID"]
    cloud.sqs.send_message(QueueUrl=url, MessageBody="first")
    reader = client.reader(name)
    for _ in range(INVOCATIONS_MAX + 5):
        reader.step()
    found = cloud.logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern='"START RequestId"')[
        "events"
    ]
    assert len(found) == INVOCATIONS_MAX
    names: list[Any] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    left = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert [left[each] for each in names] == ["0", "1"]
