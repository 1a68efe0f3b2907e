"""A handler, observed: what is told, what is raised, and that nothing of ours gets in its way."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock, Mock

import pytest

from lambdalog.instrument.deadline import Watchdog
from lambdalog.instrument.invocation import CURRENT
from tests.unit.instrument.heard import Context, Heard, observer

if TYPE_CHECKING:
    from lambdalog.clock import ManualClock
    from lambdalog.instrument.logger import Logger


def test_an_answer_comes_through_and_nothing_is_said(heard: Heard) -> None:
    """What goes well costs no line."""
    assert observer(heard).run(lambda: {"statusCode": 200}, {}, Context()) == {"statusCode": 200}
    assert heard.lines == []
    assert CURRENT.current() is None


def test_a_failure_is_told_with_its_surroundings_and_raised(heard: Heard) -> None:
    """The same exception object comes out; the line has what a reader asks for."""
    error = ValueError("no order")

    def fail() -> None:
        raise error

    with pytest.raises(ValueError, match="no order") as raised:
        observer(heard).run(fail, {"id": "o-1", "password": "x"}, Context(left=800))
    assert raised.value is error
    line = heard.line
    assert (line["level"], line["message"], line["requestId"]) == ("ERROR", "ValueError: no order", "req-1")
    assert line["failure"]["event"] == {"id": "o-1", "password": "[scrubbed]"}
    assert line["failure"]["remainingMs"] == 800


@pytest.mark.parametrize("error", [SystemExit(1), asyncio.CancelledError()])
def test_what_ends_a_process_is_told_too(heard: Heard, error: BaseException) -> None:
    """sys.exit() in a handler is a failure of the invocation: Lambda calls it Runtime.ExitError."""

    def fail() -> None:
        raise error

    with pytest.raises(type(error)):
        observer(heard).run(fail, {}, Context())
    assert heard.line["errorType"] == type(error).__name__


def test_ctrl_c_is_no_failure(heard: Heard) -> None:
    """Whoever presses it knows."""

    def fail() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        observer(heard).run(fail, {}, Context())
    assert heard.lines == []


@pytest.mark.parametrize("answer", [{"statusCode": 502}, {"batchItemFailures": [{"itemIdentifier": "m-1"}]}])
def test_answers_that_are_failures_are_told(heard: Heard, answer: Any) -> None:
    """5xx and records given back: an error's line, and the answer as it was."""
    assert observer(heard).run(lambda: answer, {"a": 1}, Context()) is answer
    assert heard.line["level"] == "ERROR"
    assert heard.line["failure"]["event"] == {"a": 1}


def test_event_and_variables_can_be_left_out(heard: Heard) -> None:
    """capture_event and capture_locals False keep both out of the line."""

    def fail() -> None:
        customer = "ada"
        raise ValueError(len(customer))

    with pytest.raises(ValueError, match="3"):
        observer(heard, capture_event=False, capture_locals=False).run(fail, {"id": "o-1"}, Context())
    assert b"ada" not in heard.raw[0].replace(b'\\"ada\\"', b"")
    assert b"o-1" not in heard.raw[0]


def test_an_event_is_tied_to_its_cause(heard: Heard, log: Logger) -> None:
    """The correlation id is in every line."""
    event = {"headers": {"X-Correlation-Id": "c-1"}}
    observer(heard, correlation="auto").run(lambda: log.info("x"), event, Context())
    observer(heard, correlation="a.b").run(lambda: log.info("x"), event, Context())
    assert [line.get("correlationId") for line in heard.lines] == ["c-1", None]


@pytest.mark.parametrize(("chance", "shown"), [(0.09, ["debug"]), (0.1, [])])
def test_a_share_of_invocations_logs_everything(
    heard: Heard, log: Logger, chance: float, shown: list[str]
) -> None:
    """The dice are thrown once an invocation; a sampled one says so."""
    observer(heard, sample=0.1, chance=chance).run(lambda: log.debug("debug"), {}, Context())
    assert [line["message"] for line in heard.lines] == shown
    assert all(line["sampled"] for line in heard.lines)


def test_kept_lines_are_told_if_it_fails(heard: Heard, log: Logger) -> None:
    """Before the failure, with the times they had; of one that goes well nothing is told."""

    def work(fail: bool) -> None:
        for number in range(4):
            log.debug("kept", n=number)
        log.info("written")
        if fail:
            raise ValueError

    watched = observer(heard, debug_ring=2)
    watched.run(lambda: work(False), {}, Context())
    assert [line["message"] for line in heard.lines] == ["written"]
    heard.lines.clear()
    with pytest.raises(ValueError, match=r"^$"):
        watched.run(lambda: work(True), {}, Context())
    assert [(line["level"], line["message"], line.get("n")) for line in heard.lines] == [
        ("INFO", "written", None),
        ("DEBUG", "kept", 2),
        ("DEBUG", "kept", 3),
        ("DEBUG", "2 earlier lines were not kept", None),
        ("ERROR", "ValueError", None),
    ]
    assert heard.lines[1]["timestamp"] <= heard.lines[0]["timestamp"]


# --- deadline


def test_a_stuck_handler_is_told_of_in_time(heard: Heard, clock: ManualClock) -> None:
    """Half a second before the end, with its stack, variables and event; afterwards never."""
    watchdog = Watchdog(clock, threaded=False)
    watched = observer(heard, watchdog=watchdog)
    context = Context(left=10_000)

    def slow() -> None:
        order = "o-1"
        clock.advance(9.4)
        watchdog.look()
        assert heard.lines == []
        context.left = 500
        clock.advance(0.1)
        watchdog.look()
        assert order

    watched.run(slow, {"id": "o-1"}, context)
    line = heard.line
    assert (line["level"], line["message"], line["requestId"]) == (
        "WARN",
        "about to time out: 500 ms left",
        "req-1",
    )
    failure = line["failure"]
    assert failure["type"] == "Sandbox.Timedout"
    assert [frame["locals"].get("order") for frame in failure["frames"] if frame["function"] == "slow"] == [
        "'o-1'"
    ]
    clock.advance(100)
    watchdog.look()
    assert len(heard.lines) == 1


def test_the_next_invocation_is_not_warned_of_the_last_ones_deadline(
    heard: Heard, clock: ManualClock
) -> None:
    """Each is measured by its own time."""
    watchdog = Watchdog(clock, threaded=False)
    watched = observer(heard, watchdog=watchdog)
    watched.run(lambda: clock.advance(2.4), {}, Context(left=3000))

    def second() -> None:
        clock.advance(2.4)
        watchdog.look()

    watched.run(second, {}, Context(left=3000))
    assert heard.lines == []


@pytest.mark.parametrize("options", [{"timeout_warning": None}, {"timeout_warning": 0}])
def test_the_warning_can_be_switched_off(heard: Heard, clock: ManualClock, options: Any) -> None:
    """With None, or no seconds at all, nothing is armed; without a context's clock neither."""
    watchdog = Watchdog(clock, threaded=False)

    def long() -> None:
        clock.advance(100)
        watchdog.look()

    observer(heard, watchdog=watchdog, **options).run(long, {}, Context())
    observer(heard, watchdog=watchdog).run(long, {}, object())
    assert heard.lines == []


# --- our own failures


class BrokenContext(Context):
    """Its clock fails."""

    def get_remaining_time_in_millis(self) -> int:
        """Never."""
        raise RuntimeError("no clock")


def test_our_own_failures_stay_ours(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A context that fails, capture that fails: the handler answers or raises what it raised; each is told once."""
    watched = observer(heard)
    for _ in range(3):
        assert watched.run(lambda: "done", {}, BrokenContext()) == "done"
    assert [line["message"] for line in heard.lines] == ["lambdalog could not begin an invocation"]
    heard.lines.clear()

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("ours")

    monkeypatch.setattr("lambdalog.instrument.capture.tell", broken)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            watched.run(lambda: 1 / 0, {}, Context())
    assert [(line["message"], line["lambdalogError"]) for line in heard.lines] == [
        ("lambdalog could not tell a failure", "RuntimeError: ours")
    ]
    monkeypatch.setattr("lambdalog.instrument.outcome.failed_answer", broken)
    assert watched.run(lambda: {"statusCode": 500}, {}, Context()) == {"statusCode": 500}
    assert CURRENT.current() is None


@pytest.mark.parametrize("kind", [Mock, MagicMock])
def test_a_mock_will_do_as_a_context(kind: Any, heard: Heard, log: Logger) -> None:
    """It has an attribute of every name: its lines are said, nothing of ours is, and its failure is told."""
    watched = observer(heard)
    assert watched.run(lambda: log.info("in it", answer=kind()), {}, kind()) is None
    line = heard.line
    assert (line["message"], "degraded" in line) == ("in it", False)
    assert "aws_request_id" in line["requestId"]
    heard.lines.clear()
    with pytest.raises(ZeroDivisionError):
        watched.run(lambda: 1 / 0, {}, kind())
    assert [line["errorType"] for line in heard.lines] == ["ZeroDivisionError"]


def test_an_exceptions_text_that_fails_is_told(heard: Heard) -> None:
    """str() that raises is the function's own code as well."""

    class Nasty(Exception):
        def __str__(self) -> str:
            raise ValueError("no")

    def fail() -> None:
        raise Nasty

    with pytest.raises(Nasty):
        observer(heard).run(fail, {}, Context())
    assert heard.line["errorMessage"] == "<Nasty: str() raised ValueError>"
    assert json.loads(heard.raw[0])
