"""Appending to the log store beside what else one would keep logs in on one machine."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Final

from tests.bench.harness import Bench, Figure, Row, rate
from tests.bench.store_events import GROUP, events_of, new_sqlite, new_store, peak

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def append(folder: Path) -> Iterator[Row]:
    """In batches of 100 and one by one."""
    events = events_of(200_000)
    few = events[:60_000]
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
    yield Row(
        "append, memory of a process that writes 200,000 events",
        peak(_OURS, folder / "store"),
        "SQLite WAL",
        peak(_SQLITE, folder / "peer.sqlite"),
    )


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


_OURS: Final = """
import sys
from pathlib import Path
from tests.bench.store_events import GROUP, invocations, new_store
with new_store(Path(sys.argv[1])) as store:
    for made in invocations(200_000):
        store.append(GROUP, "s0", [(time, text) for _, time, text in made])
"""
_SQLITE: Final = """
import sys
from pathlib import Path
from tests.bench.store_events import invocations, new_sqlite
connection = new_sqlite(Path(sys.argv[1]))
for made in invocations(200_000):
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO events VALUES (?, ?, ?)", made)
    connection.execute("COMMIT")
"""


def benches() -> list[Bench]:
    """What there is."""
    return [Bench("store.append", append)]
