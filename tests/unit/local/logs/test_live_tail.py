"""Live tail sessions."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lambdalog.local.logs import live_tail

if TYPE_CHECKING:
    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud

ARN = "arn:aws:logs:us-east-1:000000000000:log-group:"


@pytest.fixture
def logs(manual_cloud: Cloud) -> Any:
    """A client with two groups of two streams."""
    client = manual_cloud.logs
    for group in ("g", "h"):
        client.create_log_group(logGroupName=group)
        for stream in ("s", "t"):
            client.create_log_stream(logGroupName=group, logStreamName=stream)
    return client


def write(logs: Any, clock: ManualClock, *messages: str, group: str = "g", stream: str = "s") -> None:
    """Messages of this moment."""
    events = [{"timestamp": clock.now_ms(), "message": message} for message in messages]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def texts(event: dict[str, Any]) -> list[str]:
    """The messages in an update."""
    return [result["message"] for result in event["sessionUpdate"]["sessionResults"]]


def test_a_session_starts_and_is_updated_each_second(logs: Any, clock: ManualClock) -> None:
    """What is written after the call comes once, with group, stream and times; an idle second gives an empty update."""
    write(logs, clock, "before")
    response = logs.start_live_tail(
        logGroupIdentifiers=[ARN + "g", ARN + "h"], logEventFilterPattern="-noise"
    )
    write(logs, clock, "one", "noise")
    write(logs, clock, "two", group="h", stream="t")
    begun = clock.monotonic()
    with response["responseStream"] as stream:
        events = iter(stream)
        start = next(events)["sessionStart"]
        assert start["logGroupIdentifiers"] == [ARN + "g", ARN + "h"]
        assert start["logEventFilterPattern"] == "-noise"
        first = next(events)
        assert clock.monotonic() - begun == pytest.approx(1)
        assert sorted(texts(first)) == ["one", "two"]
        assert first["sessionUpdate"]["sessionMetadata"] == {"sampled": False}
        (two,) = [each for each in first["sessionUpdate"]["sessionResults"] if each["message"] == "two"]
        assert (two["logGroupIdentifier"], two["logStreamName"]) == (ARN + "h", "t")
        assert two["timestamp"] == two["ingestionTime"] == clock.now_ms() - 1000
        assert texts(next(events)) == []
        write(logs, clock, "three")
        assert texts(next(events)) == ["three"]


def test_streams_may_be_chosen(logs: Any, clock: ManualClock) -> None:
    """By their names, or by prefixes."""
    for chosen in ({"logStreamNames": ["t"]}, {"logStreamNamePrefixes": ["t", "u"]}):
        with logs.start_live_tail(logGroupIdentifiers=[ARN + "g"], **chosen)["responseStream"] as stream:
            write(logs, clock, "no")
            write(logs, clock, "yes", stream="t")
            start, update = islice(stream, 2)
            assert chosen.items() <= start["sessionStart"].items()
            assert texts(update) == ["yes"]


def test_more_than_five_hundred_a_second_are_sampled(logs: Any, clock: ManualClock) -> None:
    """An update has at most 500 events, in their order, and says that there were more."""
    with logs.start_live_tail(logGroupIdentifiers=[ARN + "g"])["responseStream"] as stream:
        write(logs, clock, *[f"{number:04}" for number in range(2000)])
        _, update, idle = islice(stream, 3)
    assert update["sessionUpdate"]["sessionMetadata"] == {"sampled": True}
    assert len(texts(update)) == 500
    assert texts(update) == sorted(set(texts(update)))
    assert idle["sessionUpdate"]["sessionMetadata"] == {"sampled": False}


def test_a_session_ends_after_three_hours(
    logs: Any, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an exception in the stream, as at AWS."""
    monkeypatch.setattr(live_tail, "SESSION_SECONDS", 5.0)
    stream = logs.start_live_tail(logGroupIdentifiers=[ARN + "g"])["responseStream"]
    with pytest.raises(ClientError) as info:
        list(stream)
    assert info.value.response["Error"]["Code"] == "SessionTimeoutException"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"logGroupIdentifiers": ["g"]}, "InvalidParameterException"),
        ({"logGroupIdentifiers": [ARN + "g:*"]}, "InvalidParameterException"),
        ({"logGroupIdentifiers": [ARN + "none"]}, "ResourceNotFoundException"),
        ({"logGroupIdentifiers": [ARN + "g"] * 11}, "InvalidParameterException"),
        (
            {"logGroupIdentifiers": [ARN + "g", ARN + "h"], "logStreamNames": ["s"]},
            "InvalidParameterException",
        ),
        (
            {"logGroupIdentifiers": [ARN + "g"], "logStreamNames": ["s"], "logStreamNamePrefixes": ["s"]},
            "InvalidParameterException",
        ),
        ({"logGroupIdentifiers": [ARN + "g"], "logEventFilterPattern": '"'}, "InvalidParameterException"),
    ],
)
def test_what_cannot_be_tailed_is_refused(logs: Any, params: dict[str, Any], code: str) -> None:
    """Before the stream begins: names instead of ARNs, stars, too many, both kinds of streams, a bad pattern."""
    with pytest.raises(ClientError) as info:
        logs.start_live_tail(**params)
    assert info.value.response["Error"]["Code"] == code
