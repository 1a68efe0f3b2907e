"""The functions of a store, in `functions.sqlite`: a JSON record each, changed in transactions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from lambdalog.store.tables import Tables, transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCHEMA: Final = """
CREATE TABLE functions (name TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""


class Catalog:
    """Function name → record: {"config": …, "code": …, "concurrency": …, "invoke": {qualifier: …}, "tags": …}."""

    def __init__(self, root: Path) -> None:
        self._tables = Tables(root / "functions.sqlite", SCHEMA)

    def get(self, name: str) -> dict[str, Any] | None:
        """A function's record, or None."""
        row = self._tables.connection.execute(
            "SELECT record FROM functions WHERE name = ?", (name,)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def names(self) -> list[str]:
        """All functions, by name."""
        return [
            name for (name,) in self._tables.connection.execute("SELECT name FROM functions ORDER BY name")
        ]

    def add(self, name: str, record: dict[str, Any]) -> bool:
        """Add a function; False if there is one of that name."""
        done = self._tables.connection.execute(
            "INSERT INTO functions (name, record) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (name, json.dumps(record)),
        )
        return done.rowcount == 1

    def change(self, name: str, change: Callable[[dict[str, Any]], None]) -> dict[str, Any] | None:
        """Change a record alone; the changed one, or None if there is no such function."""
        with transaction(self._tables.connection) as db:
            record = self.get(name)
            if record is not None:
                change(record)
                db.execute("UPDATE functions SET record = ? WHERE name = ?", (json.dumps(record), name))
        return record

    def remove(self, name: str) -> bool:
        """Forget a function; False if there was none."""
        return self._tables.connection.execute("DELETE FROM functions WHERE name = ?", (name,)).rowcount == 1

    def close(self) -> None:
        """Close the database."""
        self._tables.close()
