"""Every sample, run for real by the command that a user types."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from lambdalog.cloud import connect
from lambdalog.local.lambda_ import Lambda
from lambdalog.local.lambda_.deploy import deploy
from lambdalog.local.triggers.definition import Folder, Schedule, Trigger
from lambdalog.runtime.project import read_project
from tests.conftest import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud


@pytest.fixture
def client(cloud: Cloud) -> Any:
    """A Lambda with every sample deployed."""
    found = cloud.client("lambda")
    assert isinstance(found, Lambda)
    for folder in sorted(SAMPLES.iterdir()):
        if (folder / "lambdalog.toml").is_file():
            deploy(found, cloud.sqs, read_project(str(folder)))
    return found


def invoke(client: Any, function: str, event: str) -> tuple[str | None, Any]:
    """(function error, payload) of a sample and one of its events."""
    payload = (SAMPLES / function / "events" / f"{event}.json").read_bytes()
    answer = client.invoke(FunctionName=function, Payload=payload)
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


def log(cloud: Cloud, function: str) -> list[str]:
    """The messages of a function's log."""
    return [
        event["message"]
        for event in cloud.logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    ]


@pytest.mark.parametrize(
    ("function", "event", "expected"),
    [
        ("orders", "new", {"statusCode": 201}),
        ("orders", "api", {"statusCode": 201}),
        ("thumbnails", "put", {"made": ["thumbnails/summer holiday.webp"]}),
        ("audit", "changes", {"INSERT": 1, "MODIFY": 1, "REMOVE": 1}),
        ("report", "nightly", {"report": "2026-03-11.csv"}),
        ("payments", "ok", {"status": "charged"}),
        ("payments", "slow", {"status": "charged"}),
        ("payments", "hostile-bytes", {"status": "charged"}),
        ("payments", "outage", {"status": "charged"}),
    ],
)
def test_a_sample_does_its_work(
    client: Any, cloud: Cloud, function: str, event: str, expected: dict[str, Any]
) -> None:
    """It answers as it says it does, and its log begins and ends as Lambda's."""
    error, payload = invoke(client, function, event)
    assert error is None
    assert payload.items() >= expected.items()
    lines = log(cloud, function)
    assert lines[0].startswith("INIT_START Runtime Version: python")
    assert lines[1].startswith("START RequestId: ")
    assert [line.partition(" ")[0] for line in lines[-2:]] == ["END", "REPORT"]


@pytest.mark.parametrize(
    ("function", "event", "error_type"),
    [
        ("orders", "empty", "InvalidOrder"),
        ("orders", "unknown-product", "InvalidOrder"),
        ("thumbnails", "not-an-image", "UnsupportedImage"),
        ("audit", "overdrawn", "Overdrawn"),
        ("payments", "raises", "GatewayError"),
        ("payments", "declined", "CardDeclined"),
        ("payments", "times-out", "Sandbox.Timedout"),
        ("payments", "exits", "Runtime.ExitError"),
        ("payments", "out-of-memory", "Runtime.ExitError"),
    ],
)
def test_a_sample_fails_on_demand(
    client: Any, cloud: Cloud, function: str, event: str, error_type: str
) -> None:
    """Each failure is Lambda's error for it, and the function works again afterwards."""
    error, payload = invoke(client, function, event)
    assert error == "Unhandled"
    assert payload["errorType"] == error_type
    good = {"orders": "new", "thumbnails": "put", "audit": "changes", "payments": "ok"}[function]
    assert invoke(client, function, good)[0] is None


def test_a_fourth_payment_at_a_time_is_throttled(client: Any) -> None:
    """With three payments under way the next one gets Lambda's 429, with the reason."""
    refused: list[Any] = []

    def pay() -> None:
        try:
            invoke(client, "payments", "slow")
        except client.exceptions.TooManyRequestsException as error:
            refused.append(error.response)

    threads = [threading.Thread(target=pay) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused
    assert refused[0]["Error"]["Message"] == "Rate Exceeded."
    assert refused[0]["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_an_outage_is_the_environments(client: Any) -> None:
    """The gateway's outage is set and ended by an environment variable."""
    client.update_function_configuration(
        FunctionName="payments", Environment={"Variables": {"GATEWAY": "down"}}
    )
    assert invoke(client, "payments", "outage")[1]["errorType"] == "GatewayError"
    client.update_function_configuration(
        FunctionName="payments", Environment={"Variables": {"GATEWAY": "up"}}
    )
    assert invoke(client, "payments", "outage")[0] is None


def test_what_a_sample_says_just_before_it_dies_is_in_the_log(client: Any, cloud: Cloud) -> None:
    """Lines before an exit, a timeout and a kill are not lost."""
    for event in ("exits", "times-out", "out-of-memory"):
        invoke(client, "payments", event)
    lines = log(cloud, "payments")
    assert "the gateway's library gives up" in lines
    assert sum('"message":"waiting for the gateway"' in line for line in lines) == 1
    assert sum('"message":"charging"' in line for line in lines) == 3


def test_hostile_bytes_are_kept_and_harmless(client: Any, cloud: Cloud) -> None:
    """Escape sequences stay in the log as they were written, and invalid UTF-8 is marked."""
    invoke(client, "payments", "hostile-bytes")
    lines = log(cloud, "payments")
    assert any("\x1b[31mred" in line for line in lines)
    assert "invalid \ufffd\ufffd bytes" in lines


def test_the_samples_run_by_their_triggers(
    tmp_path: Path, store_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file put into a folder, a night that comes, a queue, a topic, and changes of a table reach their samples and work."""
    from moto import mock_aws

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")  # moto knows no hosts of accounts
    with mock_aws(), connect(f"disk:{store_path}", clock=clock) as cloud:
        found: Any = cloud.client("lambda")
        for folder in sorted(SAMPLES.iterdir()):
            if (folder / "lambdalog.toml").is_file():
                deploy(found, cloud.sqs, read_project(str(folder)))
        for function, service in (
            ("thumbnails", "s3"),
            ("report", "events"),
            ("payments", "events"),
            ("orders", "events"),
        ):
            found.add_permission(
                FunctionName=function,
                StatementId="trigger",
                Action="lambda:InvokeFunction",
                Principal=f"{service}.amazonaws.com",
            )
        inbox = tmp_path / "inbox"
        inbox.mkdir()
        triggers = found.triggers
        triggers.add(Trigger("put", "thumbnails", None, Folder(str(inbox), "photos", suffix=".png")))
        triggers.add(Trigger("nightly", "report", None, Schedule("cron(0 3 * * ? *)")))
        for function, event in (("payments", "ok"), ("orders", "new")):
            text = (SAMPLES / function / "events" / f"{event}.json").read_text()
            triggers.add(Trigger(function, function, None, Schedule("rate(1 day)", input=text)))
        (inbox / "beach.png").write_bytes(b"image")
        clock.advance(86_400)
        assert triggers.step() + triggers.step() == 4
        found.worker().drain()

        order = (SAMPLES / "orders" / "events" / "new.json").read_text()
        work: Any = cloud.sqs.create_queue(QueueName="work")["QueueUrl"]
        cloud.sqs.send_message(QueueUrl=work, MessageBody=order)
        reader = found.create_event_source_mapping(
            FunctionName="orders", EventSourceArn=cloud.scope.queue("work")
        )
        found.reader(reader["UUID"]).step()
        news = cloud.sns.create_topic(Name="news")["TopicArn"]
        found.add_permission(
            FunctionName="orders",
            StatementId="news",
            Action="lambda:InvokeFunction",
            Principal="sns.amazonaws.com",
        )
        cloud.sns.subscribe(TopicArn=news, Protocol="lambda", Endpoint=cloud.scope.function("orders"))
        cloud.sns.publish(TopicArn=news, Message=order)
        cloud.client("sns").deliver()
        found.worker().drain()

        accounts = boto3.client("dynamodb", region_name="us-east-1")
        table = accounts.create_table(
            TableName="accounts",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )["TableDescription"]
        mapping = found.create_event_source_mapping(
            FunctionName="audit",
            EventSourceArn=table["LatestStreamArn"],
            StartingPosition="TRIM_HORIZON",
            MaximumRetryAttempts=0,
            DestinationConfig={"OnFailure": {"Destination": cloud.scope.queue("audit-dlq")}},
        )
        for balance in ("5", "3", "-1"):
            accounts.put_item(TableName="accounts", Item={"id": {"S": "a"}, "balance": {"N": balance}})
            found.reader(mapping["UUID"]).step()

        assert any("thumbnail made" in line for line in log(cloud, "thumbnails"))
        assert any("orders in all" in line for line in log(cloud, "report"))
        assert sum('"message":"order priced"' in line for line in log(cloud, "orders")) == 3
        assert any('"message":"charging"' in line for line in log(cloud, "payments"))
        assert sum("account changed" in line for line in log(cloud, "audit")) == 3
        assert found.events.counts() == {"succeeded": 5}
        url = cloud.sqs.get_queue_url(QueueName="audit-dlq")["QueueUrl"]
        (letter,) = cloud.sqs.receive_message(QueueUrl=url)["Messages"]
        assert json.loads(letter["Body"])["requestContext"]["condition"] == "RetryAttemptsExhausted"
