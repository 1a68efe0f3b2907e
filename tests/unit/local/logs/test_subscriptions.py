"""Subscription filters, and what they deliver."""

from __future__ import annotations

import base64
import gzip
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lambdalog.cloud import Cloud, connect
from lambdalog.local.claim import claim
from lambdalog.local.lambda_ import LOCAL_FOLDER
from lambdalog.local.logs.delivery import packed
from lambdalog.server.service import Service, Settings
from lambdalog.store.maintenance import maintain
from tests.refusals import refusal

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.clock import ManualClock

CODE = """
import base64, gzip, json
from tests.refusals import refusal
def handler(event, context):
    message = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    print("got", message["messageType"], [event["message"] for event in message["logEvents"]])
"""
QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"


@pytest.fixture
def logs(manual_cloud: Cloud) -> Any:
    """A client with one group and one stream, and a queue beside it."""
    client = manual_cloud.logs
    client.create_log_group(logGroupName="g")
    client.create_log_stream(logGroupName="g", logStreamName="s")
    manual_cloud.sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "0"})
    return client


def subscribe(logs: Any, pattern: str = "", name: str = "f", arn: str = QUEUE) -> None:
    """A filter of the group."""
    logs.put_subscription_filter(logGroupName="g", filterName=name, filterPattern=pattern, destinationArn=arn)


def write(logs: Any, clock: ManualClock, *messages: str, stream: str = "s") -> None:
    """Messages of this moment."""
    events = [{"timestamp": clock.now_ms(), "message": message} for message in messages]
    logs.put_log_events(logGroupName="g", logStreamName=stream, logEvents=events)


def unpacked(body: str) -> dict[str, Any]:
    """A message as its consumer reads it."""
    found: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(body)))
    return found


def received(cloud: Cloud, queue: str = "q") -> list[dict[str, Any]]:
    """What is in the queue, taken out; control messages are passed over, as consumers do."""
    url = cloud.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found = []
    while messages := cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(unpacked(message["Body"]))
            cloud.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message for message in found if message["messageType"] == "DATA_MESSAGE"]


def texts(messages: list[dict[str, Any]]) -> list[str]:
    """The log events' messages in what was received."""
    return [event["message"] for message in messages for event in message["logEvents"]]


def deliver(cloud: Cloud) -> int:
    """One turn of what `serve` does all the time."""
    client: Any = cloud.logs
    sent: int = client.deliveries.once()
    return sent


def test_what_matches_is_delivered_as_aws_words_it(
    logs: Any, manual_cloud: Cloud, clock: ManualClock
) -> None:
    """Owner, group, stream, filter and events with the ids that FilterLogEvents gives; nothing from before the filter."""
    write(logs, clock, "ERROR before")
    subscribe(logs, "ERROR")
    write(
        logs,
        clock,
        "ERROR a",
        "fine",
        'ERROR "é" \ud83d\ude00'.encode("utf-16", "surrogatepass").decode("utf-16"),
    )
    assert deliver(manual_cloud) == 1
    ids = {event["message"]: event["eventId"] for event in logs.filter_log_events(logGroupName="g")["events"]}
    assert received(manual_cloud) == [
        {
            "messageType": "DATA_MESSAGE",
            "owner": "000000000000",
            "logGroup": "g",
            "logStream": "s",
            "subscriptionFilters": ["f"],
            "logEvents": [
                {"id": ids[text], "timestamp": clock.now_ms(), "message": text}
                for text in ("ERROR a", 'ERROR "é" 😀')
            ],
        }
    ]
    assert deliver(manual_cloud) == 0


def test_a_queue_is_asked_after_its_health(logs: Any, manual_cloud: Cloud) -> None:
    """A new filter sends a CONTROL_MESSAGE, as AWS does to a stream."""
    subscribe(logs)
    url = manual_cloud.sqs.get_queue_url(QueueName="q")["QueueUrl"]
    (message,) = manual_cloud.sqs.receive_message(QueueUrl=url)["Messages"]
    found = unpacked(message["Body"])
    assert (found["messageType"], found["owner"], found["logGroup"]) == (
        "CONTROL_MESSAGE",
        "CloudwatchLogs",
        "",
    )
    assert found["logEvents"][0]["message"].startswith("CWL CONTROL MESSAGE: Checking health of destination")


def test_nothing_is_lost_or_doubled_over_restarts_and_sealing(
    logs: Any, manual_cloud: Cloud, clock: ManualClock
) -> None:
    """Other processes write while nobody delivers, segments are sealed: who delivers next hands over the rest, once."""
    subscribe(logs)
    expected = []
    for turn in range(6):
        with connect(str(manual_cloud.target), clock=clock) as other:
            for stream in ("s", f"t{turn}"):
                if stream != "s":
                    other.logs.create_log_stream(logGroupName="g", logStreamName=stream)
                write(other.logs, clock, f"{turn} {stream}", stream=stream)
                expected.append(f"{turn} {stream}")
            if turn % 2:
                assert other.store is not None
                other.store.release(0)
                maintain(other.store, everything=True)
        if turn % 3 == 0:
            with connect(str(manual_cloud.target), clock=clock) as another:
                deliver(another)
        clock.advance(1)
    deliver(manual_cloud)
    assert sorted(texts(received(manual_cloud))) == sorted(expected)


def test_what_cannot_be_delivered_waits(logs: Any, manual_cloud: Cloud, clock: ManualClock) -> None:
    """With its queue gone a filter rests longer and longer; made again, the queue gets all of it. Others go on."""
    manual_cloud.sqs.create_queue(QueueName="q2")
    subscribe(logs)
    subscribe(logs, name="other", arn=QUEUE + "2")
    url = manual_cloud.sqs.get_queue_url(QueueName="q")["QueueUrl"]
    manual_cloud.sqs.delete_queue(QueueUrl=url)
    write(logs, clock, "a")
    assert deliver(manual_cloud) == 1
    assert texts(received(manual_cloud, "q2")) == ["a"]
    clock.advance(61)
    manual_cloud.sqs.create_queue(QueueName="q")
    write(logs, clock, "b")
    deliver(manual_cloud)
    assert texts(received(manual_cloud)) == ["a", "b"]


def test_large_batches_are_divided_and_what_is_too_large_is_counted(
    logs: Any, manual_cloud: Cloud, clock: ManualClock
) -> None:
    """Events that don't fit into one message come in several; one that fits in none is counted, with the reason."""
    manual_cloud.sqs.create_queue(QueueName="small", Attributes={"MaximumMessageSize": "1024"})
    subscribe(logs, arn=QUEUE.replace(":q", ":small"))
    noise = [base64.b64encode(bytes((n * 7919 + i * i) % 251 for i in range(300))).decode() for n in range(8)]
    write(logs, clock, *noise, "x" + base64.b64encode(bytes(range(256)) * 8).decode()[:2000])
    monster = "".join(f"{n * n * 2654435761 % 4294967296:08x}" for n in range(1000))
    write(logs, clock, monster)
    assert deliver(manual_cloud) >= 2
    found = texts(received(manual_cloud, "small"))
    assert [text for text in found if text in noise] == noise
    assert monster not in found
    client: Any = logs
    (record,) = manual_cloud.store.group("g").extra["subscriptionFilters"].values()  # type: ignore[union-attr]
    messages, events, dropped, reason = client._ledger.deliveries(record["id"])
    assert (events, dropped) == (len(found), 10 - len(found))
    assert messages >= 2
    assert "too large" in reason


def test_a_fifo_queue_keeps_each_streams_order(logs: Any, manual_cloud: Cloud, clock: ManualClock) -> None:
    """A stream is a message group, and a second try of a delivery is known as such."""
    manual_cloud.sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})
    subscribe(logs, arn=QUEUE + ".fifo")
    for number in range(5):
        write(logs, clock, str(number))
        deliver(manual_cloud)
    assert texts(received(manual_cloud, "q.fifo")) == ["0", "1", "2", "3", "4"]


def test_only_one_process_delivers(logs: Any, manual_cloud: Cloud, clock: ManualClock) -> None:
    """While one delivers another does nothing, rather than hand things over twice."""
    subscribe(logs)
    write(logs, clock, "a")
    assert manual_cloud.store is not None
    lock = manual_cloud.store.layout.deliveries_lock
    with claim(lock) as alone, connect(str(manual_cloud.target), clock=clock) as other:
        assert alone
        assert deliver(other) == 0
    assert deliver(manual_cloud) == 1


def test_destinations_that_cannot_be_are_refused(logs: Any) -> None:
    """No ARN, a service that takes no logs, a queue or a function that isn't there, a role for a function."""
    put, code = logs.put_subscription_filter, "InvalidParameterException"
    params = {"logGroupName": "g", "filterName": "f", "filterPattern": ""}
    function = "arn:aws:lambda:us-east-1:000000000000:function:none"
    assert refusal(put, **params, destinationArn="nothing")[0] == code
    assert refusal(put, **params, destinationArn="arn:aws:s3:::bucket") == (
        code,
        "PutSubscriptionFilter operation cannot work with destinationArn for vendor s3",
    )
    assert refusal(put, **params, destinationArn=QUEUE + "-none")[1].startswith(
        "Could not deliver test message to specified SQS queue."
    )
    found = refusal(put, **params, destinationArn=function)
    assert found[0] == code
    assert found[1].startswith(
        "Could not execute the lambda function. Make sure you have given CloudWatch Logs"
    )
    assert refusal(put, **params, destinationArn=function, roleArn="arn:aws:iam::000000000000:role/r") == (
        code,
        "destinationArn for vendor lambda cannot be used with roleArn",
    )
    assert logs.describe_subscription_filters(logGroupName="g")["subscriptionFilters"] == []


def test_a_group_has_two_filters(logs: Any, manual_cloud: Cloud) -> None:
    """The third is refused; one that is there can be changed; deleted, its name is unknown."""
    subscribe(logs, name="b")
    subscribe(logs, name="a")
    with pytest.raises(ClientError, match="Resource limit exceeded") as info:
        subscribe(logs, name="c")
    assert info.value.response["Error"]["Code"] == "LimitExceededException"
    subscribe(logs, "changed", name="b")
    found = logs.describe_subscription_filters(logGroupName="g")["subscriptionFilters"]
    assert [(each["filterName"], each["filterPattern"]) for each in found] == [("a", ""), ("b", "changed")]
    logs.delete_subscription_filter(logGroupName="g", filterName="a")
    assert refusal(logs.delete_subscription_filter, logGroupName="g", filterName="a") == (
        "ResourceNotFoundException",
        "The specified subscription filter does not exist.",
    )


def test_a_lone_surrogate_is_replaced(logs: Any) -> None:
    """What no UTF-8 can carry becomes a question mark, and the rest is delivered."""
    assert unpacked(packed({"message": "a\ud800b"})) == {"message": "a?b"}


def test_served_filters_reach_a_function(store_path: Path, tmp_path: Path) -> None:
    """While the store is served, a function gets what another process writes, as {"awslogs": {"data": ...}}."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "app.py").write_text(CODE)
    with connect(f"disk:{store_path}") as cloud, connect(f"disk:{store_path}") as other:
        writer: Any = other.logs
        function = cloud.lambda_.create_function(
            FunctionName="f",
            Role="arn:aws:iam::000000000000:role/r",
            Handler="app.handler",
            Runtime="python3.11",
            Code={"S3Bucket": LOCAL_FOLDER, "S3Key": str(tmp_path / "code")},
        )
        writer.create_log_group(logGroupName="g")
        writer.create_log_stream(logGroupName="g", logStreamName="s")
        with Service(cloud, Settings(port=0, threads=1)):
            subscribe(cloud.logs, "ERROR", arn=function["FunctionArn"])
            events = [{"timestamp": time.time_ns() // 10**6, "message": "ERROR one"}]
            writer.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)
            search = {"logGroupName": "/aws/lambda/f", "filterPattern": '"got DATA_MESSAGE"'}
            found: list[Any] = []
            until, pause = time.monotonic() + 60, threading.Event()
            while not found and time.monotonic() < until:
                pause.wait(0.05)
                try:
                    found = writer.filter_log_events(**search)["events"]
                except ClientError:
                    continue  # its group is made with its first line
            assert "['ERROR one']" in found[0]["message"]
