"""The journal of replays, in `replay.sqlite`: what was decided, and how far each item came.

planned → leased → sent → acked | failed
↘ in-doubt   a crash between the invocation and its note: shown, never sent again by itself
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from lambdalog.store.tables import Tables, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lambdalog.failures.letter import Letter

State = Literal["planned", "sent", "acked", "failed", "gone", "in-doubt"]

SCHEMA: Final = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY, queue TEXT NOT NULL, target TEXT NOT NULL, created INTEGER NOT NULL, finished INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE items (
    run TEXT NOT NULL,
    position INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (at INTEGER NOT NULL, run TEXT NOT NULL, action TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One letter of a run."""

    position: int
    message_id: str
    request_id: str
    fingerprint: str
    state: State
    detail: str


@dataclass(frozen=True, slots=True)
class Run:
    """A replay that was decided on. `target` is a function, or empty for each letter's own."""

    id: str
    queue: str
    target: str
    created: int
    finished: int | None


class Journal:
    """Survives a power cut: each step is on disk before the next is taken."""

    def __init__(self, root: Path) -> None:
        self._tables = Tables(root / "replay.sqlite", SCHEMA, synchronous="FULL")

    def begin(self, queue: str, target: str, letters: Sequence[tuple[Letter, str]], now: int) -> Run:
        """Freeze a set of (letter, fingerprint): the run acts on these and no others."""
        run = Run(uuid.uuid4().hex[:12], queue, target, now, None)
        with transaction(self._tables.connection) as db:
            db.execute("INSERT INTO runs VALUES (?, ?, ?, ?, NULL)", (run.id, queue, target, now))
            db.executemany(
                "INSERT INTO items (run, position, message_id, request_id, fingerprint, state) VALUES (?, ?, ?, ?, ?, 'planned')",
                [
                    (run.id, position, letter.message_id, letter.request_id, fingerprint)
                    for position, (letter, fingerprint) in enumerate(letters)
                ],
            )
            self._audit(run.id, "begin", {"queue": queue, "target": target, "items": len(letters)}, now)
        return run

    def run(self, run_id: str) -> Run | None:
        """A run, or None."""
        row = self._tables.connection.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
        return None if row is None else Run(*row)

    def items(self, run_id: str) -> list[Item]:
        """A run's items, in their order."""
        rows = self._tables.connection.execute(
            "SELECT position, message_id, request_id, fingerprint, state, detail FROM items WHERE run = ? ORDER BY position",
            (run_id,),
        )
        return [Item(*row) for row in rows]

    def note(self, run_id: str, item: Item, state: State, detail: str, now: int) -> None:
        """Note how far an item came."""
        with transaction(self._tables.connection) as db:
            db.execute(
                "UPDATE items SET state = ?, detail = ? WHERE run = ? AND position = ?",
                (state, detail, run_id, item.position),
            )
            self._audit(
                run_id, state, {"message": item.message_id, "request": item.request_id, "detail": detail}, now
            )

    def resume(self, run_id: str, now: int) -> None:
        """Take a run up again: what was sent and not noted further is in doubt."""
        with transaction(self._tables.connection) as db:
            db.execute("UPDATE items SET state = 'in-doubt' WHERE run = ? AND state = 'sent'", (run_id,))
            self._audit(run_id, "resume", {}, now)

    def finish(self, run_id: str, now: int) -> None:
        """The run is over."""
        self._tables.connection.execute("UPDATE runs SET finished = ? WHERE id = ?", (now, run_id))

    def close(self) -> None:
        """Close the database."""
        self._tables.close()

    def _audit(self, run_id: str, action: str, detail: dict[str, object], now: int) -> None:
        self._tables.connection.execute(
            "INSERT INTO audit VALUES (?, ?, ?, ?)", (now, run_id, action, json.dumps(detail))
        )
