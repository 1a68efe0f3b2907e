"""What a shipper says of itself."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from lambdalog.shipper.fleet import FLEET
from lambdalog.shipper.telling import TELL_SECONDS, Telling

if TYPE_CHECKING:
    from lambdalog.clock import ManualClock


@pytest.fixture
def telling(clock: ManualClock) -> Telling:
    """On a clock of the test's."""
    return Telling(clock)


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """(Level, text) of what was logged since the last time."""
    found = [(record.levelname, record.message) for record in caplog.records]
    caplog.clear()
    return found


def test_the_same_trouble_is_told_once_in_a_while(
    telling: Telling, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning a minute for each thing it is about, and none an event."""
    for _ in range(10):
        telling.warn("g/s", "%s is down", "g/s")
        telling.warn("g/t", "%s is down", "g/t")
    assert said(caplog) == [("WARNING", "g/s is down"), ("WARNING", "g/t is down")]
    clock.advance(TELL_SECONDS)
    telling.warn("g/s", "%s is down", "g/s")
    assert said(caplog) == [("WARNING", "g/s is down")]


def test_when_it_is_over_it_may_be_told_at_once(telling: Telling, caplog: pytest.LogCaptureFixture) -> None:
    """Another trouble of the same thing is news again."""
    caplog.set_level(logging.INFO)
    telling.warn("g/s", "down")
    telling.over("g/s", "up")
    telling.warn("g/s", "down")
    assert said(caplog) == [("WARNING", "down"), ("INFO", "up"), ("WARNING", "down")]


def test_a_thousand_troubles_take_no_more_memory(telling: Telling, caplog: pytest.LogCaptureFixture) -> None:
    """Names of streams may come without end."""
    for number in range(2500):
        telling.warn(f"g/{number}", "down")
    assert len(said(caplog)) == 2500
    assert len(telling._told) <= 1000


def test_what_it_says_is_about_sending(telling: Telling) -> None:
    """A handler that ships must not ship it: it would come back for ever."""
    sends: list[bool] = []

    class Listens(logging.Handler):
        """Asks for each record whether its thread sends."""

        def emit(self, _: logging.LogRecord) -> None:
            """Ask."""
            sends.append(FLEET.sends_here())

    listens = Listens()
    logger = logging.getLogger("lambdalog.shipper")
    logger.addHandler(listens)
    try:
        telling.warn("g/s", "down")
        telling.error("lost")
    finally:
        logger.removeHandler(listens)
    assert sends == [True, True]
    assert not FLEET.sends_here()
