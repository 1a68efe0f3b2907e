"""Failures as the dashboard reads them from a store, and what it does about them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tui.feed.failures import StoreFailures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.cloud import Cloud
    from tests.unit.failures.conftest import Pay


@pytest.fixture
def failures(cloud: Cloud) -> Iterator[StoreFailures]:
    """The room under test."""
    room = StoreFailures(cloud)
    yield room
    room.close()


def test_a_group_its_detail_and_its_marks(pay: Pay, failures: StoreFailures) -> None:
    """What failed is a group with its stack and event; marks change where it stands."""
    pay.fail({"id": "o-1"}, {"id": "o-2"})
    (group,) = failures.groups()
    assert (group.type, group.count, group.status) == ("Declined", 2, "new")
    detail = failures.detail(group)
    assert detail.failure.frames[-1].function == "handler"
    assert detail.letter.event == '{"id": "o-2"}'
    failures.mute(group)
    (group,) = failures.groups()
    assert group.status == "muted"
    failures.mute(group)
    failures.resolve(group)
    assert [found.status for found in failures.groups()] == ["resolved"]


def test_a_replay_takes_just_what_was_planned(pay: Pay, failures: StoreFailures) -> None:
    """What succeeds leaves the queue; what failed after the plan stays there."""
    pay.fail({"id": "o-1"}, {"id": "o-2"})
    (group,) = failures.groups()
    plans = failures.plans(group, discard=False)
    pay.fail({"id": "o-3"})
    pay.repair()
    steps = list(failures.replay(plans, threading.Event()))
    assert [getattr(step, "state", step) for step in steps] == ["acked", "acked"]
    assert pay.left() == ['{"id": "o-3"}']


def test_a_failed_canary_stops_a_replay_and_says_so(pay: Pay, failures: StoreFailures) -> None:
    """The function still fails: one is tried, the others are untouched, and the last word is why."""
    pay.fail(*({"id": f"o-{number}"} for number in range(3)))
    (group,) = failures.groups()
    *steps, why = failures.replay(failures.plans(group, discard=False), threading.Event())
    assert [getattr(step, "state", step) for step in steps] == ["failed"]
    assert isinstance(why, str)
    assert "canary" in why
    assert len(pay.left()) == 3


def test_a_discard_deletes_just_the_group(pay: Pay, failures: StoreFailures) -> None:
    """Another group's failures stay."""
    pay.fail({"id": "o-1"}, {"id": "o-2", "fail": "other"})
    declined = next(group for group in failures.groups() if group.type == "Declined")
    plans = failures.plans(declined, discard=True)
    assert [step.state for step in failures.discard(plans, "a test", threading.Event())] == ["discarded"]
    assert [group.type for group in failures.groups()] == ["LookupError"]
