"""local_cloud: a private cloud, and the environment as it was afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import lambdalog
from lambdalog.clock import ManualClock
from lambdalog.errors import ConfigError
from lambdalog.testing import LocalCloud, local_cloud
from tests.test_imports import HEAVY, loaded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=[True, False], ids=["endpoint", "in process"])
def cloud(request: pytest.FixtureRequest) -> Iterator[LocalCloud]:
    """Each kind in turn."""
    with local_cloud(endpoint=request.param) as made:
        yield made


def queue(cloud: LocalCloud, name: str, **attributes: str) -> tuple[str, str]:
    """The URL and the ARN of a new queue."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, answer["Attributes"]["QueueArn"]


def bodies(cloud: LocalCloud, url: str) -> list[str]:
    """What waits in a queue."""
    answer = cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return sorted(message["Body"] for message in answer.get("Messages", []))


def test_importing_it_costs_nothing() -> None:
    """Every run of pytest loads the plugin: no AWS SDK, server or database comes with it."""
    heavy = set(HEAVY) - {"pathlib", "random"}  # tempfile's
    assert loaded("import lambdalog.testing") & heavy == set()
    brought = loaded("import pytest, lambdalog.testing.plugin") - loaded("import pytest")
    assert {name for name in brought if not name.startswith("lambdalog")} == set()


def test_a_boto3_client_finds_the_endpoint_and_only_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients made in the block reach the test's own cloud; afterwards every variable is as it was."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://elsewhere.invalid")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", before := object())
    environment = dict(os.environ)
    with local_cloud(region="eu-west-1") as cloud:
        assert boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"] == f"{cloud.url}/000000000000/q"
        assert boto3.client("sqs").meta.region_name == "eu-west-1"
        assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_SQS"} & os.environ.keys()
        assert lambdalog.connect().sqs.list_queues()["QueueUrls"][0].endswith("/000000000000/q")
    assert dict(os.environ) == environment
    assert boto3.DEFAULT_SESSION is before


def test_a_test_that_fails_leaves_nothing_behind() -> None:
    """The environment is put back, the store's folder is gone."""
    environment = dict(os.environ)
    folders = []

    def fails() -> None:
        with local_cloud() as cloud:
            folders.append(cloud.store.root)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert not any(folder is None or folder.exists() for folder in folders)
    assert dict(os.environ) == environment


def test_it_decorates() -> None:
    """As moto's mocks do; each call has a cloud of its own."""

    @local_cloud()
    def makes_a_queue() -> int:
        sqs = boto3.client("sqs")
        sqs.create_queue(QueueName="q")
        return len(sqs.list_queues()["QueueUrls"])

    assert [makes_a_queue(), makes_a_queue()] == [1, 1]


def test_clouds_are_private(tmp_path: Path) -> None:
    """Two at a time know nothing of each other; one that is given a folder is there again the next time."""
    with local_cloud(tmp_path / "kept") as one:
        one.client("sqs").create_queue(QueueName="mine")
        with local_cloud() as other:
            assert "QueueUrls" not in other.client("sqs").list_queues()
            assert boto3.client("sqs").meta.endpoint_url == other.url
        assert boto3.client("sqs").meta.endpoint_url == one.url
    with local_cloud(tmp_path / "kept") as again:
        assert again.client("sqs").list_queues()["QueueUrls"][0].endswith("/mine")


def test_another_process_finds_it() -> None:
    """By the variables alone."""
    code = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    with local_cloud() as cloud:
        for environment in (None, {"PATH": os.environ["PATH"], **cloud.environment}):
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
            )
            assert done.stdout == "000000000000\n"


def test_a_function_is_really_invoked(orders: Path) -> None:
    """In a process of its own, where its own clients find the same cloud; its log is kept."""
    with local_cloud() as cloud:
        url, _ = queue(cloud, "charged")
        name = cloud.deploy(f"{orders}:handler", environment={"STAGE": "test"})
        answer = boto3.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"id": 7, "queue": url}))
        assert json.load(answer["Payload"]) == {"charged": 7}
        assert bodies(cloud, url) == ["7"]
        assert cloud.messages("orders", "order") == ["order 7"]
        assert cloud.messages("/aws/lambda/orders", "?START ?REPORT")[1].startswith("START RequestId: ")
        assert cloud.messages("no-such-function") == []


def test_a_setting_that_there_is_not_is_named(cloud: LocalCloud, orders: Path) -> None:
    """With those that there are."""
    with pytest.raises(TypeError, match=r"deploy\(\) has no setting timout; it has name, timeout, memory"):
        cloud.deploy(orders, timout=3)


def test_failed_events_are_tried_again_and_end_as_dead_letters(cloud: LocalCloud, orders: Path) -> None:
    """Three attempts, as Lambda makes, without its minutes; then the queue has the event with the error."""
    name = cloud.deploy(f"{orders}:broken", name="broken", dead_letter="broken-dead")
    cloud.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"id": 3}')
    cloud.settle()
    assert cloud.messages(name, "trying") == ["trying 3"] * 3
    url = cloud.client("sqs").get_queue_url(QueueName="broken-dead")["QueueUrl"]
    (message,) = cloud.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert json.loads(message["Body"]) == {"id": 3}
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no such order"


def test_a_topic_a_queue_and_a_function(cloud: LocalCloud, orders: Path) -> None:
    """What a topic's filter lets through is in a queue, and read by a function, once all has settled."""
    _, arn = queue(cloud, "work")
    sns, functions = cloud.client("sns"), cloud.client("lambda")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    policy = {"RawMessageDelivery": "true", "FilterPolicy": '{"kind": ["order"]}'}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=policy)
    name = cloud.deploy(f"{orders}:reads", timeout=30)
    functions.create_event_source_mapping(FunctionName=name, EventSourceArn=arn)
    for text, kind in (("good", "order"), ("other", "refund")):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        sns.publish(TopicArn=topic, Message=text, MessageAttributes=attributes)
    cloud.settle(60)
    assert cloud.messages(name, "read") == ["read good"]


def test_what_a_function_fails_on_is_moved_away(orders: Path) -> None:
    """A message that a mapping's function fails on twice is in the dead-letter queue; its visibility takes no time."""
    clock = ManualClock()
    with local_cloud(endpoint=False, clock=clock) as cloud:
        dead_url, dead = queue(cloud, "dead")
        redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 2})
        url, arn = queue(cloud, "work", RedrivePolicy=redrive, VisibilityTimeout="60")
        name = cloud.deploy(f"{orders}:reads", timeout=60)
        cloud.client("lambda").create_event_source_mapping(FunctionName=name, EventSourceArn=arn)
        cloud.client("sqs").send_message(QueueUrl=url, MessageBody="poison")
        for _ in range(3):
            cloud.settle()
            clock.advance(61)
        assert cloud.messages(name, '"read poison"') == ["read poison", "read poison"]
        assert bodies(cloud, dead_url) == ["poison"]


def test_subscription_filters_deliver(cloud: LocalCloud) -> None:
    """What matches the pattern is in the queue once all has settled."""
    url, arn = queue(cloud, "errors")
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="/g")
    logs.create_log_stream(logGroupName="/g", logStreamName="s")
    logs.put_subscription_filter(
        logGroupName="/g", filterName="f", filterPattern="{ $.level = ERROR }", destinationArn=arn
    )
    cloud.settle()
    seen = len(bodies(cloud, url))
    now = cloud.store.clock.now_ms()
    events = [
        {"timestamp": now, "message": '{"level": "INFO"}'},
        {"timestamp": now, "message": '{"level": "ERROR"}'},
    ]
    logs.put_log_events(logGroupName="/g", logStreamName="s", logEvents=events)
    cloud.settle()
    assert (seen, len(bodies(cloud, url))) == (1, 1)  # the first is the check of the destination


def test_what_does_not_settle_is_told(orders: Path) -> None:
    """Events that wait for Lambda's first minute are named, with a limit of time."""
    with local_cloud(endpoint=False, retry_delays=1.0) as cloud:
        name = cloud.deploy(f"{orders}:broken")
        cloud.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
        with pytest.raises(TimeoutError, match="there still wait: 1 asynchronous events"):
            cloud.settle(0)


def test_time_is_the_tests_own() -> None:
    """On a clock of the test's own a message comes back when its visibility ends, without waiting."""
    clock = ManualClock()
    with local_cloud(endpoint=False, clock=clock) as cloud:
        url, _ = queue(cloud, "q", VisibilityTimeout="600")
        cloud.client("sqs").send_message(QueueUrl=url, MessageBody="x")
        seen: list[Any] = [bodies(cloud, url), bodies(cloud, url)]
        clock.advance(601)
        assert [*seen, bodies(cloud, url)] == [["x"], [], ["x"]]
        cloud.settle()
    with pytest.raises(ConfigError, match="this machine's time"), local_cloud(clock=clock):
        pass
