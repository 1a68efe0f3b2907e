"""Queues against small models of what can be received when, with redrive, in any order of operations."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lambdalog.clock import ManualClock
from tests.unit.local.sqs.conftest import Desk

RECEIVES = 3
VISIBILITY_MS = 10_000


class Queues(RuleBasedStateMachine):
    """What both machines have: a clock, a queue, its dead-letter queue."""

    name, dead_name = "q", "dead"

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.desk = Desk(Path(self.folder.name), self.clock)
        self.url = self.desk.queue(self.name, VisibilityTimeout=str(VISIBILITY_MS // 1000))
        self.dead = self.desk.queue(self.dead_name)
        self.desk.redrive(self.url, self.dead_name, RECEIVES)
        self.handles: dict[str, str] = {}
        self.buried: set[str] = set()
        self.number = 0

    def teardown(self) -> None:
        """Let go of the files."""
        self.desk.sqs.close()
        self.folder.cleanup()

    @property
    def now(self) -> int:
        """Epoch ms."""
        return self.clock.now_ms()

    @rule(seconds=st.sampled_from([1, 4, 11]))
    def advance(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    @invariant()
    def nothing_is_lost(self) -> None:
        """What was sent and not deleted lies in the queue or in its dead-letter queue, once."""
        here, there = self.desk.look(self.url), self.desk.look(self.dead)
        assert sorted(here) == sorted(self.alive())
        assert sorted(there) == sorted(self.buried)

    def alive(self) -> list[str]:
        """The messages that the queue has, by the model."""
        raise NotImplementedError


class StandardQueue(Queues):
    """A standard queue: what is visible is given out, whatever its order."""

    def __init__(self) -> None:
        super().__init__()
        # Body → (when it is visible, how often it was received)
        self.messages: dict[str, tuple[int, int]] = {}

    def alive(self) -> list[str]:
        """All bodies."""
        return list(self.messages)

    @rule(delay=st.sampled_from([0, 0, 3]), large=st.booleans())
    def send(self, delay: int, large: bool) -> None:
        """Send one message, small or large."""
        body = f"m{self.number}" + "x" * (1000 if large else 0)
        self.number += 1
        self.desk.sqs.send_message(QueueUrl=self.url, MessageBody=body, DelaySeconds=delay)
        self.messages[body] = (self.now + delay * 1000, 0)

    @rule(count=st.integers(1, 10))
    def receive(self, count: int) -> None:
        """What is visible and was not received too often, up to `count`; what was, and is met, is buried."""
        visible = {body: times for body, (at, times) in self.messages.items() if at <= self.now}
        messages = self.desk.receive(self.url, count)
        got = {message["Body"] for message in messages}
        fresh = {body for body, times in visible.items() if times < RECEIVES}
        assert len(got) == len(messages) == min(count, len(fresh))
        assert got <= fresh
        for message in messages:
            body = message["Body"]
            assert message["Attributes"]["ApproximateReceiveCount"] == str(visible[body] + 1)
            self.messages[body] = (self.now + VISIBILITY_MS, visible[body] + 1)
            self.handles[body] = message["ReceiptHandle"]
        for body in self.desk.look(self.dead):
            if body in self.messages:
                assert self.messages.pop(body)[1] == RECEIVES
                self.handles.pop(body, None)
                self.buried.add(body)

    @precondition(lambda self: self.handles)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Delete with the newest handle: it is gone."""
        body = data.draw(st.sampled_from(sorted(self.handles)))
        self.desk.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=self.handles.pop(body))
        self.messages.pop(body)

    @precondition(lambda self: self.handles)
    @rule(data=st.data(), seconds=st.sampled_from([0, 5, 20]))
    def hide(self, data: st.DataObject, seconds: int) -> None:
        """Change the visibility by the newest handle, whether or not it ran out."""
        body = data.draw(st.sampled_from(sorted(self.handles)))
        self.desk.sqs.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=self.handles[body], VisibilityTimeout=seconds
        )
        self.messages[body] = (self.now + seconds * 1000, self.messages[body][1])

    @invariant()
    def counts_agree(self) -> None:
        """The counts are the model's."""
        visible, flying, delayed = self.desk.counts(self.url)
        assert visible == sum(at <= self.now for at, _ in self.messages.values())
        assert flying == sum(at > self.now and times > 0 for at, times in self.messages.values())
        assert delayed == sum(at > self.now and times == 0 for at, times in self.messages.values())


class Waiting:
    """A message of a group, in the model."""

    def __init__(self, body: str, at: int) -> None:
        self.body = body
        self.visible_at = at
        self.times = 0


class FifoQueue(Queues):
    """A FIFO queue: a group gives what is before its first hidden message, in order."""

    name, dead_name = "q.fifo", "dead.fifo"

    def __init__(self) -> None:
        super().__init__()
        self.groups: dict[str, list[Waiting]] = {}

    def alive(self) -> list[str]:
        """All bodies."""
        return [message.body for group in self.groups.values() for message in group]

    @rule(group=st.sampled_from("abc"))
    def send(self, group: str) -> None:
        """Send one message."""
        body = f"m{self.number}"
        self.number += 1
        self.desk.send(self.url, body, group=group)
        self.groups.setdefault(group, []).append(Waiting(body, self.now))

    @precondition(lambda self: self.number)
    @rule(data=st.data(), group=st.sampled_from("abc"))
    def send_again(self, data: st.DataObject, group: str) -> None:
        """A duplicate is accepted and not kept, as long as five minutes have not passed."""
        if self.now - 1_700_000_000_000 < 290_000:
            self.desk.send(self.url, f"m{data.draw(st.integers(0, self.number - 1))}", group=group)

    @rule(count=st.integers(1, 10))
    def receive(self, count: int) -> None:
        """Each group gives a run from its front; what was received too often is buried on the way."""
        got = self.desk.receive(self.url, count)
        expected: dict[str, list[Waiting]] = {}
        for name, group in self.groups.items():
            run: list[Waiting] = []
            for message in group:
                if message.visible_at > self.now:
                    break
                run.append(message)
            expected[name] = run
        taken = [message["Body"] for message in got]
        there = set(self.desk.look(self.dead))
        left = count
        for name, run in expected.items():
            mine = [message for message in run if message.body in taken]
            order = [message.body for message in run if message.times < RECEIVES]
            assert [message.body for message in mine] == order[: len(mine)]
            for message in mine:
                assert got[taken.index(message.body)]["Attributes"]["ApproximateReceiveCount"] == str(
                    message.times + 1
                )
                message.times += 1
                message.visible_at = self.now + VISIBILITY_MS
                self.handles[message.body] = got[taken.index(message.body)]["ReceiptHandle"]
                left -= 1
            for message in [message for message in run if message.body in there]:
                assert message.times == RECEIVES
                self.groups[name].remove(message)
                self.handles.pop(message.body, None)
                self.buried.add(message.body)
        available = sum(
            message.times < RECEIVES or message.body in taken for run in expected.values() for message in run
        )
        assert len(taken) == min(count, available)

    @precondition(lambda self: self.handles)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """A handle deletes while it holds; later it has expired."""
        body = data.draw(st.sampled_from(sorted(self.handles)))
        group, message = self._find(body)
        handle = self.handles.pop(body)
        if message.visible_at > self.now:
            self.desk.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=handle)
            self.groups[group].remove(message)
        else:
            with pytest.raises(ClientError, match="The receipt handle has expired"):
                self.desk.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=handle)

    @precondition(lambda self: self.handles)
    @rule(data=st.data(), seconds=st.sampled_from([0, 5, 20]))
    def hide(self, data: st.DataObject, seconds: int) -> None:
        """Change the visibility by the newest handle."""
        body = data.draw(st.sampled_from(sorted(self.handles)))
        self.desk.sqs.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=self.handles[body], VisibilityTimeout=seconds
        )
        self._find(body)[1].visible_at = self.now + seconds * 1000

    def _find(self, body: str) -> tuple[str, Waiting]:
        return next(
            (name, message)
            for name, group in self.groups.items()
            for message in group
            if message.body == body
        )


MACHINES: list[Any] = [StandardQueue, FifoQueue]


@pytest.mark.parametrize("machine", MACHINES)
def test_queues_are_as_their_model(machine: Any) -> None:
    """A short run."""
    short = settings(max_examples=12, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(machine, settings=short)


@pytest.mark.long
@pytest.mark.parametrize("machine", MACHINES)
def test_queues_are_as_their_model_for_long(machine: Any) -> None:
    """A long run."""
    long = settings(max_examples=600, stateful_step_count=60, deadline=None)
    run_state_machine_as_test(machine, settings=long)
