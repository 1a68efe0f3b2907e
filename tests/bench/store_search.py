"""Questions over a day's events, live and sealed, beside ripgrep, SQLite, DuckDB and lnav over the same events."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from lambdalog.query.pattern import parse
from lambdalog.store import LogStore, Scan
from lambdalog.store.maintenance import maintain
from tests.bench.harness import Bench, Figure, Row, milliseconds, seconds
from tests.bench.store_events import EVENTS, GROUP, STREAMS, invocations, new_sqlite, new_store, peak

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

PAGE: Final = 100
# So many invocations are written at once: what is measured comes after.
_CHUNK: Final = 3000


# Who, and what it took; without a figure, `who` says why there is none.
Peer = tuple[str, Figure | None]


class Search(NamedTuple):
    """One question, as each of the parties asks it."""

    what: str
    scan: Scan
    limit: int | None
    sql: str  # of SQLite and DuckDB, on (stream, t, message)
    pattern: str | None  # of ripgrep and lnav, which give every line that matches
    fixed: bool = True  # the pattern is a text, no regular expression


def questions(request: str, begin: int) -> list[Search]:
    """What is asked: a request's lines, a predicate, a regular expression, five minutes."""
    level, regex = parse('{ $.level = "ERROR" }'), parse("%invoice.*ms.:99[.][0-9]%")
    span = f"t >= {begin} AND t < {begin + 300_000}"
    five = Scan(GROUP, start=begin, end=begin + 300_000)
    return [
        Search(
            "a request id, all of its events",
            Scan(GROUP, literals=(request,), match=lambda message: request in message),
            None,
            f"message LIKE '%{request}%'",
            request,
        ),
        Search(
            f"{level}, first {PAGE} by time",
            Scan(GROUP, literals=level.literals, match=level.matches),
            PAGE,
            "json_extract(message, '$.level') = 'ERROR'",
            '"level":"ERROR"',
        ),
        Search(
            f"{regex}, first {PAGE} by time",
            Scan(GROUP, literals=regex.literals, match=regex.matches),
            PAGE,
            "message REGEXP 'invoice.*ms.:99[.][0-9]'",
            r"invoice.*ms.{2}:99[.][0-9]",  # in a JSON string a quote stands escaped
            fixed=False,
        ),
        Search("5 minutes of a day, all events", five, None, span, None),
        Search(f"5 minutes of a day, first {PAGE}", five, PAGE, span, None),
        Search(f"first {PAGE} events", Scan(GROUP), PAGE, "1", None),
    ]


def search(folder: Path) -> Iterator[Row]:
    """Each question, sealing, sizes, and the memory of processes that ask everything."""
    plain = folder / "events.jsonl"
    with new_store(folder / "store", STREAMS) as store, closing(new_sqlite(folder / "peer.sqlite")) as db:
        size, request, begin = _fill(store, db, plain)
        store.close()
        asked = questions(request, begin)
        live = [_ask(folder / "store", one) for one in asked]
        ours = {"live": peak(_ASKING, folder / "store", request, begin)}
        raw = store.stored_bytes(GROUP)
        began = seconds(lambda: maintain(store), times=1)
        yield Row(f"seal {raw / 1e6:,.0f} MB", Figure(raw / began / 1e6, "MB/s"))
        ours["sealed"] = peak(_ASKING, folder / "store", request, begin)
        table = Figure((folder / "peer.sqlite").stat().st_size / size, "")
        yield Row("disk, live, of the messages' bytes", Figure(raw / size, ""), "SQLite", table)
        sealed = Figure(store.stored_bytes(GROUP) / size, "")
        yield Row("disk, sealed, of the messages' bytes", sealed, "SQLite", table)
        for one, while_live in zip(asked, live, strict=True):
            now = _ask(folder / "store", one)
            peers = list(_peers(one, db, plain))
            for state, figure in (("live", while_live), ("sealed", now)):
                for who, peer in peers:
                    yield Row(f"{one.what}; {state}", figure, who, peer)
        yield from _lnav(folder, asked[0], plain)
        yield from _counts(folder / "store", db)
        most = [("SQLite", peak(_SQLITE, folder / "peer.sqlite", request, begin))]
        if _has_duckdb():
            most.append(("DuckDB on JSON", peak(_DUCKDB, plain, request, begin)))
        for state, figure in ours.items():
            for who, peer in most:
                yield Row(f"memory of a process that asks all of this, {state}", figure, who, peer)


def _fill(store: LogStore, db: sqlite3.Connection, plain: Path) -> tuple[int, str, int]:
    """Write the day three times; (bytes of messages, a request in its middle, when that began)."""
    size, request, begin = 0, "", 0
    made = invocations(EVENTS)
    with plain.open("w", encoding="utf-8") as file:
        db.execute("BEGIN")
        while chunk := list(islice(made, _CHUNK)):
            if not request and file.tell() > EVENTS * 110:
                request, begin = json.loads(chunk[0][0][2])["requestId"], chunk[0][0][1]
            rows = [event for lines in chunk for event in lines]
            by_stream: dict[int, list[tuple[int, str]]] = {}
            for stream, time, text in rows:
                by_stream.setdefault(stream, []).append((time, text))
                size += len(text)
            for stream, events in by_stream.items():
                store.append(GROUP, f"s{stream}", events)
            db.executemany("INSERT INTO events VALUES (?, ?, ?)", rows)
            file.writelines(
                f'{{"stream":"s{stream}","t":{time},"message":{json.dumps(text)}}}\n'
                for stream, time, text in rows
            )
        db.execute("COMMIT")
    _teach(db)
    return size, request, begin


def _teach(db: sqlite3.Connection) -> None:
    db.create_function("REGEXP", 2, lambda pattern, text: re.search(pattern, text) is not None)


def _ask(root: Path, one: Search) -> Figure:
    """A process that has the store open asks; its indexes are warm after the first time."""
    with LogStore(root) as store:
        return milliseconds(lambda: sum(1 for _ in islice(store.scan(one.scan), one.limit)), times=7)


def _has_duckdb() -> bool:
    try:
        import duckdb  # noqa: F401
    except ImportError:
        return False
    return True


def sql_of(one: Search) -> str:
    """The question to SQLite."""
    limit = "" if one.limit is None else f" LIMIT {one.limit}"
    return f"SELECT t, message FROM events WHERE {one.sql} ORDER BY t{limit}"


def duckdb_sql_of(one: Search, plain: str) -> str:
    """The question to DuckDB, over the file of JSON lines."""
    columns = "{stream: 'VARCHAR', t: 'BIGINT', message: 'VARCHAR'}"
    source = f"read_json('{plain}', format='newline_delimited', columns={columns})"
    condition = one.sql.replace("json_extract(", "json_extract_string(")
    condition = re.sub(r"message REGEXP ('.*')", r"regexp_matches(message, \1)", condition)
    where = "" if one.sql == "1" else f" WHERE {condition}"
    limit = "" if one.limit is None else f" LIMIT {one.limit}"
    return f"SELECT t, message FROM {source}{where} ORDER BY t{limit}"


def _peers(one: Search, db: sqlite3.Connection, plain: Path) -> Iterator[Peer]:
    query = sql_of(one)
    yield "SQLite", milliseconds(lambda: db.execute(query).fetchall(), times=3)
    if _has_duckdb():
        import duckdb

        with closing(duckdb.connect()) as duck:
            text = duckdb_sql_of(one, str(plain))
            yield "DuckDB on JSON", milliseconds(lambda: duck.execute(text).fetchall(), times=1)
    ripgrep = shutil.which("rg")
    if ripgrep and one.pattern:
        # Messages stand in the file as JSON strings.
        asked = ["-F", json.dumps(one.pattern)[1:-1]] if one.fixed else ["-e", one.pattern]
        yield _program("ripgrep on JSON", [ripgrep, "-N", *asked, str(plain)], times=3)


def _program(who: str, command: list[str], *, times: int) -> Peer:
    """What a program takes, or what it says if it fails: a program that ends at once is soon done."""

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    figure = milliseconds(run, times=times)
    done = run()
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"status {done.returncode}"
        return f"{who} failed: {said[:60]}", None
    return who, figure


def _lnav(folder: Path, one: Search, plain: Path) -> Iterator[Row]:
    """One question is enough: lnav reads and indexes the whole file first, whatever is asked."""
    ours = _ask(folder / "store", one)
    lnav = shutil.which("lnav")
    if lnav is None:
        yield Row(f"{one.what}; sealed", ours, "lnav: not installed")
        return
    command = [lnav, "-n", "-c", f":filter-in {one.pattern}", str(plain)]
    yield Row(f"{one.what}; sealed", ours, *_program("lnav", command, times=1))


def _counts(root: Path, db: sqlite3.Connection) -> Iterator[Row]:
    with LogStore(root) as store:
        ours = milliseconds(lambda: store.minutes(GROUP))
    query = "SELECT t / 300000, count(*) FROM events GROUP BY 1"
    peer = milliseconds(lambda: db.execute(query).fetchall(), times=1)
    yield Row("count per 5 minutes", ours, "SQLite", peer)


_ASKING: Final = """
import sys
from itertools import islice
from pathlib import Path
from tests.bench.store_search import LogStore, questions
with LogStore(Path(sys.argv[1])) as store:
    for one in questions(sys.argv[2], int(sys.argv[3])):
        sum(1 for _ in islice(store.scan(one.scan), one.limit))
"""
_SQLITE: Final = """
import sqlite3, sys
from tests.bench.store_search import _teach, questions, sql_of
db = sqlite3.connect(sys.argv[1])
_teach(db)
for one in questions(sys.argv[2], int(sys.argv[3])):
    db.execute(sql_of(one)).fetchall()
"""
_DUCKDB: Final = """
import duckdb, sys
from tests.bench.store_search import duckdb_sql_of, questions
db = duckdb.connect()
for one in questions(sys.argv[2], int(sys.argv[3])):
    db.execute(duckdb_sql_of(one, sys.argv[1])).fetchall()
"""


def benches() -> list[Bench]:
    """What there is."""
    return [Bench("store.search", search)]
