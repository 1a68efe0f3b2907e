"""The records of functions, read again only where they may have changed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from lambdalog.clock import ManualClock
from lambdalog.local.lambda_.catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.local.lambda_.catalog import Record

ELSEWHERE = """
import sys
from pathlib import Path
from lambdalog.local.lambda_.catalog import Catalog
Catalog(Path(sys.argv[1])).put("function", "pay", "", {"version": 3})
"""


@pytest.fixture
def clock() -> ManualClock:
    """One that stands still."""
    return ManualClock()


@pytest.fixture
def catalog(tmp_path: Path, clock: ManualClock) -> Iterator[Catalog]:
    """One with a function in it."""
    with closing(Catalog(tmp_path, clock)) as catalog:
        catalog.put("function", "pay", "", {"version": 1})
        yield catalog


def seen(catalog: Catalog) -> Record | None:
    """The function's record, for a reader."""
    return catalog.seen("function", "pay")


def test_what_nobody_changed_is_not_read_again(catalog: Catalog) -> None:
    """Two looks without a change between them give the same object."""
    assert seen(catalog) == {"version": 1}
    assert seen(catalog) is seen(catalog)
    assert catalog.seen("function", "other") is None


def test_a_change_is_seen_whoever_made_it(catalog: Catalog, tmp_path: Path) -> None:
    """By this thread, by another one, by another process: the next look has it, a removal too."""
    seen(catalog)
    catalog.put("function", "pay", "", {"version": 2})
    assert seen(catalog) == {"version": 2}
    subprocess.run([sys.executable, "-c", ELSEWHERE, str(tmp_path)], check=True)
    assert seen(catalog) == {"version": 3}
    other = Thread(target=catalog.put, args=("function", "pay", "", {"version": 4}))
    other.start()
    other.join()
    assert seen(catalog) == {"version": 4}
    catalog.remove_function("pay")
    assert seen(catalog) is None


def test_a_transaction_is_seen_at_its_end(catalog: Catalog) -> None:
    """What a thread changes in one it sees itself at once, and another thread once it is committed."""
    found: list[Record | None] = []

    def look() -> None:
        other = Thread(target=lambda: found.append(seen(catalog)))
        other.start()
        other.join()

    seen(catalog)
    look()
    with catalog.transaction():
        catalog.put("function", "pay", "", {"version": 2})
        assert seen(catalog) == {"version": 2}
        look()
    look()
    assert seen(catalog) == {"version": 2}
    assert found == [{"version": 1}, {"version": 1}, {"version": 2}]


def test_what_nobody_told_of_is_noticed_soon(catalog: Catalog, tmp_path: Path, clock: ManualClock) -> None:
    """A process that ended between its change and its word: a tenth of a second later the change is seen."""
    seen(catalog)
    with closing(sqlite3.connect(tmp_path / "functions.sqlite", isolation_level=None)) as other:
        other.execute("UPDATE records SET record = '{\"version\": 2}'")
    clock.advance(0.2)
    assert seen(catalog) == {"version": 2}


def test_where_there_can_be_no_word_all_is_looked_at(catalog: Catalog, tmp_path: Path) -> None:
    """A folder in which the file of changes can't be made: each look asks the database."""
    (tmp_path / "changes").mkdir()
    for version in (2, 3):
        catalog.put("function", "pay", "", {"version": version})
        assert seen(catalog) == {"version": version}


def test_what_was_undone_is_not_kept(catalog: Catalog) -> None:
    """A look within a transaction has what is not yet committed, the one after its end has what came of it."""

    def undone() -> None:
        with catalog.transaction():
            catalog.put("function", "pay", "", {"version": 2})
            assert seen(catalog) == {"version": 2}
            raise LookupError

    seen(catalog)
    with pytest.raises(LookupError):
        undone()
    assert seen(catalog) == {"version": 1}


def test_not_everything_is_kept(catalog: Catalog) -> None:
    """A thread that reads many functions keeps a bounded number of them."""
    for number in range(300):
        assert catalog.seen("function", f"f{number}") is None
    assert len(catalog._kept.records) <= 100
