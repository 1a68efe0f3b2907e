"""One batch to one stream, and what became of each of its events."""

from __future__ import annotations

from typing import Any

import pytest

from lambdalog.shipper.batch import Entry
from lambdalog.shipper.sender import Sender
from tests.unit.shipper.double import fault

MISSING = "ResourceNotFoundException"


class Service:
    """A CloudWatch Logs client with groups and streams; `answers` are given, or raised, before its own."""

    def __init__(self, *answers: Any, groups: tuple[str, ...] = (), streams: tuple[str, ...] = ()) -> None:
        self.answers = list(answers)
        self.groups, self.streams = set(groups), set(streams)
        self.calls: list[str] = []
        self.taken: list[str] = []
        self.made: dict[str, Any] = {}
        self.raced = False

    def put_log_events(self, **params: Any) -> dict[str, Any]:
        """Take a batch."""
        self.calls.append("put")
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return dict(answer)
        if params["logStreamName"] not in self.streams:
            raise fault(MISSING, "The specified log stream does not exist.")
        messages = [event["message"] for event in params["logEvents"]]
        if "bad" in messages:
            raise fault("InvalidParameterException", "Log event too large")
        self.taken += messages
        return {}

    def create_log_stream(self, **params: Any) -> None:
        """Make a stream in a group that there is."""
        self.calls.append("stream")
        if params["logGroupName"] not in self.groups:
            raise fault(MISSING, "The specified log group does not exist.")
        self.streams.add(params["logStreamName"])
        if self.raced:
            raise fault("ResourceAlreadyExistsException")

    def create_log_group(self, **params: Any) -> None:
        """Make a group."""
        self.calls.append("group")
        self.groups.add(params["logGroupName"])
        self.made = params
        if self.raced:
            raise fault("ResourceAlreadyExistsException")

    def put_retention_policy(self, **params: Any) -> None:
        """Keep a group's events for so long."""
        self.calls.append("retention")
        if params["logGroupName"] not in self.groups:
            raise fault(MISSING)


def batch(*messages: str) -> list[Entry]:
    """Events, a millisecond apart."""
    return [Entry(moment, message) for moment, message in enumerate(messages)]


@pytest.mark.parametrize("raced", [False, True])
def test_what_is_missing_is_made(raced: bool) -> None:
    """The stream, and the group with its tags if need be; that another process is first is no error."""
    service = Service()
    service.raced = raced
    sent = Sender(service, tags={"team": "a"}).send("g", "s", batch("a"))
    assert (sent.delivered, sent.error, service.taken) == (1, None, ["a"])
    assert service.calls == ["put", "stream", "group", "stream", "put"]
    assert service.made == {"logGroupName": "g", "tags": {"team": "a"}}


def test_nothing_is_made_where_that_is_not_wanted() -> None:
    """The events are kept, and the error says what is missing."""
    found: list[dict[str, Any]] = [{"create_stream": False}, {"create_group": False}]
    for options in found:
        service = Service()
        sent = Sender(service, **options).send("g", "s", batch("a"))
        assert (sent.left, sent.delivered) == (batch("a"), 0)
        assert "does not exist" in str(sent.error)
        assert "group" not in service.calls


def test_retention_is_set_once_for_a_group() -> None:
    """Before its first event, on a group that is made for it."""
    service = Service(streams=("s",))
    sender = Sender(service, retention_days=7)
    sender.send("g", "s", batch("a"))
    sender.send("g", "s", batch("b"))
    assert service.calls == ["retention", "group", "retention", "put", "put"]


def test_what_the_service_refuses_is_counted_by_reason() -> None:
    """Runs at both ends, which may meet; the rest is delivered."""
    service = Service(
        {
            "rejectedLogEventsInfo": {
                "tooOldLogEventEndIndex": 1,
                "expiredLogEventEndIndex": 3,
                "tooNewLogEventStartIndex": 5,
            }
        },
        {"rejectedLogEventsInfo": {"tooNewLogEventStartIndex": 0}},
    )
    sender = Sender(service)
    sent = sender.send("g", "s", batch(*"abcdef"))
    assert (sent.delivered, sent.refused) == (2, {"too old": 1, "expired": 2, "too new": 1})
    assert sender.send("g", "s", batch("a", "b")).refused == {"too new": 2}


def test_a_bad_event_is_found_by_halves() -> None:
    """It alone is refused, with the service's words."""
    service = Service(streams=("s",))
    sent = Sender(service).send("g", "s", batch("a", "b", "bad", "c", "d"))
    assert (sent.delivered, sorted(service.taken)) == (4, ["a", "b", "c", "d"])
    assert sent.refused == {"InvalidParameterException: Log event too large": 1}


def test_a_name_that_is_refused_is_not_searched_for_an_event() -> None:
    """One request says it for all of them."""
    error = fault("InvalidParameterException", "1 validation error detected: Value at 'logStreamName' failed")
    service = Service(error)
    sent = Sender(service).send("g", "s", batch("a", "b", "c"))
    assert (sent.refused.total(), service.calls) == (3, ["put"])


def test_a_service_that_refuses_everything_is_not_asked_for_each_event() -> None:
    """After some refusals and nothing taken the rest is refused as a whole."""
    service = Service(*[fault("InvalidParameterException", "no")] * 5000)
    sent = Sender(service).send("g", "s", batch(*map(str, range(2000))))
    assert sent.refused.total() == 2000
    assert len(service.calls) < 100


def test_what_came_behind_an_error_is_kept_with_it() -> None:
    """When the service is gone in the midst of the halves, nothing is sent twice and nothing lost."""
    service = Service(fault("InvalidParameterException"), {}, ConnectionResetError("gone"))
    sent = Sender(service).send("g", "s", batch(*"abcd"))
    assert (sent.delivered, sent.left) == (2, batch(*"abcd")[2:])
    assert isinstance(sent.error, ConnectionResetError)


def test_what_was_taken_before_counts_as_delivered() -> None:
    """DataAlreadyAcceptedException is AWS's word for that."""
    sent = Sender(Service(fault("DataAlreadyAcceptedException"))).send("g", "s", batch("a", "b"))
    assert (sent.delivered, sent.error) == (2, None)
