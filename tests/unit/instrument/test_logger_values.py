"""No value, key or text keeps a line from being said: whatever is logged, one line of JSON, marked where it is degraded."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog import get_logger
from lambdalog.instrument.invocation import CURRENT
from lambdalog.instrument.joining import Joined
from lambdalog.instrument.ring import Ring
from tests.unit.instrument.heard import Context, Heard
from tests.unit.instrument.hostile import ANYTHING, HOSTILE, NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.instrument.logger import Logger


def bound_to_an_invocation(log: Logger, value: Any) -> None:
    """A key of each line of an invocation."""
    running = CURRENT.begin(Context())
    log.bind_invocation(k=value)
    log.info("said", good=1)
    CURRENT.end(running)


def in_a_block(log: Logger, value: Any) -> None:
    """A key of a block's lines."""
    with log.block(k=value):
        log.info("said", good=1)


def kept_by_the_ring(log: Logger, value: Any) -> None:
    """A key of a line that the level hides, and a failure brings out."""
    running = CURRENT.begin(Context())
    running.ring = Ring(10)
    log.debug("said", k=value, good=1)
    for line in running.ring.drain():
        log.put(line, running)
    CURRENT.end(running)


def of_standard_logging(log: Logger, value: Any) -> None:
    """A key of standard logging's."""
    record = logging.makeLogRecord({"msg": "said", "levelno": logging.INFO, "k": value, "good": 1})
    Joined(log._output).emit(record)


WAYS: dict[str, Callable[[Logger, Any], None]] = {
    "a key": lambda log, value: log.info("said", k=value, good=1),
    "bound": lambda log, value: log.bind(k=value).info("said", good=1),
    "a child's": lambda log, value: log.child("part", k=value).info("said", good=1),
    "an invocation's": bound_to_an_invocation,
    "a block's": in_a_block,
    "in extra": lambda log, value: log.info("said", extra={"k": value}, good=1),
    "in the ring": kept_by_the_ring,
    "standard logging's": of_standard_logging,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("value", "expected", "degraded"), HOSTILE, ids=lambda value: type(value).__name__)
def test_no_value_keeps_a_line_from_being_said(way: str, value: Any, expected: Any, degraded: bool) -> None:
    """By whatever way a hostile value comes into a line: the others are as they were, it is marked if it is degraded."""
    heard = Heard()
    WAYS[way](get_logger(output=heard), value)
    line = heard.line
    assert (line["message"], line["good"]) == ("said", 1)
    assert expected is ANYTHING or line["k"] == expected
    assert line.get("degraded") == (["k"] if degraded else None)


@pytest.mark.parametrize(("value", "expected", "degraded"), HOSTILE, ids=lambda value: type(value).__name__)
def test_any_value_may_be_the_message_or_lie_within_others(value: Any, expected: Any, degraded: bool) -> None:
    """As the message, as an argument of one, as an exception to be told, and within a list."""
    heard = Heard()
    log = get_logger(output=heard)
    log.info(value, good=1)
    log.info("said", k=[value], good=1)
    log.info("in an argument: %s", value, good=1)
    log.info(value, value, good=1)
    log.error("said", exc_info=value, stack_info=value, stacklevel=value, good=1)
    message, within, *_ = heard.lines
    assert [line["good"] for line in heard.lines] == [1] * 5
    if expected is not ANYTHING:
        assert (message["message"], within["k"]) == (expected, [expected])
    assert message.get("degraded") == (["message"] if degraded else None)
    assert within.get("degraded") == (["k"] if degraded else None)


@pytest.mark.parametrize(("value", "_expected", "_degraded"), HOSTILE, ids=lambda value: type(value).__name__)
def test_a_failure_is_told_whatever_its_frames_and_its_text_hold(
    value: Any, _expected: Any, _degraded: bool
) -> None:
    """An exception of a hostile value, with one among its variables and its causes."""
    heard = Heard()
    log = get_logger(output=heard)
    try:
        try:
            raise KeyError(value)
        except KeyError as error:
            error.add_note("noted")
            raise ExceptionGroup("several", [ValueError(value)]) from error
    except ExceptionGroup:
        log.exception("failed", k=value, good=1)
    line = heard.line
    assert (line["message"], line["errorType"], line["good"]) == ("failed", "ExceptionGroup", 1)
    assert line["failure"]["causes"][0]["type"] == "KeyError"


def test_megabytes_are_cut_and_said_to_be() -> None:
    """A 2 MB string, a hundred thousand items and a thousand large keys make a line of bounded size."""
    heard = Heard()
    log = get_logger(output=heard)
    log.info("m" * 2_000_000, text="x" * 2_000_000, items=list(range(100_000)))
    log.info("many", **{f"k{number}": "x" * 40_000 for number in range(100)})
    log.info("keys", k={"x" * 100_000: 1})
    for raw in heard.raw:
        assert len(raw) < 260_000
    first = heard.lines[0]
    assert first["text"].endswith("… (2000000 characters)")
    assert first["items"][-1] == "… 99000 more"
    assert set(first["degraded"]) == {"message", "text", "items"}


@pytest.mark.parametrize("name", NAMES)
def test_a_key_can_bear_any_name(name: str) -> None:
    """Names that loggers choke on are keys; one that the line itself has gets an underscore, and replaces nothing."""
    heard = Heard()
    get_logger(output=heard).info("said", **{name: "mine"})
    line = heard.line
    assert (line["message"], line["level"]) == ("said", "INFO")
    assert "mine" in (line.get(name), line.get(f"{name}_"))
    assert line["timestamp"] != "mine"


def test_two_keys_that_want_one_name_are_both_there() -> None:
    """`level` and `level_` stay two keys."""
    heard = Heard()
    get_logger(output=heard).info("x", level=1, level_=2)
    assert (heard.line["level"], heard.line["level_"], heard.line["level__"]) == ("INFO", 2, 1)
