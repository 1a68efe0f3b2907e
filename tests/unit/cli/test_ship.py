"""lambdalog ship, as a user runs it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from lambdalog.cloud import connect
from lambdalog.shipper import Spool
from lambdalog.shipper.batch import Entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., subprocess.CompletedProcess[str]]


def stored(store_path: Path, group: str = "g") -> list[tuple[int, str]]:
    """What is in a group: (ms, text)."""
    with connect(f"disk:{store_path}") as cloud:
        found = cloud.logs.filter_log_events(logGroupName=group)["events"]
        return [(event["timestamp"], event["message"]) for event in found]


def test_lines_become_events(run: Run, store_path: Path) -> None:
    """Each line is one; JSON keeps its own time; what the log refuses is said, with exit status 1."""
    then = datetime.now(UTC).replace(microsecond=0)
    line = json.dumps({"timestamp": then.isoformat(), "message": "x"})
    done = run("ship", "--group", "g", "--stream", "s", stdin=f"plain é\n{line}\n\nno end")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "lambdalog: 4 lines delivered to g/s\n")
    found = stored(store_path)
    assert [text for _, text in found] == [line, "plain é", " ", "no end"]
    assert found[0][0] == int(then.timestamp() * 1000)
    done = run("ship", "-g", "g", "-s", "s", "-q", stdin='{"time": 1000000000}\nnew\n')
    assert done.returncode == 1
    assert "lambdalog: 1 line delivered to g/s" in done.stderr
    assert "lambdalog: 1 line refused: too old" in done.stderr
    assert run("ship", "-g", "g", "--quiet", stdin="x\n").stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["ship"],
        ["ship", "--spool", "-g", "g"],
        ["ship", "--spool", "-s", "s"],
        ["ship", "-g", "g", "--timeout", "-1"],
    ],
)
def test_wrong_arguments_are_said_to_be(run: Run, arguments: list[str]) -> None:
    """Exit status 2, and how it is called."""
    done = run(*arguments)
    assert done.returncode == 2
    assert "Usage: lambdalog ship" in done.stderr


def test_a_name_that_is_none_is_refused_with_awss_text(run: Run) -> None:
    """One line says why nothing was delivered."""
    done = run("ship", "-g", "g", "-s", "a:b", stdin="x\n")
    assert done.returncode == 1
    assert (
        "1 line refused: InvalidParameterException: 1 validation error detected: Value 'a:b'" in done.stderr
    )
    assert "Traceback" not in done.stderr


def test_what_was_kept_is_sent_later(run: Run, store_path: Path) -> None:
    """Without credentials lines for AWS go to a spool of their own; --spool says why they stay, or sends them."""
    gone = {"AWS_ACCESS_KEY_ID": "", "HOME": "/nowhere"}
    done = run("ship", "-g", "g", "--store", "aws:eu-west-1", "--timeout", "0", stdin="a\nb\n", **gone)
    assert done.returncode == 1
    assert "2 lines kept in" in done.stderr
    again = done.stderr.partition("to send them: ")[2].strip()
    assert again.startswith("lambdalog ship --spool --store aws:eu-west-1 --spool-folder ")
    done = run("ship", "--spool", "--store", "aws:eu-west-1", "--timeout", "0", **gone)
    assert done.returncode == 1
    assert "1 batch left in" in done.stderr
    # What it said to do finds the lines whoever's credentials there are by then.
    found = shlex.split(again)[1:]
    mine = {
        "AWS_ACCESS_KEY_ID": "ASIAY34FZKBOKMUTVV7A",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }
    done = run(*found, "--timeout", "0", **mine)
    assert "1 batch left in" in done.stderr
    assert "Could not connect to the endpoint URL" in done.stderr
    now = int(datetime.now(UTC).timestamp() * 1000)
    Spool(store_path / "spool").keep("g", "s", [Entry(now, "kept")]).release()
    done = run("ship", "--spool")
    assert (done.returncode, done.stderr.count("1 line delivered out of")) == (0, 1)
    assert stored(store_path) == [(now, "kept")]
    assert run("ship", "--spool", "-q").stderr == ""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_loses_nothing(number: int, status: int, store_path: Path) -> None:
    """Ctrl-C and SIGTERM while it waits for input: what was read is delivered first."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lambdalog", "ship", "-g", "g", "-s", "s", "--store", f"disk:{store_path}"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write("read\n" * 3)
    process.stdin.flush()
    # Once the first line is in the store it has read them, and waits for more.
    while not (store_path / "logs").exists() or not _delivered(store_path):
        assert process.poll() is None
    process.send_signal(number)
    said = process.stderr.read()
    assert process.wait() == status
    assert said == "lambdalog: 3 lines delivered to g/s\n"
    process.stdin.close()
    process.stderr.close()
    assert len(stored(store_path)) == 3


def _delivered(store_path: Path) -> bool:
    with connect(f"disk:{store_path}") as cloud:
        groups = cloud.logs.describe_log_groups()["logGroups"]
        return bool(groups) and bool(cloud.logs.filter_log_events(logGroupName="g")["events"])
