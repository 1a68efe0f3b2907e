"""Replay, over real failures of a real function."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.errors import ReplayError
from lambdalog.failures.journal import Journal
from lambdalog.failures.replay import Replay, plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.cloud import Cloud
    from lambdalog.failures import Inbox
    from lambdalog.failures.journal import Item
    from tests.unit.failures.conftest import Pay


@pytest.fixture
def replay(cloud: Cloud, inbox: Inbox) -> Iterator[Replay]:
    """A replay with its journal in the store."""
    assert cloud.root is not None
    opened = Replay(cloud, inbox, cloud.root)
    yield opened
    opened.close()


def ids(bodies: list[str]) -> list[int]:
    """The ids in bodies."""
    return sorted(json.loads(body)["id"] for body in bodies)


def test_what_succeeds_is_deleted_and_what_fails_is_kept(pay: Pay, inbox: Inbox, replay: Replay) -> None:
    """After the repair two of three succeed; the third is in the queue, and can be received at once."""
    pay.fail({"id": 1}, {"id": 2, "fail": "always"}, {"id": 3})
    pay.repair()
    decided = plan(inbox, "pay-dlq")
    assert [(type_, count) for _, type_, _, count in decided.by_fingerprint()] == [("Declined", 3)]
    seen: list[tuple[str, str]] = []
    result = replay.run(
        replay.begin(decided).id, progress=lambda item, state, detail: seen.append((state, detail))
    )
    assert result.counts == {"acked": 2, "failed": 1}
    assert ("failed", "Declined: order 2 declined") in seen
    assert ids(pay.left()) == [2]
    assert len(pay.cloud.sqs.receive_message(QueueUrl=pay.url)["Messages"]) == 1


def test_a_plan_does_nothing(pay: Pay, inbox: Inbox) -> None:
    """Deciding invokes nothing and leaves the queue as it was."""
    pay.fail({"id": 1})
    plan(inbox, "pay-dlq")
    assert ids(pay.left()) == [1]


def test_the_set_is_frozen(pay: Pay, inbox: Inbox, replay: Replay) -> None:
    """What arrives after the decision is not touched, though it is of the same kind."""
    pay.fail({"id": 1})
    run = replay.begin(plan(inbox, "pay-dlq"))
    pay.fail({"id": 2})
    pay.repair()
    assert replay.run(run.id).counts == {"acked": 1}
    assert ids(pay.left()) == [2]


def test_only_the_chosen_group_is_replayed(pay: Pay, inbox: Inbox, replay: Replay) -> None:
    """A fingerprint, or its beginning, narrows the set to just that."""
    pay.fail({"id": 1}, {"id": 2, "fail": "other"})
    pay.repair()
    chosen = next(group for group in inbox.groups() if group.type == "LookupError")
    decided = plan(inbox, "pay-dlq", fingerprint=chosen.fingerprint[:8])
    assert replay.run(replay.begin(decided).id).counts == {"acked": 1}
    assert ids(pay.left()) == [1]


def test_it_stops_after_so_many_failures_and_goes_on(pay: Pay, inbox: Inbox, replay: Replay) -> None:
    """The rest stays planned; resumed, the same run takes just the rest."""
    pay.fail(*({"id": number} for number in range(5)))
    run = replay.begin(plan(inbox, "pay-dlq"))
    first = replay.run(run.id, stop_after=2)
    assert first.counts == {"failed": 2, "planned": 3}
    assert first.stopped
    pay.repair()
    assert replay.run(run.id).counts == {"failed": 2, "acked": 3}
    assert len(pay.left()) == 2


def test_an_item_that_was_sent_and_not_noted_is_in_doubt(
    pay: Pay, inbox: Inbox, replay: Replay, cloud: Cloud
) -> None:
    """A crash between the invocation and its note is shown, and not sent again by itself."""
    pay.fail({"id": 1}, {"id": 2})
    pay.repair()
    run = replay.begin(plan(inbox, "pay-dlq"))
    assert cloud.root is not None
    journal = Journal(cloud.root)
    journal.note(run.id, journal.items(run.id)[0], "sent", "pay", 0)
    journal.close()
    assert replay.run(run.id).counts == {"in-doubt": 1, "acked": 1}
    assert ids(pay.left()) == [1]


def test_a_broken_off_run_gives_everything_back(pay: Pay, inbox: Inbox, replay: Replay) -> None:
    """Ctrl-C in the middle: what was leased is visible again at once, and the run can be resumed."""
    pay.fail(*({"id": number} for number in range(4)))
    pay.repair()
    run = replay.begin(plan(inbox, "pay-dlq"))

    def interrupt(item: Item, state: str, detail: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay.run(run.id, progress=interrupt)
    assert len(pay.left()) == 3
    received = pay.cloud.sqs.receive_message(QueueUrl=pay.url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    assert len(received["Messages"]) == 3
    assert replay.run(run.id).counts == {"acked": 4}


def test_two_replays_share_no_item(pay: Pay, inbox: Inbox, replay: Replay) -> None:
    """While one run holds an item, another finds it gone, and nothing is invoked twice."""
    pay.fail({"id": 1}, {"id": 2})
    pay.repair()
    first, second = (replay.begin(plan(inbox, "pay-dlq")) for _ in range(2))
    counts: Counter[str] = Counter()

    def other(item: Item, state: str, detail: str) -> None:
        if not counts:
            counts.update(replay.run(second.id).counts)

    assert replay.run(first.id, progress=other).counts == {"acked": 2}
    assert counts == {"gone": 2}


def test_items_can_go_to_another_function(pay: Pay, inbox: Inbox, replay: Replay) -> None:
    """--to names who gets the events instead."""
    pay.fail({"id": 1})
    pay.client.create_function(
        FunctionName="other",
        Role="arn:aws:iam::000000000000:role/r",
        Runtime="python3.11",
        Handler="app.handler",
        Environment={"Variables": {"WORKS": "yes"}},
        Code={
            "S3Bucket": "local-folder",
            "S3Key": pay.client.get_function(FunctionName="pay")["Code"]["Location"][7:],
        },
    )
    result = replay.run(replay.begin(plan(inbox, "pay-dlq", target="other")).id)
    assert result.counts == {"acked": 1}


def test_the_rate_is_kept(pay: Pay, inbox: Inbox, cloud: Cloud) -> None:
    """Between items there is the time that the rate leaves."""
    pay.fail({"id": 1}, {"id": 2})
    pay.repair()
    slept: list[float] = []

    class Clock:
        """The system's, with sleep written down."""

        now_ms = staticmethod(cloud.clock.now_ms)

        def sleep(self, seconds: float) -> None:
            """Note it."""
            slept.append(seconds)

    clock: Any = Clock()
    assert cloud.root is not None
    replay = Replay(cloud, inbox, cloud.root, clock=clock)
    replay.run(replay.begin(plan(inbox, "pay-dlq")).id, rate=4)
    replay.close()
    assert slept == [0.25, 0.25]


def test_a_run_that_is_not_known(replay: Replay) -> None:
    """Resuming what never was is an error."""
    with pytest.raises(ReplayError, match="there is no replay nope"):
        replay.run("nope")
