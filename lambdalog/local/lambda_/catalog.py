"""What a store knows of its functions, in `functions.sqlite`: JSON records of several kinds, changed in transactions."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson

from lambdalog.clock import SYSTEM
from lambdalog.store.changes import Changes
from lambdalog.store.files import Layout
from lambdalog.store.tables import Tables, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from sqlite3 import Connection, Cursor

    from lambdalog.clock import Clock
    from lambdalog.store.changes import Told

SCHEMA: Final = """
DROP TABLE IF EXISTS functions;
CREATE TABLE records (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (kind, name, key)
) STRICT, WITHOUT ROWID;
"""

# name, key: a function's ($LATEST; key ''), version (its number), alias (its name), event-invoke configuration and
# policy (the qualifier), provisioned concurrency (the qualifier); a layer's versions (its number); an event source
# mapping (its UUID), where its reader stands (UUID, shard); a trigger (its name) and where it stands.
Kind = Literal[
    "function",
    "version",
    "alias",
    "event_config",
    "policy",
    "layer",
    "mapping",
    "checkpoint",
    "trigger",
]
Record = dict[str, Any]
# Of so many records a thread keeps what it read.
_KEPT_MAX: Final = 100
# What is changed without a word, by a process that ended before it could say it, is noticed after so long.
_LOOK_SECONDS: Final = 0.1
# What goes with a function.
_OF_FUNCTION: Final = ("function", "version", "alias", "event_config", "policy")


class _Kept(threading.local):
    """What a thread has read, in which state of the database, and when and after which word it has asked for that."""

    def __init__(self) -> None:
        self.state: tuple[Connection, int, int] | None = None
        self.told = 0
        self.looked = 0.0
        self.records: dict[tuple[str, str, str], Record | None] = {}


class Catalog:
    """Records by kind, name and key; numbers as keys are in the order of their digits, so callers sort them."""

    def __init__(self, root: Path, clock: Clock = SYSTEM) -> None:
        self._tables = Tables(root / "functions.sqlite", SCHEMA, version=2)
        self._clock = clock
        self._changes = Changes(Layout(root).changes)
        self._told: Told | None = None
        self._kept = _Kept()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All that is done in it or nothing, with no other writer between."""
        # Within it this thread is to see what it has changed, which nobody is told of yet.
        self._kept.records = {}
        with transaction(self._tables.connection) as connection:
            yield connection
        self._changes.tell()

    def get(self, kind: Kind, name: str, key: str = "") -> Record | None:
        """A record, or None."""
        row = self._tables.connection.execute(
            "SELECT record FROM records WHERE kind = ? AND name = ? AND key = ?", (kind, name, key)
        ).fetchone()
        return None if row is None else orjson.loads(row[0])

    def seen(self, kind: Kind, name: str, key: str = "") -> Record | None:
        """A record as `get` has it, for who only reads it: the one of the last look, if nothing has been changed since."""
        kept, wanted = self._kept, (kind, name, key)
        if self._told is None:
            self._told = self._changes.told()
        told, now = self._told[0], self._clock.monotonic()
        if told != kept.told or now - kept.looked > _LOOK_SECONDS or wanted not in kept.records:
            db = self._tables.connection
            if db.in_transaction:  # which may yet be undone
                return self.get(kind, name, key)
            # The first tells of changes by other connections alone, the second of this one's.
            state = db, db.execute("PRAGMA data_version").fetchone()[0], db.total_changes
            if kept.state != state or len(kept.records) >= _KEPT_MAX:
                kept.state, kept.records = state, {}
            kept.told, kept.looked = told, now
            if wanted not in kept.records:
                kept.records[wanted] = self.get(kind, name, key)
        return kept.records[wanted]

    def of(self, kind: Kind, name: str) -> dict[str, Record]:
        """The records of a kind and name, by key."""
        rows = self._tables.connection.execute(
            "SELECT key, record FROM records WHERE kind = ? AND name = ? ORDER BY key", (kind, name)
        )
        return {key: orjson.loads(record) for key, record in rows}

    def all(self, kind: Kind) -> Iterator[tuple[str, str, Record]]:
        """(name, key, record) of every record of a kind, by name."""
        rows = self._tables.connection.execute(
            "SELECT name, key, record FROM records WHERE kind = ? ORDER BY name, key", (kind,)
        ).fetchall()
        for name, key, record in rows:
            yield name, key, orjson.loads(record)

    def names(self, kind: Kind = "function") -> list[str]:
        """The names that have a record of a kind, in order."""
        rows = self._tables.connection.execute(
            "SELECT DISTINCT name FROM records WHERE kind = ? ORDER BY name", (kind,)
        )
        return [name for (name,) in rows]

    def add(self, kind: Kind, name: str, key: str, record: Record) -> bool:
        """Add a record; False if there is one."""
        done = self._write(
            "INSERT INTO records (kind, name, key, record) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (kind, name, key, json.dumps(record)),
        )
        return done.rowcount == 1

    def put(self, kind: Kind, name: str, key: str, record: Record) -> None:
        """Write a record, whether there is one or not."""
        self._write(
            "INSERT INTO records (kind, name, key, record) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET record = excluded.record",
            (kind, name, key, json.dumps(record)),
        )

    def change(
        self, kind: Kind, name: str, key: str, change: Callable[[Record], Record | None]
    ) -> Record | None:
        """Change a record alone, in place or to the one returned; the changed one, or None if there is none."""
        with self.transaction():
            record = self.get(kind, name, key)
            if record is not None:
                record = change(record) or record
                self.put(kind, name, key, record)
        return record

    def remove(self, kind: Kind, name: str, key: str = "") -> bool:
        """Forget a record; False if there was none."""
        done = self._write("DELETE FROM records WHERE kind = ? AND name = ? AND key = ?", (kind, name, key))
        return done.rowcount == 1

    def remove_all(self, kind: Kind, name: str) -> None:
        """Forget every record of a kind and name."""
        self._write("DELETE FROM records WHERE kind = ? AND name = ?", (kind, name))

    def remove_function(self, name: str) -> bool:
        """Forget a function and what goes with it; False if there was none."""
        with self.transaction() as db:
            there = self.get("function", name) is not None
            for kind in _OF_FUNCTION:
                db.execute("DELETE FROM records WHERE kind = ? AND name = ?", (kind, name))
        return there

    def _write(self, statement: str, values: tuple[str, ...]) -> Cursor:
        connection = self._tables.connection
        done = connection.execute(statement, values)
        if not connection.in_transaction:  # whose end tells of it
            self._changes.tell()
        return done

    def close(self) -> None:
        """Close the database."""
        self._tables.close()
