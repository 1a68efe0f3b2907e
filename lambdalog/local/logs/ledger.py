"""What CloudWatch Logs knows beside the logs themselves: `logs.sqlite`, each statement of it here.

How far each filter has read, the values that metric filters found, what subscription filters delivered. The tables of
queries and policies are made here too; `query_log` and `policies` have their statements.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lambdalog.store.tables import Tables, transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from lambdalog.store.arrivals import Piece

SCHEMA: Final = """
CREATE TABLE progress (
    filter TEXT NOT NULL, segment TEXT NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (filter, segment)
) STRICT, WITHOUT ROWID;
CREATE TABLE metrics (
    namespace TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL, unit TEXT NOT NULL, minute INTEGER NOT NULL,
    filler INTEGER NOT NULL, count REAL NOT NULL, sum REAL NOT NULL, least REAL NOT NULL, most REAL NOT NULL,
    PRIMARY KEY (namespace, name, dimensions, unit, minute)
) STRICT, WITHOUT ROWID;
CREATE TABLE deliveries (
    filter TEXT PRIMARY KEY, messages INTEGER NOT NULL, events INTEGER NOT NULL, dropped INTEGER NOT NULL, reason TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE queries (
    id TEXT PRIMARY KEY, created INTEGER NOT NULL, record TEXT NOT NULL, status TEXT NOT NULL, process INTEGER NOT NULL,
    statistics TEXT NOT NULL, results BLOB
) STRICT, WITHOUT ROWID;
CREATE TABLE query_definitions (id TEXT PRIMARY KEY, name TEXT NOT NULL, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE policies (name TEXT PRIMARY KEY, document TEXT NOT NULL, updated INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""
MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Value:
    """A metric's values of one minute, as CloudWatch keeps them. `minute` is its beginning, epoch ms.

    `filler`: a metric filter's default value, which holds for a minute in which events came and none matched.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str
    minute: int
    count: float
    sum: float
    least: float
    most: float
    filler: bool = False


class Ledger:
    """The tables, made when something is first written to them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.tables = Tables(path, SCHEMA)

    @property
    def exists(self) -> bool:
        """Whether there is anything in it."""
        return self._path.exists()

    def close(self) -> None:
        """Close the database."""
        self.tables.close()

    # --- how far filters have read

    def progress(self, filter_id: str) -> dict[str, int]:
        """Segment → bytes that a filter has read."""
        return dict(
            self.tables.connection.execute(
                "SELECT segment, bytes FROM progress WHERE filter = ?", (filter_id,)
            ).fetchall()
        )

    def begin(self, filter_id: str, ends: Mapping[str, int]) -> None:
        """Let a new filter begin behind what is there."""
        with transaction(self.tables.connection) as db:
            db.executemany(
                "INSERT OR REPLACE INTO progress VALUES (?, ?, ?)",
                [(filter_id, segment, end) for segment, end in ends.items()],
            )

    def advance(self, filter_id: str, piece: Piece, values: Iterable[Value] = ()) -> bool:
        """Note in one step that a filter has read a piece, and what it found; False if another process was sooner."""
        with transaction(self.tables.connection) as db:
            found = db.execute(
                "SELECT bytes FROM progress WHERE filter = ? AND segment = ?", (filter_id, piece.segment)
            ).fetchone()
            if (found[0] if found else 0) != piece.start:
                return False
            db.execute(
                "INSERT OR REPLACE INTO progress VALUES (?, ?, ?)", (filter_id, piece.segment, piece.end)
            )
            for value in values:
                db.execute(
                    _ADD,
                    (
                        value.namespace,
                        value.name,
                        json.dumps(value.dimensions),
                        value.unit,
                        value.minute,
                        value.filler,
                        value.count,
                        value.sum,
                        value.least,
                        value.most,
                    ),
                )
        return True

    def forget_segments(self, filter_id: str, gone: Iterable[str]) -> None:
        """Segments that were removed need not be remembered."""
        with transaction(self.tables.connection) as db:
            db.executemany(
                "DELETE FROM progress WHERE filter = ? AND segment = ?",
                [(filter_id, segment) for segment in gone],
            )

    def forget(self, filter_ids: Iterable[str]) -> None:
        """Let go of filters that were deleted. The values that they found stay, as in CloudWatch."""
        ids = [(one,) for one in filter_ids]
        if ids:
            with transaction(self.tables.connection) as db:
                db.executemany("DELETE FROM progress WHERE filter = ?", ids)
                db.executemany("DELETE FROM deliveries WHERE filter = ?", ids)

    # --- deliveries

    def delivered(
        self, filter_id: str, *, messages: int, events: int, dropped: int, reason: str | None
    ) -> None:
        """Count what a subscription filter handed over, and what it could not, with the reason."""
        self.tables.connection.execute(
            "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET messages = messages + excluded.messages,"
            " events = events + excluded.events, dropped = dropped + excluded.dropped,"
            " reason = coalesce(excluded.reason, reason)",
            (filter_id, messages, events, dropped, reason),
        )

    def deliveries(self, filter_id: str) -> tuple[int, int, int, str | None]:
        """(messages, events, dropped, why the last one was dropped) of a subscription filter."""
        found = self.tables.connection.execute(
            "SELECT messages, events, dropped, reason FROM deliveries WHERE filter = ?", (filter_id,)
        ).fetchone()
        return found or (0, 0, 0, None)

    # --- metric values

    def values(self, namespace: str, name: str, start: int, end: int) -> Iterator[Value]:
        """A metric's values of the minutes that begin in [start, end), in order of time."""
        rows = self.tables.connection.execute(
            "SELECT dimensions, unit, minute, count, sum, least, most, filler FROM metrics"
            " WHERE namespace = ? AND name = ? AND minute >= ? AND minute < ? ORDER BY minute",
            (namespace, name, start, end),
        )
        for dimensions, unit, minute, count, total, least, most, filler in rows:
            yield Value(
                namespace,
                name,
                _dimensions(dimensions),
                unit,
                minute,
                count,
                total,
                least,
                most,
                bool(filler),
            )

    def metrics(self) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
        """(namespace, name, dimensions) of all metrics that have values."""
        rows = self.tables.connection.execute(
            "SELECT DISTINCT namespace, name, dimensions FROM metrics ORDER BY 1, 2, 3"
        ).fetchall()
        return [(namespace, name, _dimensions(dimensions)) for namespace, name, dimensions in rows]


# A filler stands only while there is nothing else; real values add up.
_ADD: Final = """
INSERT INTO metrics (namespace, name, dimensions, unit, minute, filler, count, sum, least, most)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    count = CASE WHEN excluded.filler THEN count WHEN filler THEN excluded.count ELSE count + excluded.count END,
    sum = CASE WHEN excluded.filler THEN sum WHEN filler THEN excluded.sum ELSE sum + excluded.sum END,
    least = CASE WHEN excluded.filler THEN least WHEN filler THEN excluded.least ELSE min(least, excluded.least) END,
    most = CASE WHEN excluded.filler THEN most WHEN filler THEN excluded.most ELSE max(most, excluded.most) END,
    filler = filler AND excluded.filler
"""


def _dimensions(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json.loads(text))
