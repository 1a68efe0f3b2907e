"""The logger."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from lambdalog import get_logger
from lambdalog.instrument.output import Output


class Heard(Output):
    """Keeps the lines instead of writing them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def write(self, line: bytes) -> None:
        """Keep it."""
        self.lines.append(json.loads(line))


def test_a_line_is_what_lambdas_tools_read() -> None:
    """RFC 3339 time with milliseconds, a level that Lambda's filter knows, the message, the keys."""
    heard = Heard()
    get_logger(output=heard, service="s").info("charging", order_id="o-1")
    (line,) = heard.lines
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert line == {"level": "INFO", "message": "charging", "service": "s", "order_id": "o-1"}


def test_each_method_has_its_level() -> None:
    """The words are those of Lambda's own levels."""
    heard = Heard()
    log = get_logger(output=heard, level="DEBUG")
    for method in ("debug", "info", "warning", "error", "critical"):
        getattr(log, method)("x")
    assert [line["level"] for line in heard.lines] == ["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]


@pytest.mark.parametrize(
    ("environment", "argument", "shown"),
    [
        ({}, None, ["INFO", "ERROR"]),
        ({"LAMBDALOG_LEVEL": "DEBUG"}, None, ["DEBUG", "INFO", "ERROR"]),
        ({"LAMBDALOG_LEVEL": "DEBUG"}, "ERROR", ["ERROR"]),
        ({"AWS_LAMBDA_LOG_LEVEL": "ERROR"}, "DEBUG", ["ERROR"]),
        ({"AWS_LAMBDA_LOG_LEVEL": "nonsense"}, None, ["INFO", "ERROR"]),
    ],
)
def test_the_level_is_lambdas_then_the_arguments_then_ours(
    environment: dict[str, str], argument: str | None, shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS_LAMBDA_LOG_LEVEL comes before the argument, and that before LAMBDALOG_LEVEL."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    heard = Heard()
    log = get_logger(output=heard, level=argument)
    log.debug("x")
    log.info("x")
    log.error("x")
    assert [line["level"] for line in heard.lines] == shown


def test_keys_can_bear_any_name() -> None:
    """Names that loggers choke on are keys like others, and none replaces what the line says itself."""
    heard = Heard()
    names = {
        "name": 1,
        "message": 2,
        "event": 3,
        "level": 4,
        "timestamp": 5,
        "method": 6,
        "self": 7,
        "exc": 8,
    }
    get_logger(output=heard).info("said", **names)
    (line,) = heard.lines
    assert (line["message"], line["level"]) == ("said", "INFO")
    assert (line["name"], line["message_"], line["level_"], line["timestamp_"], line["self"]) == (
        1,
        2,
        4,
        5,
        7,
    )


def test_bound_keys_are_a_loggers_own() -> None:
    """bind() gives another logger; the first one's lines stay as they were."""
    heard = Heard()
    log = get_logger(output=heard)
    log.bind(order="o-1").info("a")
    log.info("b")
    assert [line.get("order") for line in heard.lines] == ["o-1", None]


def test_messages_may_be_anything() -> None:
    """Old-style arguments are put in; objects, None and wrong formats are still lines."""
    heard = Heard()
    log = get_logger(output=heard)
    log.info("%s items of %d", "two", 3)
    log.info("%d items", "two")
    log.info(None)
    log.info({"a": 1})
    assert [line["message"] for line in heard.lines] == [
        "two items of 3",
        "%d items ('two',)",
        None,
        {"a": 1},
    ]


def test_an_exception_is_told_as_a_failure() -> None:
    """exception() adds the type, the text and the whole failure of what is handled now."""
    heard = Heard()
    try:
        raise ValueError("bad")
    except ValueError:
        get_logger(output=heard).exception("it failed")
    (line,) = heard.lines
    assert (line["level"], line["errorType"], line["errorMessage"]) == ("ERROR", "ValueError", "bad")
    assert line["failure"]["frames"][-1]["function"] == "test_an_exception_is_told_as_a_failure"


def test_a_full_disk_is_not_the_functions_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """When standard output refuses, the call returns and the loss is counted."""

    class Full:
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("sys.stdout", Full())
    output = Output()
    get_logger(output=output).info("x")
    assert output.lost == 1


def test_a_broken_processor_does_not_lose_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A processor of the user's that raises leaves a line that says so."""
    log = get_logger()
    broken: Any = lambda *_: 1 / 0  # noqa: E731
    log._processors = [broken]
    log.info("kept", a=1)
    line = json.loads(capsys.readouterr().out)
    assert (line["message"], line["a"]) == ("kept", 1)
    assert line["lambdalogError"] == "ZeroDivisionError: division by zero"
