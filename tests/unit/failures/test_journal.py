"""What the journal remembers of a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdalog.failures import Desk, Destination

if TYPE_CHECKING:
    from tests.unit.failures.conftest import Pay


def test_a_failure_tells_which_runs_took_it_up(pay: Pay, desk: Desk) -> None:
    """Each replay stands in its history, with its end and why it failed; another message's history has none of it."""
    pay.fail({"id": 1}, {"id": 2, "fail": "always"})
    pay.repair()
    letter = next(
        letter for letter in desk.plan("pay-dlq").letters if '"always"' in letter.letter.body
    ).letter
    assert desk.detail(letter).runs == ()
    first = desk.begin(desk.plan("pay-dlq"))
    assert desk.journal.history(letter.message_id) == ()
    desk.run(first.id)
    second = desk.begin(desk.plan("pay-dlq"))
    desk.run(second.id)
    told = desk.detail(letter).runs
    assert [(touched.run, touched.kind, touched.state) for touched in told] == [
        (first.id, "replay", "failed"),
        (second.id, "replay", "failed"),
    ]
    assert {touched.detail for touched in told} == {"Declined: order 2 declined"}
    assert told[0].began <= told[1].began


def test_a_discard_is_told_too(pay: Pay, desk: Desk) -> None:
    """Who looks for a message that is no longer in the queue finds the run that discarded it."""
    pay.fail({"id": 1})
    planned = desk.plan("pay-dlq")
    (identity,) = [letter.letter.message_id for letter in planned.letters]
    run = desk.begin_discard(planned, reason="a test order")
    desk.run(run.id)
    assert [(touched.run, touched.kind, touched.state) for touched in desk.journal.history(identity)] == [
        (run.id, "discard", "discarded")
    ]


def test_where_it_was_sent_is_told(pay: Pay, desk: Desk) -> None:
    """A replay to another function names it."""
    pay.fail({"id": 1})
    pay.repair()
    planned = desk.plan("pay-dlq", destination=Destination.parse("function:pay"))
    (identity,) = [letter.letter.message_id for letter in planned.letters]
    desk.run(desk.begin(planned).id)
    assert [touched.target for touched in desk.journal.history(identity)] == ["function:pay"]
