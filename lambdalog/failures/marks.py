"""What people decided about groups of failures: resolved, muted. Kept by fingerprint, beside the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lambdalog.store.tables import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from lambdalog.failures.ledger import Ledger

Marked = Literal["resolved", "muted"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A decision of `actor` at epoch ms `at`; `until` is when a muting ends, None for never."""

    fingerprint: str
    status: Marked
    at: int
    until: int | None
    actor: str
    reason: str


class Marks:
    """The marks of a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def all(self) -> dict[str, Mark]:
        """By fingerprint."""
        if not self._ledger.exists:
            return {}
        rows = self._ledger.db.execute("SELECT fingerprint, status, at, until, actor, reason FROM marks")
        return {row[0]: Mark(*row) for row in rows}

    def set(
        self, fingerprint: str, status: Marked, *, now: int, until: int | None = None, reason: str = ""
    ) -> None:
        """Mark a group."""
        with transaction(self._ledger.db) as db:
            self._set(db, fingerprint, status, until, reason, now)
            detail = {"fingerprint": fingerprint, "reason": reason, "until": until}
            self._ledger.note(db, "", status, {key: value for key, value in detail.items() if value}, now)

    def clear(self, fingerprint: str, *, now: int, reason: str = "") -> bool:
        """Take a mark away; whether there was one."""
        if not self._ledger.exists:
            return False
        with transaction(self._ledger.db) as db:
            gone = db.execute("DELETE FROM marks WHERE fingerprint = ?", (fingerprint,)).rowcount > 0
            if gone:
                self._ledger.note(db, "", "reopened", {"fingerprint": fingerprint, "reason": reason}, now)
        return gone

    def resolve_within(
        self, db: sqlite3.Connection, fingerprints: Iterable[str], reason: str, now: int
    ) -> None:
        """Mark groups as resolved inside a transaction; what is muted stays so."""
        for fingerprint in fingerprints:
            muted = db.execute(
                "SELECT 1 FROM marks WHERE fingerprint = ? AND status = 'muted'", (fingerprint,)
            ).fetchone()
            if muted is None:
                self._set(db, fingerprint, "resolved", None, reason, now)

    def _set(
        self,
        db: sqlite3.Connection,
        fingerprint: str,
        status: Marked,
        until: int | None,
        reason: str,
        now: int,
    ) -> None:
        db.execute(
            "INSERT OR REPLACE INTO marks (fingerprint, status, at, until, actor, reason) VALUES (?, ?, ?, ?, ?, ?)",
            (fingerprint, status, now, until, self._ledger.actor, reason),
        )
