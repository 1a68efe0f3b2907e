"""Event source mappings: made, shown, changed, deleted, and read while a store is served."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.local.claim import claim
from tests.functions import zipped
from tests.refusals import refused
from tests.unit.local.lambda_.conftest import ARN, ROLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud

QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"
STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000"
SUMS = """
def handler(event, context):
    failed = [{"itemIdentifier": r["messageId"]} for r in event["Records"] if r["body"] == "bad"]
    print("got", *[r["body"] for r in event["Records"]])
    return {"batchItemFailures": failed}
"""


@pytest.fixture
def queue(manual_cloud: Cloud) -> str:
    """The URL of a queue."""
    return manual_cloud.sqs.create_queue(QueueName="q")["QueueUrl"]


def plain(response: dict[str, Any]) -> dict[str, Any]:
    """A response without what varies."""
    return {
        key: value
        for key, value in response.items()
        if key not in {"ResponseMetadata", "UUID", "LastModified", "EventSourceMappingArn"}
    }


def test_a_queue_is_read_as_it_and_its_mapping_say(client: Any, manual_cloud: Cloud, queue: str) -> None:
    """How long messages stay invisible is the queue's to say, how many batches there are at once the mapping's."""
    made = client.create_event_source_mapping(
        FunctionName="f", EventSourceArn=QUEUE, ScalingConfig={"MaximumConcurrency": 2}
    )
    manual_cloud.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "90"})
    source = client.reader(made["UUID"])._source
    assert (source.concurrency, source.visibility) == (2, 90.0)


def test_a_queues_mapping_is_shown_as_lambda_shows_it(client: Any, queue: str) -> None:
    """Defaults, states while it changes, and what stands in it afterwards."""
    made = client.create_event_source_mapping(FunctionName="f", EventSourceArn=QUEUE)
    assert plain(made) == {
        "BatchSize": 10,
        "EventSourceArn": QUEUE,
        "FunctionArn": ARN,
        "FunctionResponseTypes": [],
        "MaximumBatchingWindowInSeconds": 0,
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
    }
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert made["EventSourceMappingArn"] == ARN.replace("function:f", f"event-source-mapping:{made['UUID']}")
    name = made["UUID"]
    assert client.get_event_source_mapping(UUID=name)["State"] == "Enabled"
    changed = client.update_event_source_mapping(
        UUID=name,
        Enabled=False,
        BatchSize=100,
        MaximumBatchingWindowInSeconds=3,
        ScalingConfig={"MaximumConcurrency": 2},
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    assert (changed["State"], changed["BatchSize"], changed["ScalingConfig"]) == (
        "Disabling",
        100,
        {"MaximumConcurrency": 2},
    )
    assert client.get_event_source_mapping(UUID=name)["State"] == "Disabled"
    assert client.update_event_source_mapping(UUID=name, Enabled=True)["State"] == "Enabling"
    text = refused(client.update_event_source_mapping, UUID=name, MaximumBatchingWindowInSeconds=0)[1]
    assert text.startswith("Maximum batch window in seconds must be greater than 0")
    assert client.delete_event_source_mapping(UUID=name)["State"] == "Deleting"
    assert client.list_event_source_mappings()["EventSourceMappings"] == []


def test_a_streams_mapping_is_shown_as_lambda_shows_it(client: Any) -> None:
    """With the settings that only streams have."""
    made = client.create_event_source_mapping(
        FunctionName="f", EventSourceArn=STREAM, StartingPosition="LATEST", FilterCriteria={"Filters": []}
    )
    assert plain(made) == {
        "BatchSize": 100,
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}},
        "EventSourceArn": STREAM,
        "FunctionArn": ARN,
        "FunctionResponseTypes": [],
        "LastProcessingResult": "No records processed",
        "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "ParallelizationFactor": 1,
        "StartingPosition": "LATEST",
        "State": "Creating",
        "StateTransitionReason": "User action",
        "TumblingWindowInSeconds": 0,
    }


def test_a_source_has_one_mapping_a_function(client: Any, queue: str, make: Callable[..., Any]) -> None:
    """The second is refused with the first's UUID; another function may have its own; lists choose."""
    first = client.create_event_source_mapping(FunctionName="f", EventSourceArn=QUEUE)["UUID"]
    assert refused(client.create_event_source_mapping, FunctionName="f", EventSourceArn=QUEUE) == (
        "ResourceConflictException",
        (
            f'An event source mapping with SQS arn (" {QUEUE} ") and function (" f ") already exists. Please update or delete the '
            f"existing mapping with UUID {first}"
        ),
        409,
    )
    stream = {"EventSourceArn": STREAM, "StartingPosition": "LATEST"}
    second = client.create_event_source_mapping(FunctionName="f", **stream)["UUID"]
    assert refused(client.create_event_source_mapping, FunctionName="f", **stream)[1] == (
        f'The event source arn (" {STREAM} ") and function (" f ") provided mapping already exists. Please update or delete the '
        f"existing mapping with UUID {second}"
    )
    make("g")
    client.create_event_source_mapping(FunctionName="g", EventSourceArn=QUEUE)
    found = client.list_event_source_mappings(FunctionName="f")["EventSourceMappings"]
    assert {mapping["UUID"] for mapping in found} == {first, second}
    assert len(client.list_event_source_mappings(EventSourceArn=QUEUE)["EventSourceMappings"]) == 2


def test_a_queue_must_hide_messages_as_long_as_the_function_takes(client: Any, queue: str) -> None:
    """A visibility timeout below the function's timeout is refused with both."""
    client.update_function_configuration(FunctionName="f", Timeout=60)
    assert refused(client.create_event_source_mapping, FunctionName="f", EventSourceArn=QUEUE)[1] == (
        "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds"
    )


def test_mappings_have_tags(client: Any, queue: str) -> None:
    """Given when made, changed through the mapping's ARN."""
    made = client.create_event_source_mapping(FunctionName="f", EventSourceArn=QUEUE, Tags={"a": "1"})
    arn = made["EventSourceMappingArn"]
    client.tag_resource(Resource=arn, Tags={"b": "2"})
    client.untag_resource(Resource=arn, TagKeys=["a"])
    assert client.list_tags(Resource=arn)["Tags"] == {"b": "2"}


def test_a_deleted_functions_mapping_is_not_read(client: Any, queue: str) -> None:
    """It stays, as in Lambda, and nobody takes messages for it."""
    name = client.create_event_source_mapping(FunctionName="f", EventSourceArn=QUEUE)["UUID"]
    assert list(client.readable()) == [name]
    client.delete_function(FunctionName="f")
    assert client.readable() == {}
    assert client.get_event_source_mapping(UUID=name)["State"] == "Enabled"


def test_a_mappings_reader_runs_the_function(
    client: Any, queue: str, manual_cloud: Cloud, clock: ManualClock
) -> None:
    """The real function gets the batch, what it reports stays, the rest is gone; through an alias, at its version."""
    client.update_function_code(FunctionName="f", ZipFile=zipped(app=SUMS))
    client.publish_version(FunctionName="f")
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    name = client.create_event_source_mapping(
        FunctionName="f:live", EventSourceArn=QUEUE, FunctionResponseTypes=["ReportBatchItemFailures"]
    )["UUID"]
    for body in ("good", "bad"):
        manual_cloud.sqs.send_message(QueueUrl=queue, MessageBody=body)
    assert client.reader(name).step() == 2
    clock.advance(31)
    (left,) = manual_cloud.sqs.receive_message(QueueUrl=queue)["Messages"]
    assert left["Body"] == "bad"
    found = manual_cloud.logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern="got")["events"]
    assert [event["message"].strip() for event in found] == ["got good bad"]
    assert "[1]" in found[0]["logStreamName"]


def test_what_a_stream_gives_up_reaches_the_destination(client: Any, queue: str, manual_cloud: Cloud) -> None:
    """A queue gets the invocation record, a topic too; without a destination it is counted."""
    from lambdalog.local.lambda_.sources.failure import Exhausted

    exhausted = Exhausted("RetryAttemptsExhausted", 1, None, "s", STREAM, "1", "2", (1.0, None), 2)
    params: dict[str, Any] = {"FunctionName": "f", "EventSourceArn": STREAM, "StartingPosition": "LATEST"}
    name = client.create_event_source_mapping(**params)["UUID"]
    client._give_up(name, client.catalog.get("mapping", name), exhausted)
    client.update_event_source_mapping(UUID=name, DestinationConfig={"OnFailure": {"Destination": QUEUE}})
    client._give_up(name, client.catalog.get("mapping", name), exhausted)
    (message,) = manual_cloud.sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["DDBStreamBatchInfo"]["batchSize"] == 2
    assert client.catalog.get("mapping", name)["given_up"] == 4


def test_a_claim_is_one_readers(tmp_path: Path) -> None:
    """While one holds it nobody else does; given back, the next may."""
    path = tmp_path / "locks" / "x.lock"
    with claim(path) as first, claim(path) as second:
        assert (first, second) == (True, False)
    with claim(path) as third:
        assert third


def test_mappings_are_read_while_the_store_is_served(cloud: Cloud) -> None:
    """A mapping made while the loop runs is read, disabled it is not, and the loop ends when it is told to."""
    client = cloud.client("lambda")
    url = cloud.sqs.create_queue(QueueName="q")["QueueUrl"]
    client.create_function(
        FunctionName="f", Role=ROLE, Handler="app.handler", Timeout=20, Code={"ZipFile": zipped(app=SUMS)}
    )
    ((_, run),) = [loop for loop in client.background() if loop[0] == "event-sources"]
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(stop,))
    thread.start()
    try:
        name = client.create_event_source_mapping(FunctionName="f", EventSourceArn=QUEUE)["UUID"]
        cloud.sqs.send_message(QueueUrl=url, MessageBody="one")

        def empty() -> bool:
            names: list[Any] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            found = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            return set(found.values()) == {"0"}

        for _ in range(1200):
            if empty():
                break
            stop.wait(0.05)
        assert empty()
        client.update_event_source_mapping(UUID=name, Enabled=False)
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()
    found = cloud.logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern='"got one"')["events"]
    assert len(found) == 1
