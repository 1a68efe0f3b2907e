"""What outlives a power cut: only what was synced, contents and names both."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lambdalog
from lambdalog.errors import ConfigError, StoreError
from lambdalog.runtime import FunctionSpec, Runtime
from lambdalog.settings import LOG_DURABILITY_VARIABLE
from lambdalog.store import LogStore, Scan
from lambdalog.store.health import check
from lambdalog.store.maintenance import maintain

if TYPE_CHECKING:
    from lambdalog.store.writer import Durability

T0 = 1_700_000_000_000


class Disk:
    """Everything under a folder as a disk would have it that loses whatever was not synced.

    A file has what it had when it was last synced, a folder the names that it had then.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.synced: Counter[str] = Counter()
        self._contents: dict[int, bytes] = {}
        self._names: dict[int, dict[str, int]] = {root.stat().st_ino: {}}
        for name in ("fsync", "fdatasync"):
            if hasattr(os, name):
                monkeypatch.setattr(os, name, self._sync)

    def _sync(self, fd: int) -> None:
        path = Path(f"/proc/self/fd/{fd}").readlink()
        found = os.fstat(fd)
        if stat.S_ISDIR(found.st_mode):
            self.synced["folder"] += 1
            self._names[found.st_ino] = {one.name: one.stat().st_ino for one in path.iterdir()}
        else:
            self.synced["file"] += 1
            self._contents[found.st_ino] = path.read_bytes()

    def cut(self, after: Path) -> Path:
        """Write what is left after a power cut into a folder."""
        self._restore(self.root.stat().st_ino, after)
        return after

    def _restore(self, folder: int, into: Path) -> None:
        into.mkdir()
        for name, inode in self._names.get(folder, {}).items():
            if inode in self._contents:
                (into / name).write_bytes(self._contents[inode])
            elif inode in self._names:
                self._restore(inode, into / name)
            elif not name.startswith("."):
                # A folder, or a file of no content: its name alone was synced.
                original = next(path for path in self.root.rglob(name) if path.stat().st_ino == inode)
                (into / name).mkdir() if original.is_dir() else (into / name).touch()


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk without a store."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("what a descriptor's path is, Linux alone tells")
    (tmp_path / "disk").mkdir()
    return Disk(tmp_path / "disk", monkeypatch)


def opened(disk: Disk, durability: Durability) -> LogStore:
    """A new store with a group and a stream on it."""
    store = LogStore(disk.root / "deep" / "store", durability=durability)
    store.create_group("g", tags={"a": "b"})
    store.create_stream("g", "s")
    return store


def left(disk: Disk, after: Path) -> list[str]:
    """The messages that a power cut leaves."""
    with LogStore(disk.cut(after) / "deep" / "store") as store:
        if store.group("g") is None:
            return []
        found = [event.message for event in store.scan(Scan("g"))]
        assert store.damage == []
        assert list(check(store)) == []
        return found


def test_never_leaves_syncing_to_the_kernel(disk: Disk, tmp_path: Path) -> None:
    """With `never` nothing is synced by a writer; what was not sealed is the kernel's to keep."""
    with opened(disk, "never") as store:
        store.append("g", "s", [(T0, "one")])
        store.end_invocation("g", "s")
    assert disk.synced == {}
    assert left(disk, tmp_path / "after") == []


def test_each_batch_outlives_a_power_cut(disk: Disk, tmp_path: Path) -> None:
    """With `batch` every batch that was taken is there after a cut at any moment, with its group and stream."""
    texts: list[str] = []
    with opened(disk, "batch") as store:
        for number in range(5):
            before = disk.synced["file"]
            store.append("g", "s", [(T0 + number, f"{number}a"), (T0 + number, f"{number}b")])
            assert disk.synced["file"] == before + 1  # one sync a batch
            texts += [f"{number}a", f"{number}b"]
            assert left(disk, tmp_path / f"after {number}") == texts
        store.create_stream("g", "other")
        store.append("g", "other", [(T0 + 9, "elsewhere")])
        assert left(disk, tmp_path / "after") == [*texts, "elsewhere"]


def test_an_invocation_outlives_a_power_cut_when_it_has_ended(disk: Disk, tmp_path: Path) -> None:
    """With `invocation` what an invocation wrote is there once it has ended; a cut before may take it."""
    with opened(disk, "invocation") as store:
        store.append("g", "s", [(T0, "START")])
        store.append("g", "s", [(T0 + 1, "REPORT")])
        assert left(disk, tmp_path / "before") == []
        synced = disk.synced["file"]
        store.end_invocation("g", "s")
        store.end_invocation("g", "s")
        store.end_invocation("g", "never written to")
        assert disk.synced["file"] == synced + 1  # what is synced already is not synced again
        store.append("g", "s", [(T0 + 2, "START")])
        assert left(disk, tmp_path / "after") == ["START", "REPORT"]


@pytest.mark.parametrize("durability", ["batch", "invocation"])
def test_a_segment_that_is_left_is_synced(
    disk: Disk, tmp_path: Path, durability: Durability, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What went into a segment that was full, or is closed, needs no end of an invocation."""
    monkeypatch.setattr("lambdalog.store.writer.SEGMENT_BYTES", 100)
    with opened(disk, durability) as store:
        store.append("g", "s", [(T0, "x" * 90)])
        store.append("g", "s", [(T0 + 1, "y")])
        assert "x" * 90 in left(disk, tmp_path / "rolled")
    assert left(disk, tmp_path / "closed") == ["x" * 90, "y"]


def test_what_is_sealed_outlives_a_power_cut(disk: Disk, tmp_path: Path) -> None:
    """Sealing syncs whatever the durability is: the file that it removes is in the one that it wrote."""
    with opened(disk, "batch") as store:
        store.append("g", "s", [(T0, "one")])
    with LogStore(store.root) as store:
        store.append("g", "s", [(T0 + 1, "two")])
        store.close()
        assert left(disk, tmp_path / "live") == ["one"]
        maintain(store, everything=True)
        assert left(disk, tmp_path / "sealed") == ["one", "two"]


def test_a_disk_that_refuses_to_sync_keeps_nothing_of_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is the store's own, and the batch is taken back: it was not promised."""

    def refuse(_: int) -> None:
        raise OSError(5, "Input/output error")

    with LogStore(tmp_path / "store", durability="batch") as store:
        store.create_group("g")
        store.create_stream("g", "s")
        store.append("g", "s", [(T0, "one")])
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", refuse)
            with pytest.raises(StoreError, match="Input/output error"):
                store.append("g", "s", [(T0 + 1, "two")])
        store.append("g", "s", [(T0 + 2, "three")])
        assert [event.message for event in store.scan(Scan("g"))] == ["one", "three"]


def test_connect_takes_the_durability_of_the_environment(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LAMBDALOG_LOG_DURABILITY holds for whoever writes through `connect()`; a word that is none is refused there."""
    monkeypatch.setenv(LOG_DURABILITY_VARIABLE, "batch")
    now = time.time_ns() // 1_000_000
    with lambdalog.connect(f"disk:{disk.root / 'deep' / 'store'}") as cloud:
        cloud.logs.create_log_group(logGroupName="g")
        cloud.logs.create_log_stream(logGroupName="g", logStreamName="s")
        cloud.logs.put_log_events(
            logGroupName="g", logStreamName="s", logEvents=[{"timestamp": now, "message": "kept"}]
        )
        assert left(disk, tmp_path / "after") == ["kept"]
    monkeypatch.setenv(LOG_DURABILITY_VARIABLE, "always")
    with pytest.raises(ConfigError, match="write never, batch or invocation"):
        lambdalog.connect(f"disk:{tmp_path / 'other'}")


def test_a_function_that_has_answered_has_its_log_on_the_disk(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `invocation` the lines of an invocation outlive a power cut from its answer on, for one sync each."""
    monkeypatch.setenv(LOG_DURABILITY_VARIABLE, "invocation")
    (tmp_path / "app.py").write_text("def handler(event, context):\n    print('said')\n")
    spec = FunctionSpec(
        name="f",
        handler="app.handler",
        code=tmp_path,
        arn="arn:aws:lambda:us-east-1:000000000000:function:f",
        log_group="g",
        timeout=30.0,
        runtime=f"python{sys.version_info[0]}.{sys.version_info[1]}",
    )
    with (
        lambdalog.connect(f"disk:{disk.root / 'deep' / 'store'}") as cloud,
        Runtime(logs=cloud.logs) as runtime,
    ):
        for number in range(1, 3):
            synced = disk.synced["file"]
            assert runtime.invoke(spec, b"{}", request_id=f"r{number}").status == "success"
            texts = left(disk, tmp_path / f"after {number}")
            assert [text.split()[0] for text in texts if "INIT" not in text] == [
                *["START", "said", "END", "REPORT"] * number
            ]
        assert disk.synced["file"] == synced + 1
