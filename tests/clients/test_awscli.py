"""awscli: the recipes of docs/endpoint.md."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from tests.clients.conftest import environment, installed, recipes

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.testing import LocalCloud
    from tests.clients.conftest import Run

LOGS, LIVE, FUNCTIONS = recipes("awscli", "sh")


def test_logs_queues_and_topics(cloud: LocalCloud, shell: Run) -> None:
    """Events are written and found, a topic's message comes out of the queue that is subscribed to it."""
    told = shell(LOGS)
    assert json.loads(told[: told.index("}") + 1])["Account"] == "000000000000"
    assert "\norder 7 charged\n" in told
    assert told.endswith("order 8\n")
    assert cloud.messages("/shop/orders") == ["order 7 charged"]


def test_functions(cloud: LocalCloud, shell: Run) -> None:
    """One is made from a zip file, waited for, invoked with its log, and published."""
    told = shell(FUNCTIONS)
    assert "\nhello ada\n" in told
    assert '"ADA"' in told
    assert told.splitlines()[-1].endswith("1")
    versions = cloud.client("lambda").list_versions_by_function(FunctionName="greet")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1"]


def test_errors_are_told_as_awss_are(run: Run, tmp_path: Path) -> None:
    """With AWS's code, operation and text, and awscli's exit status."""
    script = "aws logs get-log-events --log-group-name none --log-stream-name s 2>&1 || echo $?"
    told = run("bash", "-c", script)
    assert (
        "An error occurred (ResourceNotFoundException) when calling the GetLogEvents operation: "
        "The specified log group does not exist." in told
    )
    assert told.splitlines()[-1] in {"254", "255"}


def version_2() -> str | None:
    """This machine's own awscli, if it is of version 2."""
    found = shutil.which("aws")
    if found is None:
        return None
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    return found if told.startswith("aws-cli/2") else None


def test_version_2_tails(cloud: LocalCloud, tmp_path: Path) -> None:
    """`aws logs tail`, which version 1 hasn't, shows what a pattern finds."""
    aws = version_2()
    if aws is None:
        pytest.skip("awscli 2 comes from no package index, and is not on this machine")
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="/g")
    logs.create_log_stream(logGroupName="/g", logStreamName="s")
    now = cloud.store.clock.now_ms()
    events = [{"timestamp": now, "message": text} for text in ("order 7", "refund 8")]
    logs.put_log_events(logGroupName="/g", logStreamName="s", logEvents=events)
    arguments = [
        "logs",
        "tail",
        "/g",
        "--filter-pattern",
        "order",
        "--endpoint-url",
        cloud.environment["AWS_ENDPOINT_URL"],
    ]
    done = subprocess.run([aws, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("order 7\n")
    assert "refund" not in done.stdout


def test_a_live_tail_follows(cloud: LocalCloud, tmp_path: Path) -> None:
    """`start-live-tail` shows what is written while it runs, over an event stream that stays open."""
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="/shop/orders")
    logs.create_log_stream(logGroupName="/shop/orders", logStreamName="s")
    variables = environment(installed("tools")) | {"PYTHONUNBUFFERED": "1"}
    tail = subprocess.Popen(
        ["bash", "-c", f"exec {LIVE}"], env=variables, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    written = threading.Event()

    def write() -> None:
        while not written.wait(0.2):
            events = [{"timestamp": cloud.store.clock.now_ms(), "message": "order 9"}]
            logs.put_log_events(logGroupName="/shop/orders", logStreamName="s", logEvents=events)

    writer = threading.Thread(target=write)
    writer.start()
    # What never comes ends the test all the same.
    patience = threading.Timer(120, tail.kill)
    patience.start()
    try:
        assert tail.stdout is not None
        seen = next((line for line in tail.stdout if "order 9" in line), None)
    finally:
        patience.cancel()
        written.set()
        writer.join()
        tail.send_signal(signal.SIGINT)
        tail.kill()
        tail.communicate()
    assert seen is not None
