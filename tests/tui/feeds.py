"""A feed whose data is made up, and which notes what it was asked to do."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lambdalog.failure import Failure
from lambdalog.failures import Detail, Step
from lambdalog.failures.plan import Count
from lambdalog.invocations import mark_of
from lambdalog.tail.streams import Stream, Streams, newest_of
from lambdalog.tail.wanted import stream_matcher
from tests.tui.made import function_of, ran
from tui.feed import invocations as detail
from tui.feed.failures import Planned
from tui.feed.functions import About, Answer, Function, Sample
from tui.feed.invocations import Past
from tui.feed.logs import Bar, Query, from_lines
from tui.feed.queues import Look, Message, Queue, Subscription, Task, Topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lambdalog.failures.groups import Group
    from lambdalog.failures.journal import State
    from lambdalog.failures.letter import Letter
    from lambdalog.invocations import Invocation, Mark
    from lambdalog.tail import Line
    from tui.feed.invocations import Child, Refusal


def unexpected(error: Exception) -> None:
    """Raise what a source told of that should have had nothing to tell."""
    raise error


class MockLogs:
    """Hands over what it is given, as a store would: in order, by time, filtered."""

    def __init__(self, past: list[Line]) -> None:
        self.past = past
        self.coming = Broadcast(self._write)
        self._handed = 0
        self._handing = threading.Lock()
        self.notes: queue.Queue[list[str]] = queue.Queue()
        self.fail_with: Exception | None = None
        self.fail_streams_with: Exception | None = None
        self.asked: list[Query] = []
        self.asked_streams: list[tuple[str, ...]] = []
        self.more_streams = False

    def _write(self, lines: list[Line]) -> None:
        self.past.extend(lines)

    def _found(self, query: Query, start: int | None, end: int | None) -> list[Line]:
        if self.fail_with is not None:
            raise self.fail_with
        self.asked.append(query)
        return sorted(
            one
            for one in self.past
            if (not query.groups or one.group in query.groups)
            and (not query.streams or stream_matcher(query.streams)(one.stream))
            and (query.pattern is None or query.pattern.matches(one.message))
            and all(low is None or one.timestamp >= low for low in (start, query.start))
            and all(high is None or one.timestamp < high for high in (end, query.end))
        )

    def groups(self) -> list[str]:
        """The groups of all lines."""
        return sorted({one.group for one in self.past})

    def streams(self, groups: tuple[str, ...]) -> Streams:
        """Those of all lines."""
        self.asked_streams.append(groups)
        if self.fail_streams_with is not None:
            raise self.fail_streams_with
        last: dict[tuple[str, str], int] = {}
        for one in self.past:
            if not groups or one.group in groups:
                last[one.group, one.stream] = max(one.timestamp, last.get((one.group, one.stream), 0))
        found = [Stream(group, name, at) for (group, name), at in last.items()]
        return newest_of(found, more=self.more_streams)

    def page(
        self, query: Query, start: int | None, end: int | None, limit: int, *, descending: bool
    ) -> list[Line]:
        """The first or last lines of a range."""
        found = self._found(query, start, end)
        return found[::-1][:limit] if descending else found[:limit]

    def follow(
        self,
        query: Query,
        since: int,
        deliver: Callable[[list[Line], list[str]], None],
        stop: threading.Event,
        failed: Callable[[Exception], None],
    ) -> None:
        """What the test puts into `coming`, to whoever follows when it is put, and to nobody who was stopped before."""
        troubled = False
        while not stop.is_set():
            if self.fail_with is not None:
                failed(self.fail_with)
                troubled = True
                continue
            if troubled:
                troubled = False
                deliver([], [])
            number = self._handed
            lines = self.coming.get(number, 0.02)
            with self._handing:
                if lines is None or stop.is_set() or number != self._handed:
                    continue
                self._handed += 1
            deliver(lines, [] if self.notes.empty() else self.notes.get())

    def matches(self, query: Query, stop: threading.Event, *, descending: bool) -> Iterator[list[Line]]:
        """Everything, in pages of fifty."""
        found = self.page(query, None, None, len(self.past), descending=descending)
        for start in range(0, len(found), 50):
            if stop.is_set():
                return
            yield found[start : start + 50]

    def total(self, query: Query) -> int | None:
        """All of them, in all time."""
        return len(self.past) if query.start is None and query.end is None else None

    def bars(self, query: Query, start: int, step: int, count: int) -> list[Bar]:
        """From the lines."""
        return from_lines(self._found(query, start, None), start, step, count)

    def context(self, line: Line, lines: int) -> list[Line]:
        """Of the same stream."""
        same = [one for one in sorted(self.past) if (one.group, one.stream) == (line.group, line.stream)]
        place = same.index(line)
        return same[max(0, place - lines) : place + lines + 1]


class MockFailures:
    """The groups that the test gave, and a note of what was done with them."""

    def __init__(self, groups: list[Group]) -> None:
        self.given = groups
        self.done: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.readings = 0
        self.stops_with = ""
        self.waits: threading.Event | None = None
        self.fail_with: Exception | None = None

    def groups(self) -> list[Group]:
        """The groups the test gave."""
        self.readings += 1
        if self.fail_with is not None:
            raise self.fail_with
        return self.given

    def notes(self) -> list[str]:
        """Nothing went unseen."""
        return []

    def detail(self, group: Group) -> Detail:
        """The newest, with what the group says of it."""
        failure = Failure(group.type, group.message, group.fingerprint)
        return Detail(group.newest, failure, "1", ())

    def plans(self, group: Group, *, discard: bool) -> list[Planned]:
        """All of the group."""
        ids = [f"{group.fingerprint[:4]}-{number}" for number in range(group.count)]
        return [self._planned(ids, group.queues[0], f"fingerprint={group.fingerprint}", group)]

    def plan_one(self, letter: Letter, event: str | None) -> list[Planned]:
        """The newest, and a note of how it was edited."""
        if event is not None:
            self.done.append(("edit", event))
        (group,) = (one for one in self.given if one.newest == letter)
        meant = f"id={letter.message_id}"
        return [self._planned([letter.message_id], letter.queue, meant, group, edited=event is not None)]

    def _planned(
        self, ids: list[str], queue: str, meant: str, group: Group, *, edited: bool = False
    ) -> Planned:
        self.ids = ids
        kinds = (Count(group.fingerprint, group.type, group.message, len(ids)),)
        return Planned(0, queue, "where each came from", meant, len(ids), group.count, kinds, {}, edited, ())

    def _steps(self, verb: str, state: State, cancel: threading.Event) -> Iterator[Step]:
        counts: Counter[str] = Counter()
        for number, message_id in enumerate(self.ids, 1):
            if cancel.is_set():
                return
            counts[state] += 1
            self.done.append((verb, message_id))
            item: Any = message_id
            yield Step(item, state, "", number, len(self.ids), counts)
            if self.waits is not None:
                self.waits.wait()

    def replay(self, plans: Sequence[Planned], cancel: threading.Event) -> Iterator[Step | str]:
        """All succeed, unless the test says why it stops."""
        yield from self._steps("replay", "acked", cancel)
        if self.stops_with:
            yield self.stops_with

    def discard(self, plans: Sequence[Planned], reason: str, cancel: threading.Event) -> Iterator[Step]:
        """All are deleted."""
        return self._steps(f"discard: {reason}", "discarded", cancel)

    def resolve(self, group: Group) -> None:
        """Noted."""
        self.done.append(("resolve", group.fingerprint))

    def mute(self, group: Group) -> None:
        """Noted."""
        self.done.append(("mute", group.fingerprint))

    def leave(self) -> None:
        """Nothing is waited for."""

    def close(self) -> None:
        """Nothing to let go of."""


class MockQueues:
    """The queues and topics that the test gave, and a note of what was done with them."""

    def __init__(self) -> None:
        self.given: list[Queue] = []
        self.topics_given: list[Topic] = []
        self.messages: dict[str, list[Message]] = {}
        self.free_looks = True
        self.done: list[tuple[str, ...]] = []
        self.running: list[Task] = []
        self.fail_with: Exception | None = None

    def queues(self) -> list[Queue]:
        """Those the test gave."""
        if self.fail_with is not None:
            raise self.fail_with
        return self.given

    def topics(self) -> list[Topic]:
        """Those the test gave."""
        return self.topics_given

    def notes(self) -> list[str]:
        """Nothing went unseen."""
        return []

    def look(self, queue: Queue) -> Look:
        """What the test put there."""
        self.done.append(("look", queue.name))
        return Look(self.messages.get(queue.name, []))

    def subscriptions(self, topic: Topic) -> list[Subscription]:
        """As many as the topic says."""
        return [Subscription("sqs", f"arn:{topic.name}-{n}", "confirmed") for n in range(topic.confirmed)]

    def tasks(self, queue: Queue) -> list[Task]:
        """Those the test gave."""
        return self.running

    def move(self, queue: Queue, to: str) -> None:
        """Noted."""
        self.done.append(("move", queue.name, to))

    def cancel(self, queue: Queue) -> int:
        """Noted; LookupError where nothing is being moved."""
        if not self.running:
            raise LookupError(f"nothing is being moved out of {queue.name}")
        self.done.append(("cancel", queue.name))
        return self.running.pop().moved

    def purge(self, queue: Queue) -> None:
        """Noted."""
        self.done.append(("purge", queue.name))


class Broadcast:
    """Lines that each follower gets, in order, whoever else does; `write` puts them into the store."""

    def __init__(self, write: Callable[[list[Line]], None]) -> None:
        self._write = write
        self._given: list[list[Line]] = []
        self._more = threading.Condition()

    def put(self, lines: list[Line]) -> None:
        """Hand lines over, which are in the store from now on."""
        with self._more:
            self._write(lines)
            self._given.append(lines)
            self._more.notify_all()

    def get(self, number: int, seconds: float) -> list[Line] | None:
        """What was handed over after `number` others; None if that takes longer."""
        with self._more:
            self._more.wait_for(lambda: len(self._given) > number, seconds)
            return self._given[number] if len(self._given) > number else None


class MockInvocations:
    """Marks of the lines that the test gives, and what it says of each invocation."""

    def __init__(self, lines: list[Line] | None = None) -> None:
        self.lines = lines or []
        self.coming = Broadcast(self._write)
        self.refusals: list[Refusal] = []
        self.children: list[Child] = []
        self.fail_with: Exception | None = None
        self.asked: list[int | None] = []

    def _write(self, lines: list[Line]) -> None:
        self.lines.extend(lines)

    def past(self, groups: Sequence[str], end: int | None, limit: int) -> Past:
        """The last of the lines before a time."""
        if self.fail_with is not None:
            raise self.fail_with
        self.asked.append(end)
        before = sorted(one for one in self.lines if end is None or one.timestamp < end)
        page = before[-limit:]
        start = page[0].timestamp if page else end
        return Past([mark for one in page if (mark := mark_of(one))], start, len(page) < limit)

    def onward(self, groups: Sequence[str], start: int, limit: int) -> Past:
        """The first of the lines from a time on."""
        if self.fail_with is not None:
            raise self.fail_with
        page = sorted(one for one in self.lines if one.timestamp >= start)[:limit]
        marks = [mark for one in page if (mark := mark_of(one))]
        return Past(marks, page[-1].timestamp if page else start, len(page) < limit)

    def follow(
        self,
        groups: Sequence[str],
        since: int,
        deliver: Callable[[list[Mark], list[str]], None],
        stop: threading.Event,
        failed: Callable[[Exception], None],
    ) -> None:
        """What the test puts into `coming`."""
        number = 0
        while not stop.is_set():
            lines = self.coming.get(number, 0.02)
            if lines is None:
                continue
            number += 1
            deliver([mark for one in lines if (mark := mark_of(one))], [])

    def refused(self, start: int) -> list[Refusal]:
        """Those the test gave."""
        return [one for one in self.refusals if one.at >= start]

    def detail(self, invocation: Invocation, now: int) -> Iterator[detail.Detail]:
        """The lines that name it, then the children that the test gave."""
        lines = [one for one in self.lines if invocation.request_id in one.message]
        yield detail.Detail(lines)
        yield detail.Detail(lines, self.children)


class MockFunctions:
    """The functions that the test gave, and a note of what was invoked."""

    def __init__(self, given: list[Function] | None = None) -> None:
        self.given = given or [function_of(), function_of(version="3")]
        self.abouts: dict[str, About] = {}
        self.throttled: dict[str, int] | None = {}
        self.answer = Answer("r-new", "3", "", '"fine"')
        self.done: list[tuple[str, str, str, bool]] = []
        self.fail_with: Exception | None = None
        self.windows: list[int] = []

    def functions(self) -> list[Function]:
        """Those the test gave."""
        if self.fail_with is not None:
            raise self.fail_with
        return self.given

    def about(self, name: str) -> About:
        """What the test gave, or nothing."""
        return self.abouts.get(name, About((), None, {}))

    def throttles(self, start: int, end: int) -> dict[str, int] | None:
        """What the test gave."""
        self.windows.append(end - start)
        return self.throttled

    def samples(self, name: str) -> list[Sample]:
        """Two."""
        return [Sample("{}", "{}"), Sample("events/ok.json", '{"id": "p-1"}')]

    def invoke(self, name: str, qualifier: str, event: str, *, asynchronous: bool) -> Answer:
        """Noted."""
        self.done.append((name, qualifier, event, asynchronous))
        if self.fail_with is not None:
            raise self.fail_with
        return self.answer


class MockFeed:
    """A room for each screen, filled by the test."""

    label = "disk:demo"
    near = True

    def __init__(self, history: list[Line] | None = None, failures: list[Group] | None = None) -> None:
        self.groups: tuple[str, ...] = ()
        self.logs = MockLogs(history or [])
        self.failures = MockFailures(failures or [])
        self.queues = MockQueues()
        self.invocations = MockInvocations(ran())
        self.functions = MockFunctions()
        self.troubles: queue.Queue[str] = queue.Queue()

    def keep_up(self, stop: threading.Event, failed: Callable[[str], None]) -> None:
        """Tells of the troubles that the test puts there."""
        while not stop.wait(0.02):
            with suppress(queue.Empty):
                failed(self.troubles.get_nowait())

    def leave(self) -> None:
        """Nothing is waited for."""

    def close(self) -> None:
        """Nothing to let go of."""
