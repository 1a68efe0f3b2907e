"""The inbox, over real failures of a real function."""

from __future__ import annotations

import gc
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from lambdalog.cloud import connect
from lambdalog.deadletter import DeadLetter, DeadLetters, destination_record
from lambdalog.errors import ReplayError
from lambdalog.failures import Inbox, where
from lambdalog.failures.look import Look, browse
from lambdalog.local.lambda_.deploy import deploy
from lambdalog.runtime.project import Project

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud
    from tests.unit.failures.conftest import Pay


def test_letters_are_joined_with_what_their_log_tells(pay: Pay, inbox: Inbox) -> None:
    """A letter names no type; its log line does, with frames, locals and fingerprint."""
    (request,) = pay.fail({"id": 1})
    (letter,) = inbox.letters()
    assert (letter.request_id, letter.function, letter.queue) == (request, "pay", "pay-dlq")
    assert (letter.body, letter.error_message) == ('{"id": 1}', "order 1 declined")
    explained = inbox.explain(letter)
    assert (explained.type, explained.message, explained.version) == (
        "Declined",
        "order 1 declined",
        "$LATEST",
    )
    detail = inbox.detail(letter)
    assert detail.failure.fingerprint == explained.fingerprint
    assert detail.failure.frames[-1].function == "handler"
    assert detail.failure.frames[-1].local


def test_failures_of_one_kind_are_one_group(pay: Pay, inbox: Inbox) -> None:
    """Other ids are the same failure; another place or type is another; the most frequent comes first."""
    pay.fail({"id": 1}, {"id": 2}, {"id": 3, "fail": "other"}, {"id": 4}, {"id": 5, "fail": "exit"})
    groups = inbox.groups()
    assert (groups[0].type, groups[0].count) == ("Declined", 3)
    assert {group.type for group in groups} == {"Declined", "LookupError", "Runtime.ExitError"}
    declined = groups[0]
    assert declined.functions == ("pay",)
    assert declined.message == "order 4 declined"
    first, *_, last = (one.letter for one in inbox.failures() if one.type == "Declined")
    assert (declined.first_seen, declined.last_seen, declined.newest) == (first.sent_at, last.sent_at, last)


def test_queues_are_read_again_only_after_a_change(
    pay: Pay, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same groups come from memory; a failure more, and all are read."""
    looks: list[str] = []

    def looking(sqs: object, queue: str, function: str, now: int) -> Look:
        looks.append(queue)
        return browse(sqs, queue, function, now)

    monkeypatch.setattr("lambdalog.failures.inbox.browse", looking)
    pay.fail({"id": 1})
    assert inbox.groups() == inbox.groups()
    assert looks == ["pay-dlq"]
    pay.fail({"id": 2})
    assert [group.count for group in inbox.groups()] == [2]
    assert looks == ["pay-dlq"] * 2


def test_a_letters_lines_are_its_own(pay: Pay, inbox: Inbox) -> None:
    """From START to REPORT, of this request and no other."""
    requests = pay.fail({"id": 1}, {"id": 2})
    lines = inbox.lines(inbox.letters()[1])
    assert lines[0].message.startswith(f"START RequestId: {requests[1]}")
    assert lines[-1].message.startswith("REPORT")
    assert not [line for line in lines if requests[0] in line.message]


def test_every_attempt_is_shown(cloud: Cloud, inbox: Inbox, tmp_path: Path) -> None:
    """Three tries of one request, each with what it printed: lines that bear no id stand between START and REPORT."""
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "app.py").write_text(
        "def handler(event, context):\n    print('working on it')\n    raise KeyError('k')\n"
    )
    client: Any = cloud.client("lambda")
    deploy(client, cloud.sqs, Project("plain", "app.handler", folder))
    client.invoke(FunctionName="plain", InvocationType="Event", Payload=b"{}")
    client.worker(delay_scale=0).drain()
    (letter,) = inbox.letters()
    explained, detail = inbox.explain(letter), inbox.detail(letter)
    assert (explained.type, explained.fingerprint) == ("KeyError", detail.failure.fingerprint)
    assert [(attempt.number, attempt.version) for attempt in detail.attempts] == [
        (number, "$LATEST") for number in (1, 2, 3)
    ]
    for attempt in detail.attempts:
        assert [line.message.strip() for line in attempt.lines].count("working on it") == 1
        assert attempt.failure is not None
        assert attempt.lines[-1].message.startswith("REPORT")


def test_looking_takes_nothing(pay: Pay, inbox: Inbox, cloud: Cloud) -> None:
    """However often it is looked at, a letter can be received, for the first time."""
    pay.fail({"id": 1})
    for _ in range(3):
        inbox.groups()
    (message,) = cloud.sqs.receive_message(QueueUrl=pay.url, MessageSystemAttributeNames=["All"])["Messages"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_look_leaves_the_garbage_collector_as_it_was(inbox: Inbox) -> None:
    """Collection goes on after a look, also one that failed; who has switched it off finds it off."""
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            inbox.groups()
            with pytest.raises(Exception, match="does not exist"):
                inbox.failures("nowhere")
            assert gc.isenabled() == enabled
        finally:
            gc.enable()


def test_a_queue_that_is_not_there_says_so(cloud: Cloud, inbox: Inbox) -> None:
    """Asking for a queue by name is an error if there is none; asking for all is not."""
    assert inbox.groups() == []
    with pytest.raises(cloud.sqs.exceptions.QueueDoesNotExist):
        inbox.letters("none")


def test_letters_of_others_are_shown_too(cloud: Cloud, inbox: Inbox) -> None:
    """A message that no Lambda of ours sent, without attributes or JSON, is a letter all the same."""
    url = cloud.sqs.create_queue(QueueName="x-dlq")["QueueUrl"]
    cloud.sqs.send_message(QueueUrl=url, MessageBody="no JSON at all")
    DeadLetters(cloud.sqs).send(
        "x-dlq", DeadLetter("{}", "r", "RequestId: r Error: Task timed out after 3.00 seconds")
    )
    groups = {group.type: group for group in inbox.groups()}
    assert groups.keys() == {"Unknown", "Sandbox.Timedout"}
    assert groups["Unknown"].newest.body == "no JSON at all"


def test_what_the_decorator_sent_itself_needs_no_log(cloud: Cloud, inbox: Inbox) -> None:
    """A permanent failure's letter tells fingerprint, function and version."""
    cloud.sqs.create_queue(QueueName="x-dlq")
    extra = {"Fingerprint": "00ff00ff00ff00ff", "FunctionName": "pay", "FunctionVersion": "3"}
    DeadLetters(cloud.sqs).send("x-dlq", DeadLetter("{}", "r", "Invalid: no id: 3", extra=extra))
    (found,) = inbox.failures()
    assert (found.type, found.message, found.fingerprint) == ("Invalid", "no id: 3", "00ff00ff00ff00ff")
    assert (found.letter.function, found.version) == ("pay", "3")


def test_one_failure_has_one_fingerprint_however_it_comes(pay: Pay, inbox: Inbox, cloud: Cloud) -> None:
    """As a dead letter with its log, and as a destination record with the runtime's own stack."""
    pay.fail({"id": 1})
    answer = cloud.lambda_.invoke(FunctionName="pay", Payload=b'{"id": 2}')
    record = destination_record(
        now=1.0,
        request_id="other",
        function_arn=cloud.scope.function("pay", "$LATEST"),
        condition="RetriesExhausted",
        invoke_count=1,
        request_payload=b'{"id": 2}',
        function_error="Unhandled",
        response_payload=answer["Payload"].read(),
    )
    cloud.sqs.send_message(QueueUrl=pay.url, MessageBody=record)
    (group,) = inbox.groups()
    assert (group.count, group.kinds) == (2, ("dead-letter", "destination"))


def test_logs_of_plain_functions_are_understood(cloud: Cloud, inbox: Inbox) -> None:
    """Lambda's text and JSON formats, of Python and of Node.js: by the request's id, or after its START."""
    cloud.logs.create_log_group(logGroupName="/aws/lambda/other")
    cloud.logs.create_log_stream(logGroupName="/aws/lambda/other", logStreamName="s")
    cloud.sqs.create_queue(QueueName="x-dlq")
    now = cloud.clock.now_ms()
    node = '{"errorType":"RangeError","errorMessage":"n","stack":["RangeError: n","    at go (/var/task/i.js:3:9)"]}'
    lines = [
        "START RequestId: r-1 Version: 4\n",
        '[ERROR] ValueError: bad\rTraceback (most recent call last):\r\u00a0\u00a0File "/var/task/a.py", line 5, in go',
        "END RequestId: r-1\n",
        "REPORT RequestId: r-1\tDuration: 1.00 ms\tStatus: error",
        "START RequestId: r-2 Version: 4\n",
        f"2026-01-01T00:00:00.000Z\tr-2\tERROR\tInvoke Error \t{node}",
        "REPORT RequestId: r-2\tDuration: 1.00 ms",
        '{"time":"t","type":"platform.start","record":{"requestId":"r-3","version":"5"}}',
        '{"timestamp":"t","level":"ERROR","errorType":"OSError","errorMessage":"o","requestId":"r-3","stackTrace":[]}',
        '{"time":"t","type":"platform.report","record":{"requestId":"r-3","status":"error"}}',
    ]
    events: Any = [{"timestamp": now, "message": line} for line in lines]
    cloud.logs.put_log_events(logGroupName="/aws/lambda/other", logStreamName="s", logEvents=events)
    for number in (1, 2, 3):
        letter = DeadLetter("{}", f"r-{number}", "m", extra={"FunctionName": "other"})
        DeadLetters(cloud.sqs).send("x-dlq", letter)
    found = {one.letter.request_id: one for one in inbox.failures()}
    assert {key: (one.type, one.message) for key, one in found.items()} == {
        "r-1": ("ValueError", "bad"),
        "r-2": ("RangeError", "n"),
        "r-3": ("OSError", "o"),
    }
    first, second, third = (inbox.detail(found[f"r-{number}"].letter) for number in (1, 2, 3))
    assert (first.failure.frames[-1].function, first.version) == ("go", "4")
    assert [line.message for line in first.lines] == lines[:4]
    assert second.failure.frames[-1].file == "/var/task/i.js"
    assert (third.attempts[0].status, third.attempts[0].version) == ("error", "5")


@pytest.mark.parametrize(
    "other",
    ["a failure of the user's own words", '{"failure":"a text"}', '{"failure":{"type":7},"requestId":"r-1"}'],
)
def test_the_last_failure_counts_whatever_else_has_the_word(cloud: Cloud, inbox: Inbox, other: str) -> None:
    """Of several attempts the last one's failure is the letter's, and lines of the user's hide none of them."""
    cloud.logs.create_log_group(logGroupName="/aws/lambda/own")
    now = cloud.clock.now_ms()
    for stream, at, type_ in (("b", now - 10, "Late"), ("a", now - 20, "Early")):
        failure = {"type": type_, "message": "m", "fingerprint": f"{type_:x<16}"}
        line = json.dumps({"requestId": "r-1", "version": "7", "failure": failure})
        events: Any = [{"timestamp": at, "message": text} for text in (line, other)]
        cloud.logs.create_log_stream(logGroupName="/aws/lambda/own", logStreamName=stream)
        cloud.logs.put_log_events(logGroupName="/aws/lambda/own", logStreamName=stream, logEvents=events)
    cloud.sqs.create_queue(QueueName="x-dlq")
    DeadLetters(cloud.sqs).send("x-dlq", DeadLetter("{}", "r-1", "m", extra={"FunctionName": "own"}))
    (found,) = inbox.failures()
    assert (found.type, found.fingerprint, found.version) == ("Late", "Latexxxxxxxxxxxx", "7")


def test_a_failure_that_was_stored_as_a_text_is_one(cloud: Cloud, inbox: Inbox) -> None:
    """Whoever ships lines may send them with their break."""
    now = cloud.clock.now_ms()
    failure = {"type": "Declined", "message": "m", "fingerprint": "0123456789abcdef"}
    line = json.dumps({"requestId": "r-1", "version": "7", "failure": failure}) + "\n"
    cloud.logs.create_log_group(logGroupName="/aws/lambda/own")
    cloud.logs.create_log_stream(logGroupName="/aws/lambda/own", logStreamName="a")
    cloud.logs.put_log_events(
        logGroupName="/aws/lambda/own",
        logStreamName="a",
        logEvents=[{"timestamp": now - 10, "message": line}],
    )
    cloud.sqs.create_queue(QueueName="x-dlq")
    DeadLetters(cloud.sqs).send("x-dlq", DeadLetter("{}", "r-1", "m", extra={"FunctionName": "own"}))
    (found,) = inbox.failures()
    assert (found.type, found.fingerprint, found.version) == ("Declined", "0123456789abcdef", "7")


def test_places_are_found_by_configuration(cloud: Cloud, pay: Pay, inbox: Inbox) -> None:
    """Dead-letter targets, on-failure destinations, redrive policies, topics' queues, and names that say so."""
    for name in ("d1", "d2", "d3", "work"):
        cloud.sqs.create_queue(QueueName=name)
    cloud.sqs.create_queue(QueueName="named-dlq")
    pay.client.put_function_event_invoke_config(
        FunctionName="pay", DestinationConfig={"OnFailure": {"Destination": cloud.scope.queue("d1")}}
    )
    policy = json.dumps({"deadLetterTargetArn": cloud.scope.queue("d2"), "maxReceiveCount": 3})
    url = cloud.sqs.get_queue_url(QueueName="work")["QueueUrl"]
    cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
    topic = cloud.sns.create_topic(Name="t")["TopicArn"]
    cloud.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=cloud.scope.queue("d3"))
    pay.client.update_function_configuration(FunctionName="pay", DeadLetterConfig={"TargetArn": topic})
    places = inbox.places.all()
    assert places.keys() == {"d1", "d2", "d3", "named-dlq", "pay-dlq"}
    assert (places["d1"].functions, places["d3"].functions, places["d2"].functions) == (
        ("pay",),
        ("pay",),
        (),
    )
    assert places["d2"].why == ("redrive of work",)


def test_failures_are_asked_for(pay: Pay, inbox: Inbox) -> None:
    """By what the event holds, and by type."""
    pay.fail({"id": 1}, {"id": 2}, {"id": 3, "fail": "other"})
    assert [one.letter.body for one in inbox.failures(where=where(["$.id >= 2", "type=Declined"]))] == [
        '{"id": 2}'
    ]
    (group,) = inbox.groups("pay-dlq", where(["type=LookupError"]))
    assert group.count == 1


def test_the_same_on_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over boto3 the inbox reads the queue and puts everything back."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws(), connect("aws:us-east-1") as cloud:
        url = cloud.sqs.create_queue(QueueName="pay-dlq")["QueueUrl"]
        for number in range(12):
            DeadLetters(cloud.sqs).send(
                url, DeadLetter(json.dumps({"id": number}), f"r-{number}", "order 1 declined")
            )
        inbox = Inbox(cloud)
        (group,) = inbox.groups()
        assert group.count == 12
        assert abs(group.last_seen - time.time() * 1000) < 60_000
        got: list[Any] = []
        while page := cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            got += page
        assert len(got) == 12


def test_a_queue_on_aws_whose_receives_count_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look would in the end move its messages: it has to be asked for."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws(), connect("aws:us-east-1") as cloud:
        sqs: Any = cloud.sqs
        sqs.create_queue(QueueName="last")
        arn = "arn:aws:sqs:us-east-1:123456789012:last"
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "5"})
        url = sqs.create_queue(QueueName="a-dlq", Attributes={"RedrivePolicy": policy})["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="x")
        inbox = Inbox(cloud)
        with pytest.raises(ReplayError, match="--spend-receives"):
            inbox.letters("a-dlq")
        assert inbox.groups() == []
        assert any("a-dlq" in note for note in inbox.notes)
        assert len(Inbox(cloud, spend_receives=True).letters("a-dlq")) == 1


def test_what_cannot_be_seen_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages that are in flight on AWS are counted in a note."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws(), connect("aws:us-east-1") as cloud:
        url = cloud.sqs.create_queue(QueueName="a-dlq")["QueueUrl"]
        for number in range(3):
            cloud.sqs.send_message(QueueUrl=url, MessageBody=str(number))
        cloud.sqs.receive_message(QueueUrl=url)
        inbox = Inbox(cloud)
        assert len(inbox.letters("a-dlq")) == 2
        assert inbox.notes == ["a-dlq: 1 are in flight, and can't be seen"]
