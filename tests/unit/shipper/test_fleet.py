"""The shippers of a process."""

from __future__ import annotations

import contextlib
import gc
import threading
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.errors import ShipError
from lambdalog.shipper.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Callable


class Double:
    """A shipper that notes what it is told; `fails` are raised by flush and close."""

    def __init__(self, fails: Exception | None = None, exit_seconds: float = 5.0) -> None:
        self.exit_seconds = exit_seconds
        self.told: list[str] = []
        self.budgets: list[float] = []
        self._fails = fails

    def urge(self) -> None:
        """Send soon."""
        self.told.append("urge")

    def flush(self, timeout: float) -> None:
        """Flush."""
        self._do("flush", timeout)

    def close(self, timeout: float) -> None:
        """Close."""
        self._do("close", timeout)

    def _do(self, what: str, timeout: float) -> None:
        self.told.append(what)
        self.budgets.append(timeout)
        if self._fails is not None:
            raise self._fails


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """One that doesn't see to this process's exit."""
    monkeypatch.setattr("atexit.register", lambda _: None)
    return Fleet()


def joined(fleet: Fleet, *found: Any) -> list[Double]:
    """Shippers that have joined."""
    for shipper in found:
        fleet.join(shipper)
    return list(found)


def test_all_are_urged_before_one_is_waited_for(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """They send side by side, and share one budget."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    found = joined(fleet, Double(), Double())
    order: list[str] = []
    for shipper in found:
        flush = shipper.flush

        def slow(timeout: float, flush: Callable[[float], None] = flush) -> None:
            order.extend(told for double in found for told in double.told)
            now[0] += 1.5
            flush(timeout)

        shipper.flush = slow  # type: ignore[method-assign]
    fleet.flush(2.0)
    assert order[:2] == ["urge", "urge"]
    assert sorted(budget for shipper in found for budget in shipper.budgets) == [0.5, 2.0]


def test_one_that_fails_keeps_none_from_being_flushed(fleet: Fleet) -> None:
    """The first error comes out when all had their turn."""
    error = ShipError("down")
    found = joined(fleet, Double(error), Double(), Double(ShipError("too")))
    with pytest.raises(ShipError):
        fleet.flush(1.0)
    assert [shipper.told for shipper in found] == [["urge", "flush"]] * 3


def test_at_the_exit_each_has_its_own_time_and_none_takes_others_along(fleet: Fleet) -> None:
    """Whatever close() of one raises, the others are closed."""
    found = joined(fleet, Double(RuntimeError("bug"), 3.0), Double(None, 7.0))
    fleet.close()
    assert [shipper.told for shipper in found] == [["urge", "close"]] * 2
    assert all(0 <= budget <= shipper.exit_seconds for shipper in found for budget in shipper.budgets)


def test_a_shipper_that_nobody_holds_is_no_longer_one_of_them(fleet: Fleet) -> None:
    """The fleet keeps none alive; the exit is seen to once."""
    found = joined(fleet, Double(), Double())
    assert len(fleet) == 2
    del found
    gc.collect()
    assert len(fleet) == 0
    assert not fleet


def test_a_thread_sends_while_it_sends_and_no_other_does(fleet: Fleet) -> None:
    """What it logs meanwhile is about sending; afterwards, and in a child of fork(), it isn't."""
    assert not fleet.sends_here()
    other: list[bool] = []
    with contextlib.suppress(ZeroDivisionError), fleet.sending():
        assert fleet.sends_here()
        thread = threading.Thread(target=lambda: other.append(fleet.sends_here()))
        thread.start()
        thread.join()
        raise ZeroDivisionError
    assert other == [False]
    assert not fleet.sends_here()
    with fleet.sending():
        fleet.forked()
        assert not fleet.sends_here()
