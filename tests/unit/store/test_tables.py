"""SQLite as the store uses it."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
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


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders that can't be written: whoever runs the tests may be root, whom no mode keeps out."""
    monkeypatch.setattr("lambdalog.store.tables.os.access", lambda *_: False)


def test_what_cannot_be_written_is_read(tmp_path: Path, locked: None) -> None:
    """A database in a read-only folder gives what it holds, and refuses to change; nothing is laid beside it."""
    made = sqlite3.connect(tmp_path / "t.sqlite", isolation_level=None)
    made.execute("PRAGMA journal_mode=WAL")
    made.executescript(f"{SCHEMA}; INSERT INTO a VALUES (7); PRAGMA user_version=1")
    with closing(connect(tmp_path / "t.sqlite", SCHEMA)) as along:  # while another has it open
        assert along.execute("SELECT * FROM a").fetchall() == [(7,)]
    made.close()
    with closing(connect(tmp_path / "t.sqlite", SCHEMA)) as connection:
        assert connection.execute("SELECT * FROM a").fetchall() == [(7,)]
        with pytest.raises(sqlite3.OperationalError, match="readonly"), transaction(connection):
            connection.execute("INSERT INTO a VALUES (8)")
    assert [file.name for file in tmp_path.iterdir()] == ["t.sqlite"]
    with pytest.raises(StoreError, match="has format 1, and can't be written to be brought to 2"):
        connect(tmp_path / "t.sqlite", SCHEMA, version=2)


def test_what_is_not_there_and_cannot_be_made_is_empty(tmp_path: Path, locked: None) -> None:
    """Who reads a store that was never written to finds nothing; who writes is refused."""
    with closing(connect(tmp_path / "t.sqlite", SCHEMA)) as connection:
        assert connection.execute("SELECT * FROM a").fetchall() == []
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("INSERT INTO a VALUES (8)")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_seen_to_change(tmp_path: Path, locked: None) -> None:
    """Who looks on for long sees what its owner makes of a database, opened or not, as it is at each look."""
    path = tmp_path / "t.sqlite"
    looking = Tables(path, SCHEMA)
    assert looking.connection.execute("SELECT * FROM a").fetchall() == []
    seen = []
    for value in range(3):
        with closing(sqlite3.connect(path, isolation_level=None)) as owner:
            if not value:
                owner.execute("PRAGMA journal_mode=WAL")
                owner.executescript(f"{SCHEMA}; PRAGMA user_version=1")
            owner.execute("INSERT INTO a VALUES (?)", (value,))
            if value == 2:
                seen.append(looking.connection.execute("SELECT * FROM a").fetchall())
        seen.append(looking.connection.execute("SELECT * FROM a").fetchall())
    assert seen == [[(0,)], [(0,), (1,)], [(0,), (1,), (2,)], [(0,), (1,), (2,)]]
    looking.close()


def test_a_full_disk_is_told_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of it SQLite says in some places no more than that there was an I/O error."""
    full = os.statvfs_result((4096, 4096, 100, 0, 0, 0, 0, 0, 0, 255))
    monkeypatch.setattr("lambdalog.store.tables.os.statvfs", lambda _: full)
    (tmp_path / "t.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match=r"can't open .*t\.sqlite: .*; its disk is full"):
        connect(tmp_path / "t.sqlite", SCHEMA)
