"""SQLite as the store uses it: WAL, a schema with a version, one connection a thread."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final, Literal

from lambdalog.errors import NewerFormat, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Synchronous = Literal["NORMAL", "FULL"]
BUSY_MS: Final = 10_000
# What SQLite needs for the index of its write-ahead log.
_ROOM_BYTES: Final = 64 * 1024


def connect(
    path: Path,
    schema: str,
    *,
    synchronous: Synchronous = "NORMAL",
    version: int = 1,
    page_bytes: int | None = None,
    pragmas: Sequence[str] = (),
) -> sqlite3.Connection:
    """Open a database, making it with `schema` (idempotent statements) if it isn't there.

    NORMAL survives the death of the process, FULL also a power cut. `page_bytes` is for a new file, `pragmas` for
    every connection. In a folder that can't be written it is only read, and one that isn't there is empty.
    NewerFormat if its `user_version` is above `version`; StoreError if it can't be opened.
    """
    if path.parent.exists() and not os.access(path.parent, os.W_OK):
        return _only_read(path, schema, version)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000
        )
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"can't open {path}: {_why(path, error)}") from error
    try:
        if page_bytes is not None:
            connection.execute(f"PRAGMA page_size={page_bytes}")
        _write_ahead(connection)
        connection.execute(f"PRAGMA synchronous={synchronous}")
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        if _version(connection) < version:
            with transaction(connection):
                # Asked once more: another process or thread may have made it in between.
                if _version(connection) < version:
                    for statement in _statements(schema):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version={version}")
        if (found := _version(connection)) > version:
            raise NewerFormat(f"{path} has format {found}; this lambdalog knows up to {version}")
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"can't open {path}: {_why(path, error)}") from error
    except BaseException:
        connection.close()
        raise
    return connection


class _Still(sqlite3.Connection):
    """To a database as it was when nobody had it open: it doesn't see others change it, and is for one look."""


def _only_read(path: Path, schema: str, version: int) -> sqlite3.Connection:
    """A connection to a database that can't be written; what is asked of it that would write is refused by SQLite."""
    try:
        if path.exists():
            # Who has it open keeps its log beside it, by which others can read along; else nobody changes it just now.
            along = path.with_name(f"{path.name}-wal").exists()
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?{'mode=ro' if along else 'immutable=1'}",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=BUSY_MS / 1000,
                factory=sqlite3.Connection if along else _Still,
            )
        else:
            connection = sqlite3.connect(
                ":memory:", isolation_level=None, check_same_thread=False, factory=_Still
            )
            for statement in _statements(schema):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={version}")
        connection.execute("PRAGMA query_only=ON")
        found = _version(connection)
    except sqlite3.Error as error:
        raise StoreError(f"can't open {path}, which can't be written: {error}") from error
    if found > version:
        connection.close()
        raise NewerFormat(f"{path} has format {found}; this lambdalog knows up to {version}")
    if found < version:
        connection.close()
        raise StoreError(f"{path} has format {found}, and can't be written to be brought to {version}")
    return connection


def _why(path: Path, error: Exception) -> str:
    """What an error means: of a full disk SQLite says in some places no more than that there was an I/O error."""
    try:
        disk = os.statvfs(path.parent)
    except OSError:
        return str(error)
    return f"{error}; its disk is full" if disk.f_bavail * disk.f_frsize < _ROOM_BYTES else str(error)


def _write_ahead(connection: sqlite3.Connection) -> None:
    # Who changes a new database's mode is refused at once while another opens it: SQLite does not wait there.
    until = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.005)
        else:
            return


def integrity(path: Path) -> list[str]:
    """What is wrong with a database by SQLite's own check; [] if it is sound. Nothing is written."""
    log = path.with_name(f"{path.name}-wal")
    if not log.exists():
        # Nobody has it open: even to read it, SQLite would else lay files beside it.
        if not (found := _check(path, "immutable=1")):
            return []
        if not log.exists():
            return found
    return _check(path, "mode=ro")


def _check(path: Path, how: str) -> list[str]:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
    except sqlite3.Error as error:
        return [str(error)]
    return [] if found == ["ok"] else found


def _version(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def _statements(schema: str) -> Iterator[str]:
    """The statements of a script; `executescript` would commit in the middle."""
    pending = ""
    for line in schema.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        yield pending


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of it or nothing, and no other writer between."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


class Tables:
    """One database, a connection for each thread that asks."""

    def __init__(
        self,
        path: Path,
        schema: str,
        *,
        synchronous: Synchronous = "NORMAL",
        version: int = 1,
        page_bytes: int | None = None,
        pragmas: Sequence[str] = (),
    ) -> None:
        self.path = path
        self._schema = schema
        self._synchronous: Synchronous = synchronous
        self._version = version
        self._page_bytes = page_bytes
        self._pragmas = pragmas
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: list[tuple[threading.Thread, sqlite3.Connection]] = []

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection; to what can't be written, and nobody has open, a new one each time."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = connect(
                self.path,
                self._schema,
                synchronous=self._synchronous,
                version=self._version,
                page_bytes=self._page_bytes,
                pragmas=self._pragmas,
            )
            if isinstance(found, _Still):
                return found
            self._local.connection = found
            with self._lock:
                for thread, connection in [item for item in self._open if not item[0].is_alive()]:
                    connection.close()
                    self._open.remove((thread, connection))
                self._open.append((threading.current_thread(), found))
        return found

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for _, connection in self._open:
                connection.close()
            self._open = []
        self._local = threading.local()
