"""Shippers are flushed before a handler answers."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from lambdalog import handler
from lambdalog.instrument.shipping import flush_shippers
from lambdalog.shipper import Shipper
from lambdalog.shipper.fleet import FLEET
from tests.unit.instrument.heard import Context
from tests.unit.shipper.double import Destination, fault


@pytest.fixture
def budgets(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The budgets that the process's shippers were given."""
    found: list[float] = []
    monkeypatch.setattr(FLEET, "flush", found.append)
    return found


@pytest.fixture
def shipper() -> Shipper:
    """One that nothing is put into."""
    return Shipper(Destination(), threaded=False)


@pytest.mark.usefixtures("shipper")
@pytest.mark.parametrize(("left", "expected"), [(None, 2.0), (60_000, 2.0), (1000, 0.5), (0, 0.0), (-5, 0.0)])
def test_the_budget_is_at_most_half_of_what_is_left(
    budgets: list[float], left: int | None, expected: float
) -> None:
    """A flush must not be what lets an invocation time out."""
    flush_shippers(2.0, None if left is None else lambda: left)
    assert budgets == [expected]


def test_where_there_is_no_shipper_nothing_is_flushed(budgets: list[float]) -> None:
    """The module may be loaded for somebody else's sake."""
    flush_shippers(2.0, lambda: 60_000)
    assert budgets == []


def test_a_function_that_ships_nothing_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no shipper was imported there is nothing to do."""
    monkeypatch.delitem(sys.modules, "lambdalog.shipper.fleet", raising=False)
    flush_shippers(2.0, None)
    assert "lambdalog.shipper.fleet" not in sys.modules


@pytest.fixture
def _in_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")


@pytest.mark.usefixtures("_in_lambda")
def test_what_a_handler_ships_is_delivered_when_it_answers() -> None:
    """Lambda freezes the shipper's thread with everything else; an invocation that fails is no exception."""
    destination = Destination()
    shipper = Shipper(destination, group="g", stream="s", interval=3600)

    @handler(flush=60)
    def process(event: Any, context: Any) -> None:
        shipper.put(event)
        if event == "b":
            raise ValueError(event)

    process("a", Context(left=600_000))
    assert destination.messages() == ["a"]
    with pytest.raises(ValueError, match="b"):
        process("b", Context(left=600_000))
    assert destination.messages() == ["a", "b"]
    shipper.close()


@pytest.mark.usefixtures("_in_lambda")
def test_a_flush_that_can_not_be_is_told_and_nothing_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    """The answer is the handler's; the events wait for the next invocation."""
    destination = Destination()
    destination.fails = lambda _: fault("ThrottlingException")
    shipper = Shipper(destination, group="g", stream="s", interval=3600)

    @handler(flush=0.01)
    def process(event: Any, context: Any) -> str:
        shipper.put(event)
        return "answered"

    assert process("a", Context()) == "answered"
    assert "lambdalog could not end an invocation" in capsys.readouterr().out
    assert shipper.ledger.pending == 1
    destination.fails = None
    shipper.flush(60)
    assert destination.messages() == ["a"]
    shipper.close()
