"""lambdalog serve, as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lambdalog.cloud import connect
from lambdalog.server.service import Service, Settings

if TYPE_CHECKING:
    from pathlib import Path

SERVE = [sys.executable, "-m", "lambdalog", "serve", "--port", "0"]
ASK = (
    "import boto3; boto3.client('logs').create_log_group(logGroupName='/from/child'); "
    "print(boto3.client('sts').get_caller_identity()['Account'])"
)


def run(store: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        [*SERVE, "--store", f"disk:{store}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_command_finds_the_store(store_path: Path) -> None:
    """The command's AWS clients come to this store; its exit status is handed on."""
    done = run(store_path, "--", sys.executable, "-c", f"{ASK}; raise SystemExit(7)")
    assert (done.returncode, done.stdout) == (7, "000000000000\n")
    with connect(f"disk:{store_path}") as cloud:
        assert cloud.logs.describe_log_groups()["logGroups"][0]["logGroupName"] == "/from/child"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_what_to_export_and_stops_when_told(store_path: Path, number: signal.Signals) -> None:
    """A shell that takes the lines in finds the store; a signal ends it with status 0."""
    process = subprocess.Popen([*SERVE, "--store", f"disk:{store_path}"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        exported = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines)
        asked = subprocess.run(
            [sys.executable, "-c", ASK],
            env={**os.environ, **exported},
            capture_output=True,
            text=True,
            check=True,
        )
        assert asked.stdout == "000000000000\n"
        process.send_signal(number)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--host", "0.0.0.0"], 1, "--allow-remote"),
        (["--host", "0.0.0.0", "--allow-remote", "--anonymous"], 1, "loopback only"),
        (["--nonsense"], 2, "no such option: --nonsense"),
        (["--", "no-such-program"], 1, "can't run no-such-program"),
    ],
)
def test_what_it_does_not_do(store_path: Path, arguments: list[str], status: int, text: str) -> None:
    """One line says why."""
    done = run(store_path, *arguments)
    assert done.returncode == status
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_one_is_told_of_the_first(store_path: Path) -> None:
    """With its address."""
    with connect(f"disk:{store_path}") as cloud, Service(cloud, Settings(port=0)) as service:
        done = run(store_path)
        assert done.returncode == 1
        assert f"already at {service.url}" in done.stderr
