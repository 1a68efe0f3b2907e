"""Batches on disk: whole or not there, sent by one process, and by the next if that one dies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.errors import ShipError
from lambdalog.shipper.batch import Entry
from lambdalog.shipper.spool import Kept, Spool

if TYPE_CHECKING:
    from pathlib import Path

ENTRIES = [Entry(1, "a"), Entry(2, 'Å\u2028\n\x00"')]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty one."""
    return Spool(tmp_path / "spool")


def claimed(spool: Spool, after: str = "") -> Kept:
    """The oldest batch, which there must be."""
    found = spool.claim(after)
    assert found is not None
    return found


def test_a_batch_comes_back_as_it_was(spool: Spool) -> None:
    """Stream, times and texts, line breaks and all; readable to its owner alone."""
    kept = spool.keep("g", "s", ENTRIES)
    assert kept.path.stat().st_mode & 0o777 == 0o600
    assert spool.folder.stat().st_mode & 0o777 == 0o700
    kept.release()
    assert claimed(spool).read() == ("g", "s", ENTRIES)


@given(st.lists(st.tuples(st.integers(0, 2**53), st.text(min_size=1)), min_size=1, max_size=5))
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, found: list[tuple[int, str]]) -> None:
    """Whatever characters it has."""
    spool = Spool(tmp_path_factory.mktemp("spool"))
    entries = [Entry(moment, text) for moment, text in found]
    spool.keep("g", "s", entries).release()
    kept = claimed(spool)
    assert kept.read() == ("g", "s", entries)
    kept.done()


def test_one_holds_a_batch_at_a_time(spool: Spool) -> None:
    """Who wrote it until it is let go, then who claims it; what is done is gone."""
    kept = spool.keep("g", "s", ENTRIES)
    assert spool.claim() is None
    kept.release()
    first = claimed(spool)
    assert Spool(spool.folder).claim() is None
    first.done()
    assert (len(spool), spool.claim(), spool.size()) == (0, None, 0)


def test_the_oldest_comes_first_and_others_behind_it(spool: Spool) -> None:
    """In the order in which they were kept; behind a name only those that follow."""
    for text in "abc":
        spool.keep("g", "s", [Entry(1, text)]).release()
    first = claimed(spool)
    second = claimed(spool, first.path.name)
    assert [kept.read()[2][0].message for kept in (first, second)] == ["a", "b"]


def test_a_dead_processs_batch_is_anybodys(spool: Spool) -> None:
    """Its lock dies with it."""
    code = (
        "import os, pathlib, sys\nfrom lambdalog.shipper import Spool\nfrom lambdalog.shipper.batch import Entry\n"
        "kept = Spool(pathlib.Path(sys.argv[1])).keep('g', 's', [Entry(1, 'a')])\nos.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(spool.folder)], check=False, timeout=120)
    assert done.returncode == -9
    assert claimed(spool).read() == ("g", "s", [Entry(1, "a")])


def test_a_forked_child_holds_nothing_on(spool: Spool) -> None:
    """A batch that its parent lets go is free, though the child lives."""
    kept = spool.keep("g", "s", ENTRIES)
    reads, writes = os.pipe()
    up, tells = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writes)
        os.write(tells, b"x")
        os.read(reads, 1)
        os._exit(0)
    try:
        os.read(up, 1)
        kept.release()
        assert claimed(spool).read()[0] == "g"
    finally:
        for descriptor in (writes, reads, up, tells):
            os.close(descriptor)
        os.waitpid(child, 0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}\n",
        b"no json\n",
        b"\xff\xfe\n",
        json.dumps({"group": "g", "stream": "s", "count": 2}).encode() + b'\n[1, "a"]\n',
        json.dumps({"group": 1, "stream": "s", "count": 1}).encode() + b'\n[1, "a"]\n',
        json.dumps({"group": "g", "stream": "s", "count": 1}).encode() + b'\n["1", "a"]\n',
        json.dumps({"group": "g", "stream": "s", "count": 1}).encode() + b'\n[-1, "a"]\n',
        json.dumps({"group": "g", "stream": "s", "count": 1}).encode() + b'\n[9223372036854775808, "a"]\n',
        json.dumps({"group": "g", "stream": "s", "count": 1}).encode() + b"\n[1]\n",
    ],
)
def test_what_is_no_batch_is_set_aside(spool: Spool, content: bytes) -> None:
    """Torn, cut or of other people's making: it is kept under another name, told of, and holds nobody up."""
    spool.folder.mkdir()
    (spool.folder / "0000000000001-1-00000100.batch").write_bytes(content)
    with pytest.raises(ShipError, match="is no batch of log events"):
        claimed(spool).read()
    assert spool.claim() is None
    assert [path.read_bytes() for path in spool.folder.iterdir()] == [content]
    assert all(path.name.endswith(".bad") for path in spool.folder.iterdir())


def test_other_files_are_left_alone(spool: Spool) -> None:
    """Half-written ones, and what somebody put there."""
    spool.folder.mkdir()
    for name in (".tmp-0000000000001-1-00000100.batch", "notes.txt", "x.batch"):
        (spool.folder / name).write_text("x")
    assert (spool.claim(), len(spool)) == (None, 0)
    assert len(list(spool.folder.iterdir())) == 3


def test_its_size_is_bounded(tmp_path: Path) -> None:
    """What doesn't fit isn't there at all, and the error says so."""
    spool = Spool(tmp_path / "spool", limit=200)
    spool.keep("g", "s", [Entry(1, "a")]).release()
    with pytest.raises(ShipError, match="is full: 200 bytes"):
        spool.keep("g", "s", [Entry(1, "x" * 200)])
    assert len(spool) == 1
    assert 0 < spool.size() <= 200


def test_a_disk_that_refuses_leaves_nothing(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a file nor a descriptor."""

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        spool.keep("g", "s", ENTRIES)
    monkeypatch.undo()
    assert list(spool.folder.iterdir()) == []
