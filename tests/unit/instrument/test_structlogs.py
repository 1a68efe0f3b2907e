"""The logger beside structlog itself: whoever knows one knows the other."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from structlog.typing import BindableLogger, FilteringBoundLogger

from lambdalog import get_logger
from lambdalog.instrument.logger import Logger
from lambdalog.instrument.structlogs import Bound, configure
from tests.unit.instrument.heard import Heard


@pytest.fixture(autouse=True)
def _unconfigured() -> Any:
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


def test_it_has_structlogs_protocol() -> None:
    """Structlog's own protocols of a logger are met, method by method."""
    log = get_logger(a=1)
    assert isinstance(log, BindableLogger)
    assert structlog.get_context(log) == {"a": 1}
    names = [name for name in vars(FilteringBoundLogger) if not name.startswith("_")]
    assert len(names) > 15
    assert [name for name in names if not hasattr(Logger, name)] == []


def test_structlogs_processors_can_be_added() -> None:
    """Usual processors work: their keys are in the line, those that the line has anyway aren't there twice."""
    heard = Heard()
    log = get_logger(
        output=heard,
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.CallsiteParameterAdder({structlog.processors.CallsiteParameter.PROCESS}),
        ],
    )
    log.info("x", a=1)
    line = heard.line
    assert (line["message"], line["level"], line["a"]) == ("x", "INFO", 1)
    assert "process" in line
    assert {"level_", "timestamp_", "event"}.isdisjoint(line)


def test_a_dropped_event_is_dropped() -> None:
    """DropEvent means that no line is wanted."""

    def drop(*_: Any) -> Any:
        raise structlog.DropEvent

    heard = Heard()
    get_logger(output=heard, processors=[drop]).info("x")
    assert heard.lines == []


def test_structlogs_get_logger_gives_one_of_ours(capfd: pytest.CaptureFixture[str]) -> None:
    """Configured for the function, structlog's loggers are of our kind; configuring again changes nothing."""
    assert configure()
    assert not configure()
    log = structlog.get_logger("orders", tenant="t")
    bound = log.bind(a=1)
    assert isinstance(bound, Bound)
    bound.info("x", event_="y")
    bound.unbind("a").new(b=2).info("z")
    first, second = capfd.readouterr().out.splitlines()
    assert '"message":"x"' in first
    assert '"a":1' in first
    assert '"b":2' in second


def test_a_configuration_can_be_replaced_on_demand() -> None:
    """Force puts ours in place of the user's."""
    structlog.configure(processors=[])
    assert not configure()
    assert configure(force=True)
