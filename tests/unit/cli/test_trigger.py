"""lambdalog trigger and event: from the outside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.cli.trigger.manage import _rows
from lambdalog.cli.trigger.subscription import filter_of
from lambdalog.cloud import connect
from tests.conftest import SAMPLES

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Call = Callable[..., subprocess.CompletedProcess[str]]

STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/x"


@pytest.fixture
def report(call: Call, store_path: Path) -> None:
    """The sample as a function of the store; a queue `work` and a topic `news`."""
    assert call("function", "create", f"{SAMPLES}/report").returncode == 0
    with connect(f"disk:{store_path}") as cloud:
        cloud.sqs.create_queue(QueueName="work")
        cloud.sns.create_topic(Name="news")


def rows(call: Call, *arguments: str) -> dict[str, dict[str, str]]:
    """The listed triggers by their ids."""
    lines = call("trigger", "list", "--json", *arguments).stdout.splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}


def test_triggers_of_every_kind_are_made_listed_switched_and_deleted(
    call: Call, report: None, tmp_path: Path
) -> None:
    """What is printed is what names them; deleted, they leave no permission behind."""
    (tmp_path / "Inbox").mkdir()
    made = [
        call("trigger", "schedule", "rate(5 minutes)", "report"),
        call(
            "trigger",
            "schedule",
            "cron(0 3 * * ? *)",
            "report",
            "--zone",
            "Europe/Berlin",
            "--missed",
            "skip",
        ),
        call("trigger", "s3", "Inbox", "report", "--suffix", ".csv", "--on", "put"),
        call("trigger", "s3", "work", "report", "--queue", "--bucket", "photos", "--name", "real"),
        call("trigger", "sqs", "work", "report", "--batch-size", "5", "--filter", '{"body": ["x"]}'),
        call("trigger", "dynamodb", STREAM, "report", "--bisect", "--retries", "2", "--on-failure", "work"),
        call("trigger", "sns", "news", "report"),
    ]
    assert [done.stderr for done in made] == [""] * 7
    ids = [done.stdout.strip() for done in made]
    assert ids[:4] == ["report-schedule", "report-schedule-2", "report-s3", "real"]
    listed = rows(call)
    assert listed.keys() == set(ids)
    assert [listed[name]["kind"] for name in ids] == [
        "schedule",
        "schedule",
        "s3",
        "s3",
        "sqs",
        "dynamodb",
        "sns",
    ]
    assert listed["report-s3"]["source"] == f"{tmp_path}/Inbox as inbox (*.csv)"
    assert listed["report-schedule-2"]["source"] == "cron(0 3 * * ? *) Europe/Berlin"
    assert listed["report-schedule"]["note"].startswith("next ")
    assert rows(call, "other") == {}
    assert "report-s3" in call("trigger", "list").stdout
    assert {row["state"] for row in listed.values()} == {"enabled"}
    for name in (*ids[:4], ids[4][:8], *ids[5:]):
        assert call("trigger", "disable", name).returncode == 0
    assert {row["state"] for row in rows(call).values()} == {"disabled"}
    for name in ids:
        assert call("trigger", "enable", name).returncode == 0
    assert {row["state"] for row in rows(call).values()} == {"enabled"}
    assert len(call("function", "policy", "report").stdout.splitlines()) == 5
    for name in ids:
        assert call("trigger", "delete", name).returncode == 0
    assert call("trigger", "list").stdout.startswith("There are no triggers")
    assert call("function", "policy", "report").stdout == ""


def test_a_subscription_that_goes_while_triggers_are_listed_is_none(
    call: Call, report: None, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are listed all the same; on AWS a subscription is listed for some time after its end."""
    arn = call("trigger", "sns", "news", "report").stdout.strip()
    call("trigger", "schedule", "rate(5 minutes)", "report", "--name", "often")

    def too_late(sns: Any, arn: str) -> dict[str, Any]:
        sns.unsubscribe(SubscriptionArn=arn)
        return filter_of(sns, arn)

    with connect(f"disk:{store_path}") as cloud:
        assert {row.id for row in _rows(cloud)} == {"often", arn}
        monkeypatch.setattr("lambdalog.cli.trigger.manage.filter_of", too_late)
        assert [row.id for row in _rows(cloud)] == ["often"]


def test_a_topic_s_subscription_is_switched_off_and_on(call: Call, report: None, store_path: Path) -> None:
    """Off, nothing is delivered, and its own filter stays; on again, what passes that is."""
    arn = call("trigger", "sns", "news", "report").stdout.strip()
    with connect(f"disk:{store_path}") as cloud:
        sns: Any = cloud.sns
        own = {"SubscriptionArn": arn, "AttributeName": "FilterPolicy", "AttributeValue": '{"kind": ["a"]}'}
        sns.set_subscription_attributes(**own)

        def publish() -> int:
            for kind in ("a", "b"):
                attributes = {"kind": {"DataType": "String", "StringValue": kind}}
                sns.publish(TopicArn=cloud.scope.topic("news"), Message=kind, MessageAttributes=attributes)
            sns.deliver()
            return int(cloud.client("lambda").events.pending())

        assert call("trigger", "disable", arn).returncode == 0
        assert publish() == 0
        assert call("trigger", "enable", arn).returncode == 0
        attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        assert json.loads(attributes["FilterPolicy"]) == {"kind": ["a"]}
        assert publish() == 1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["schedule", "rate(5 minute)", "report"], 1, "write rate(5 minutes)"),
        (["schedule", "rate(1 hour)", "none"], 1, "Function not found"),
        (["schedule", "rate(1 hour)", "report", "--zone", "Mars"], 1, "there is no time zone 'Mars'"),
        (["schedule", "rate(1 hour)", "report", "--input", "{"], 1, "the input is no JSON"),
        (["schedule", "rate(1 hour)", "report", "--no-permission"], 1, "is not authorized to perform"),
        (["s3", "nowhere", "report"], 1, "there is no folder"),
        (["s3", "work", "report", "--queue"], 2, "say which bucket"),
        (
            ["s3", ".", "report", "--no-permission"],
            1,
            "Unable to validate the following destination configurations",
        ),
        (["sqs", "none", "report"], 1, "no queue is called none; see them with: lambdalog queue list"),
        (["sqs", "work", "report", "--batch-size", "11"], 1, "must be greater than 0 if maximum batch size"),
        (["sqs", "work", "report", "--filter", "x"], 1, "Invalid filter pattern definition"),
        (["sns", "none", "report"], 1, "no topic is called none; see them with: lambdalog topic list"),
        (["enable", "none"], 1, "there is no trigger none; see them with: lambdalog trigger list"),
        (["delete", "none"], 1, "there is no trigger none"),
    ],
)
def test_a_trigger_that_can_t_be_is_told_in_a_line(
    call: Call, report: None, arguments: list[str], code: int, told: str
) -> None:
    """Status 1 or 2, what and which, and nothing is made."""
    done = call("trigger", *arguments)
    assert (done.returncode, told in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert call("trigger", "list").stdout.startswith("There are no triggers")


@pytest.mark.parametrize(
    ("arguments", "path", "value"),
    [
        (["s3", "a b.png"], ["Records", 0, "s3", "object", "key"], "a+b.png"),
        (["s3", "--delete"], ["Records", 0, "eventName"], "ObjectRemoved:Delete"),
        (["dynamodb"], ["Records", 0, "eventName"], "INSERT"),
        (["dynamodb", "--new", '{"n": 2}', "--old", '{"n": 1}'], ["Records", 0, "eventName"], "MODIFY"),
        (["dynamodb", "--old", '{"n": 1}'], ["Records", 0, "dynamodb", "OldImage", "n"], {"N": "1"}),
        (["schedule", "--at", "2026-01-02"], ["time"], "2026-01-02T00:00:00Z"),
        (["sqs", "one", "two", "--attribute", "k=v"], ["Records", 1, "body"], "two"),
        (["sns", "hello", "--subject", "s"], ["Records", 0, "Sns", "Message"], "hello"),
        (["apigw", "--query", "a=1", "--query", "a=2"], ["queryStringParameters"], {"a": "1,2"}),
        (["apigw", "--version", "1", "--method", "get"], ["httpMethod"], "GET"),
        (["sqs", "--region", "eu-west-1"], ["Records", 0, "awsRegion"], "eu-west-1"),
    ],
)
def test_a_sample_event_is_what_was_asked_for(
    call: Call, arguments: list[str], path: list[str | int], value: object
) -> None:
    """JSON on standard output, with the arguments in it."""
    done = call("event", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    for key in path:
        found = found[key]
    assert found == value


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["schedule", "--at", "noon"], "write a time as"),
        (["dynamodb", "--new", "{"], "--new is no JSON"),
        (["dynamodb", "--keys", "[]"], "--keys is no object"),
        (["apigw", "--path", "x"], "a path begins with /"),
        (["sqs", "--attribute", "x"], "write NAME=VALUE"),
        (["s3", "--size", "-1"], "is not in the range"),
    ],
)
def test_a_sample_event_that_can_t_be_is_told_why(call: Call, arguments: list[str], told: str) -> None:
    """Status 2, and nothing on standard output."""
    done = call("event", *arguments)
    assert (done.returncode, done.stdout, told in done.stderr) == (2, "", True), done.stderr
