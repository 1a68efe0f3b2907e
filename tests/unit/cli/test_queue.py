"""lambdalog queue, lambdalog topic."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from click.testing import CliRunner

from lambdalog.cli.commands import cli
from lambdalog.cli.errors import explain
from lambdalog.cloud import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of its output."""
        return self.out.splitlines()


@pytest.fixture
def call(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run a command in this process, on a store of its own."""
    monkeypatch.setenv("LAMBDALOG_STORE", f"disk:{store_path}")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, stdin: str = "") -> Done:
        result = CliRunner().invoke(cli, arguments, input=stdin)
        told = None if result.exception is None else explain(result.exception)
        if told is not None:
            return Done(1, result.stdout, told)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    return run


def bodies(done: Done) -> list[str]:
    """The bodies of messages that were shown as JSON."""
    return [json.loads(line)["Body"] for line in done.lines]


def test_queues_are_made_listed_shown_and_changed(call: Callable[..., Done]) -> None:
    """A queue with its dead-letter queue, tags and attributes."""
    assert call("queue", "list").out == "There are no queues.\n"
    assert call("queue", "create", "dead").out.endswith("/dead\n")
    made = call(
        "queue", "create", "orders", "--dead-letter", "dead", "--max-receives", "5", "--tag", "team=a",
        "--attribute", "VisibilityTimeout=60",
    )  # fmt: skip
    assert made.code == 0
    assert [line.split() for line in call("queue", "list").lines[1:]] == [
        ["dead", "0", "0", "0"],
        ["orders", "0", "0", "0", "dead", "after", "5"],
    ]
    (record,) = [json.loads(line) for line in call("queue", "list", "ord", "--json").lines]
    assert (record["QueueName"], record["VisibilityTimeout"]) == ("orders", "60")
    shown = call("queue", "show", "dead").out
    assert "takes failures of" in shown
    assert "orders" in shown
    call("queue", "set", "orders", "VisibilityTimeout=", "DelaySeconds=3")
    changed = json.loads(call("queue", "show", "arn:aws:sqs:us-east-1:000000000000:orders", "--json").out)
    assert (changed["VisibilityTimeout"], changed["DelaySeconds"], changed["Tags"]) == (
        "30",
        "3",
        {"team": "a"},
    )
    call("queue", "tag", "orders", "a=b", "--remove", "team")
    assert call("queue", "tag", "orders").lines == ["a  b"]
    assert call("queue", "create", "f.fifo").code == 0
    assert json.loads(call("queue", "show", "f.fifo", "--json").out)["FifoQueue"] == "true"


def test_messages_are_sent_looked_at_and_received(call: Callable[..., Done]) -> None:
    """Looking takes nothing; receiving hides, and deletes if it is told to."""
    call("queue", "create", "q")
    assert len(call("queue", "send", "q", "first", "--attribute", "a=b").lines) == 1
    assert call("queue", "send", "q", "-", stdin="sec\nond").code == 0
    assert call("queue", "send", "q", "--lines", stdin="one\n\ntwo\r\n").err == "2 messages sent\n"
    everything = ["first", "sec\nond", "one", "two"]
    for _ in range(2):
        assert bodies(call("queue", "look", "q", "--json")) == everything
    assert len(call("queue", "look", "q", "-n", "3").lines) == 3
    assert call("queue", "look", "q", "--whole").lines == ["first", "sec", "ond", "one", "two"]
    taken = call("queue", "receive", "q", "-n", "3", "--json")
    assert bodies(taken) == everything[:3]
    assert bodies(call("queue", "receive", "q", "-n", "20", "--delete", "--json")) == ["two"]
    nothing = call("queue", "receive", "q")
    assert (nothing.code, nothing.out, nothing.err) == (1, "", "No message can be received.\n")
    assert bodies(call("queue", "look", "q", "--json")) == everything[:3]


def test_a_line_that_is_refused_is_named(call: Callable[..., Done]) -> None:
    """With how many were sent before."""
    call("queue", "create", "q")
    done = call("queue", "send", "q", "--lines", stdin="fine\nb\x01ad\n")
    assert done.code == 1
    assert done.err.startswith("line 'b␁ad' was refused: Invalid characters found.")
    assert done.err.endswith("(1 were sent)")


def test_hostile_bodies_do_nothing_to_a_terminal(call: Callable[..., Done]) -> None:
    """Control characters are shown as pictures."""
    call("queue", "create", "q")
    call("queue", "send", "q", "a\u009b31mb\u202ec")
    for done in (call("queue", "look", "q"), call("queue", "look", "q", "--whole")):
        assert "\u009b" not in done.out
        assert "\u202e" not in done.out


@pytest.mark.parametrize("command", ["purge", "delete"])
def test_what_can_not_be_undone_asks_for_the_name(call: Callable[..., Done], command: str) -> None:
    """Without a terminal it has to be given; another name does nothing."""
    call("queue", "create", "q")
    call("queue", "send", "q", "m")
    asked = call("queue", command, "q")
    assert asked.code == 2
    assert "say --confirm q if it shall" in asked.err
    assert call("queue", command, "q", "--confirm", "p").code == 2
    assert bodies(call("queue", "look", "q", "--json")) == ["m"]
    assert call("queue", command, "q", "--confirm", "q").code == 0
    assert call("queue", "look", "q", "--json").out == ""


def test_a_name_is_typed_at_a_terminal(call: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for, and has to be right."""
    monkeypatch.setattr("lambdalog.cli.confirm.interactive", lambda _: True)
    call("queue", "create", "q")
    assert call("queue", "purge", "q", stdin="yes\n").code == 2
    assert call("queue", "purge", "q", stdin="q\n").code == 0


def test_dead_letters_are_moved_back(call: Callable[..., Done]) -> None:
    """Redrive --wait says how many; moves lists the tasks."""
    call("queue", "create", "dead")
    call(
        "queue",
        "create",
        "q",
        "--dead-letter",
        "dead",
        "--max-receives",
        "1",
        "--attribute",
        "VisibilityTimeout=0",
    )
    call("queue", "send", "q", "--lines", stdin="a\nb\n")
    call("queue", "receive", "q", "-n", "5")
    call("queue", "receive", "q")
    assert sorted(bodies(call("queue", "look", "dead", "--json"))) == ["a", "b"]
    assert call("queue", "redrive", "dead", "--wait").out == "completed: 2 messages moved\n"
    assert sorted(bodies(call("queue", "look", "q", "--json"))) == ["a", "b"]
    (task,) = [json.loads(line) for line in call("queue", "moves", "dead", "--json").lines]
    assert task["Status"] == "COMPLETED"
    assert "completed" in call("queue", "moves", "dead").out
    assert call("queue", "moves", "dead", "--cancel").err == "no move task out of dead is running"
    call("queue", "send", "dead", "by hand")
    failed = call("queue", "redrive", "dead", "--wait")
    assert (failed.code, failed.err) == (1, "the task failed: CouldNotDetermineMessageSource")
    call("queue", "redrive", "dead", "--to", "q", "--rate", "1")
    assert call("queue", "moves", "dead", "--cancel").out == "cancelled: 0 were moved\n"
    assert call("queue", "redrive", "q").err.startswith(
        "Source queue must be configured as a Dead Letter Queue."
    )


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("queue", "show", "nope"), 1, "no queue is called nope; see them with: lambdalog queue list"),
        (("queue", "set", "q", "x"), 2, "write NAME=VALUE"),
        (("queue", "set", "q", "DelaySeconds=901"), 1, "Invalid value for the parameter DelaySeconds."),
        (("queue", "create", "a b"), 1, "Can only include alphanumeric characters"),
        (("queue", "send", "q", "m", "--lines"), 2, "leave BODY out"),
        (("queue", "send", "q", "--lines", "--dedup", "d"), 2, "--dedup is of one message"),
        (
            ("topic", "publish", "nope", "m"),
            1,
            "no topic is called nope; see them with: lambdalog topic list",
        ),
        (("topic", "subscribe", "t"), 2, "say who is subscribed"),
        (("topic", "subscribe", "t", "--file", "a", "--queue", "q"), 2, "say who is subscribed"),
        (("topic", "subscribe", "t", "--command", "a 'b"), 2, "No closing quotation"),
        (("topic", "subscribe", "t", "--command", "ls"), 1, "LAMBDALOG_ALLOW_COMMANDS=1"),
        (("topic", "unsubscribe", "zz"), 1, "no subscription begins with zz"),
        (("topic", "filter", "zz", "{}", "--remove"), 2, "not both"),
    ],
)
def test_mistakes_are_explained(
    call: Callable[..., Done], arguments: tuple[str, ...], code: int, text: str
) -> None:
    """What, which, what to do; nothing is changed."""
    call("queue", "create", "q")
    call("topic", "create", "t")
    done = call(*arguments)
    assert done.code == code
    assert text in done.err
    assert call("queue", "look", "q", "--json").out == ""


def test_topics_are_made_subscribed_to_and_published_to(call: Callable[..., Done], store_path: Path) -> None:
    """A queue with a filter gets what matches, a file everything."""
    assert call("topic", "list").out == "There are no topics.\n"
    arn = call("topic", "create", "t", "--attribute", "DisplayName=Alarms", "--tag", "a=b").out.strip()
    call("queue", "create", "q")
    call("queue", "create", "dead")
    queue = call(
        "topic", "subscribe", "t", "--queue", "q", "--filter", '{"kind": ["bad"]}', "--raw", "--dead-letter", "dead"
    ).out.strip()  # fmt: skip
    file = call("topic", "subscribe", arn, "--file", "all.jsonl", "--raw").out.strip()
    assert call("topic", "publish", "t", "one", "--attribute", "kind=bad").code == 0
    assert call("topic", "publish", "t", stdin="two").code == 0
    assert bodies(call("queue", "look", "q", "--json")) == ["one"]
    assert (store_path / "outbox" / "all.jsonl").read_text() == "one\ntwo\n"
    assert [line.split() for line in call("topic", "list").lines[1:]] == [["t", "2", "0", "Alarms"]]
    assert {line.split()[0] for line in call("topic", "subscriptions").lines[1:]} == {
        queue.rpartition(":")[2],
        file.rpartition(":")[2],
    }
    shown = json.loads(call("topic", "show", "t", "--json").out)
    assert (shown["Tags"], len(shown["Subscriptions"])) == ({"a": "b"}, 2)
    assert "all.jsonl" in call("topic", "show", "t").out
    short = queue.rpartition(":")[2][:8]
    assert call("topic", "filter", short).out == '{"kind": ["bad"]}\n'
    call("topic", "filter", short, '{"kind": [{"prefix": "b"}]}', "--on", "body")
    call("topic", "publish", "t", '{"kind": "body"}')
    call("topic", "filter", short, "--remove")
    assert call("topic", "filter", short).out == ""
    assert bodies(call("queue", "look", "q", "--json")) == ["one", '{"kind": "body"}']
    call("topic", "set", "t", "DisplayName=Other")
    call("topic", "tag", "t", "c=d", "--remove", "a")
    assert call("topic", "tag", "t").lines == ["c  d"]
    call("topic", "unsubscribe", short)
    assert len(call("topic", "subscriptions", "t", "--json").lines) == 1
    assert call("topic", "delete", "t").code == 2
    assert call("topic", "delete", "t", "--confirm", "t").code == 0
    assert call("topic", "subscriptions").out == "Nobody is subscribed.\n"


def test_a_web_subscription_is_confirmed_by_hand(call: Callable[..., Done], store_path: Path) -> None:
    """It is pending until the token that was sent to it is given; what can't be delivered waits."""
    call("topic", "create", "t")
    arn = call("topic", "subscribe", "t", "--url", "http://127.0.0.1:1/").out.strip()
    assert call("topic", "deliver").out == "1 attempt made\n"
    with connect(f"disk:{store_path}") as cloud:
        sns: Any = cloud.sns
        token = sns._catalog.find(arn).token
    assert call("topic", "confirm", "t", "beef").err.startswith("Invalid token")
    assert call("topic", "confirm", "t", token).out.strip() == arn
    call("topic", "publish", "t", "m", "--subject", "s")
    waiting = [json.loads(line)["Waiting"] for line in call("topic", "subscriptions", "--json").lines]
    assert waiting == [2]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """SQS of an account of moto's."""
    import boto3
    from moto import mock_aws

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("sqs", region_name="us-east-1")


def _counted(sqs: Any) -> str:
    """A queue with one message, whose redrive policy counts receives; its URL."""
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    url: str = sqs.create_queue(QueueName="counted", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="m")
    return url


def test_looking_on_aws_gives_back_what_it_receives(call: Callable[..., Done], aws: Any) -> None:
    """SQS has no look: each message is seen once, and can be received by others at once afterwards."""
    url = aws.create_queue(QueueName="q")["QueueUrl"]
    for number in range(12):
        aws.send_message(QueueUrl=url, MessageBody=str(number))
    done = call("queue", "look", "q", "--json", "-n", "11", "--store", "aws:us-east-1")
    assert (done.code, len(set(bodies(done)))) == (0, 11)
    assert "counts as a receive" in done.err
    found = aws.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert len(found) == 10


def test_a_look_that_may_move_messages_asks_first(call: Callable[..., Done], aws: Any) -> None:
    """A queue with a redrive policy of its own is looked into on AWS only with --yes, or a yes."""
    url = _counted(aws)
    look = ("queue", "look", "counted", "--json", "--store", "aws:us-east-1")
    done = call(*look)
    assert (done.code, done.out) == (2, "")
    assert "--yes" in done.err
    found = aws.receive_message(QueueUrl=url, AttributeNames=["All"], VisibilityTimeout=0)["Messages"]
    assert found[0]["Attributes"]["ApproximateReceiveCount"] == "1"
    assert bodies(call(*look, "--yes")) == ["m"]


def test_a_look_that_may_move_messages_can_be_refused(
    call: Callable[..., Done], aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is asked and doesn't say yes has received nothing."""
    monkeypatch.setattr("lambdalog.cli.queue.messages.interactive", lambda _: True)
    url = _counted(aws)
    look = ("queue", "look", "counted", "--json", "--store", "aws:us-east-1")
    assert call(*look, stdin="n\n").out == ""
    found = aws.receive_message(QueueUrl=url, AttributeNames=["All"], VisibilityTimeout=0)["Messages"]
    assert found[0]["Attributes"]["ApproximateReceiveCount"] == "1"
    assert bodies(call(*look, stdin="y\n")) == ["m"]


def test_a_closed_pipe_ends_a_look(call: Callable[..., Done]) -> None:
    """`| head -1` gets its line, and no traceback follows."""
    call("queue", "create", "q")
    call("queue", "send", "q", "--lines", stdin="".join(f"{number}\n" for number in range(200)))
    done = subprocess.run(
        f"{sys.executable} -m lambdalog queue look q -n 200 | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.endswith("0x  0\n")
    assert done.stderr == ""
