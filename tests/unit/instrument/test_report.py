"""What is told of an invocation."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from lambdalog.deadletter import DeadLetters
from lambdalog.instrument.invocation import CURRENT, Invocation
from lambdalog.instrument.logger import Logger, get_logger
from lambdalog.instrument.options import checked
from lambdalog.instrument.report import Report, headline
from lambdalog.instrument.ring import Ring
from lambdalog.instrument.scrub import Scrubber
from tests.unit.instrument.heard import Context, Heard


@pytest.fixture
def invocation() -> Any:
    """One that runs."""
    running = CURRENT.begin(Context(left=1234))
    yield running
    CURRENT.end(running)


def report(heard: Heard, **options: Any) -> Report:
    """Tells of the handler `app.process`."""
    return Report("app.process", checked(**options), Logger({}, level=0, output=heard))


def test_a_failure_is_a_line_of_its_invocation(heard: Heard, invocation: Invocation) -> None:
    """At ERROR, with a headline, the exception, the event; the invocation has failed, and nothing was settled by it."""
    assert not report(heard).failed(ValueError("no order"), invocation, {"id": 1})
    line = heard.line
    assert (line["level"], line["message"], line["requestId"]) == ("ERROR", "ValueError: no order", "req-1")
    assert (line["failure"]["event"], line["failure"]["remainingMs"]) == ({"id": 1}, 1234)
    assert "permanent" not in line
    assert invocation.failed


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit()])
def test_leaving_is_no_failure(error: BaseException, heard: Heard, invocation: Invocation) -> None:
    """Ctrl-C, and a reader who has had enough."""
    assert not report(heard).failed(error, invocation, {})
    assert heard.lines == []
    assert not invocation.failed


def test_what_the_level_kept_back_comes_before_the_failure(heard: Heard, invocation: Invocation) -> None:
    """In its order, with the times it had, and how much more there was; once."""
    invocation.ring = Ring(2)
    log = get_logger(output=heard)
    for number in range(3):
        log.debug("step", number=number)
    told = report(heard)
    told.note("first", {}, invocation)
    told.note("second", {}, invocation)
    assert [(line["message"], line.get("number")) for line in heard.lines] == [
        ("step", 1),
        ("step", 2),
        ("1 earlier lines were not kept", None),
        ("first", None),
        ("second", None),
    ]
    assert heard.lines[0]["timestamp"] <= heard.lines[3]["timestamp"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, None),
        ([{"statusCode": 500}], None),
        ({"statusCode": 200}, None),
        ({"statusCode": "nonsense"}, None),
        ({"statusCode": 503}, "ServerErrorResponse: answered 503"),
        ({"statusCode": "502"}, "ServerErrorResponse: answered 502"),
        ({"batchItemFailures": []}, None),
        ({"batchItemFailures": [{"itemIdentifier": "m-1"}]}, "BatchItemFailures: 1 records failed: m-1"),
    ],
)
def test_an_answer_may_be_a_failure(
    answer: Any, told: str | None, heard: Heard, invocation: Invocation
) -> None:
    """5xx, and records that it gives back; everything else is an answer like any."""
    report(heard).answered(answer, invocation, {"id": 1})
    assert [line["message"] for line in heard.lines] == ([] if told is None else [told])
    assert invocation.failed == (told is not None)


def test_an_invocation_that_failed_is_told_once(heard: Heard, invocation: Invocation) -> None:
    """A batch's failures have lines of their own: its answer that names them is no other failure."""
    told = report(heard)
    told.note("ValueError", {}, invocation)
    told.answered({"batchItemFailures": [{"itemIdentifier": "m-1"}]}, invocation, {})
    assert [line["message"] for line in heard.lines] == ["ValueError"]


def test_a_stuck_thread_is_shown_before_it_is_told(heard: Heard, invocation: Invocation) -> None:
    """What writes the warning is given back: whether it is still wanted is decided by whoever asked for it."""
    write = report(heard).stuck(invocation, {"id": 1}, threading.get_ident())
    assert heard.lines == []
    assert write is not None
    write()
    line = heard.line
    assert (line["level"], line["message"]) == ("WARN", "about to time out: 1234 ms left")
    assert line["failure"]["type"] == "Sandbox.Timedout"
    functions = [frame["function"] for frame in line["failure"]["frames"]]
    assert "test_a_stuck_thread_is_shown_before_it_is_told" in functions
    assert "errorType" not in line


def test_a_warning_that_cannot_be_made_is_none(heard: Heard, invocation: Invocation) -> None:
    """A clock that fails is told once; there is nothing to write then."""

    def broken() -> int:
        raise RuntimeError("no clock")

    invocation.remaining = broken
    told = report(heard)
    assert told.stuck(invocation, {}, threading.get_ident()) is None
    assert told.stuck(invocation, {}, threading.get_ident()) is None
    line = heard.line
    assert (line["message"], line["lambdalogError"]) == (
        "lambdalog could not warn of a deadline",
        "RuntimeError: no clock",
    )


def test_own_failures_are_told_once_for_each_thing(heard: Heard) -> None:
    """A line a call would drown the function's own; an error whose text fails is told by its type."""

    class Nasty(Exception):
        """Its text can't be had."""

        def __str__(self) -> str:
            raise ValueError("no text")

    told = report(heard)
    for _ in range(3):
        told.own_failure("begin an invocation", ValueError("x" * 5000))
        told.own_failure("end an invocation", Nasty())
    assert [line["message"] for line in heard.lines] == [
        "lambdalog could not begin an invocation",
        "lambdalog could not end an invocation",
    ]
    assert [len(line["lambdalogError"]) for line in heard.lines] == [1000, len("Nasty")]


def test_a_permanent_failure_is_settled_when_its_letter_is_delivered(
    heard: Heard, invocation: Invocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nobody tries again, and the line says where it is; if the queue refuses, the exception stays one."""
    sent: list[Any] = []
    refuses: list[Exception] = []

    def send(_self: Any, target: str, letter: Any) -> str:
        if refuses:
            raise refuses[0]
        sent.append((target, letter))
        return "message-1"

    monkeypatch.setattr(DeadLetters, "send", send)
    told = report(heard, permanent=LookupError, dead_letter="orders-dlq")
    assert told.failed(KeyError("sku"), invocation, {"id": 1})
    (target, letter) = sent[0]
    assert (target, letter.body, letter.request_id) == ("orders-dlq", '{"id": 1}', "req-1")
    assert (heard.lines[0]["permanent"], heard.lines[0]["deadLetter"]) == (True, "message-1")
    refuses.append(ConnectionError("no queue"))
    assert not told.failed(KeyError("sku"), invocation, {"id": 1})
    assert heard.lines[1]["deadLetterError"] == "ConnectionError: no queue"
    assert not told.failed(ValueError("another"), invocation, {"id": 1})
    assert "permanent" not in heard.lines[2]


def test_a_failure_that_cannot_be_told_is_nobodys_but_ours(heard: Heard, invocation: Invocation) -> None:
    """Telling it failed: that is one line, and the exception goes its way."""

    class Broken(Scrubber):
        def __getattribute__(self, name: str) -> Any:
            return super().__getattribute__(name) if name == "secret" else self.__dict__["no such"]

    told = report(heard, scrub=Broken())
    assert not told.failed(ValueError("bad"), invocation, {"id": "x"})
    assert heard.line["message"] == "lambdalog could not tell a failure"


def test_a_headline_is_type_and_text() -> None:
    """Without a text it is the type alone."""
    assert headline({"errorType": "ValueError", "errorMessage": "no order"}) == "ValueError: no order"
    assert headline({"errorType": "ValueError", "errorMessage": ""}) == "ValueError"
    assert headline({"errorType": "ValueError"}) == "ValueError"
