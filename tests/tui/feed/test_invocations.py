"""Invocations as the dashboard reads them from a store where functions ran."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from lambdalog.invocations import Invocation, Mark, Roll
from tests.tui.feeds import unexpected
from tui.feed.invocations import Detail, StoreInvocations

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud
    from tests.unit.failures.conftest import Pay


def everything(room: StoreInvocations, limit: int) -> Roll:
    """All the past, page by page."""
    roll, end = Roll(), None
    while True:
        page = room.past((), end, limit)
        roll.add(page.marks, past=True)
        if page.ended or page.start is None:
            return roll
        end = page.start + 1


def detail_of(room: StoreInvocations, invocation: Invocation, now: int) -> Detail:
    """The last that is said of one."""
    *_, found = room.detail(invocation, now)
    return found


def test_what_ran(cloud: Cloud, pay: Pay) -> None:
    """A cold failure with its lines and its dead letter, a warm one, one that worked: read back with small pages too."""
    (first, second) = pay.fail({"id": "o-1"}, {"id": "o-2"})
    pay.repair()
    answer = pay.client.invoke(FunctionName="pay", Payload=b'{"id": "o-3"}')
    room = StoreInvocations(cloud)
    now = cloud.clock.now_ms()
    roll = everything(room, 7)
    assert roll.newest_first() == everything(room, 1000).newest_first()
    worked, *failed = roll.newest_first()
    assert (worked.request_id, worked.status(now)) == (answer["ResponseMetadata"]["RequestId"], "ok")
    assert {one.request_id for one in failed} == {first, second}
    assert {one.error_type for one in failed} == {"Declined"}
    cold = roll.find(first)
    assert cold is not None
    assert cold.cold
    assert cold.report is not None
    assert cold.report.memory_mb == 128
    detail = detail_of(room, cold, now)
    assert [(child.kind, child.name) for child in detail.children or ()] == [("dead letter", "pay-dlq")]
    own = [line.message for line in detail.lines]
    assert any("Declined" in message for message in own)
    assert not any(second in message for message in own)
    assert detail_of(room, worked, now).children == []


def test_what_a_function_set_off_elsewhere(cloud: Cloud, pay: Pay) -> None:
    """Another function's lines that bear an invocation's trace are its child's."""
    pay.repair()
    pay.client.invoke(FunctionName="pay", Payload=b"{}")
    (parent,) = everything(StoreInvocations(cloud), 100).newest_first()
    last = parent.last
    assert last is not None
    trace, child = "1-5759e988-bd862e3fe1be46a994272793", "11111111-2222-3333-4444-555555555555"
    for group, stream, request in (
        (parent.group, last.stream, parent.request_id),
        ("/aws/lambda/ship", "s", child),
    ):
        if group != parent.group:
            cloud.logs.create_log_group(logGroupName=group)
            cloud.logs.create_log_stream(logGroupName=group, logStreamName=stream)
        message = f'{{"message":"m","xray_trace_id":"{trace}","requestId":"{request}"}}'
        event = {"timestamp": last.began, "message": message}
        cloud.logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])  # type: ignore[list-item]
    detail = detail_of(StoreInvocations(cloud), parent, cloud.clock.now_ms())
    assert [(one.kind, one.name, one.request_id) for one in detail.children or ()] == [
        ("invocation", "ship", child)
    ]


def test_following_hands_over_marks(cloud: Cloud, pay: Pay) -> None:
    """What runs while it is followed comes as marks, until it is told to stop."""
    stop = threading.Event()
    got: list[Mark] = []
    since = cloud.clock.now_ms()
    pay.fail({"id": "o-1"})

    def deliver(marks: list[Mark], notes: list[str]) -> None:
        got.extend(marks)
        if any(mark.kind == "report" for mark in got):
            stop.set()

    StoreInvocations(cloud).follow((), since, deliver, stop, unexpected)
    assert [mark.kind for mark in got][:1] == ["start"]
    assert {"error", "end", "report"} <= {mark.kind for mark in got}


def test_what_was_throttled(cloud: Cloud, pay: Pay) -> None:
    """Refused requests are known by their ids, from a time on."""
    pay.client.put_function_concurrency(FunctionName="pay", ReservedConcurrentExecutions=0)
    with pytest.raises(pay.client.exceptions.TooManyRequestsException) as refused:
        pay.client.invoke(FunctionName="pay", Payload=b"{}")
    (found,) = StoreInvocations(cloud).refused(0)
    assert (found.group, found.request_id) == (
        "/aws/lambda/pay",
        refused.value.response["ResponseMetadata"]["RequestId"],
    )
    assert StoreInvocations(cloud).refused(found.at + 1) == []
