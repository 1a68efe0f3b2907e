"""Which invocations were refused because too many ran: what AWS counts in its metric Throttles, here one by one.

A refused invocation leaves no line in its function's log, so that nothing else would tell of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lambdalog.store.tables import Tables, transaction

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA: Final = """
CREATE TABLE throttles (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    function TEXT NOT NULL,
    request_id TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX throttles_at ON throttles (at);
"""

# The newest are kept; the older ones are cleared away some hundred at a time.
KEPT: Final = 10_000
_CLEARED_AT_ONCE: Final = 500


class Throttle(NamedTuple):
    """One refusal. `at` is epoch ms, `reason` as TooManyRequestsException gives it."""

    at: int
    function: str
    request_id: str
    reason: str


class Throttles:
    """The refusals of a store, in `<root>/throttles.sqlite`; several processes may note them."""

    def __init__(self, root: Path, *, kept: int = KEPT) -> None:
        self._tables = Tables(root / "throttles.sqlite", SCHEMA)
        self._kept = kept

    def note(self, throttle: Throttle) -> None:
        """Keep one."""
        with transaction(self._tables.connection) as db:
            done = db.execute(
                "INSERT INTO throttles (at, function, request_id, reason) VALUES (?, ?, ?, ?)", throttle
            )
            last = done.lastrowid or 0
            if last > self._kept and last % min(_CLEARED_AT_ONCE, self._kept) == 0:
                db.execute("DELETE FROM throttles WHERE seq <= ?", (last - self._kept,))

    def since(self, start: int, end: int | None = None) -> list[Throttle]:
        """Those with `start` ≤ time < `end`, epoch ms, in order of time."""
        rows = self._tables.connection.execute(
            "SELECT at, function, request_id, reason FROM throttles WHERE at >= ? AND (? IS NULL OR at < ?) ORDER BY at, seq",
            (start, end, end),
        )
        return [Throttle(*row) for row in rows]

    def close(self) -> None:
        """Close the database."""
        self._tables.close()
