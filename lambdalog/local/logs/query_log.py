"""Queries that were started: what was asked, how far they are, what they found. Every process on the store sees them."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

if TYPE_CHECKING:
    from lambdalog.local.logs.ledger import Ledger

# "Query results are available for 7 days."
KEPT_MS: Final = 7 * 86_400_000
UNFINISHED: Final = frozenset({"Scheduled", "Running"})


class Started(NamedTuple):
    """A query. `record` has what was asked: groups, start, end (epoch seconds), text, limit."""

    id: str
    created: int
    record: dict[str, Any]
    status: str
    statistics: dict[str, float]


class QueryLog:
    """The table of queries."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def add(self, query_id: str, created: int, record: dict[str, Any]) -> None:
        """A new query, which waits for its turn; those that are a week old are forgotten."""
        db = self._ledger.tables.connection
        db.execute("DELETE FROM queries WHERE created < ?", (created - KEPT_MS,))
        db.execute(
            "INSERT INTO queries VALUES (?, ?, ?, 'Scheduled', ?, '{}', NULL)",
            (query_id, created, orjson.dumps(record).decode(), os.getpid()),
        )

    def running(self, query_id: str) -> None:
        """It was begun."""
        self._ledger.tables.connection.execute(
            "UPDATE queries SET status = 'Running' WHERE id = ?", (query_id,)
        )

    def ended(
        self, query_id: str, status: str, statistics: dict[str, float], results: list[list[tuple[str, str]]]
    ) -> None:
        """It ended, with what it found."""
        self._ledger.tables.connection.execute(
            "UPDATE queries SET status = ?, statistics = ?, results = ? WHERE id = ?",
            (status, orjson.dumps(statistics).decode(), zlib.compress(_json(results), 1), query_id),
        )

    def find(self, query_id: str) -> Started | None:
        """A query by its id."""
        row = self._ledger.tables.connection.execute(
            "SELECT id, created, record, status, statistics, process FROM queries WHERE id = ?", (query_id,)
        ).fetchone()
        return None if row is None else _started(row)

    def results(self, query_id: str) -> list[list[tuple[str, str]]]:
        """What a query that has ended found."""
        row = self._ledger.tables.connection.execute(
            "SELECT results FROM queries WHERE id = ?", (query_id,)
        ).fetchone()
        if row is None or row[0] is None:
            return []
        return [[(name, value) for name, value in found] for found in orjson.loads(zlib.decompress(row[0]))]

    def all(self) -> list[Started]:
        """All queries, the newest first."""
        rows = self._ledger.tables.connection.execute(
            "SELECT id, created, record, status, statistics, process FROM queries ORDER BY created DESC, id"
        ).fetchall()
        return [_started(row) for row in rows]


def _started(row: tuple[Any, ...]) -> Started:
    query_id, created, record, status, statistics, process = row
    if status in UNFINISHED and not _alive(process):
        status = "Failed"  # whoever ran it has died
    return Started(query_id, created, orjson.loads(record), status, orjson.loads(statistics))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _json(results: list[list[tuple[str, str]]]) -> bytes:
    try:
        return orjson.dumps(results)
    except TypeError:  # a lone surrogate, which no UTF-8 can carry
        return orjson.dumps(
            [[(name, value.encode("utf-8", "replace").decode()) for name, value in row] for row in results]
        )
