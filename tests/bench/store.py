"""The log store beside what else one would keep logs in on one machine."""

from __future__ import annotations

import json
import logging
import os
import random
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
import uuid
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from lambdalog.store import LogStore, Scan
from lambdalog.store.maintenance import maintain
from tests.bench.harness import Bench, Figure, Row, milliseconds, rate, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T0: Final = 1_700_000_000_000
EVENTS: Final = int(os.environ.get("LAMBDALOG_BENCH_EVENTS", "1500000"))
STREAMS: Final = 60
PAGE: Final = 100
GROUP: Final = "/aws/lambda/orders"
_DAY = 86_400_000
_WORDS = [
    "charging",
    "card",
    "for",
    "order",
    "placed",
    "customer",
    "retry",
    "cache",
    "miss",
    "upstream",
    "latency",
    "shipped",
    "invoice",
]
_LEVELS = ["INFO"] * 90 + ["WARN"] * 7 + ["ERROR"] * 3

Made = tuple[int, int, str]  # stream number, ms, message


def invocations(events: int, *, seed: int = 1) -> Iterator[list[Made]]:
    """What functions log in a day: six JSON lines a request, 230 bytes each, on 60 streams."""
    chance = random.Random(seed)
    step = 2 * _DAY // max(events // 6, 1)
    time = T0
    for _ in range(events // 6):
        time += chance.randrange(step)
        request = uuid.UUID(int=chance.getrandbits(128), version=4)
        stream = chance.randrange(STREAMS)
        yield [
            (
                stream,
                time + line,
                (
                    f'{{"timestamp":"2026-01-02T03:04:05.{time % 1000:03d}Z","level":"{chance.choice(_LEVELS)}",'
                    f'"message":"{" ".join(chance.choices(_WORDS, k=4))}","requestId":"{request}",'
                    f'"function":"orders","version":"$LATEST","order_id":{chance.randrange(10**6)},'
                    f'"ms":{chance.random() * 100:.2f}}}'
                ),
            )
            for line in range(6)
        ]


def events_of(count: int) -> list[tuple[int, str]]:
    """So many (ms, message)."""
    return sorted((time, text) for made in invocations(count) for _, time, text in made)


@contextmanager
def new_store(root: Path, streams: int = 1) -> Iterator[LogStore]:
    """A store with one group and some streams."""
    shutil.rmtree(root, ignore_errors=True)
    with LogStore(root) as store:
        store.create_group(GROUP)
        for number in range(streams):
            store.create_stream(GROUP, f"s{number}")
        yield store


def new_sqlite(path: Path) -> sqlite3.Connection:
    """A table of events as one would make it, in WAL mode."""
    for old in path.parent.glob(path.name + "*"):
        old.unlink()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        "CREATE TABLE events (stream TEXT, t INTEGER, message TEXT); CREATE INDEX at ON events (t);"
    )
    return connection


# --- appending


def append(folder: Path) -> Iterator[Row]:
    """In batches of 100 and one by one."""
    events = events_of(200_000)
    few = events[:20_000]
    batches = [events[n : n + 100] for n in range(0, len(events), 100)]

    def ours(batches: list[list[tuple[int, str]]]) -> None:
        with new_store(folder / "store") as store:
            for batch in batches:
                store.append(GROUP, "s0", batch)

    def sqlite(batches: list[list[tuple[int, str]]]) -> None:
        with closing(new_sqlite(folder / "peer.sqlite")) as connection:
            for batch in batches:
                connection.execute("BEGIN")
                connection.executemany("INSERT INTO events VALUES ('s0', ?, ?)", batch)
                connection.execute("COMMIT")

    def file_handler() -> None:
        handler = logging.FileHandler(folder / "peer.log")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger = logging.getLogger("bench")
        logger.propagate = False
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        for _, text in few:
            logger.info(text)
        logger.removeHandler(handler)
        handler.close()

    batched = rate(len(events), partial(ours, batches))
    yield Row("append, batches of 100", batched, "SQLite WAL", rate(len(events), partial(sqlite, batches)))
    yield Row("append, batches of 100", batched, "boto3 into moto", _moto(events[:5_000]))
    single = rate(len(few), partial(ours, [[event] for event in few]))
    yield Row(
        "append, one by one", single, "SQLite WAL", rate(4000, partial(sqlite, [[e] for e in few[:4000]]))
    )
    yield Row("append, one by one", single, "logging.FileHandler", rate(len(few), file_handler))


def _moto(events: list[tuple[int, str]]) -> Figure:
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    now = time.time_ns() // 1_000_000  # what is too old is refused
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        client = boto3.client(
            "logs",
            endpoint_url=f"http://{host}:{port}",
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        client.create_log_group(logGroupName=GROUP)
        client.create_log_stream(logGroupName=GROUP, logStreamName="s0")

        def put() -> None:
            for n in range(0, len(events), 100):
                client.put_log_events(
                    logGroupName=GROUP,
                    logStreamName="s0",
                    logEvents=[{"timestamp": now, "message": text} for _, text in events[n : n + 100]],
                )

        return rate(len(events), put, times=1)
    finally:
        server.stop()


# --- searching


class Search(NamedTuple):
    """One question, as each of the parties asks it."""

    what: str
    scan: Scan
    limit: int | None
    sql: str  # of SQLite and DuckDB, on (stream, t, message)
    pattern: str | None  # of ripgrep


def _questions(request: str, begin: int) -> list[Search]:
    regex = re.compile(r'invoice.*"ms":99\.\d')
    return [
        Search(
            "a request id, all of its events",
            Scan(GROUP, literals=(request,), match=_containing(request)),
            None,
            f"message LIKE '%{request}%'",
            request,
        ),
        Search(
            f'level = "ERROR", first {PAGE} by time',
            Scan(GROUP, literals=('"level":"ERROR"',), match=_level("ERROR")),
            PAGE,
            "json_extract(message, '$.level') = 'ERROR'",
            '"level":"ERROR"',
        ),
        Search(
            f"a regex with a required word, first {PAGE} by time",
            Scan(GROUP, literals=("invoice", '"ms":99.'), match=lambda text: regex.search(text) is not None),
            PAGE,
            "message REGEXP 'invoice.*\"ms\":99\\.[0-9]'",
            regex.pattern,
        ),
        Search(
            "5 minutes of a day, all events",
            Scan(GROUP, start=begin, end=begin + 300_000),
            None,
            f"t >= {begin} AND t < {begin + 300_000}",
            None,
        ),
        Search(f"first {PAGE} events", Scan(GROUP), PAGE, "1", None),
    ]


def _containing(text: str) -> Callable[[str], bool]:
    return lambda message: text in message


def _level(level: str) -> Callable[[str], bool]:
    return lambda message: bool(json.loads(message)["level"] == level)


def search(folder: Path) -> Iterator[Row]:
    """Questions over a day's events, live and sealed."""
    request, begin = "", 0
    plain = folder / "events.jsonl"
    size = 0
    with new_store(folder / "store", STREAMS) as store, closing(new_sqlite(folder / "peer.sqlite")) as db:
        with plain.open("w") as file:
            db.execute("BEGIN")
            for number, made in enumerate(invocations(EVENTS)):
                if number == EVENTS // 12:
                    request, begin = json.loads(made[0][2])["requestId"], made[0][1]
                store.append(GROUP, f"s{made[0][0]}", [(time, text) for _, time, text in made])
                db.executemany("INSERT INTO events VALUES (?, ?, ?)", made)
                for stream, time, text in made:
                    file.write(f'{{"stream":"s{stream}","t":{time},"message":{json.dumps(text)}}}\n')
                    size += len(text)
            db.execute("COMMIT")
        db.create_function("REGEXP", 2, lambda pattern, text: re.search(pattern, text) is not None)
        store.close()
        questions = _questions(request, begin)
        live = [_ask(folder / "store", one) for one in questions]
        memory = {"live": _memory(folder / "store", request)}
        raw = store.stored_bytes(GROUP)
        began = seconds(lambda: maintain(store), times=1)
        yield Row(f"seal {raw / 1e6:,.0f} MB", Figure(raw / began / 1e6, "MB/s"))
        sealed_bytes = store.stored_bytes(GROUP)
        plain_size = (folder / "peer.sqlite").stat().st_size
        yield Row(
            "disk, live, of the messages' bytes",
            Figure(raw / size, ""),
            "SQLite",
            Figure(plain_size / size, ""),
        )
        yield Row(
            "disk, sealed, of the messages' bytes",
            Figure(sealed_bytes / size, ""),
            "SQLite",
            Figure(plain_size / size, ""),
        )
        memory["sealed"] = _memory(folder / "store", request)
        for one, while_live in zip(questions, live, strict=True):
            sealed = _ask(folder / "store", one)
            peers = list(_peers(one, db, plain))
            yield Row(f"{one.what}; live", while_live, *min(peers, key=lambda peer: peer[1].value))
            for who, peer in peers:
                yield Row(f"{one.what}; sealed", sealed, who, peer)
        yield from _counts(folder / "store", db)
        for state, figure in memory.items():
            yield Row(f"memory of a process that asks all of this, {state}", figure)


def _ask(root: Path, one: Search) -> Figure:
    """A process that has the store open asks; its indexes are warm after the first time."""
    with LogStore(root) as store:
        return milliseconds(lambda: sum(1 for _ in islice(store.scan(one.scan), one.limit)), times=7)


def _peers(one: Search, db: sqlite3.Connection, plain: Path) -> Iterator[tuple[str, Figure]]:
    limit = "" if one.limit is None else f" LIMIT {one.limit}"
    query = f"SELECT t, message FROM events WHERE {one.sql} ORDER BY t{limit}"
    yield "SQLite", milliseconds(lambda: db.execute(query).fetchall(), times=3)
    try:
        import duckdb
    except ImportError:
        pass
    else:
        condition = one.sql.replace(
            "json_extract(message, '$.level')", "json_extract_string(message, '$.level')"
        )
        condition = re.sub(r"message REGEXP ('.*')", r"regexp_matches(message, \1)", condition).replace(
            "WHERE 1", ""
        )
        source = f"read_json('{plain}', format='newline_delimited', columns={{stream: 'VARCHAR', t: 'BIGINT', message: 'VARCHAR'}})"
        where = "" if one.sql == "1" else f" WHERE {condition}"
        with closing(duckdb.connect()) as duck:
            text = f"SELECT t, message FROM {source}{where} ORDER BY t{limit}"
            yield "DuckDB on JSON", milliseconds(lambda: duck.execute(text).fetchall(), times=3)
    ripgrep = shutil.which("rg")
    if ripgrep and one.pattern:
        escaped = json.dumps(one.pattern)[1:-1]
        command = [ripgrep, "-N", escaped, str(plain)]
        yield (
            "ripgrep on JSON",
            milliseconds(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=False)),
        )


def _counts(root: Path, db: sqlite3.Connection) -> Iterator[Row]:
    with LogStore(root) as store:
        ours = milliseconds(lambda: store.minutes(GROUP))
    query = "SELECT t / 300000, count(*) FROM events GROUP BY 1"
    yield Row(
        "count per 5 minutes", ours, "SQLite", milliseconds(lambda: db.execute(query).fetchall(), times=3)
    )


_ASKING = """
import resource, sys
from itertools import islice
from pathlib import Path
from tests.bench.store import GROUP, T0, LogStore, Scan, _questions
with LogStore(Path(sys.argv[1])) as store:
    for one in _questions(sys.argv[2], T0 + 40_000_000):
        sum(1 for _ in islice(store.scan(one.scan), one.limit))
    sum(1 for _ in store.scan(Scan(GROUP)))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _memory(root: Path, request: str) -> Figure:
    """The largest resident set of a process that asks every question, and then reads everything."""
    found = subprocess.run(
        [sys.executable, "-c", _ASKING, str(root), request], stdout=subprocess.PIPE, check=True
    )
    unit = 1 if sys.platform == "darwin" else 1024
    return Figure(int(found.stdout) * unit / 1e6, "MB")


# --- following

_WRITING = """
import sys, time
from pathlib import Path
from lambdalog.store import LogStore
with LogStore(Path(sys.argv[1])) as store:
    for n in range(int(sys.argv[2])):
        now = time.time_ns()
        store.append("/aws/lambda/orders", "s0", [(now // 1_000_000, str(now))])
        time.sleep(0.003)
"""


def follow(folder: Path) -> Iterator[Row]:
    """From a write in one process to the event in another."""
    from lambdalog.store import follow as module
    from lambdalog.store.watch import Polling, new_watch

    native = _latencies(folder / "a", new_watch, module)
    polled = _latencies(folder / "b", Polling, module)
    for name, share in (("p50", 0.50), ("p99", 0.99)):
        yield Row(
            f"follow latency, {name}",
            _quantile(native, share),
            "polling each 25 ms",
            _quantile(polled, share),
        )


def _quantile(values: list[float], share: float) -> Figure:
    return Figure(statistics.quantiles(values, n=100)[round(share * 100) - 1] * 1000, "ms")


def _latencies(root: Path, watch: Callable[[], object], module: object) -> list[float]:
    from unittest import mock

    count = 1000
    taken: list[float] = []
    with new_store(root, STREAMS) as store, mock.patch.object(module, "new_watch", watch):
        for number in range(STREAMS):
            store.append(GROUP, f"s{number}", [(T0, "already there")])
        with (
            store.follow() as follower,
            subprocess.Popen([sys.executable, "-c", _WRITING, str(root), str(count)]) as process,
        ):
            while len(taken) < count and (process.poll() is None or taken):
                events = follower.poll(1.0)
                now = time.time_ns()
                taken += [(now - int(event.message)) / 1e9 for event in events]
                if not events and process.poll() is not None:
                    break
    return taken


# --- many streams, retention


def many(folder: Path) -> Iterator[Row]:
    """A store of 10,000 streams, opened and listed; and what has expired, removed."""
    count = 10_000
    with new_store(folder / "store", count) as store:
        for number in range(count):
            store.append(
                GROUP, f"s{number}", [(T0 + number * 100 + n, f"line {n} of {number}") for n in range(10)]
            )

    def listed() -> None:
        with LogStore(folder / "store") as fresh:
            assert len(fresh.streams(GROUP)) == count

    def last_page() -> None:
        with LogStore(folder / "store") as fresh:
            scan = Scan(GROUP, streams=frozenset({"s5000"}), descending=True)
            assert len(list(islice(fresh.scan(scan), 10))) == 10

    for state in ("live", "sealed"):
        yield Row(f"open and list 10,000 streams, {state}", milliseconds(listed))
        yield Row(f"open, last page of one of 10,000 streams, {state}", milliseconds(last_page))
        with LogStore(folder / "store") as store:
            if state == "live":
                maintain(store)
    yield from _retention(folder)


def _retention(folder: Path) -> Iterator[Row]:
    from dataclasses import replace

    events = events_of(150_000)
    with new_store(folder / "expiring") as store, closing(new_sqlite(folder / "peer.sqlite")) as db:
        store.append(GROUP, "s0", events)
        store.close()
        maintain(store)
        db.executemany("INSERT INTO events VALUES ('s0', ?, ?)", events)
        store.update_group(GROUP, lambda info: replace(info, retention_days=1))
        ours = milliseconds(lambda: maintain(store), times=1)
        assert not list(store.scan(Scan(GROUP)))
        peer = milliseconds(lambda: db.execute("DELETE FROM events"), times=1)
        yield Row("retention, 150,000 events", ours, "SQLite", peer)


def benches() -> list[Bench]:
    """What there is."""
    return [
        Bench("store.append", append),
        Bench("store.search", search),
        Bench("store.follow", follow),
        Bench("store.many", many),
    ]
