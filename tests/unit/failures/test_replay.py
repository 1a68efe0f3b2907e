"""Replay, over real failures of a real function and of queues."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.deadletter import DeadLetter, DeadLetters
from lambdalog.errors import ReplayError
from lambdalog.failures import Desk, Destination, Pace, Setting, where
from lambdalog.failures.journal import Change
from tests.unit.failures.conftest import Moved

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud
    from lambdalog.failures import Run, Step
    from tests.unit.failures.conftest import Pay


def ids(bodies: list[str]) -> list[int]:
    """The ids in bodies."""
    return sorted(json.loads(body)["id"] for body in bodies)


def begin(desk: Desk, queue: str = "pay-dlq", **options: Any) -> Run:
    """A run of a whole queue."""
    return desk.begin(desk.plan(queue, **options))


def test_what_succeeds_is_deleted_and_what_fails_is_kept(pay: Pay, desk: Desk) -> None:
    """After the repair two of three succeed; the third is in the queue, and can be received at once."""
    pay.fail({"id": 1}, {"id": 2, "fail": "always"}, {"id": 3})
    pay.repair()
    planned = desk.plan("pay-dlq")
    assert [(group.type, group.count) for group in planned.by_fingerprint()] == [("Declined", 3)]
    seen: list[Step] = []
    result = desk.run(desk.begin(planned).id, progress=seen.append)
    assert (result.counts, result.clean) == ({"acked": 2, "failed": 1}, False)
    assert ("failed", "Declined: order 2 declined") in [(step.state, step.detail) for step in seen]
    assert [(step.done, step.total) for step in seen] == [(1, 3), (2, 3), (3, 3)]
    assert ids(pay.left()) == [2]
    assert len(pay.cloud.sqs.receive_message(QueueUrl=pay.url)["Messages"]) == 1


def test_a_plan_does_nothing(pay: Pay, desk: Desk, cloud: Cloud) -> None:
    """Deciding invokes nothing, leaves the queue as it was, and makes no journal."""
    pay.fail({"id": 1})
    desk.plan("pay-dlq")
    assert ids(pay.left()) == [1]
    assert cloud.root is not None
    assert not (cloud.root / "replay.sqlite").exists()


def test_the_set_is_frozen(pay: Pay, desk: Desk) -> None:
    """What arrives after the decision is not touched, though it is of the same kind, even while the run goes on."""
    pay.fail({"id": 1}, {"id": 2})
    run = begin(desk)
    pay.fail({"id": 3})
    pay.repair()

    def arrive(step: Step) -> None:
        if step.done == 1:
            DeadLetters(pay.cloud.sqs).send("pay-dlq", DeadLetter('{"id": 4}', "r-4", "order 4 declined"))

    assert desk.run(run.id, progress=arrive).counts == {"acked": 2}
    assert ids(pay.left()) == [3, 4]
    untouched = pay.cloud.sqs.receive_message(
        QueueUrl=pay.url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    )["Messages"]
    assert {message["Attributes"]["ApproximateReceiveCount"] for message in untouched} == {"1"}


def test_only_the_chosen_group_is_replayed(pay: Pay, desk: Desk) -> None:
    """A fingerprint, or its beginning, narrows the set to just that."""
    pay.fail({"id": 1}, {"id": 2, "fail": "other"})
    pay.repair()
    chosen = next(group for group in desk.groups() if group.type == "LookupError")
    assert desk.run(begin(desk, where=where([chosen.fingerprint[:8]])).id).counts == {"acked": 1}
    assert ids(pay.left()) == [1]


def test_it_stops_after_so_many_failures_and_goes_on(pay: Pay, desk: Desk) -> None:
    """The rest stays planned; taken up, the same run takes just the rest."""
    pay.fail(*({"id": number} for number in range(5)))
    run = begin(desk)
    first = desk.run(run.id, pace=Pace(stop_after=2))
    assert (first.counts, first.stopped) == ({"failed": 2, "planned": 3}, "stopped after 2 failures")
    pay.repair()
    assert desk.run(run.id).counts == {"failed": 2, "acked": 3}
    assert len(pay.left()) == 2


def test_a_failed_canary_stops_the_run(pay: Pay, desk: Desk) -> None:
    """One is tried, the others are not."""
    pay.fail(*({"id": number} for number in range(4)))
    run = desk.begin(desk.plan("pay-dlq"), pace=Pace(canary=1))
    result = desk.run(run.id)
    assert (result.counts, result.stopped) == ({"failed": 1, "planned": 3}, "the canary failed")
    assert len(pay.left()) == 4


def test_a_share_of_failures_stops_at_the_end_of_a_stage(pay: Pay, desk: Desk) -> None:
    """Of stages of one and two, two failed."""
    pay.fail(
        {"id": 0}, *({"id": number, "fail": "always"} for number in range(1, 3)), *({"id": n} for n in (3, 4))
    )
    pay.repair()
    result = desk.run(begin(desk).id, pace=Pace(canary=1, stop_share=0.5))
    assert result.counts == {"acked": 1, "failed": 2, "planned": 2}


def test_invocations_run_side_by_side(pay: Pay, desk: Desk) -> None:
    """As many at once as asked for; all are accounted for."""
    pay.fail(*({"id": number} for number in range(6)))
    pay.repair()
    assert desk.run(begin(desk).id, pace=Pace(at_once=3)).counts == {"acked": 6}
    assert pay.left() == []


def test_an_item_that_was_sent_and_not_noted_is_in_doubt(pay: Pay, desk: Desk) -> None:
    """It is shown, not sent again by the same run nor by a new one, until somebody says so."""
    pay.fail({"id": 1}, {"id": 2})
    pay.repair()
    run = begin(desk)
    desk.journal.advance(run, [Change(desk.items(run.id)[0], "sent", "pay")], 0)
    assert desk.run(run.id).counts == {"in-doubt": 1, "acked": 1}
    assert ids(pay.left()) == [1]
    again = desk.plan("pay-dlq")
    assert again.letters == ()
    assert f"in doubt since run {run.id}" in again.left[0].reason
    second = begin(desk, in_doubt=True)
    assert desk.run(second.id).counts == {"acked": 1}
    assert desk.result(run.id).counts == {"resent": 1, "acked": 1}
    assert pay.left() == []


def test_what_another_run_sent_is_not_sent_again(pay: Pay, desk: Desk) -> None:
    """Two runs of the same messages: where a lease ran out and both hold one, the journal lets one send it."""
    pay.fail({"id": 1})
    pay.repair()
    first, second = begin(desk), begin(desk)
    desk.journal.advance(first, [Change(desk.items(first.id)[0], "sent", "pay")], 0)
    assert desk.run(second.id).counts == {"gone": 1}
    assert f"is sent in run {first.id}" in desk.items(second.id)[0].detail
    assert ids(pay.left()) == [1]


def test_a_broken_off_run_gives_everything_back(pay: Pay, desk: Desk) -> None:
    """An exception in the middle: what was leased is visible again at once, and the run can be taken up."""
    pay.fail(*({"id": number} for number in range(4)))
    pay.repair()
    run = begin(desk)

    def interrupt(step: Step) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.run(run.id, progress=interrupt)
    assert len(pay.left()) == 3
    received = pay.cloud.sqs.receive_message(QueueUrl=pay.url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    assert len(received["Messages"]) == 3
    assert desk.journal.run(run.id).stopped == "broken off"
    assert desk.run(run.id).counts == {"acked": 4}


def test_cancelling_finishes_what_is_being_sent(pay: Pay, desk: Desk) -> None:
    """The rest stays planned, nothing is in doubt."""
    pay.fail(*({"id": number} for number in range(3)))
    pay.repair()
    run, cancel = begin(desk), threading.Event()
    result = desk.run(run.id, cancel=cancel, progress=lambda _: cancel.set())
    assert (result.counts, result.stopped) == ({"acked": 1, "planned": 2}, "cancelled")
    assert desk.run(run.id).counts == {"acked": 3}


def test_two_replays_share_no_item(pay: Pay, desk: Desk) -> None:
    """While one run holds the items, another finds them gone, and nothing is invoked twice."""
    pay.fail({"id": 1}, {"id": 2})
    pay.repair()
    first, second = begin(desk), begin(desk)
    counts: list[Any] = []

    def other(step: Step) -> None:
        if not counts:
            counts.append(desk.run(second.id).counts)

    assert desk.run(first.id, progress=other).counts == {"acked": 2}
    assert counts == [{"gone": 2}]


def test_one_run_is_worked_on_by_one(pay: Pay, desk: Desk) -> None:
    """A second go at a run that is under way is refused."""
    pay.fail({"id": 1}, {"id": 2})
    run = begin(desk)
    steps = desk.steps(run.id)
    next(steps)
    with pytest.raises(ReplayError, match="is being worked on"):
        desk.run(run.id)
    steps.close()


def test_items_can_go_to_another_function_or_alias(pay: Pay, desk: Desk) -> None:
    """--to names who gets the events instead; the handler finds the replay id in its client context."""
    pay.fail({"id": 1})
    pay.repair()
    version = pay.client.publish_version(FunctionName="pay")["Version"]
    pay.client.create_alias(FunctionName="pay", Name="live", FunctionVersion=version)
    seen: list[Step] = []
    run = begin(desk, destination=Destination("function", "pay:live"))
    assert desk.run(run.id, progress=seen.append).counts == {"acked": 1}
    assert seen[0].detail.startswith("pay:live ")


def test_an_unknown_function_fails_and_keeps_the_message(pay: Pay, desk: Desk) -> None:
    """Lambda's own words are the detail."""
    pay.fail({"id": 1})
    run = begin(desk, destination=Destination("function", "nobody"))
    assert desk.run(run.id).counts == {"failed": 1}
    assert "Function not found" in desk.items(run.id)[0].detail
    assert ids(pay.left()) == [1]


def test_edited_events_are_sent_and_the_messages_stay_as_they_are(pay: Pay, desk: Desk) -> None:
    """`--set` changes what is sent; what can't be set is left alone, with the reason; before and after are in the audit."""
    pay.fail({"id": 1, "fail": "always"}, {"id": 2, "fail": "always", "deep": {}})
    pay.repair()
    planned = desk.plan("pay-dlq", settings=[Setting("fail=no"), Setting("deep.x=1")])
    assert [left.reason for left in planned.left] == ["deep.x=1: there is no deep"]
    run = desk.begin(planned)
    assert desk.run(run.id).counts == {"acked": 1}
    (line,) = [line for line in desk.audit(run=run.id) if line.action == "edited"]
    assert json.loads(line.detail["from"])["fail"] == "always"
    assert json.loads(line.detail["to"]) == {"id": 2, "fail": "no", "deep": {"x": 1}}
    assert ids(pay.left()) == [1]


def test_a_failed_edit_keeps_the_original(pay: Pay, desk: Desk) -> None:
    """What was sent was the edited event; what stays is the message as it was."""
    pay.fail({"id": 1})
    planned = desk.edit(desk.plan("pay-dlq"), lambda found: '{"id": 77}')
    run = desk.begin(planned)
    assert desk.run(run.id).counts == {"failed": 1}
    assert "order 77 declined" in desk.items(run.id)[0].detail
    assert pay.left() == ['{"id": 1}']


def test_what_cannot_be_sent_is_left_alone_with_a_reason(pay: Pay, desk: Desk, cloud: Cloud) -> None:
    """Bodies that a function can't take, and letters whose function can't be told."""
    cloud.sqs.send_message(QueueUrl=pay.url, MessageBody="no JSON")
    cloud.sqs.create_queue(QueueName="x-dlq")
    DeadLetters(cloud.sqs).send("x-dlq", DeadLetter("{}", "r"))
    assert [left.reason for left in desk.plan("pay-dlq").left] == [
        "a function takes only JSON, and this is none"
    ]
    assert "name the function with --to" in desk.plan("x-dlq").left[0].reason
    assert len(desk.plan("x-dlq", destination=Destination("function", "pay")).letters) == 1


class Heard:
    """A clock that notes how long somebody slept."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self.slept: list[float] = []
        self._passed = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clock, name)

    def monotonic(self) -> float:
        """Only sleeping takes time."""
        return self._passed

    def sleep(self, seconds: float) -> None:
        """Note it."""
        self.slept.append(seconds)
        self._passed += seconds


def test_the_rate_is_kept(pay: Pay, cloud: Cloud) -> None:
    """Between two items there is the time that the rate leaves; before the first there is none."""
    pay.fail({"id": 1}, {"id": 2}, {"id": 3})
    pay.repair()
    clock = Heard(cloud.clock)
    cloud.clock = clock
    with Desk(cloud) as desk:
        assert desk.run(begin(desk).id, pace=Pace(rate=4)).counts == {"acked": 3}
    assert clock.slept == [0.25, 0.25]


def test_what_is_throttled_is_tried_again(pay: Pay, cloud: Cloud) -> None:
    """A refusal for too many requests is no failure: it waits 1 s, then 2, and nothing is in doubt meanwhile."""
    pay.fail({"id": 1})
    pay.repair()
    clock = Heard(cloud.clock)
    cloud.clock = clock
    pay.client.put_function_concurrency(FunctionName="pay", ReservedConcurrentExecutions=0)
    states: list[str] = []

    def sleep(seconds: float) -> None:
        states.append(desk.items(run.id)[0].state)
        if len(states) == 2:
            pay.client.delete_function_concurrency(FunctionName="pay")
        Heard.sleep(clock, seconds)

    clock.sleep = sleep  # type: ignore[method-assign]
    with Desk(cloud) as desk:
        run = begin(desk)
        assert desk.run(run.id).counts == {"acked": 1}
    assert (clock.slept, states) == ([1.0, 2.0], ["leased", "leased"])


def test_a_run_that_is_not_known(desk: Desk) -> None:
    """Resuming what never was is an error."""
    with pytest.raises(ReplayError, match="there is no replay nope"):
        desk.run("nope")


# --- queues and files


def test_moved_messages_go_back_to_their_queue(moved: Moved, desk: Desk) -> None:
    """Body and attributes as they were, a replay id with them; the dead-letter queue is empty after it."""
    moved.fail("a", "b", "no JSON \u2713")
    assert desk.run(begin(desk, "work-dlq").id).counts == {"acked": 3}
    assert moved.bodies(moved.dead) == []
    received = moved.sqs.receive_message(
        QueueUrl=moved.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=60
    )["Messages"]
    assert sorted(message["Body"] for message in received) == ["a", "b", "no JSON \u2713"]
    for message in received:
        assert message["MessageAttributes"]["n"]["BinaryValue"] == b"\x00\xff"
        assert message["MessageAttributes"]["LambdalogReplayId"]["StringValue"].startswith("replay-")


def test_a_fifo_queue_gets_a_fresh_deduplication_id_and_the_old_group(cloud: Cloud, desk: Desk) -> None:
    """With the old id it would be swallowed for five minutes; order within a group stays."""
    moved = Moved(cloud, fifo=True)
    moved.fail("a0", "b0", "a1", "b1")
    assert desk.run(begin(desk, moved.dlq).id).counts == {"acked": 4}
    assert moved.bodies(moved.dead) == []
    back = moved.sqs.browse_messages(QueueUrl=moved.url)
    system = [json.loads(looked.system) for looked in back]
    assert {looked.body for looked in back} == {"a0", "a1", "b0", "b1"}
    for group in ("g0", "g1"):
        bodies = [x.body for x, told in zip(back, system, strict=True) if told["MessageGroupId"] == group]
        assert bodies == sorted(bodies)
    assert all(told["MessageDeduplicationId"].startswith("replay-") for told in system)


def test_messages_can_go_to_another_queue_and_to_a_file(moved: Moved, desk: Desk, tmp_path: Path) -> None:
    """Each leaves its queue only when the other has it; a line that a crash left half written spoils no other."""
    moved.fail("a", "b")
    moved.sqs.create_queue(QueueName="else")
    run = begin(desk, "work-dlq", where=where(["body=a"]), destination=Destination("queue", "else"))
    assert desk.run(run.id).counts == {"acked": 1}
    file = tmp_path / "out.jsonl"
    file.write_bytes(b'{"half')
    run = begin(desk, "work-dlq", destination=Destination("file", str(file)))
    assert desk.run(run.id).counts == {"acked": 1}
    half, line = file.read_bytes().splitlines()
    assert (half, json.loads(line)["body"]) == (b'{"half', "b")
    assert moved.bodies(moved.dead) == []


def test_a_function_gets_a_moved_message_as_lambda_would_give_it(pay: Pay, moved: Moved, desk: Desk) -> None:
    """--to FUNCTION of what SQS moved: an event with one record."""
    pay.repair()
    moved.fail("a")
    run = begin(desk, "work-dlq", destination=Destination("function", "pay"))
    assert desk.run(run.id).counts == {"acked": 1}


def test_a_discard_deletes_the_frozen_set_for_a_reason(moved: Moved, desk: Desk) -> None:
    """Each is in the audit with the reason; what arrives meanwhile stays; without a reason nothing begins."""
    moved.fail("a", "b", "c")
    planned = desk.plan_discard("work-dlq", where=where(["body!=c"]))
    with pytest.raises(ReplayError, match="reason"):
        desk.begin_discard(planned, reason=" ")
    run = desk.begin_discard(planned, reason="duplicates")
    moved.sqs.send_message(QueueUrl=moved.dead, MessageBody="a")
    assert desk.run(run.id).counts == {"discarded": 2}
    assert sorted(moved.bodies(moved.dead)) == ["a", "c"]
    lines = [line for line in desk.audit(run=run.id) if line.action == "discarded"]
    assert [line.detail["detail"] for line in lines] == ["duplicates", "duplicates"]
    assert all("@" in line.actor for line in lines)


def test_a_group_whose_replay_succeeded_is_resolved_and_regresses(pay: Pay, desk: Desk) -> None:
    """What fails so again after it has regressed."""
    pay.fail({"id": 1})
    (group,) = desk.groups()
    assert group.status == "new"
    pay.repair()
    desk.run(begin(desk).id)
    pay.fail({"id": 2, "fail": "always"})
    (group,) = desk.groups()
    assert group.status == "regressed"
    desk.mute(group.fingerprint, seconds=60, reason="known")
    assert desk.groups()[0].status == "muted"
    assert desk.reopen(group.fingerprint)
    assert not desk.reopen(group.fingerprint)
    desk.resolve(group.fingerprint)
    assert desk.groups(statuses=["resolved"])[0].count == 1
    assert [line.action for line in desk.audit() if not line.run] == ["muted", "reopened", "resolved"]


def test_export_and_import_keep_every_byte(moved: Moved, desk: Desk) -> None:
    """Bodies, attributes and binary values; the queue is as it was after an export."""
    odd = ["a\u2028b", '{"x": 1.0}\r\n\t', "\U0001f600"]
    moved.fail(*odd)
    lines = list(desk.export("work-dlq"))
    assert len(moved.bodies(moved.dead)) == 3
    other = moved.sqs.create_queue(QueueName="other")["QueueUrl"]
    *_, state = desk.import_("other", lines)
    assert (state.sent, state.refused) == (3, [])
    received = moved.sqs.receive_message(
        QueueUrl=other, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )["Messages"]
    assert sorted(message["Body"] for message in received) == sorted(odd)
    assert {message["MessageAttributes"]["n"]["BinaryValue"] for message in received} == {b"\x00\xff"}
    assert [line.action for line in desk.audit()] == ["export", "import"]


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"body": 3}', b'{"format": 9, "body": ""}', b'{"x": "y"}'])
def test_a_line_that_is_no_message_ends_an_import(moved: Moved, desk: Desk, line: bytes) -> None:
    """It is named by its number; what came before it was sent in whole batches or not at all."""
    with pytest.raises(ReplayError, match="line 2 is no exported message"):
        list(desk.import_("work", [b'{"body": "a"}\n', line]))
    assert moved.bodies(moved.url) == []
