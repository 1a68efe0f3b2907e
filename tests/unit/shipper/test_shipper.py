"""The shipper and its ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.errors import ShipError
from lambdalog.shipper import Shipper
from lambdalog.shipper import shipper as module

if TYPE_CHECKING:
    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud


@pytest.fixture
def shipper(manual_cloud: Cloud, clock: ManualClock) -> Shipper:
    """A shipper into a store."""
    return Shipper(manual_cloud.logs, group="g", stream="s", clock=clock)


def messages(cloud: Cloud) -> list[str]:
    """What is in the store."""
    return [event["message"] for event in cloud.logs.filter_log_events(logGroupName="g")["events"]]


def test_events_are_delivered_in_order(shipper: Shipper, manual_cloud: Cloud, clock: ManualClock) -> None:
    """Group and stream are made on the way; whatever order they came in, they lie in order of time."""
    shipper.put("second", clock.now_ms() + 1)
    shipper.put("first", clock.now_ms())
    shipper.flush()
    shipper.flush()
    assert messages(manual_cloud) == ["first", "second"]
    assert (shipper.ledger.accepted, shipper.ledger.delivered, shipper.ledger.pending) == (2, 2, 0)


def test_one_bad_event_does_not_take_others_along(
    shipper: Shipper, manual_cloud: Cloud, clock: ManualClock
) -> None:
    """Too old and too new events are counted with the reason; the good ones arrive."""
    day = 86_400_000
    shipper.put("old", clock.now_ms() - 15 * day)
    shipper.put("good", clock.now_ms())
    shipper.put("new", clock.now_ms() + day // 2)
    shipper.flush()
    assert messages(manual_cloud) == ["good"]
    assert +shipper.ledger.refused == {"too old": 1, "too new": 1}
    assert shipper.ledger.pending == 0


def test_what_cannot_be_sent_is_kept(
    shipper: Shipper, manual_cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A destination that fails gets the same events at the next flush, once."""
    really = manual_cloud.logs.put_log_events

    def fails(**_: Any) -> Any:
        raise ConnectionResetError("reset")

    shipper.put("a")
    monkeypatch.setattr(manual_cloud.logs, "put_log_events", fails)
    with pytest.raises(ShipError, match="1 log events could not be sent to g: reset"):
        shipper.flush()
    assert shipper.ledger.pending == 1
    monkeypatch.setattr(manual_cloud.logs, "put_log_events", really)
    shipper.flush()
    assert messages(manual_cloud) == ["a"]
    assert shipper.ledger.delivered == 1


def test_memory_is_bounded_and_the_loss_counted(shipper: Shipper, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit the oldest go, with the reason, and the sums still meet."""
    monkeypatch.setattr(module, "PENDING_MAX", 10)
    for number in range(15):
        shipper.put(str(number))
    assert shipper.ledger.dropped == {"too many events waiting": 5}
    assert (shipper.ledger.accepted, shipper.ledger.pending) == (15, 10)
