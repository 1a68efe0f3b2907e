"""SQLite as the store uses it."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest

from lambdalog.errors import NewerFormat, StoreError
from lambdalog.store.tables import Tables, connect, transaction

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = """
CREATE TABLE a (x INTEGER) STRICT;
CREATE TABLE b (y TEXT) STRICT;
"""


def test_many_who_open_at_once_make_it_once(tmp_path: Path) -> None:
    """Threads that open a new database together all get it, made once."""
    tables = Tables(tmp_path / "t.sqlite", SCHEMA)
    start = threading.Barrier(8)
    failures: list[BaseException] = []

    def use() -> None:
        start.wait()
        try:
            tables.connection.execute("INSERT INTO a VALUES (1)")
        except BaseException as error:  # noqa: BLE001 - reported below
            failures.append(error)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert tables.connection.execute("SELECT count(*) FROM a").fetchone() == (8,)
    tables.close()


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    """What fails in the middle leaves nothing behind."""
    connection = connect(tmp_path / "t.sqlite", SCHEMA)

    def fail() -> None:
        with transaction(connection) as db:
            db.execute("INSERT INTO a VALUES (1)")
            db.execute("INSERT INTO none VALUES (1)")

    with pytest.raises(sqlite3.Error):
        fail()
    assert connection.execute("SELECT count(*) FROM a").fetchone() == (0,)
    connection.close()


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """A database that a newer version made is not touched."""
    connect(tmp_path / "t.sqlite", SCHEMA, version=2).close()
    with pytest.raises(NewerFormat, match="has format 2"):
        connect(tmp_path / "t.sqlite", SCHEMA, version=1)


def test_what_cannot_be_opened_says_where(tmp_path: Path) -> None:
    """A path through a file, and a file that is no database, are one clear error."""
    (tmp_path / "file").write_text("not a database, but long enough to be looked at as one")
    with pytest.raises(StoreError, match="can't open"):
        connect(tmp_path / "file" / "t.sqlite", SCHEMA)
    with pytest.raises(StoreError, match="can't open"):
        connect(tmp_path / "file", SCHEMA)
