"""Triggers: made, fired, missed, switched, deleted."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lambdalog.cloud import connect
from lambdalog.errors import ConfigError
from lambdalog.local.events.bucket import ObjectChange, notification
from lambdalog.local.triggers.definition import (
    Folder,
    Notifications,
    Schedule,
    Trigger,
    bucket_name,
)
from lambdalog.local.triggers.loop import TriggerLoop
from lambdalog.local.triggers.notifications import NotificationReader, notification_in
from lambdalog.local.triggers.service import Triggers
from tests.unit.local.triggers.conftest import accepted

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud

START = 1_700_000_000.0


def hourly(**settings: Any) -> Trigger:
    """A schedule of an hour."""
    return Trigger("t", "f", None, Schedule("rate(1 hour)", **settings))


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """A folder to watch."""
    folder = tmp_path / "Inbox"
    folder.mkdir()
    return folder


def put(folder: Path, key: str, text: str = "x", age: float = 10.0) -> None:
    """Write a file that was changed some seconds before the manual clock's time."""
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, ns=(0, int((START - age) * 1e9)))


def watched(folder: Path, **settings: Any) -> Trigger:
    """A folder as a bucket."""
    return Trigger("t", "f", None, Folder(str(folder), "inbox", **settings))


# --- schedules


def test_a_schedule_fires_when_it_is_due(triggers: Triggers, client: Any, clock: ManualClock) -> None:
    """Not before, once an hour, with EventBridge's event for its time."""
    triggers.add(hourly())
    assert triggers.step() == 0
    clock.advance(3600)
    assert [triggers.step(), triggers.step()] == [1, 0]
    (event,) = accepted(client)
    assert list(event) == [
        "version",
        "id",
        "detail-type",
        "source",
        "account",
        "time",
        "region",
        "resources",
        "detail",
    ]
    assert event["time"] == f"{datetime.fromtimestamp(START + 3600, UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert event["resources"] == ["arn:aws:events:us-east-1:000000000000:rule/t"]
    clock.advance(3601)
    assert triggers.step() == 1
    assert triggers.state("t")["fired"] == 2


@pytest.mark.parametrize(("missed", "fired", "counted"), [("once", 1, 4), ("skip", 0, 5)])
def test_missed_times_come_once_or_not_at_all(
    triggers: Triggers, client: Any, clock: ManualClock, missed: Any, fired: int, counted: int
) -> None:
    """Five and a half hours down: one event for the last time, or none; what was passed over is counted; then as ever."""
    triggers.add(hourly(missed=missed))
    clock.advance(3600 * 5.5)
    triggers = Triggers(client)
    assert triggers.step() == fired
    assert triggers.state("t")["missed"] == counted
    if fired:
        assert (
            accepted(client)[0]["time"]
            == f"{datetime.fromtimestamp(START + 3600 * 5, UTC):%Y-%m-%dT%H:%M:%SZ}"
        )
    clock.advance(3600 * 0.5)
    assert triggers.step() == 1


def test_a_moment_fires_once_for_all(triggers: Triggers, client: Any, clock: ManualClock) -> None:
    """at() comes due once, and its trigger stays, with nothing due."""
    triggers.add(Trigger("once", "f", None, Schedule("at(2023-11-15T00:00:00)", input='{"a": 1}')))
    clock.advance(86_400)
    assert [triggers.step(), triggers.step()] == [1, 0]
    assert accepted(client) == [{"a": 1}]
    assert triggers.next_due(triggers.get("once")) is None


def test_two_processes_fire_a_schedule_once(triggers: Triggers, client: Any, clock: ManualClock) -> None:
    """Whoever is first takes the time; the other finds it taken."""
    triggers.add(hourly())
    other = Triggers(client)
    clock.advance(3600)
    results: list[int] = []
    ready = threading.Barrier(2)

    def step(mine: Triggers) -> None:
        ready.wait(30)
        results.append(mine.step())

    threads = [threading.Thread(target=step, args=(mine,)) for mine in (triggers, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 1]
    assert len(accepted(client)) == 1


def test_a_schedules_failure_ends_in_the_dead_letter_queue(
    triggers: Triggers, client: Any, clock: ManualClock, manual_cloud: Cloud
) -> None:
    """Tried three times like any event, then in the function's queue, with the schedule's input as its body."""
    url = manual_cloud.sqs.create_queue(QueueName="f-dlq")["QueueUrl"]
    target = {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:f-dlq"}
    client.update_function_configuration(FunctionName="f", DeadLetterConfig=target)
    triggers.add(hourly(input='"fail"'))
    clock.advance(3600)
    triggers.step()
    client.worker().drain()
    (message,) = manual_cloud.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == '"fail"'
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no"


# --- folders


def test_a_put_and_a_delete_are_told(triggers: Triggers, client: Any, bucket: Path) -> None:
    """What was there is not told; a new file is, with size and ETag; a changed one again; a deleted one without."""
    put(bucket, "old.png")
    triggers.add(watched(bucket))
    assert triggers.step() == 0
    put(bucket, "summer holiday/ü+1.png", "hello")
    assert [triggers.step(), triggers.step()] == [1, 0]
    put(bucket, "old.png", "changed", age=5)
    assert triggers.step() == 1
    (bucket / "old.png").unlink()
    assert triggers.step() == 1
    first, second, third = (event["Records"][0] for event in accepted(client))
    assert first["eventName"] == "ObjectCreated:Put"
    assert first["s3"]["bucket"]["arn"] == "arn:aws:s3:::inbox"
    assert first["s3"]["object"]["key"] == "summer+holiday/%C3%BC%2B1.png"
    assert (first["s3"]["object"]["size"], first["s3"]["object"]["eTag"]) == (
        5,
        "5d41402abc4b2a76b9719d911017c592",
    )
    assert second["s3"]["object"]["key"] == "old.png"
    assert third["eventName"] == "ObjectRemoved:Delete"
    assert "size" not in third["s3"]["object"]


def test_prefix_suffix_and_kind_choose(triggers: Triggers, client: Any, bucket: Path) -> None:
    """Only keys with both, only the events that were asked for."""
    triggers.add(watched(bucket, prefix="in/", suffix=".png", events=("ObjectCreated",)))
    for key in ("in/a.png", "in/a.txt", "out/a.png"):
        put(bucket, key)
    assert triggers.step() == 1
    (bucket / "in" / "a.png").unlink()
    assert triggers.step() == 0
    put(bucket, "in/a.png")
    assert triggers.step() == 1


def test_a_file_that_is_being_written_waits(triggers: Triggers, client: Any, bucket: Path) -> None:
    """Younger than a second, it is told once it looks the same twice, with its whole size."""
    triggers.add(watched(bucket))
    put(bucket, "a", "par", age=0)
    assert triggers.step() == 0
    put(bucket, "a", "partial", age=-0.1)
    assert [triggers.step(), triggers.step()] == [0, 1]
    assert accepted(client)[0]["Records"][0]["s3"]["object"]["size"] == 7


def test_what_changed_while_nobody_looked_is_told(
    triggers: Triggers, client: Any, bucket: Path, store_path: Path, clock: ManualClock
) -> None:
    """Put and deleted between two processes: both are told by the next."""
    put(bucket, "stays")
    put(bucket, "goes")
    triggers.add(watched(bucket))
    put(bucket, "comes")
    (bucket / "goes").unlink()
    with connect(f"disk:{store_path}", clock=clock) as other:
        assert other.client("lambda").triggers.step() == 2
    names = {(e["Records"][0]["eventName"], e["Records"][0]["s3"]["object"]["key"]) for e in accepted(client)}
    assert names == {("ObjectCreated:Put", "comes"), ("ObjectRemoved:Delete", "goes")}


def test_a_folder_that_is_gone_deletes_nothing(triggers: Triggers, client: Any, bucket: Path) -> None:
    """Unmounted for a while, its objects are still there for the trigger, which says what is wrong."""
    put(bucket, "a")
    triggers.add(watched(bucket))
    bucket.rename(bucket.with_name("elsewhere"))
    assert triggers.step() == 0
    assert "is not there" in triggers.state("t")["error"]
    bucket.with_name("elsewhere").rename(bucket)
    assert triggers.step() == 0
    assert accepted(client) == []


# --- queues of notifications


def test_notifications_are_read_from_a_queue(triggers: Triggers, client: Any, manual_cloud: Cloud) -> None:
    """S3's own, also in SNS's envelope, for this bucket and prefix; tests, others and nonsense are passed over."""
    url = manual_cloud.sqs.create_queue(QueueName="s3-events")["QueueUrl"]
    trigger = triggers.add(Trigger("n", "f", None, Notifications("s3-events", "photos", prefix="in/")))

    def event(bucket: str, key: str) -> str:
        change = ObjectChange(bucket, key, "ObjectCreated:Put", START, 1)
        return json.dumps(notification([change], region="us-east-1", account="123456789012"))

    bodies = [
        event("photos", "in/a b.png"),
        json.dumps({"Type": "Notification", "Message": event("photos", "in/c.png")}),
        event("photos", "out/d.png"),
        event("other-bucket", "in/e.png"),
        json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "photos"}),
        "nonsense",
    ]
    for body in bodies:
        manual_cloud.sqs.send_message(QueueUrl=url, MessageBody=body)
    reader = TriggerLoop(triggers, manual_cloud.sqs, client.root / "locks")._reader("n")
    assert isinstance(reader, NotificationReader)
    while reader.step():
        pass
    keys = [found["Records"][0]["s3"]["object"]["key"] for found in accepted(client)]
    assert keys == ["in/a+b.png", "in/c.png"]
    assert reader.passed_over == 4
    assert trigger.kind == "notifications"
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    left = manual_cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert set(left.values()) == {"0"}


@pytest.mark.parametrize(
    "body",
    ["", "[]", "1", "{}", '{"Records": [{}]}', '{"Type": "Notification"}', '{"Records": 1}', "[" * 99_999],
)
def test_what_is_no_notification_is_none(body: str) -> None:
    """Whatever somebody puts into the queue, it breaks nothing."""
    assert notification_in(body) is None


# --- who may, and what is kept


def test_a_source_that_may_not_invoke_is_refused(triggers: Triggers, client: Any, bucket: Path) -> None:
    """As AWS's services say it; nothing is made."""
    for sid in ("s3", "events"):
        client.remove_permission(FunctionName="f", StatementId=sid)
    with pytest.raises(ClientError) as info:
        triggers.add(watched(bucket))
    assert info.value.response["Error"] == {
        "Code": "InvalidArgument",
        "Message": "Unable to validate the following destination configurations",
    }
    with pytest.raises(ClientError) as info:
        triggers.add(hourly())
    assert info.value.response["Error"]["Code"] == "AccessDeniedException"
    assert info.value.response["Error"]["Message"] == (
        "User: events.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: "
        "arn:aws:lambda:us-east-1:000000000000:function:f because no resource-based policy allows the lambda:InvokeFunction action"
    )
    assert triggers.all() == []


def test_a_leave_that_was_taken_away_is_noticed(triggers: Triggers, client: Any, clock: ManualClock) -> None:
    """The trigger fires nothing any more, and what was refused is counted; given again, it goes on."""
    triggers.add(hourly())
    client.remove_permission(FunctionName="f", StatementId="events")
    clock.advance(3600)
    triggers.step()
    state = triggers.state("t")
    assert (accepted(client), state["refused"]) == ([], 1)
    assert "is not authorized" in state["error"]
    client.add_permission(
        FunctionName="f", StatementId="e", Action="lambda:InvokeFunction", Principal="events.amazonaws.com"
    )
    clock.advance(3600)
    assert triggers.step() == 1
    assert triggers.state("t")["error"] is None


def test_a_trigger_can_be_switched_off_and_on(
    triggers: Triggers, client: Any, clock: ManualClock, bucket: Path
) -> None:
    """Off, it fires nothing; on again, it begins anew and what was missed stays missed."""
    triggers.add(hourly())
    triggers.add(Trigger("w", "f", None, Folder(str(bucket), "inbox")))
    for name in ("t", "w"):
        assert not triggers.switch(name, enabled=False).enabled
    put(bucket, "a")
    clock.advance(3600 * 3.5)
    assert triggers.step() == 0
    for name in ("t", "w"):
        triggers.switch(name, enabled=True)
    assert triggers.step() == 0
    put(bucket, "b")
    clock.advance(1800)
    assert triggers.step() == 2
    assert len(accepted(client)) == 2


def test_a_deleted_trigger_leaves_nothing(triggers: Triggers, client: Any, bucket: Path) -> None:
    """Neither itself nor where it stood; deleting it again says that it isn't there."""
    put(bucket, "a")
    triggers.add(watched(bucket))
    triggers.remove("t")
    assert triggers.all() == []
    assert client.catalog._tables.connection.execute(
        "SELECT count(*) FROM records WHERE kind IN ('trigger', 'checkpoint')"
    ).fetchone() == (0,)
    with pytest.raises(ConfigError, match="there is no trigger t; `lambdalog trigger list`"):
        triggers.remove("t")


def test_a_trigger_is_read_as_it_was_made(triggers: Triggers, bucket: Path) -> None:
    """Every setting of every kind survives its record, and a second one of a name is refused."""
    made = [
        triggers.add(
            Trigger("a", "f", None, Schedule("cron(0 3 * * ? *)", "Europe/Berlin", "skip", '{"x": 1}'))
        ),
        triggers.add(Trigger("b", "f", None, Folder(str(bucket), "inbox", "p", "s", ("ObjectRemoved",)))),
        triggers.add(Trigger("c", "f", None, Notifications("q", "photos", "p", "s"))),
    ]
    assert triggers.all() == made
    with pytest.raises(ConfigError, match="there is a trigger a already"):
        triggers.add(made[0])


@pytest.mark.parametrize(
    ("trigger", "told"),
    [
        (Trigger("no/name", "f", None, Schedule("rate(1 hour)")), "can't be named 'no/name'"),
        (Trigger("t", "f", None, Schedule("rate(1 hours)")), "write rate"),
        (Trigger("t", "f", None, Schedule("rate(1 hour)", input="{no")), "the input is no JSON"),
        (Trigger("t", "f", None, Schedule("rate(1 hour)", missed="twice")), "it is once or skip"),  # type: ignore[arg-type]
        (Trigger("t", "f", None, Folder("/no/such/folder", "inbox")), "there is no folder /no/such/folder"),
        (Trigger("t", "f", None, Folder("/tmp", "NO")), "a bucket can't be named 'NO'"),
        (Trigger("t", "f", None, Folder("/tmp", "inbox", events=("Renamed",))), "not Renamed"),
        (Trigger("t", "f", None, Notifications("", "inbox")), "name the queue"),
    ],
)
def test_a_trigger_that_can_t_be_is_told_why(triggers: Triggers, trigger: Trigger, told: str) -> None:
    """And nothing is made."""
    with pytest.raises(ConfigError, match=told):
        triggers.add(trigger)
    assert triggers.all() == []


def test_a_trigger_needs_its_function(triggers: Triggers) -> None:
    """Lambda's own refusal for one that isn't there."""
    with pytest.raises(
        ClientError, match="Function not found: arn:aws:lambda:us-east-1:000000000000:function:none"
    ):
        triggers.add(Trigger("t", "none", None, Schedule("rate(1 hour)")))


def test_a_folders_name_becomes_a_buckets(tmp_path: Path) -> None:
    """Small letters, hyphens for the rest, never too short."""
    assert bucket_name(tmp_path / "My Photos") == "my-photos"
    assert bucket_name(tmp_path / "X") == "x-bucket"
    assert bucket_name(tmp_path / "___") == "folder-bucket"
