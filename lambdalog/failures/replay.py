"""Working on a run: each item is leased in its queue, sent, and deleted or left there; each step is in the journal."""

from __future__ import annotations

import fcntl
import os
from collections import Counter, deque
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from lambdalog.clock import SYSTEM
from lambdalog.errors import ReplayError
from lambdalog.failures.journal import Change
from lambdalog.failures.leases import Leases
from lambdalog.failures.letter import from_message
from lambdalog.failures.look import give_back
from lambdalog.failures.pace import Pace
from lambdalog.failures.plan import Destination
from lambdalog.failures.targets import FileTarget, FunctionTarget, Parcel, QueueTarget, sqs_event
from lambdalog.store.files import Layout

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator, Iterator, Sequence

    from lambdalog.clock import Clock
    from lambdalog.cloud import Cloud
    from lambdalog.failures.inbox import Inbox
    from lambdalog.failures.journal import Item, Journal, Run, State
    from lambdalog.failures.plan import Plan
    from lambdalog.failures.targets import Target

# What is refused because of too many requests is tried again after 1, 2, 4, … seconds, up to a minute.
BACKOFF_MOST: Final = 60.0
BACKOFFS: Final = 10
# A discard has nothing to wait for.
DISCARD_WIDTH: Final = 100


@dataclass(frozen=True, slots=True)
class Step:
    """One item came to an end. `done` of `total` items of the run have, `counts` by state since this work began."""

    item: Item
    state: State
    detail: str
    done: int
    total: int
    counts: Counter[str]


@dataclass
class Result:
    """How far a run is: its items by state, and by fingerprint; `stopped` says why it ended before its items did."""

    run: str
    counts: Counter[str] = field(default_factory=Counter)
    stopped: str = ""
    groups: list[tuple[str, str, Counter[str]]] = field(default_factory=list)
    """(fingerprint, type, states), the most frequent first."""

    @property
    def clean(self) -> bool:
        """Whether everything came to a good end."""
        good = {"acked", "discarded", "resent"}
        return not self.stopped and all(state in good for state, count in self.counts.items() if count)


class Replay:
    """Begins runs, and works on them. `root` is the folder of the journal and the locks of runs."""

    def __init__(
        self, cloud: Cloud, inbox: Inbox, journal: Journal, root: Path, *, clock: Clock = SYSTEM
    ) -> None:
        self._cloud = cloud
        self._sqs: Any = cloud.client("sqs")
        self._inbox = inbox
        self._journal = journal
        self._layout = Layout(root)
        self._clock = clock

    def begin(
        self,
        planned: Plan,
        *,
        kind: Literal["replay", "discard"] = "replay",
        pace: Pace | None = None,
        reason: str = "",
    ) -> Run:
        """Freeze a plan's letters as a run. ReplayError if one of them is being sent by another run at this moment."""
        earlier = self._journal.earlier([found.letter.message_id for found in planned.letters])
        for run_id in sorted({found.run for found in earlier.values() if found.state == "sent"}):
            with self._lock(run_id):
                pass  # nobody works on it: it was broken off
        return self._journal.begin(
            kind,
            planned.queue,
            [(found, planned.edits.get(found.letter.message_id)) for found in planned.letters],
            now=self._clock.now_ms(),
            target=str(planned.destination),
            options=(pace or Pace()).record(),
            reason=reason,
        )

    def run(
        self,
        run_id: str,
        *,
        pace: Pace | None = None,
        cancel: threading.Event | None = None,
        progress: Callable[[Step], None] | None = None,
    ) -> Result:
        """Work on a run's planned items to their end; also takes up a run that was broken off.

        `progress` is told of each item. ReplayError for a run that isn't known, is finished, or is being worked on.
        """
        with closing(self.steps(run_id, pace=pace, cancel=cancel)) as steps:
            for step in steps:
                if progress is not None:
                    progress(step)
        return self.result(run_id)

    def steps(
        self, run_id: str, *, pace: Pace | None = None, cancel: threading.Event | None = None
    ) -> Generator[Step]:
        """The same one item at a time; closing the iterator breaks the run off: it can be taken up again.

        `pace` None: as was said when the run began. `cancel` set: what is being sent is finished, the rest stays planned.
        """
        run = self._journal.run(run_id)
        url = self._sqs.get_queue_url(QueueName=run.queue)["QueueUrl"]
        with self._lock(run.id):
            held = self._journal.recover(run, self._clock.now_ms())
            give_back(self._sqs, url, [{"MessageId": key, "ReceiptHandle": handle} for key, handle in held])
            work = _Work(
                self._cloud, self._inbox, self._journal, run, url, pace or Pace.of(run.options), self._clock
            )
            try:
                with closing(work):
                    yield from work.steps(cancel)
            except BaseException:
                self._journal.break_off(run, self._clock.now_ms())
                raise
            self._journal.finish(run, self._clock.now_ms(), work.stopped)
        if not work.stopped:
            self._unlock(run.id)

    def result(self, run_id: str) -> Result:
        """How far a run is."""
        run = self._journal.run(run_id)
        result = Result(run.id, stopped=run.stopped)
        groups: dict[str, tuple[str, str, Counter[str]]] = {}
        for item in self._journal.items(run.id):
            result.counts[item.state] += 1
            groups.setdefault(item.fingerprint, (item.fingerprint, item.type, Counter()))[2][item.state] += 1
        result.groups = sorted(groups.values(), key=lambda group: -group[2].total())
        return result

    def left(self, run_id: str) -> int:
        """How many items of a run are still to be tried."""
        return len(self._journal.items(run_id, {"planned", "leased", "gone"}))

    @contextmanager
    def _lock(self, run_id: str) -> Iterator[None]:
        """Nobody else works on the run; the system lets go of the lock when the process dies."""
        self._layout.replays.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._layout.replay_lock(run_id), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ReplayError(f"run {run_id} is being worked on by another process") from None
            yield
        finally:
            os.close(descriptor)

    def _unlock(self, run_id: str) -> None:
        self._layout.replay_lock(run_id).unlink(missing_ok=True)


class _Work:
    """One go at a run: its leases, its targets, and what is still to be noted."""

    def __init__(
        self, cloud: Cloud, inbox: Inbox, journal: Journal, run: Run, url: str, pace: Pace, clock: Clock
    ) -> None:
        self._cloud = cloud
        self._sqs: Any = cloud.client("sqs")
        self._inbox = inbox
        self._journal = journal
        self._run = run
        self._pace = pace
        self._clock = clock
        self._destination = Destination.parse(run.target)
        self._leases = Leases(
            self._sqs,
            url,
            clock=clock,
            noted=lambda messages: journal.hold(run, messages),
            waits=cloud.root is None,
        )
        self._targets: dict[str, Target] = {}
        self._pending: list[Change] = []
        self._items: deque[Item] = deque()
        self._ready: deque[tuple[Item, dict[str, Any]]] = deque()
        self._ended: Counter[str] = Counter()
        self._total = 0
        self._next_at = 0.0
        self._throttled = 0
        self.stopped = ""

    def steps(self, cancel: threading.Event | None) -> Iterator[Step]:
        """Every item's end."""
        functions = self._inbox.places.functions(self._run.queue)
        self._function = functions[0] if len(functions) == 1 else ""
        self._items.extend(self._journal.items(self._run.id, {"planned"}))
        self._total = len(self._items)
        self._next_at = self._clock.monotonic()
        stages = enumerate(self._pace.stages() if self._ramps else iter([self._total]))
        stage, size = next(stages)
        left = size
        sent = failed = 0
        while self._items or self._ready:
            if cancel is not None and cancel.is_set():
                self.stopped = "cancelled"
                return
            if not self._ready:
                yield from self._lease()
                continue
            batch = self._batch(left)
            if self._wait(len(batch), cancel):
                self._ready.extendleft(reversed(batch))
                continue
            outcomes = self._discard(batch) if self._run.kind == "discard" else self._send(batch)
            for item, state, detail in outcomes:
                sent += state in {"acked", "failed", "in-doubt"}
                failed += state in {"failed", "in-doubt"}
                left -= state != "gone"
                yield self._end(item, state, detail)
            ended = left <= 0
            verdict = self._pace.verdict(stage=stage, ended=ended, sent=sent, failed=failed)
            if verdict and (self._items or self._ready):
                self.stopped = verdict
                return
            if ended:
                stage, left = next(stages, (stage, self._total))
            self._leases.renew()

    @property
    def _ramps(self) -> bool:
        return bool(self._pace.canary) or self._pace.stop_share is not None or self._pace.at_once > 1

    def close(self) -> None:
        """Note what came of the last items; give back what is leased."""
        try:
            self._flush()
        finally:
            self._leases.close()
            for target in self._targets.values():
                target.close()

    # --- leasing

    def _lease(self) -> Iterator[Step]:
        """Fill `ready`; what can't be had is gone."""
        window = [self._items[index] for index in range(min(len(self._items), 500))]
        found = self._leases.take([item.message_id for item in self._items])
        if found:
            self._pending += [Change(item, "leased") for item in self._items if item.message_id in found]
        # Where messages can be picked, those of the window that did not come can't be had.
        over = (
            {item.position for item in (window if self._leases.picks else self._items)}
            if not found or self._leases.picks
            else set()
        )
        rest: deque[Item] = deque()
        gone: list[Item] = []
        for item in self._items:
            if item.message_id in found:
                self._ready.append((item, found[item.message_id]))
            elif item.position in over:
                gone.append(item)
            else:
                rest.append(item)
        self._items = rest
        for item in gone:
            yield self._end(item, "gone", "no longer in the queue, or taken by another")

    def _batch(self, stage_left: int) -> list[tuple[Item, dict[str, Any]]]:
        """The next items that go to one target together: no more than the stage, the target and the rate allow."""
        first = self._kind(self._ready[0])
        width = min(self._width(first), max(stage_left, 1))
        if self._pace.rate is not None:
            width = min(width, max(int(self._pace.rate / 2), 1))
        batch: list[tuple[Item, dict[str, Any]]] = []
        while self._ready and len(batch) < width and self._kind(self._ready[0]) == first:
            batch.append(self._ready.popleft())
        return batch

    def _kind(self, leased: tuple[Item, dict[str, Any]]) -> str:
        if self._run.kind == "discard":
            return "discard"
        return self._destination.kind_for(from_message(leased[1], self._run.queue, self._function))

    def _wait(self, count: int, cancel: threading.Event | None) -> bool:
        """Let the time pass that the rate leaves before the next `count` items; whether the run was cancelled."""
        if self._pace.rate is None:
            return False
        wait = self._next_at - self._clock.monotonic()
        self._next_at = max(self._next_at, self._clock.monotonic()) + count / self._pace.rate
        if wait <= 0:
            return False
        self._flush()
        if cancel is None:
            self._clock.sleep(wait)
            return False
        return self._clock.wait(cancel, wait)

    # --- sending

    def _send(self, batch: Sequence[tuple[Item, dict[str, Any]]]) -> list[tuple[Item, State, str]]:
        lost = self._leases.secure([item.message_id for item, _ in batch])
        outcomes: list[tuple[Item, State, str]] = [
            (item, "gone", "its lease ran out before it could be sent")
            for item, _ in batch
            if item.message_id in lost
        ]
        parcels = [
            (item, self._parcel(item, message)) for item, message in batch if item.message_id not in lost
        ]
        self._pending += [Change(item, "sent", parcel.function) for item, parcel in parcels]
        refused = {
            item.position: f"is {earlier.state} in run {earlier.run}" for item, earlier in self._flush()
        }
        outcomes += [
            (item, "gone", refused[item.position]) for item, _ in parcels if item.position in refused
        ]
        parcels = [(item, parcel) for item, parcel in parcels if item.position not in refused]
        if not parcels:
            return outcomes
        kind = self._kind((parcels[0][0], parcels[0][1].message))
        answers = self._target(kind).send([parcel for _, parcel in parcels])
        again: list[tuple[Item, dict[str, Any]]] = []
        for (item, parcel), answer in zip(parcels, answers, strict=True):
            if answer.state == "later" and self._throttled < BACKOFFS:
                again.append((item, parcel.message))
            else:
                outcomes.append((item, "failed" if answer.state == "later" else answer.state, answer.detail))
        outcomes = self._settle(outcomes)
        self._back_off(again)
        return outcomes

    def _settle(self, outcomes: list[tuple[Item, State, str]]) -> list[tuple[Item, State, str]]:
        """Delete what succeeded; leave the rest."""
        good = [item.message_id for item, state, _ in outcomes if state == "acked"]
        undeleted = self._leases.delete(good)
        self._leases.done_with(
            [item.message_id for item, state, _ in outcomes if state in {"failed", "in-doubt"}]
        )
        return [
            (item, state, f"{detail}; not deleted: {undeleted[item.message_id]}")
            if item.message_id in undeleted
            else (item, state, detail)
            for item, state, detail in outcomes
        ]

    def _back_off(self, again: list[tuple[Item, dict[str, Any]]]) -> None:
        if not again:
            self._throttled = 0
            return
        # Not sent after all: were the run broken off in the wait, nothing would be in doubt.
        self._pending += [Change(item, "leased") for item, _ in again]
        self._ready.extendleft(reversed(again))
        self._flush()
        self._clock.sleep(min(2.0**self._throttled, BACKOFF_MOST))
        self._throttled += 1

    def _discard(self, batch: Sequence[tuple[Item, dict[str, Any]]]) -> list[tuple[Item, State, str]]:
        refused = self._leases.delete([item.message_id for item, _ in batch])
        self._leases.done_with(refused)
        return [
            (item, "failed", refused[item.message_id])
            if item.message_id in refused
            else (item, "discarded", self._run.reason)
            for item, _ in batch
        ]

    def _parcel(self, item: Item, message: dict[str, Any]) -> Parcel:
        letter = from_message(message, self._run.queue, self._function)
        event = item.edited if item.edited is not None else letter.event or ""
        function = self._destination.function(letter)
        if function and letter.kind == "redrive":
            event = sqs_event(letter, event)
        return Parcel(letter, event, function, item.replay_id, message)

    def _width(self, kind: str) -> int:
        return DISCARD_WIDTH if kind == "discard" else self._target(kind).width

    def _target(self, kind: str) -> Target:
        if kind not in self._targets:
            self._targets[kind] = self._make_target(kind)
        return self._targets[kind]

    def _make_target(self, kind: str) -> Target:
        match kind:
            case "function":
                return FunctionTarget(self._cloud.careful("lambda"), self._pace.at_once)
            case "queue":
                sqs = self._cloud.careful("sqs")
                name = self._destination.name
                url = (
                    sqs.get_queue_url(QueueName=name)["QueueUrl"]
                    if self._destination.kind == "queue"
                    else None
                )
                return QueueTarget(sqs, url)
            case _:
                return FileTarget(Path(self._destination.name))

    # --- noting

    def _end(self, item: Item, state: State, detail: str) -> Step:
        self._pending.append(Change(item, state, detail))
        self._ended[state] += 1
        return Step(item, state, detail, self._ended.total(), self._total, Counter(self._ended))

    def _flush(self) -> list[tuple[Item, Any]]:
        pending, self._pending = self._pending, []
        if not pending:
            return []
        return self._journal.advance(self._run, pending, self._clock.now_ms())
