"""The journal of runs: what was decided, and how far each item came.

    planned → leased → sent → acked | failed
                           ↘ in-doubt   broken off between the sending and its note: shown, never sent again by itself

A discard has no `sent`: leased → discarded. `gone`: it could not be leased; a resumed run looks for it again. `resent`:
was in doubt, and somebody chose to send it again in another run.
"""

from __future__ import annotations

import itertools
import json
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from lambdalog.errors import ReplayError
from lambdalog.failures.marks import Marks
from lambdalog.store.tables import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lambdalog.failures.groups import Explained
    from lambdalog.failures.ledger import Ledger

State = Literal["planned", "leased", "sent", "acked", "failed", "gone", "in-doubt", "discarded", "resent"]
RunKind = Literal["replay", "discard"]
# What an item may end in; each such end is an audit line.
ENDS: Final = frozenset({"acked", "failed", "gone", "in-doubt", "discarded"})
# No message lives longer in a queue than 14 days; what a run did is remembered for a while after that.
KEPT_MS: Final = 60 * 86_400_000


@dataclass(frozen=True, slots=True)
class Item:
    """One letter of a run. `edited` replaces its event."""

    position: int
    message_id: str
    request_id: str
    fingerprint: str
    type: str
    state: State
    detail: str
    edited: str | None = None

    @property
    def replay_id(self) -> str:
        """The same whenever this message is sent: whoever receives it twice can tell."""
        return f"replay-{self.message_id}"


@dataclass(frozen=True, slots=True)
class Run:
    """A replay or discard that was decided on. `target` is as `--to` has it, or empty for where each letter came from."""

    id: str
    kind: RunKind
    queue: str
    target: str
    created: int
    finished: int | None
    reason: str = ""
    stopped: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


class Change(NamedTuple):
    """An item's new state."""

    item: Item
    state: State
    detail: str = ""


class Earlier(NamedTuple):
    """What an earlier run did with a message."""

    run: str
    state: State


class Touched(NamedTuple):
    """What a run did with a message. `began` is the run's beginning, epoch ms; `detail` why it failed."""

    run: str
    kind: RunKind
    target: str
    began: int
    state: State
    detail: str

    @property
    def outcome(self) -> str:
        """In words: `replay to function:pay: failed: no card`."""
        to = f" to {self.target}" if self.target else ""
        return ": ".join(filter(None, (f"{self.kind}{to}", self.state, self.detail)))


class Journal:
    """The runs of a ledger. Each step is on disk, power cut or not, before the next is taken."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._marks = Marks(ledger)

    def begin(
        self,
        kind: RunKind,
        queue: str,
        letters: Sequence[tuple[Explained, str | None]],
        *,
        now: int,
        target: str = "",
        options: Mapping[str, Any] | None = None,
        reason: str = "",
    ) -> Run:
        """Freeze a set of (letter, its edited event or None): the run acts on these and no others.

        What was in doubt in an earlier run is this one's from now on.
        """
        run = Run(uuid.uuid4().hex[:12], kind, queue, target, now, None, reason, options=dict(options or {}))
        with transaction(self.ledger.db) as db:
            self._forget(db, now)
            db.execute(
                "INSERT INTO runs (id, kind, queue, target, created, options, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (run.id, kind, queue, target, now, json.dumps(run.options), reason),
            )
            for found, _ in letters:
                db.execute(
                    "UPDATE items SET state = 'resent', detail = ? WHERE message_id = ? AND state IN ('in-doubt', 'sent')",
                    (f"taken up by run {run.id}", found.letter.message_id),
                )
            db.executemany(
                "INSERT INTO items (run, position, message_id, request_id, fingerprint, type, state, edited) "
                "VALUES (?, ?, ?, ?, ?, ?, 'planned', ?)",
                [
                    (
                        run.id,
                        position,
                        found.letter.message_id,
                        found.letter.request_id,
                        found.fingerprint,
                        found.type,
                        edited,
                    )
                    for position, (found, edited) in enumerate(letters)
                ],
            )
            detail = {"kind": kind, "queue": queue, "target": target, "items": len(letters), "reason": reason}
            self.ledger.note(db, run.id, "begin", {key: value for key, value in detail.items() if value}, now)
            for found, edited in letters:
                if edited is not None:
                    change = {
                        "message": found.letter.message_id,
                        "from": found.letter.event,
                        "to": edited,
                    }
                    self.ledger.note(db, run.id, "edited", change, now)
        return run

    def run(self, run_id: str) -> Run:
        """A run. ReplayError if there is none of that id."""
        row = None
        if self.ledger.exists:
            row = self.ledger.db.execute(f"{_RUN} WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise ReplayError(f"there is no replay {run_id}; see them with: lambdalog failures runs")
        return _run(row)

    def runs(self, limit: int = 100) -> list[Run]:
        """The last runs, newest first."""
        if not self.ledger.exists:
            return []
        rows = self.ledger.db.execute(f"{_RUN} ORDER BY created DESC, id LIMIT ?", (limit,))
        return [_run(row) for row in rows]

    def items(self, run_id: str, states: Collection[State] = ()) -> list[Item]:
        """A run's items in their order; those in some states, or all."""
        rows = self.ledger.db.execute(f"{_ITEM} WHERE run = ? ORDER BY position", (run_id,))
        return [item for item in itertools.starmap(Item, rows) if not states or item.state in states]

    def counts(self, run_id: str) -> dict[State, int]:
        """How many items are in which state."""
        rows = self.ledger.db.execute(
            "SELECT state, count(*) FROM items WHERE run = ? GROUP BY state", (run_id,)
        )
        return dict(rows.fetchall())

    def earlier(self, message_ids: Collection[str]) -> dict[str, Earlier]:
        """Of these messages those that some run has sent, is sending, or may have sent: what it did with each."""
        if not self.ledger.exists:
            return {}
        wanted = set(message_ids)
        rows = self.ledger.db.execute(
            "SELECT message_id, run, state FROM items WHERE state IN ('sent', 'acked', 'in-doubt')"
        )
        return {message_id: Earlier(run, state) for message_id, run, state in rows if message_id in wanted}

    def history(self, message_id: str) -> tuple[Touched, ...]:
        """Every run that took a message up, in order of time; none that only planned to."""
        if not self.ledger.exists:
            return ()
        rows = self.ledger.db.execute(
            "SELECT runs.id, kind, target, created, state, detail FROM items JOIN runs ON runs.id = items.run"
            " WHERE message_id = ? AND state NOT IN ('planned', 'leased') ORDER BY created, runs.id",
            (message_id,),
        )
        return tuple(itertools.starmap(Touched, rows))

    # --- while a run is worked on

    def recover(self, run: Run, now: int) -> list[tuple[str, str]]:
        """Take a run up: what was sent and not noted further is in doubt, what was only leased is planned again.

        (message id, receipt handle) of what the run held when it was broken off.
        """
        with transaction(self.ledger.db) as db:
            doubtful = self._doubt(db, run, now)
            held = db.execute("SELECT message_id, handle FROM held WHERE run = ?", (run.id,)).fetchall()
            db.execute(
                "UPDATE items SET state = 'planned', detail = '' WHERE run = ? AND state = 'gone'", (run.id,)
            )
            db.execute("DELETE FROM held WHERE run = ?", (run.id,))
            db.execute("UPDATE runs SET stopped = '', finished = NULL WHERE id = ?", (run.id,))
            self.ledger.note(db, run.id, "work", {"inDoubt": doubtful} if doubtful else {}, now)
        return held

    def break_off(self, run: Run, now: int) -> None:
        """The run ends in the middle, its leases given back."""
        with transaction(self.ledger.db) as db:
            self._doubt(db, run, now)
            db.execute("DELETE FROM held WHERE run = ?", (run.id,))
            db.execute("UPDATE runs SET stopped = 'broken off' WHERE id = ?", (run.id,))
            self.ledger.note(db, run.id, "stop", {"reason": "broken off"}, now)

    def _doubt(self, db: sqlite3.Connection, run: Run, now: int) -> int:
        rows = db.execute(f"{_ITEM} WHERE run = ? AND state = 'sent'", (run.id,)).fetchall()
        for item in itertools.starmap(Item, rows):
            self._change(db, run.id, Change(item, "in-doubt", "broken off while it was sent"), now)
        db.execute(
            "UPDATE items SET state = 'planned', detail = '' WHERE run = ? AND state = 'leased'", (run.id,)
        )
        return len(rows)

    def hold(self, run: Run, messages: Iterable[Mapping[str, Any]]) -> None:
        """Note what was leased: whoever takes the run up can give it back."""
        with transaction(self.ledger.db) as db:
            db.executemany(
                "INSERT OR REPLACE INTO held (run, message_id, handle) VALUES (?, ?, ?)",
                [(run.id, message["MessageId"], message["ReceiptHandle"]) for message in messages],
            )

    def advance(self, run: Run, changes: Sequence[Change], now: int) -> list[tuple[Item, Earlier]]:
        """Note steps, all in one write.

        An item that another run has sent, or may have, does not become `sent` but `gone`: those are returned.
        """
        refused: list[tuple[Item, Earlier]] = []
        with transaction(self.ledger.db) as db:
            for change in changes:
                if change.state == "sent":
                    row = db.execute(
                        "SELECT run, state FROM items WHERE message_id = ? AND state IN ('sent', 'acked', 'in-doubt') "
                        "AND NOT (run = ? AND position = ?)",
                        (change.item.message_id, run.id, change.item.position),
                    ).fetchone()
                    if row is not None:
                        earlier = Earlier(*row)
                        refused.append((change.item, earlier))
                        text = f"is {earlier.state} in run {earlier.run}"
                        self._change(db, run.id, Change(change.item, "gone", text), now)
                        continue
                self._change(db, run.id, change, now)
        return refused

    def finish(self, run: Run, now: int, stopped: str = "") -> None:
        """The run is over, or stopped for a reason; groups of which everything succeeded are resolved."""
        with transaction(self.ledger.db) as db:
            db.execute(
                "UPDATE runs SET finished = ?, stopped = ? WHERE id = ?",
                (None if stopped else now, stopped, run.id),
            )
            db.execute("DELETE FROM held WHERE run = ?", (run.id,))
            db.execute("UPDATE items SET state = 'planned' WHERE run = ? AND state = 'leased'", (run.id,))
            counts = dict(
                db.execute(
                    "SELECT state, count(*) FROM items WHERE run = ? GROUP BY state", (run.id,)
                ).fetchall()
            )
            self.ledger.note(
                db,
                run.id,
                "stop" if stopped else "finish",
                {"reason": stopped, **counts} if stopped else counts,
                now,
            )
            if not stopped and run.kind == "replay":
                rows = db.execute(
                    "SELECT fingerprint FROM items WHERE run = ? GROUP BY fingerprint HAVING sum(state <> 'acked') = 0",
                    (run.id,),
                ).fetchall()
                self._marks.resolve_within(db, [row[0] for row in rows], f"replay {run.id}", now)

    def _change(self, db: sqlite3.Connection, run_id: str, change: Change, now: int) -> None:
        db.execute(
            "UPDATE items SET state = ?, detail = ? WHERE run = ? AND position = ?",
            (change.state, change.detail, run_id, change.item.position),
        )
        if change.state in ENDS:
            detail = {
                "message": change.item.message_id,
                "request": change.item.request_id,
                "fingerprint": change.item.fingerprint,
                "detail": change.detail,
            }
            self.ledger.note(
                db, run_id, change.state, {key: value for key, value in detail.items() if value}, now
            )

    @staticmethod
    def _forget(db: sqlite3.Connection, now: int) -> None:
        """Runs that ended long ago; their audit lines stay."""
        old = "SELECT id FROM runs WHERE finished < ?"
        db.execute(f"DELETE FROM items WHERE run IN ({old})", (now - KEPT_MS,))  # noqa: S608 - our own text
        db.execute("DELETE FROM runs WHERE finished < ?", (now - KEPT_MS,))


_RUN: Final = "SELECT id, kind, queue, target, created, finished, reason, stopped, options FROM runs"
_ITEM: Final = "SELECT position, message_id, request_id, fingerprint, type, state, detail, edited FROM items"


def _run(row: tuple[Any, ...]) -> Run:
    *rest, options = row
    run = Run(*rest)
    return replace(run, options=json.loads(options))
