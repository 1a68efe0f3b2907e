"""Everything that can be done about failures, in one place: what the command line and the dashboard use.

with Desk(cloud) as desk:
    for group in desk.groups():
        print(group.count, group.type, group.status)
    planned = desk.plan("orders-dlq", where=where(["type=Declined", "age<1h"]))
    run = desk.begin(planned, pace=Pace(canary=1))
    for step in desk.steps(run.id):
        print(step.done, step.total, step.state)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from lambdalog.errors import ConfigError, ReplayError
from lambdalog.failures import transfer
from lambdalog.failures.inbox import Inbox
from lambdalog.failures.journal import Journal
from lambdalog.failures.ledger import Ledger
from lambdalog.failures.marks import Marks
from lambdalog.failures.plan import edit_plan, plan
from lambdalog.failures.replay import Replay
from lambdalog.failures.where import EVERYTHING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from pathlib import Path

    from lambdalog.cloud import Cloud
    from lambdalog.failures.edit import Setting
    from lambdalog.failures.groups import Explained, Group, Status
    from lambdalog.failures.inbox import Detail
    from lambdalog.failures.journal import Item, Run
    from lambdalog.failures.ledger import AuditLine
    from lambdalog.failures.letter import Letter
    from lambdalog.failures.pace import Pace
    from lambdalog.failures.plan import Destination, Plan
    from lambdalog.failures.replay import Result, Step
    from lambdalog.failures.where import Where


def journal_root(cloud: Cloud) -> Path:
    """The folder of the journal: the store; for AWS, the store that this folder would use."""
    from lambdalog.settings import Disk, find_target

    if cloud.root is not None:
        return cloud.root
    here = find_target({})
    if not isinstance(here, Disk):
        raise ConfigError("there is no folder for the replay's journal")
    return here.path


class Desk:
    """Reads failures and acts on them, on a store or AWS. Its methods may be called from several threads."""

    def __init__(
        self, cloud: Cloud, *, root: Path | None = None, spend_receives: bool = False, owns: bool = False
    ) -> None:
        """`root` is where journal, marks and audit lie; `spend_receives` as `Inbox` has it. `owns`: closes the cloud too."""
        self.cloud = cloud
        self._owns = owns
        self._clock = cloud.clock
        self.root = root or journal_root(cloud)
        self.ledger = Ledger(self.root)
        self.marks = Marks(self.ledger)
        self.journal = Journal(self.ledger)
        self.inbox = Inbox(cloud, cloud.clock, marks=self.marks, spend_receives=spend_receives)
        self._replay = Replay(cloud, self.inbox, self.journal, self.root, clock=cloud.clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the journal; the cloud too, if it is the desk's own."""
        self.ledger.close()
        if self._owns:
            self.cloud.close()

    # --- looking

    @property
    def notes(self) -> list[str]:
        """What could not be seen at the last look."""
        return self.inbox.notes

    def groups(
        self, queue: str | None = None, where: Where = EVERYTHING, statuses: Iterable[Status] = ()
    ) -> list[Group]:
        """The failures by fingerprint, the most frequent first; those in some statuses, or all."""
        wanted = set(statuses)
        return [group for group in self.inbox.groups(queue, where) if not wanted or group.status in wanted]

    def failures(self, queue: str | None = None, where: Where = EVERYTHING) -> list[Explained]:
        """Each failure, in order of time."""
        return self.inbox.failures(queue, where)

    def find(self, identity: str, queue: str | None = None) -> Explained | None:
        """The failure of a message id or request id, or the newest of a fingerprint (or of how any of them begins); None."""
        found = self.inbox.failures(queue)
        for explained in reversed(found):
            if identity in {explained.letter.message_id, explained.letter.request_id}:
                return explained
        if len(identity) < 4:
            return None
        for named in (_of_group, _of_message, _of_request):
            for explained in reversed(found):
                if named(explained).startswith(identity):
                    return explained
        return None

    def detail(self, letter: Letter) -> Detail:
        """Everything about one failure: stack, every attempt, every line of them, and the runs that took it up."""
        return replace(self.inbox.detail(letter), runs=self.journal.history(letter.message_id))

    # --- marks

    def resolve(self, fingerprint: str, reason: str = "") -> None:
        """Mark a group as resolved: what fails so again has regressed."""
        self.marks.set(fingerprint, "resolved", now=self._clock.now_ms(), reason=reason)

    def mute(self, fingerprint: str, *, seconds: float | None = None, reason: str = "") -> None:
        """Mark a group as muted, for so long or for good."""
        now = self._clock.now_ms()
        until = None if seconds is None else now + int(seconds * 1000)
        self.marks.set(fingerprint, "muted", now=now, until=until, reason=reason)

    def reopen(self, fingerprint: str, reason: str = "") -> bool:
        """Take a group's mark away; whether it had one."""
        return self.marks.clear(fingerprint, now=self._clock.now_ms(), reason=reason)

    # --- replay and discard

    def plan(
        self,
        queue: str,
        *,
        where: Where = EVERYTHING,
        destination: Destination | None = None,
        settings: Sequence[Setting] = (),
        in_doubt: bool = False,
    ) -> Plan:
        """What a replay would do: exactly which letters, where to, and which it leaves alone. Nothing is changed."""
        return plan(
            self.inbox,
            queue,
            where=where,
            destination=destination,
            journal=self.journal,
            settings=settings,
            in_doubt=in_doubt,
        )

    def plan_discard(self, queue: str, *, where: Where = EVERYTHING) -> Plan:
        """What a discard would delete. Nothing is changed."""
        return plan(self.inbox, queue, where=where, check=False)

    @staticmethod
    def edit(planned: Plan, change: Callable[[Explained], str | None]) -> Plan:
        """A plan with events changed: `change` gives a new text, or None. The messages stay as they are."""
        return edit_plan(planned, change)

    def begin(self, planned: Plan, *, pace: Pace | None = None, reason: str = "") -> Run:
        """Freeze a plan's letters as a replay."""
        return self._replay.begin(planned, pace=pace, reason=reason)

    def begin_discard(self, planned: Plan, *, reason: str) -> Run:
        """Freeze a plan's letters as a discard. ReplayError without a reason."""
        if not reason.strip():
            raise ReplayError("a discard needs a reason")
        return self._replay.begin(planned, kind="discard", reason=reason)

    def steps(
        self, run_id: str, *, pace: Pace | None = None, cancel: threading.Event | None = None
    ) -> Generator[Step]:
        """Work on a run, an item at a time, from where it is. Setting `cancel` stops it after what is being sent."""
        return self._replay.steps(run_id, pace=pace, cancel=cancel)

    def run(
        self,
        run_id: str,
        *,
        pace: Pace | None = None,
        cancel: threading.Event | None = None,
        progress: Callable[[Step], None] | None = None,
    ) -> Result:
        """Work on a run to its end; `progress` is told of each item."""
        return self._replay.run(run_id, pace=pace, cancel=cancel, progress=progress)

    def result(self, run_id: str) -> Result:
        """How far a run is."""
        return self._replay.result(run_id)

    def left(self, run_id: str) -> int:
        """How many items of a run are still to be tried."""
        return self._replay.left(run_id)

    def runs(self, limit: int = 100) -> list[Run]:
        """The last runs, newest first."""
        return self.journal.runs(limit)

    def items(self, run_id: str) -> list[Item]:
        """A run's items. ReplayError for no such run."""
        return self.journal.items(self.journal.run(run_id).id)

    def audit(self, *, run: str | None = None, limit: int = 1000) -> list[AuditLine]:
        """Who did what: the last lines, oldest first."""
        return self.ledger.audit(run=run, limit=limit)

    # --- export and import

    def export(self, queue: str, where: Where = EVERYTHING) -> Iterator[bytes]:
        """A queue's messages as JSON lines; they stay where they are. The audit line is written at the end."""
        found = self.inbox.failures(queue, where)
        for explained in found:
            yield transfer.line_of(queue, transfer.record_of(explained.letter))
        detail = {"queue": queue, "messages": len(found), "where": str(where)}
        self.ledger.log("export", detail, self._clock.now_ms())

    def import_(self, queue: str, lines: Iterable[bytes]) -> Iterator[transfer.Imported]:
        """Send messages from JSON lines to a queue, a batch at a time; the state after each.

        ReplayError for a line that holds no message, QueueDoesNotExist. What was sent before is sent; the audit line says
        how much.
        """
        sqs: Any = self.cloud.careful("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        state = transfer.Imported()
        try:
            for state in transfer.send(sqs, url, transfer.read(lines)):
                yield state
        finally:
            detail: dict[str, Any] = {"queue": queue, "messages": state.sent, "lastLine": state.last_line}
            if state.refused:
                detail["refused"] = len(state.refused)
            self.ledger.log("import", detail, self._clock.now_ms())


def _of_group(one: Explained) -> str:
    return one.fingerprint


def _of_message(one: Explained) -> str:
    return one.letter.message_id


def _of_request(one: Explained) -> str:
    return one.letter.request_id
