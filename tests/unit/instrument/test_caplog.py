"""A logger's lines in pytest's caplog."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from lambdalog import get_logger, handler
from lambdalog.instrument.output import Output
from tests.unit.instrument.heard import Context

log = get_logger()


def test_a_line_is_a_record(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    """Message, level, logger, keys and place, once; standard output has it as ever."""
    caplog.set_level(logging.INFO)
    log.child("orders").warning("charging %s", "o-1", amount=12.5, name="mine", args=3)
    (record,) = caplog.records
    assert caplog.record_tuples == [("orders", logging.WARNING, "charging o-1")]
    found: Any = record
    assert (found.amount, found.name_, found.args_) == (12.5, "mine", 3)
    assert (record.filename, record.funcName) == ("test_caplog.py", "test_a_line_is_a_record")
    assert record.exc_info is None
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_each_line_is_there_once(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Within an invocation, beside standard logging's; with the failure's own line and what it says."""

    @handler
    def process(event: Any, context: Any) -> None:
        log.info("ours")
        logging.getLogger("theirs").warning("theirs")
        raise ValueError("no order")

    caplog.set_level(logging.INFO)
    with pytest.raises(ValueError, match="no order"):
        process({}, Context())
    assert caplog.messages == ["ours", "theirs", "ValueError: no order"]
    told: Any = caplog.records[-1]
    assert (told.requestId, told.failure["type"]) == ("req-1", "ValueError")
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_levels_are_caplogs_and_the_loggers(caplog: pytest.LogCaptureFixture) -> None:
    """What the logger's level hides is no record; of the others caplog takes those of its own level."""
    with caplog.at_level(logging.ERROR):
        log.info("too low for caplog")
        log.error("heard")
    with caplog.at_level(logging.DEBUG):
        log.debug("too low for the logger")
    assert caplog.messages == ["heard"]


@pytest.mark.parametrize("message", [None, {"a": 1}, "100 %s", "\ud800", float("nan")])
def test_any_message_is_a_record(message: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing in a line keeps it from being one."""
    log.error(message, level="mine")
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert caplog.text


def test_what_listens_and_fails_is_counted(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """A filter of the test's own that raises is not the function's failure; standard output lost no line by it."""

    def broken(record: logging.LogRecord) -> bool:
        raise RuntimeError("broken")

    output = Output()
    caplog.handler.addFilter(broken)
    get_logger(output=output).error("said")
    caplog.handler.removeFilter(broken)
    assert output.lost == 1
    assert caplog.records == []
    get_logger(output=output).error("said again")
    assert output.lost == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["message"], "linesLost" in line) for line in lines] == [
        ("said", False),
        ("said again", False),
    ]
