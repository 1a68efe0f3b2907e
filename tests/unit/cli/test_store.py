"""`lambdalog store` and `lambdalog group`, from the outside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.cli.store import _bytes
from lambdalog.cloud import connect
from lambdalog.store.maintenance import alone

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., subprocess.CompletedProcess[str]]

GROUP = "/aws/lambda/orders"


@pytest.fixture
def filled(store_path: Path) -> Path:
    """A store with a hundred events in one group; the folder of that group."""
    with connect(f"disk:{store_path}") as cloud:
        assert cloud.store is not None
        cloud.store.create_group(GROUP)
        cloud.store.create_stream(GROUP, "s")
        now = cloud.clock.now_ms()
        cloud.store.append(GROUP, "s", [(now + n, f"line {n}") for n in range(100)])
        return cloud.store.layout.group(GROUP).root


def test_info_seal_check_and_repair(call: Run, filled: Path) -> None:
    """A store is looked into, sealed, damaged, found out, mended, and sound again; each step says what it did."""
    (use,) = [json.loads(line) for line in call("store", "info", "--json").stdout.splitlines()]
    assert (use["name"], use["live_events"], use["events"], use["live_segments"]) == (GROUP, 100, 0, 1)
    assert "orders        1     100" in call("store", "info").stdout
    done = call("store", "seal")
    assert done.stdout.startswith(f"{GROUP}: sealed 1 segments, ")
    assert call("store", "seal", "orders").stdout == f"{GROUP}: nothing to do\n"
    assert json.loads(call("store", "seal", "--json").stdout)["sealed"] == 0
    assert call("store", "check").stdout == "Nothing is damaged.\n"
    assert call("store", "repair").stdout == "Nothing had to be repaired.\n"

    (path,) = (filled / "sealed").iterdir()
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(data)
    found = call("store", "check")
    assert found.returncode == 1
    assert f"{GROUP}: {path.name}: frame 0 (100 events of " in found.stdout
    assert found.stderr == "lambdalog: 1 damaged; mend what can be with: lambdalog store repair\n"
    (record,) = [json.loads(line) for line in call("store", "check", "--json").stdout.splitlines()]
    assert (record["group"], record["file"], record["frame"]) == (GROUP, path.name, 0)
    mended = call("store", "repair", "orders")
    assert (mended.returncode, "100 events are lost" in mended.stdout) == (0, True)
    assert call("store", "check").returncode == 0


def test_what_another_process_maintains_is_told(call: Run, store_path: Path, filled: Path) -> None:
    """A group whose lock is held is passed over, said on standard error, and makes the exit status 1."""
    with connect(f"disk:{store_path}") as cloud:
        assert cloud.store is not None
        with alone(cloud.store.layout.group(GROUP), GROUP):
            done = call("store", "seal")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"another process is maintaining the group {GROUP}" in done.stderr


def test_a_damaged_database_is_told_and_left_alone(call: Run, store_path: Path, filled: Path) -> None:
    """SQLite's files are checked; repair touches none, says what may help, and exits 1."""
    (store_path / "queues.sqlite").write_bytes(b"no database " * 100)
    found = call("store", "check")
    assert (found.returncode, found.stdout) == (1, "queues.sqlite: file is not a database\n")
    mended = call("store", "repair")
    assert mended.returncode == 1
    assert "queues.sqlite is damaged (file is not a database)" in mended.stderr
    assert (store_path / "queues.sqlite").read_bytes() == b"no database " * 100


def test_groups_are_made_shown_changed_and_deleted(call: Run) -> None:
    """The life of a group, by name and by its function's name."""
    assert call("group", "list").stdout == "There are no log groups.\n"
    assert call("group", "create", GROUP, "--retention", "7", "--tag", "team=a=b").returncode == 0
    assert call("group", "create", "audit").returncode == 0
    assert [
        json.loads(line)["logGroupName"] for line in call("group", "list", "--json").stdout.splitlines()
    ] == [GROUP, "audit"]
    assert "7 days" in call("group", "list", "ord*").stdout
    assert "audit" not in call("group", "list", "ord*").stdout
    shown: Any = json.loads(call("group", "show", "orders", "--json").stdout)
    assert (shown["retentionInDays"], shown["tags"], shown["newestStreams"]) == (7, {"team": "a=b"}, [])
    call("group", "retention", "orders", "30")
    assert "retention  30 days" in call("group", "show", "orders").stdout
    call("group", "retention", "orders", "never")
    assert "retention  for ever" in call("group", "show", "orders").stdout
    assert call("group", "delete", "orders", "--yes").returncode == 0
    assert call("group", "list", "ord*").returncode == 1


def test_a_store_of_queues_alone_is_looked_into(call: Run, tmp_path: Path) -> None:
    """Where there are queues and no logs yet, info and check tell of the queues' database."""
    there = ("--store", f"disk:{tmp_path / 'queues'}")
    assert call("queue", "create", "orders", *there).returncode == 0
    info = call("store", "info", *there).stdout
    assert "no logs yet" in info
    assert "queues.sqlite" in info
    assert call("store", "check", *there).stdout == "Nothing is damaged.\n"
    database = tmp_path / "queues" / "queues.sqlite"
    database.write_bytes(database.read_bytes()[:4096] + b"x" * 4096)
    found = call("store", "check", *there)
    assert found.returncode == 1
    assert "queues.sqlite" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["store", "info", "--store", "aws"], 1, "AWS looks after its own files"),
        (["store", "check", "--store", "disk:/nowhere/at/all"], 1, "there is no store at /nowhere/at/all"),
        (["store", "check", "nope"], 1, "no log group is called nope"),
        (["store", "seal", "orders", "nope"], 1, "no log group is called nope"),
        (["store", "polish"], 2, "No such command"),
        (["group", "create", "a b"], 1, "logGroupName"),
        (["group", "create", GROUP], 1, "The specified log group already exists"),
        (["group", "create", "new", "--retention", "8"], 2, "CloudWatch keeps events for 1, 3"),
        (["group", "create", "new", "--tag", "x"], 2, "write KEY=VALUE"),
        (["group", "show", "new"], 1, "no log group is called new"),
        (["group", "retention", "orders", "soon"], 2, "is no number of days"),
        (["group", "retention", "orders", "0"], 2, "CloudWatch keeps events for"),
        (["group", "delete", "orders"], 2, "say --yes if it shall"),
    ],
)
def test_bad_usage_is_one_line_and_changes_nothing(
    call: Run, filled: Path, arguments: list[str], code: int, text: str
) -> None:
    """Status 1 or 2, what is wrong on standard error, nothing on the other, and the group as it was."""
    done = call(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert [
        json.loads(line)["logGroupName"] for line in call("group", "list", "--json").stdout.splitlines()
    ] == [GROUP]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_234_567, "1.2 MB"),
        (9_876_543_210, "9.9 GB"),
        (5 * 10**15, "5000.0 TB"),
    ],
)
def test_sizes_are_readable(size: int, expected: str) -> None:
    """Three digits and a unit."""
    assert _bytes(size) == expected
