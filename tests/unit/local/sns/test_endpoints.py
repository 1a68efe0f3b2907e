"""Endpoints other than queues and functions: the web, files and commands of this machine."""

from __future__ import annotations

import json
import sys

import pytest

from tests.unit.local.sns.rooms import Room, Web


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
