"""What becomes of a message: delivered, tried again, buried, dropped and counted; in order where it must be."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lambdalog.arn import Scope
from lambdalog.clock import SYSTEM, ManualClock
from lambdalog.local.sns import Sns
from lambdalog.local.sqs import Sqs
from lambdalog.runtime.lineage import current_trace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"


class Flaky:
    """Clients of queues and functions that can be told to fail; what reaches them is kept."""

    def __init__(self, sqs: Sqs) -> None:
        self._sqs = sqs
        self.failure: Exception | None = None
        self.tried = 0
        self.invoked: list[dict[str, Any]] = []
        self.traces: list[str | None] = []

    def send_message(self, **entry: Any) -> dict[str, Any]:
        """SQS's SendMessage."""
        self.tried += 1
        if self.failure is not None:
            raise self.failure
        return self._sqs.send_message(**entry)

    def invoke(self, **params: Any) -> dict[str, Any]:
        """Lambda's Invoke."""
        self.tried += 1
        if self.failure is not None:
            raise self.failure
        self.invoked.append(params)
        self.traces.append(current_trace.get())
        return {"StatusCode": 202}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sqs, name)


def service_error(status: int, code: str = "InternalError") -> ClientError:
    """A botocore error with a status."""
    response: Any = {
        "Error": {"Code": code, "Message": code},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "SendMessage")


class Room:
    """A topic service on a manual clock, with flaky neighbours."""

    def __init__(self, root: Path, *, trusted: bool = False) -> None:
        self.root = root
        self.clock = ManualClock()
        self.sqs = Sqs(root, scope=Scope(), clock=self.clock)
        self.flaky = Flaky(self.sqs)
        self.sns: Any = Sns(
            root,
            scope=Scope(),
            clock=self.clock,
            sqs=self.flaky,
            lambda_=lambda: self.flaky,
            trusted=trusted,
        )
        self.topic: str = self.sns.create_topic(Name="t")["TopicArn"]

    def queue(self, name: str = "q") -> str:
        """A queue's ARN."""
        attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        self.sqs.create_queue(QueueName=name, Attributes=attributes)
        return Scope().queue(name)

    def subscribe(self, protocol: str, endpoint: str, topic: str = "", **attributes: str) -> str:
        """A subscription's ARN."""
        arn: str = self.sns.subscribe(
            TopicArn=topic or self.topic,
            Protocol=protocol,
            Endpoint=endpoint,
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return arn

    def publish(self, message: str = "m", **more: Any) -> None:
        """Publish to the topic."""
        self.sns.publish(**({"TopicArn": self.topic, "Message": message} | more))

    def bodies(self, name: str = "q") -> list[str]:
        """The bodies in a queue, untouched."""
        url = self.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        return [message["Body"] for message in self.sqs.peek_messages(QueueUrl=url)["Messages"]]

    def state(self, arn: str) -> dict[str, Any]:
        """What waits for a subscription, and what it never got."""
        found: dict[str, Any] = self.sns.subscription_deliveries(SubscriptionArn=arn)
        return found

    def close(self) -> None:
        """Let go of the files."""
        self.sns.close()
        self.sqs.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A topic service."""
    made = Room(tmp_path)
    yield made
    made.close()


@pytest.fixture
def trusting(tmp_path: Path) -> Iterator[Room]:
    """A topic service that may run commands."""
    made = Room(tmp_path, trusted=True)
    yield made
    made.close()


def test_a_failed_delivery_is_tried_again_on_schedule(room: Room) -> None:
    """Four times at once, then after 1 s, 1 s, and growing pauses; a publish does not fail for it."""
    arn = room.subscribe("sqs", room.queue())
    room.flaky.failure = service_error(503)
    room.publish()
    assert room.flaky.tried == 4
    assert room.state(arn) == {"Waiting": 1, "Dropped": {}}
    room.clock.advance(0.9)
    assert room.sns.deliver() == 0
    room.clock.advance(0.2)
    assert room.sns.deliver() == 1
    room.clock.advance(1)
    assert room.sns.deliver() == 1
    room.flaky.failure = None
    room.clock.advance(1)
    assert room.sns.deliver() == 1
    assert len(room.bodies()) == 1
    assert room.state(arn) == {"Waiting": 0, "Dropped": {}}
    assert room.sns.deliver() == 0


def test_who_publishes_also_delivers_what_is_due(room: Room) -> None:
    """Without a loop beside it, a retry is made by the next publish."""
    room.subscribe("sqs", room.queue(), RawMessageDelivery="true")
    room.flaky.failure = service_error(503)
    room.publish("first")
    room.flaky.failure = None
    room.clock.advance(5)
    room.publish("second")
    assert sorted(room.bodies()) == ["first", "second"]


def test_deliveries_outlive_their_process(tmp_path: Path) -> None:
    """What was published and not delivered is delivered by whoever opens the store next."""
    before = Room(tmp_path)
    before.subscribe("sqs", before.queue())
    before.flaky.failure = service_error(500)
    before.publish()
    before.close()
    after = Room(tmp_path)
    after.clock.advance(60)
    assert after.sns.deliver() == 1
    assert len(after.bodies()) == 1
    after.close()


def test_what_an_endpoint_refuses_is_not_tried_again(room: Room) -> None:
    """A queue that is gone gets one attempt; without a dead-letter queue the message is dropped, and counted."""
    arn = room.subscribe("sqs", Scope().queue("gone"))
    room.publish()
    room.publish()
    assert room.state(arn) == {"Waiting": 0, "Dropped": {"NonExistentQueue": 2}}
    assert room.sns.deliver() == 0


@pytest.mark.parametrize("raw", ["true", "false"])
def test_what_can_not_be_delivered_goes_to_the_dead_letter_queue(room: Room, raw: str) -> None:
    """As the endpoint would have got it."""
    policy = json.dumps({"deadLetterTargetArn": room.queue("dead")})
    arn = room.subscribe("sqs", Scope().queue("gone"), RedrivePolicy=policy, RawMessageDelivery=raw)
    attributes = {"a": {"DataType": "Number", "StringValue": "1"}}
    room.publish("lost", MessageAttributes=attributes)
    url = room.sqs.get_queue_url(QueueName="dead")["QueueUrl"]
    (found,) = room.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    if raw == "true":
        assert (found["Body"], found["MessageAttributes"]) == ("lost", attributes)
    else:
        body = json.loads(found["Body"])
        assert (body["Message"], body["MessageAttributes"]) == (
            "lost",
            {"a": {"Type": "Number", "Value": "1"}},
        )
    assert room.state(arn) == {"Waiting": 0, "Dropped": {}}


def test_a_dead_letter_queue_that_is_gone_too(room: Room) -> None:
    """Both reasons are counted."""
    policy = json.dumps({"deadLetterTargetArn": Scope().queue("dead")})
    arn = room.subscribe("lambda", FUNCTION, RedrivePolicy=policy)
    room.flaky.failure = service_error(404, "ResourceNotFoundException")
    room.publish()
    (reason,) = room.state(arn)["Dropped"]
    assert reason == "ResourceNotFoundException; dead-letter queue: NonExistentQueue"


def test_after_the_last_retry(room: Room) -> None:
    """A schedule that is used up ends in the dead-letter queue."""
    policy = json.dumps({"deadLetterTargetArn": room.queue("dead")})
    room.subscribe("http", "http://127.0.0.1:1/x", RedrivePolicy=policy)
    arn = room.sns.list_subscriptions()["Subscriptions"][0]
    assert arn["SubscriptionArn"] == "PendingConfirmation"
    # The confirmation itself is given up after four attempts, and is no dead letter.
    for _ in range(6):
        room.sns.deliver()
        room.clock.advance(20)
    assert room.bodies("dead") == []
    assert room.sns.deliver() == 0


def test_functions_are_invoked_asynchronously(room: Room) -> None:
    """With Lambda's event for SNS, and the publisher's trace."""
    arn = room.subscribe("lambda", FUNCTION)
    token = current_trace.set("Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=1:00000000:3")
    try:
        room.publish("hello", MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}})
    finally:
        current_trace.reset(token)
    (call,) = room.flaky.invoked
    assert (call["FunctionName"], call["InvocationType"]) == (FUNCTION, "Event")
    (record,) = json.loads(call["Payload"])["Records"]
    assert list(record) == ["EventSource", "EventVersion", "EventSubscriptionArn", "Sns"]
    assert record["EventSubscriptionArn"] == arn
    assert record["Sns"]["Subject"] is None
    assert record["Sns"]["MessageAttributes"] == {"a": {"Type": "String", "Value": "b"}}
    assert {"SigningCertUrl", "UnsubscribeUrl"} <= record["Sns"].keys()
    assert room.flaky.traces == ["Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=1:00000000:3"]


def test_a_throttled_function_is_tried_again(room: Room) -> None:
    """429 is no refusal."""
    arn = room.subscribe("lambda", FUNCTION)
    room.flaky.failure = service_error(429, "TooManyRequestsException")
    room.publish()
    assert room.state(arn)["Waiting"] == 1


def test_the_trace_goes_on_through_a_queue(room: Room) -> None:
    """A publish's trace header is the message's AWSTraceHeader."""
    room.subscribe("sqs", room.queue())
    token = current_trace.set("Root=1-5759e988-bd862e3fe1be46a994272793")
    try:
        room.publish()
    finally:
        current_trace.reset(token)
    url = room.sqs.get_queue_url(QueueName="q")["QueueUrl"]
    (found,) = room.sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["AWSTraceHeader"])[
        "Messages"
    ]
    assert found["Attributes"] == {"AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793"}


# --- order


def test_a_failed_message_holds_up_its_group(room: Room) -> None:
    """What is behind it waits; another group goes on; then all arrive in their order."""
    topic = room.sns.create_topic(Name="t.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    room.subscribe("sqs", room.queue("q.fifo"), topic, RawMessageDelivery="true")
    room.flaky.failure = service_error(500)
    room.publish("a1", TopicArn=topic, MessageGroupId="a", MessageDeduplicationId="1")
    room.flaky.failure = None
    room.publish("a2", TopicArn=topic, MessageGroupId="a", MessageDeduplicationId="2")
    room.publish("b1", TopicArn=topic, MessageGroupId="b", MessageDeduplicationId="3")
    assert room.bodies("q.fifo") == ["b1"]
    room.clock.advance(1)
    assert room.sns.deliver() == 2
    assert room.bodies("q.fifo") == ["b1", "a1", "a2"]


def test_duplicates_are_known_for_five_minutes(room: Room) -> None:
    """By topic or, if it says so, by group."""
    attributes = {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    topic = room.sns.create_topic(Name="t.fifo", Attributes=attributes)["TopicArn"]
    room.subscribe("sqs", room.queue("q"), topic, RawMessageDelivery="true")
    for _ in range(2):
        room.publish("x", TopicArn=topic, MessageGroupId="a")
    assert room.bodies() == ["x"]
    room.clock.advance(301)
    room.publish("x", TopicArn=topic, MessageGroupId="a")
    assert room.bodies() == ["x"] * 2
    room.sns.set_topic_attributes(
        TopicArn=topic, AttributeName="FifoThroughputScope", AttributeValue="MessageGroup"
    )
    for group in "bb":
        room.publish("x", TopicArn=topic, MessageGroupId=group)
    assert room.bodies() == ["x"] * 3


def test_a_group_of_a_standard_topic_reaches_the_queue(room: Room) -> None:
    """For fair queues; the queue needs no order."""
    room.subscribe("sqs", room.queue())
    room.publish(MessageGroupId="tenant-1")
    url = room.sqs.get_queue_url(QueueName="q")["QueueUrl"]
    (found,) = room.sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["MessageGroupId"])[
        "Messages"
    ]
    assert found["Attributes"] == {"MessageGroupId": "tenant-1"}


# --- HTTP


class Web:
    """A web server that keeps what is posted to it, and answers as it is told."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[dict[str, str], str]] = []
        self.posted = threading.Event()

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Its address, while it runs."""
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                web.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(web.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                web.posted.set()

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/hook"
            finally:
                server.shutdown()
                thread.join()


def test_a_web_endpoint_confirms_and_then_gets_messages(room: Room) -> None:
    """First the token, in SNS's headers and keys; nothing else until it is confirmed; then messages, raw if asked for."""
    web = Web()
    with web.serve() as url:
        room.sns.home = "http://127.0.0.1:4566"
        room.subscribe("http", url)
        room.publish("too early")
        assert room.sns.deliver() == 1
        headers, body = web.got.pop()
        asked = json.loads(body)
        assert list(asked) == [
            "Type", "MessageId", "Token", "TopicArn", "Message", "SubscribeURL", "Timestamp", "SignatureVersion",
            "Signature", "SigningCertURL",
        ]  # fmt: skip
        assert asked["Type"] == headers["x-amz-sns-message-type"] == "SubscriptionConfirmation"
        assert headers["content-type"] == "text/plain; charset=UTF-8"
        assert headers["user-agent"] == "Amazon Simple Notification Service Agent"
        assert "x-amz-sns-subscription-arn" not in headers
        assert asked["SubscribeURL"] == (
            f"http://127.0.0.1:4566/?Action=ConfirmSubscription&TopicArn={room.topic}&Token={asked['Token']}"
        )
        arn = room.sns.confirm_subscription(TopicArn=room.topic, Token=asked["Token"])["SubscriptionArn"]
        room.publish("now")
        room.sns.deliver()
        headers, body = web.got.pop()
        assert json.loads(body)["Message"] == "now"
        assert headers["x-amz-sns-subscription-arn"] == arn
        for name, value in (
            ("RawMessageDelivery", "true"),
            ("DeliveryPolicy", '{"requestPolicy": {"headerContentType": "text/csv"}}'),
        ):
            room.sns.set_subscription_attributes(
                SubscriptionArn=arn, AttributeName=name, AttributeValue=value
            )
        room.publish("a;b")
        room.sns.deliver()
        headers, body = web.got.pop()
        assert (body, headers["content-type"], headers["x-amz-sns-rawdelivery"]) == (
            "a;b",
            "text/csv",
            "true",
        )
    assert web.got == []


def confirmed(room: Room, url: str, **attributes: str) -> str:
    """A confirmed web subscription."""
    arn = room.subscribe("http", url, **attributes)
    room.sns.deliver()
    token = room.sns._catalog.find(arn).token
    room.sns.confirm_subscription(TopicArn=room.topic, Token=token)
    return arn


@pytest.mark.parametrize(("status", "attempts"), [(500, 4), (429, 4), (404, 1), (301, 1)])
def test_a_web_endpoint_that_does_not_take_it(room: Room, status: int, attempts: int) -> None:
    """5xx and 429 are tried 3 times more, 20 seconds apart; other answers are final. No redirection is followed."""
    web = Web()
    with web.serve() as url:
        arn = confirmed(room, url)
        web.got.clear()
        web.status = status
        room.publish()
        for _ in range(6):
            room.sns.deliver()
            room.clock.advance(20)
        assert len(web.got) == attempts
        assert room.state(arn) == {"Waiting": 0, "Dropped": {f"the endpoint answered {status}": 1}}


def test_a_confirmation_is_good_for_two_days(room: Room) -> None:
    """Later the token is none; subscribing again sends a new one."""
    arn = room.subscribe("http", "http://127.0.0.1:1/")
    token = room.sns._catalog.find(arn).token
    room.clock.advance(2 * 86_400 + 1)
    with pytest.raises(room.sns.exceptions.InvalidParameterException, match="Invalid parameter: Token"):
        room.sns.confirm_subscription(TopicArn=room.topic, Token=token)
    assert room.subscribe("http", "http://127.0.0.1:1/") == arn
    fresh = room.sns._catalog.find(arn).token
    assert fresh != token
    assert room.sns.confirm_subscription(TopicArn=room.topic, Token=fresh)["SubscriptionArn"] == arn


# --- files and commands


def test_a_file_gets_a_line_for_each_message(room: Room) -> None:
    """In the store's outbox, readable by its owner only."""
    room.subscribe("file", "alarms.jsonl")
    room.publish("one\ntwo")
    room.publish("three")
    path = room.root / "outbox" / "alarms.jsonl"
    assert [json.loads(line)["Message"] for line in path.read_text().splitlines()] == ["one\ntwo", "three"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "a\0b", "x" * 300])
def test_a_file_stays_in_the_outbox(room: Room, name: str) -> None:
    """No name leads out of it."""
    with pytest.raises(room.sns.exceptions.InvalidParameterException):
        room.subscribe("file", name)


def test_commands_and_other_files_have_to_be_allowed(room: Room) -> None:
    """By default neither is subscribed; what is not allowed here waits for who is allowed."""
    for protocol, endpoint in (("command", '["/bin/true"]'), ("file", str(room.root / "f"))):
        with pytest.raises(room.sns.exceptions.InvalidParameterException, match="LAMBDALOG_ALLOW_COMMANDS=1"):
            room.subscribe(protocol, endpoint)
    room.sns._endpoints.trusted = True
    arns = [
        room.subscribe("command", json.dumps(["/usr/bin/touch", str(room.root / "ran")])),
        room.subscribe("file", str(room.root / "f")),
    ]
    room.sns._endpoints.trusted = False
    room.publish()
    room.sns.deliver()
    assert not (room.root / "ran").exists()
    assert not (room.root / "f").exists()
    assert [room.state(arn) for arn in arns] == [{"Waiting": 1, "Dropped": {}}] * 2
    room.sns._endpoints.trusted = True
    room.clock.advance(11)
    room.sns.deliver()
    assert (room.root / "ran").exists()
    assert len((room.root / "f").read_text().splitlines()) == 1


def test_a_command_gets_the_message_on_its_input_only(trusting: Room) -> None:
    """No shell reads what was published, whatever it holds."""
    room = trusting
    script = "import sys,os,pathlib; pathlib.Path(sys.argv[1]).write_text(os.environ['SNS_TOPIC_ARN']+'|'+sys.stdin.read())"
    room.subscribe(
        "command",
        json.dumps([sys.executable, "-c", script, str(room.root / "got")]),
        RawMessageDelivery="true",
    )
    evil = f"'; touch {room.root}/pwned; $(touch {room.root}/pwned) `touch {room.root}/pwned` \"\n"
    room.publish(evil, Subject="$(touch pwned)")
    assert room.sns.deliver() == 1
    assert (room.root / "got").read_text() == f"{room.topic}|{evil}"
    assert not (room.root / "pwned").exists()


def test_a_command_that_fails_is_run_again(trusting: Room) -> None:
    """After ten seconds."""
    room = trusting
    script = "import sys,pathlib; p=pathlib.Path(sys.argv[1]); p.write_text(p.read_text()+'x' if p.exists() else 'x'); sys.exit(3)"
    arn = room.subscribe("command", json.dumps([sys.executable, "-c", script, str(room.root / "runs")]))
    room.publish()
    assert room.sns.deliver() == 1
    room.clock.advance(9)
    assert room.sns.deliver() == 0
    room.clock.advance(1.1)
    assert room.sns.deliver() == 1
    assert (room.root / "runs").read_text() == "xx"
    assert room.state(arn)["Waiting"] == 1
    room.sns.unsubscribe(SubscriptionArn=arn)
    room.clock.advance(60)
    assert room.sns.deliver() == 0


@pytest.mark.parametrize("endpoint", ["ls", "[]", '["a", 1]', '{"a": 1}', '[""]', "[" * 5000])
def test_what_is_no_command(trusting: Room, endpoint: str) -> None:
    """A command is a list of texts."""
    with pytest.raises(trusting.sns.exceptions.InvalidParameterException, match="a JSON list of texts"):
        trusting.subscribe("command", endpoint)


# --- beside a served store


def test_the_loops_deliver_and_end(tmp_path: Path) -> None:
    """With the loops running, what another client publishes over HTTP arrives; they end soon after they are told to."""
    web, stop = Web(), threading.Event()
    sqs = Sqs(tmp_path, scope=Scope())
    served, other = (Sns(tmp_path, scope=Scope(), clock=SYSTEM, sqs=sqs) for _ in range(2))
    threads = [threading.Thread(target=run, args=(stop,)) for _, run in served.background()]
    for thread in threads:
        thread.start()
    try:
        with web.serve() as url:
            topic = other.create_topic(Name="t")["TopicArn"]
            other.subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
            assert web.posted.wait(60)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
        served.close()
        other.close()
        sqs.close()
    assert not any(thread.is_alive() for thread in threads)
    assert json.loads(web.got[0][1])["Type"] == "SubscriptionConfirmation"


PUBLISHER = """
import sys, lambdalog
cloud = lambdalog.connect(sys.argv[1])
topic = cloud.sns.create_topic(Name="t")["TopicArn"]
n = 0
while True:
    cloud.sns.publish(TopicArn=topic, Message=str(n))
    n += 1
    print(n, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 12])
def test_a_killed_publisher_loses_nothing_acknowledged(store_path: Path, lines: int) -> None:
    """Kill -9: every publish that was answered for reaches both queues, at least once."""
    sqs = Sqs(store_path, scope=Scope())
    sns: Any = Sns(store_path, scope=Scope(), sqs=sqs)
    topic = sns.create_topic(Name="t")["TopicArn"]
    for name in "ab":
        sqs.create_queue(QueueName=name)
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=Scope().queue(name),
            Attributes={"RawMessageDelivery": "true"},
        )
    with subprocess.Popen(
        [sys.executable, "-c", PUBLISHER, f"disk:{store_path}"], stdout=subprocess.PIPE, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.kill()
        sent = lines + process.stdout.read().count(b"\n")
    clock = ManualClock(start=SYSTEM.now() + 3600)
    later: Any = Sns(store_path, scope=Scope(), clock=clock, sqs=sqs)
    later.deliver()
    for name in "ab":
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        messages = sqs.peek_messages(QueueUrl=url, MaxNumberOfMessages=100_000)["Messages"]
        assert {int(message["Body"]) for message in messages} >= set(range(sent))
    for client in (sns, later, sqs):
        client.close()


# --- power cuts

LETTER: Any = {
    "RequestID": {"DataType": "String", "StringValue": "r"},
    "ErrorCode": {"DataType": "Number", "StringValue": "200"},
}


@contextmanager
def levels(client: Any, table: str) -> Iterator[list[int]]:
    """With what `synchronous` each row is written into a table, and each is deleted: 1 is NORMAL, 2 FULL."""
    db, found, watching = client._tables.connection, [], False

    def look(statement: str) -> None:
        nonlocal watching
        if not watching and any(f"{word} {table}" in statement for word in ("INSERT INTO", "DELETE FROM")):
            watching = True
            found.append(db.execute("PRAGMA synchronous").fetchone()[0])
            watching = False

    db.set_trace_callback(look)
    yield found
    db.set_trace_callback(None)


@pytest.mark.parametrize("raw", ["true", "false"])
def test_a_dead_letter_is_written_fully_on_its_whole_way(room: Room, raw: str) -> None:
    """Put down, delivered and settled with synchronous=FULL; other messages are not."""
    room.subscribe("sqs", room.queue(), RawMessageDelivery=raw)
    with levels(room.sns, "deliveries") as outbox, levels(room.sqs, "state") as queue:
        room.publish("m")
        assert (outbox, queue) == ([1, 1], [1])
        room.sns.publish(TopicArn=room.topic, Message="m", MessageAttributes=LETTER)
        assert (outbox[2:], queue[1:]) == ([2, 2], [2])


def test_what_an_endpoint_refused_is_buried_fully(room: Room) -> None:
    """A message of any kind that reaches a subscription's dead-letter queue outlives a power cut."""
    policy = json.dumps({"deadLetterTargetArn": room.queue("dead")})
    room.subscribe("sqs", Scope().queue("nowhere"), RedrivePolicy=policy)
    with levels(room.sqs, "state") as queue:
        room.publish("m")
    assert queue == [2]
    assert len(room.bodies("dead")) == 1


LETTERS = """
import sys, lambdalog
from pathlib import Path
cloud = lambdalog.connect("disk:" + sys.argv[1])
topic = cloud.sns.create_topic(Name="t")["TopicArn"]
letter = {"RequestID": {"DataType": "String", "StringValue": "r"}, "ErrorCode": {"DataType": "Number", "StringValue": "200"}}
logs = [Path(sys.argv[1]) / name for name in ("topics.sqlite-wal", "queues.sqlite-wal")]
for n in range(40):
    cloud.sns.publish(TopicArn=topic, Message=str(n), MessageAttributes=letter)
    print(n, *(log.stat().st_size for log in logs), flush=True)
"""


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 30))]
)
def test_a_power_cut_keeps_dead_letters_in_the_outbox(store_path: Path, tmp_path: Path, seed: int) -> None:
    """The files as they are at any moment, without all that came after the last answer, still bring each letter to both queues."""
    chance = random.Random(seed)
    sqs = Sqs(store_path, scope=Scope())
    sns: Any = Sns(store_path, scope=Scope(), sqs=sqs)
    topic = sns.create_topic(Name="t")["TopicArn"]
    for name in "ab":
        sqs.create_queue(QueueName=name)
        raw = {"RawMessageDelivery": "true"}
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=Scope().queue(name), Attributes=raw)
    copy = tmp_path / "after"
    with subprocess.Popen(
        [sys.executable, "-c", LETTERS, str(store_path)], stdout=subprocess.PIPE, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None
        last = [process.stdout.readline() for _ in range(chance.randint(1, 20))][-1]
        process.send_signal(signal.SIGSTOP)
        shutil.copytree(store_path, copy)
        process.kill()
    sns.close()
    sqs.close()
    acknowledged, *sizes = map(int, last.split())
    for name, safe in zip(("topics", "queues"), sizes, strict=True):
        log = copy / f"{name}.sqlite-wal"
        # What was not synced may be there in part, and may be rubbish.
        data = bytearray(log.read_bytes()[: chance.randint(safe, max(safe, log.stat().st_size))])
        for place in range(safe, len(data)):
            if chance.random() < 0.3:
                data[place] = chance.randrange(256)
        log.write_bytes(data)
        (copy / f"{name}.sqlite-shm").unlink(missing_ok=True)
    queues = Sqs(copy, scope=Scope())
    later: Any = Sns(copy, scope=Scope(), clock=ManualClock(start=SYSTEM.now() + 3600), sqs=queues)
    later.deliver()
    for name in "ab":
        url = queues.get_queue_url(QueueName=name)["QueueUrl"]
        messages = queues.peek_messages(QueueUrl=url, MaxNumberOfMessages=1000)["Messages"]
        assert {int(message["Body"]) for message in messages} >= set(range(acknowledged + 1))
    later.close()
    queues.close()


def test_an_older_store_is_brought_up(tmp_path: Path) -> None:
    """Topics and subscriptions of the first format are still there, and get messages."""
    import sqlite3

    old = sqlite3.connect(tmp_path / "topics.sqlite")
    old.executescript("""
        CREATE TABLE topics (arn TEXT PRIMARY KEY, attributes TEXT NOT NULL, tags TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE subscriptions (
            arn TEXT PRIMARY KEY, topic TEXT NOT NULL, protocol TEXT NOT NULL, endpoint TEXT NOT NULL, attributes TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO topics VALUES ('arn:aws:sns:us-east-1:000000000000:old', '{}', '{"k": "v"}');
        INSERT INTO subscriptions VALUES ('arn:aws:sns:us-east-1:000000000000:old:1',
            'arn:aws:sns:us-east-1:000000000000:old', 'sqs', 'arn:aws:sqs:us-east-1:000000000000:q', '{}');
        PRAGMA user_version=1;
    """)
    old.close()
    room = Room(tmp_path)
    room.queue()
    room.publish("m", TopicArn=Scope().topic("old"))
    assert len(room.bodies()) == 1
    assert room.sns.list_tags_for_resource(ResourceArn=Scope().topic("old"))["Tags"] == [
        {"Key": "k", "Value": "v"}
    ]
    room.close()
