"""`replay.sqlite`: what was decided about failures, how far each replay came, and a line for every action."""

from __future__ import annotations

import getpass
import json
import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lambdalog.store.tables import Tables, transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from pathlib import Path

VERSION: Final = 2
FILE: Final = "replay.sqlite"
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, queue TEXT NOT NULL, target TEXT NOT NULL, created INTEGER NOT NULL, finished INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS items (
    run TEXT NOT NULL, position INTEGER NOT NULL, message_id TEXT NOT NULL, request_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '', PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS audit (at INTEGER NOT NULL, run TEXT NOT NULL, action TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'replay';
ALTER TABLE runs ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
ALTER TABLE runs ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN stopped TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN type TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN edited TEXT;
ALTER TABLE audit ADD COLUMN actor TEXT NOT NULL DEFAULT '';
CREATE INDEX items_sent ON items (message_id) WHERE state IN ('sent', 'acked', 'in-doubt');
CREATE TABLE held (
    run TEXT NOT NULL, message_id TEXT NOT NULL, handle TEXT NOT NULL, PRIMARY KEY (run, message_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE marks (
    fingerprint TEXT PRIMARY KEY, status TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER, actor TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One action: when (epoch ms), who, of which run ("" for none), what, and its particulars."""

    at: int
    actor: str
    run: str
    action: str
    detail: Mapping[str, Any]


class Ledger:
    """The database. It survives a power cut: each step is on disk before the next is taken.

    It is made when something is first written; until then reading finds nothing.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / FILE
        self._tables = Tables(self.path, SCHEMA, synchronous="FULL", version=VERSION)
        self.actor = actor()

    @property
    def exists(self) -> bool:
        """Whether anything was ever written."""
        return self.path.exists()

    @property
    def db(self) -> sqlite3.Connection:
        """This thread's connection."""
        return self._tables.connection

    def note(
        self, db: sqlite3.Connection, run: str, action: str, detail: Mapping[str, Any], now: int
    ) -> None:
        """Write an audit line inside a transaction."""
        text = json.dumps(detail, ensure_ascii=False)
        db.execute(
            "INSERT INTO audit (at, run, action, detail, actor) VALUES (?, ?, ?, ?, ?)",
            (now, run, action, text, self.actor),
        )

    def log(self, action: str, detail: Mapping[str, Any], now: int) -> None:
        """Write an audit line of an action that is no run's."""
        with transaction(self.db) as db:
            self.note(db, "", action, detail, now)

    def audit(self, *, run: str | None = None, limit: int = 1000) -> list[AuditLine]:
        """The last lines, oldest first; of one run, or of everything."""
        if not self.exists:
            return []
        rows = self.db.execute(
            "SELECT at, actor, run, action, detail FROM audit WHERE ?1 IS NULL OR run = ?1 ORDER BY rowid DESC LIMIT ?2",
            (run, limit),
        ).fetchall()
        return [
            AuditLine(at, who, of, action, json.loads(detail))
            for at, who, of, action, detail in reversed(rows)
        ]

    def close(self) -> None:
        """Close the database."""
        self._tables.close()


def actor() -> str:
    """Who acts: user@host."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = str(os.getuid())  # a container without a name for its user
    return f"{user}@{socket.gethostname()}"
