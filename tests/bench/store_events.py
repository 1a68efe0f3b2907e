"""What the benches of the log store write: a day of functions' logs, into a store and into a table."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from lambdalog.store import LogStore
from tests.bench.harness import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator
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


def peak(code: str, *arguments: object) -> Figure:
    """The most memory that a process of its own had while it ran `code`, which sees `arguments` in `sys.argv`."""
    ending = "\nfrom tests.bench.harness import peak_bytes\nprint(peak_bytes())\n"
    command = [sys.executable, "-c", code + ending, *map(str, arguments)]
    found = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return Figure(int(found.stdout.split()[-1]) / 1e6, "MB")
