"""lambdalog serve, as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lambdalog.cloud import connect
from lambdalog.local.lambda_.deploy import deploy
from lambdalog.runtime.project import read_project
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


def test_a_store_that_cannot_be(tmp_path: Path) -> None:
    """It's the store that is told of, not the port."""
    (tmp_path / "file").touch()
    done = run(tmp_path / "file" / "store")
    assert done.returncode == 1
    assert done.stderr == f"lambdalog: can't write to the store at {tmp_path}/file/store: Not a directory\n"


def test_a_second_one_is_told_of_the_first(store_path: Path) -> None:
    """With its address."""
    with connect(f"disk:{store_path}") as cloud, Service(cloud, Settings(port=0)) as service:
        done = run(store_path)
        assert done.returncode == 1
        assert f"already at {service.url}" in done.stderr


CHILD = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
signal.signal(signal.SIGINT, lambda *_: sys.exit(6))
print("ready", flush=True)
while True:
    time.sleep(0.05)
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 5), (signal.SIGINT, 6)])
def test_a_command_is_told_what_serve_is_told(store_path: Path, number: signal.Signals, status: int) -> None:
    """A signal goes on to the command; how that ends is how serve ends."""
    arguments = [*SERVE, "--store", f"disk:{store_path}", "--", sys.executable, "-c", CHILD]
    # A session of its own: no terminal sends Ctrl-C to the command as well.
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(60) == status
    finally:
        process.kill()
        process.communicate()


def test_a_command_that_is_killed(store_path: Path) -> None:
    """Told as a shell tells it: 128 and the signal's number."""
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run(store_path, "--", sys.executable, "-c", code).returncode == 128 + signal.SIGKILL


def test_a_command_is_not_led_to_aws(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the user's AWS variables it gets none but the endpoint's."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    code = "import os; print(sorted(name for name in os.environ if name.startswith('AWS_')))"
    told = run(store_path, "--", sys.executable, "-c", code).stdout
    assert "AWS_ENDPOINT_URL" in told
    assert "AWS_PROFILE" not in told
    assert "AWS_SESSION_TOKEN" not in told


def test_whoever_lets_anyone_in_is_warned(store_path: Path) -> None:
    """On standard error, so that what a shell takes in stays clean."""
    done = run(store_path, "--anonymous", "--", sys.executable, "-c", "print('out')")
    assert (done.returncode, done.stdout) == (0, "out\n")
    assert done.stderr == "Anyone on this machine may come in: signatures are not verified.\n"


WAITS = """
import pathlib, time
def handler(event, context):
    pathlib.Path(event["begun"]).touch()
    time.sleep(300)
"""


def test_a_second_signal_cuts_off_what_is_running(store_path: Path, tmp_path: Path) -> None:
    """After the first a running invocation is waited for, and that is told; after the second it is not."""
    (tmp_path / "waits.py").write_text(WAITS)
    begun = tmp_path / "begun"
    with connect(f"disk:{store_path}") as cloud:
        deploy(
            cloud.client("lambda"),
            cloud.sqs,
            replace(read_project(f"{tmp_path}/waits.py:handler"), timeout=400),
        )
        cloud.lambda_.invoke(
            FunctionName="waits", InvocationType="Event", Payload=json.dumps({"begun": str(begun)}).encode()
        )
    process = subprocess.Popen(
        [*SERVE, "--store", f"disk:{store_path}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + 120
        while not begun.exists():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Stopping when what is running has ended")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert "cut off" in process.stderr.read()
    finally:
        process.kill()
        process.communicate()
