"""SQS on disk: time, several processes, and what AWS does not have."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lambdalog.arn import Scope
from lambdalog.clock import ManualClock
from lambdalog.local.sqs import Sqs

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud


@pytest.fixture
def sqs(manual_cloud: Cloud) -> Any:
    """A client on a manual clock."""
    return manual_cloud.sqs


@pytest.fixture
def url(sqs: Any) -> str:
    """A queue."""
    found: str = sqs.create_queue(QueueName="q")["QueueUrl"]
    return found


def bodies(response: Any) -> list[str]:
    """The bodies in a response."""
    return [message["Body"] for message in response.get("Messages", [])]


def test_a_message_comes_back_after_its_visibility(sqs: Any, url: str, clock: ManualClock) -> None:
    """Not deleted in 30 seconds, it is received again; the old handle deletes nothing then."""
    sqs.send_message(QueueUrl=url, MessageBody="a")
    (first,) = sqs.receive_message(QueueUrl=url)["Messages"]
    clock.advance(29.9)
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
    clock.advance(0.2)
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["a"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    clock.advance(31)
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["a"]


def test_a_delayed_message_waits(sqs: Any, url: str, clock: ManualClock) -> None:
    """A delay hides a message from its first receive, and counts it as delayed."""
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=5)
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"
    assert bodies(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=4)) == []
    assert bodies(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2)) == ["later"]


def test_old_messages_expire(sqs: Any, url: str, clock: ManualClock) -> None:
    """After the retention period a message is gone."""
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
    sqs.send_message(QueueUrl=url, MessageBody="a")
    clock.advance(61)
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
    assert bodies(sqs.peek_messages(QueueUrl=url)) == []


def test_a_deleted_name_is_free_after_a_minute(sqs: Any, url: str, clock: ManualClock) -> None:
    """Creating a queue of a name that was just deleted is refused for sixty seconds; its messages are gone."""
    sqs.send_message(QueueUrl=url, MessageBody="a")
    sqs.delete_queue(QueueUrl=url)
    with pytest.raises(sqs.exceptions.QueueDeletedRecently):
        sqs.create_queue(QueueName="q")
    clock.advance(60)
    sqs.create_queue(QueueName="q")
    assert bodies(sqs.receive_message(QueueUrl=url)) == []


def test_a_purge_is_allowed_once_a_minute(sqs: Any, url: str, clock: ManualClock) -> None:
    """A second purge within the minute is refused."""
    sqs.send_message(QueueUrl=url, MessageBody="a")
    sqs.purge_queue(QueueUrl=url)
    assert bodies(sqs.peek_messages(QueueUrl=url)) == []
    with pytest.raises(sqs.exceptions.PurgeQueueInProgress):
        sqs.purge_queue(QueueUrl=url)
    clock.advance(60)
    sqs.purge_queue(QueueUrl=url)


def test_peeking_takes_nothing(sqs: Any, url: str) -> None:
    """Looking shows every message, in flight too, and leaves receive counts and visibility alone."""
    for number in range(5):
        sqs.send_message(QueueUrl=url, MessageBody=f"m{number}")
    sqs.receive_message(QueueUrl=url)
    page = sqs.peek_messages(QueueUrl=url, MaxNumberOfMessages=3)
    rest = sqs.peek_messages(QueueUrl=url, MaxNumberOfMessages=3, NextToken=page["NextToken"])
    assert bodies(page) + bodies(rest) == [f"m{number}" for number in range(5)]
    assert "NextToken" not in rest
    counts = [message["Attributes"]["ApproximateReceiveCount"] for message in page["Messages"]]
    assert sorted(counts) == ["0", "0", "1"]


@pytest.mark.parametrize(
    ("body", "attributes", "text"),
    [
        ("", {}, "The request must contain the parameter MessageBody."),
        ("a\x00b", {}, "Invalid characters found"),
        ("a", {"AWS.x": {"DataType": "String", "StringValue": "y"}}, "name 'AWS.x' is invalid"),
        (
            "a",
            {"x": {"DataType": "String", "StringValue": ""}},
            "must contain a non-empty value of type 'String'",
        ),
        ("a", {"x": {"DataType": "Odd", "StringValue": "y"}}, "invalid message attribute type"),
        ("a", {f"x{n}": {"DataType": "String", "StringValue": "y"} for n in range(11)}, r"\[11\] exceeds"),
    ],
)
def test_a_bad_message_is_refused_and_not_kept(
    sqs: Any, url: str, body: str, attributes: dict[str, Any], text: str
) -> None:
    """Each broken rule has its text, and leaves the queue as it was."""
    with pytest.raises(ClientError, match=text):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
    assert bodies(sqs.peek_messages(QueueUrl=url)) == []


def test_several_threads_share_no_message(cloud: Cloud) -> None:
    """Four receivers at once get each message exactly once."""
    sqs = cloud.sqs
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for start in range(0, 200, 10):
        entries: Any = [{"Id": str(n), "MessageBody": str(start + n)} for n in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    got: list[str] = []

    def take() -> None:
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=7).get("Messages"):
            got.extend(message["Body"] for message in messages)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, got)) == list(range(200))


SENDER = """
import sys, lambdalog
sqs = lambdalog.connect(sys.argv[1]).sqs
url = sqs.create_queue(QueueName="q")["QueueUrl"]
n = 0
while True:
    sqs.send_message(QueueUrl=url, MessageBody=str(n))
    n += 1
    print(n, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 25])
def test_a_killed_sender_loses_nothing_acknowledged(store_path: Path, lines: int) -> None:
    """Kill -9: every message that was answered for is in the queue, once."""
    target = f"disk:{store_path}"
    with subprocess.Popen(
        [sys.executable, "-c", SENDER, target], stdout=subprocess.PIPE, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.kill()
        sent = lines + process.stdout.read().count(b"\n")
    sqs = Sqs(store_path, scope=Scope())
    url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    found = [
        int(message["Body"])
        for message in sqs.peek_messages(QueueUrl=url, MaxNumberOfMessages=100_000)["Messages"]
    ]
    sqs.close()
    assert len(found) >= sent
    assert found == list(range(len(found)))


class QueueMachine(RuleBasedStateMachine):
    """A queue against a small model of what is visible when."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile
        from pathlib import Path

        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.sqs = Sqs(Path(self.folder.name), scope=Scope(), clock=self.clock)
        self.url = self.sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "10"})["QueueUrl"]
        self.visible_at: dict[str, int] = {}
        self.handles: dict[str, str] = {}
        self.number = 0

    def teardown(self) -> None:
        """Let go of the files."""
        self.sqs.close()
        self.folder.cleanup()

    @rule(delay=st.sampled_from([0, 0, 3]))
    def send(self, delay: int) -> None:
        """Send one message."""
        body = f"m{self.number}"
        self.number += 1
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body, DelaySeconds=delay)
        self.visible_at[body] = self.clock.now_ms() + delay * 1000

    @rule(count=st.integers(1, 10))
    def receive(self, count: int) -> None:
        """Receive: exactly what the model says is visible, up to `count`."""
        now = self.clock.now_ms()
        visible = {body for body, at in self.visible_at.items() if at <= now}
        messages = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=count).get("Messages", [])
        got = {message["Body"] for message in messages}
        assert len(got) == len(messages) == min(count, len(visible))
        assert got <= visible
        for message in messages:
            self.visible_at[message["Body"]] = now + 10_000
            self.handles[message["Body"]] = message["ReceiptHandle"]

    @precondition(lambda self: self.handles)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Delete with the newest handle: it is gone."""
        body = data.draw(st.sampled_from(sorted(self.handles)))
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=self.handles.pop(body))
        self.visible_at.pop(body)

    @precondition(lambda self: self.handles)
    @rule(data=st.data(), seconds=st.sampled_from([0, 5, 20]))
    def change_visibility(self, data: st.DataObject, seconds: int) -> None:
        """Change the visibility by the newest handle, whether or not it ran out."""
        body = data.draw(st.sampled_from(sorted(self.handles)))
        self.sqs.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=self.handles[body], VisibilityTimeout=seconds
        )
        self.visible_at[body] = self.clock.now_ms() + seconds * 1000

    @rule(seconds=st.sampled_from([1, 4, 11]))
    def advance(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    @invariant()
    def counts_agree(self) -> None:
        """The counts are the model's."""
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        total = sum(
            int(value) for name, value in attributes.items() if name.startswith("ApproximateNumberOf")
        )
        now = self.clock.now_ms()
        assert total == len(self.visible_at)
        assert int(attributes["ApproximateNumberOfMessages"]) == sum(
            at <= now for at in self.visible_at.values()
        )


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
