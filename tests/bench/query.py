"""Insights queries beside DuckDB over the same JSON lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Final, NamedTuple

from lambdalog.query.insights import Run, read
from lambdalog.store import LogStore
from lambdalog.store.maintenance import maintain
from tests.bench.harness import Bench, Figure, Row, milliseconds, peak_bytes
from tests.bench.store_events import GROUP, STREAMS, T0, invocations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVENTS: Final = int(os.environ.get("LAMBDALOG_BENCH_EVENTS", "300000"))


class Question(NamedTuple):
    """The same question in both languages; `{events}` is the table of messages, `{request}` one request's id."""

    what: str
    text: str
    sql: str


_QUESTIONS: Final = (
    Question(
        "count per 5 minutes",
        "stats count(*) by bin(5m)",
        "SELECT t // 300000, count(*) FROM {events} GROUP BY 1 ORDER BY 1",
    ),
    Question(
        "one request's lines",
        'filter @message like "{request}"',
        "SELECT t, message FROM {events} WHERE contains(message, '{request}') ORDER BY t DESC",
    ),
    Question(
        "20 newest errors",
        'filter level = "ERROR" | limit 20',
        "SELECT t, message FROM {events} WHERE json_extract_string(message, '$.level') = 'ERROR' ORDER BY t DESC LIMIT 20",
    ),
    Question(
        "errors per 5 minutes",
        'filter level = "ERROR" | stats count(*) by bin(5m)',
        "SELECT t // 300000, count(*) FROM {events} WHERE json_extract_string(message, '$.level') = 'ERROR' GROUP BY 1",
    ),
    Question(
        "p99 and mean by level",
        "stats count(*), pct(ms, 99), avg(ms) by level",
        "SELECT json_extract_string(message, '$.level') AS l, count(*), quantile_cont(CAST(json_extract(message, '$.ms') AS DOUBLE), 0.99), "
        "avg(CAST(json_extract(message, '$.ms') AS DOUBLE)) FROM {events} GROUP BY 1",
    ),
)


def queries(folder: Path) -> Iterator[Row]:
    """Each question, and the memory of a process that asks them all."""
    plain, root = folder / "plain.jsonl", folder / "store"
    request = _fill(root, plain)
    with LogStore(root) as store:
        for one in _QUESTIONS:
            query = read(one.text.replace("{request}", request))

            def ask(query: object = query) -> None:
                for _ in Run(query, store, [GROUP], start=None, end=None).rows():  # type: ignore[arg-type]
                    pass

            ours = milliseconds(ask, times=3)
            peer = _duckdb(one.sql.replace("{request}", request), plain)
            yield Row(f"query: {one.what}", ours, "DuckDB" if peer else "DuckDB: not installed", peer)
    yield Row(f"query: memory, all of them over {EVENTS:,} events", _memory(root, request))


def _fill(root: Path, plain: Path) -> str:
    """Write the events twice; the id of one request in the middle."""
    request = ""
    with LogStore(root) as store, plain.open("w", encoding="utf-8") as file:
        store.create_group(GROUP)
        for number in range(STREAMS):
            store.create_stream(GROUP, f"s{number}")
        for count, lines in enumerate(invocations(EVENTS)):
            if count == EVENTS // 12:
                request = json.loads(lines[0][2])["requestId"]
            stream = f"s{lines[0][0]}"
            store.append(GROUP, stream, [(time, message) for _, time, message in lines], ingestion=T0)
            for _, time, message in lines:
                file.write(json.dumps({"t": time, "message": message}) + "\n")
        store.release(0)
        maintain(store, everything=True)
    return request


def _duckdb(sql: str, plain: Path) -> Figure | None:
    try:
        import duckdb
    except ImportError:
        return None
    events = f"read_json('{plain}', format='newline_delimited', columns={{t: 'BIGINT', message: 'VARCHAR'}})"
    with closing(duckdb.connect()) as duck:
        return milliseconds(lambda: duck.execute(sql.replace("{events}", events)).fetchall(), times=3)


_ASKING: Final = """
import sys
from pathlib import Path
from tests.bench.query import ask_all
ask_all(Path(sys.argv[1]), sys.argv[2])
"""


def ask_all(root: Path, request: str) -> None:
    """Every question once, and what this process took in bytes, printed."""
    with LogStore(root) as store:
        for one in _QUESTIONS:
            for _ in Run(
                read(one.text.replace("{request}", request)), store, [GROUP], start=None, end=None
            ).rows():
                pass
    print(peak_bytes())


def _memory(root: Path, request: str) -> Figure:
    found = subprocess.run(
        [sys.executable, "-c", _ASKING, str(root), request], stdout=subprocess.PIPE, check=True
    )
    return Figure(int(found.stdout) / 1e6, "MB")


def benches() -> list[Bench]:
    """This room's benches."""
    return [Bench("query", queries)]
