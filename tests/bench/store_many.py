"""A store of ten thousand streams, and what has expired in one."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from lambdalog.store import LogStore, Scan
from lambdalog.store.maintenance import maintain
from tests.bench.harness import Bench, Row, milliseconds
from tests.bench.store_events import GROUP, T0, events_of, new_sqlite, new_store, peak

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
        yield Row(f"memory of a process that lists 10,000 streams, {state}", peak(_LISTING, folder / "store"))
        with LogStore(folder / "store") as store:
            if state == "live":
                maintain(store)
    yield from _retention(folder)


def _retention(folder: Path) -> Iterator[Row]:
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


_LISTING: Final = """
import sys
from pathlib import Path
from lambdalog.store import LogStore
with LogStore(Path(sys.argv[1])) as store:
    assert len(store.streams("/aws/lambda/orders")) == 10_000
"""


def benches() -> list[Bench]:
    """What there is."""
    return [Bench("store.many", many)]
