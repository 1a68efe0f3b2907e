"""awscli: the recipes of docs/endpoint.md."""

from __future__ import annotations

import json
import platform
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.clients.conftest import environment, installed, recipes

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.testing import LocalCloud
    from tests.clients.conftest import Run

LOGS, LIVE, FUNCTIONS, INVOKE, TAIL, FOLLOW = recipes("awscli", "sh")


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


def version_2() -> Path:
    """The folder of awscli 2."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("the one package that has awscli 2 is for Linux on x86-64")
    return installed("awscli2")


@pytest.fixture
def orders(cloud: LocalCloud) -> LocalCloud:
    """A log group with two events."""
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="/shop/orders")
    logs.create_log_stream(logGroupName="/shop/orders", logStreamName="s")
    now = cloud.store.clock.now_ms()
    events = [{"timestamp": now, "message": text} for text in ("order 7 charged", "order 8 refused")]
    logs.put_log_events(logGroupName="/shop/orders", logStreamName="s", logEvents=events)
    return cloud


def test_version_2_tails(orders: LocalCloud, run: Run) -> None:
    """`aws logs tail`, which version 1 hasn't, shows what a pattern finds."""
    told = run("bash", "-c", TAIL, client=version_2().name)
    assert [line.partition(" ")[2] for line in told.splitlines()] == ["order 7 charged"]


def test_version_2_invokes_and_finds_queues(cloud: LocalCloud, run: Run, tmp_path: Path) -> None:
    """A payload is given as it is; unlike version 1, it comes here with `sqs` too."""
    (tmp_path / "greet.py").write_text("def handler(event, context):\n    return event['name'].upper()\n")
    cloud.deploy(tmp_path / "greet.py", timeout=60)
    cloud.client("sqs").create_queue(QueueName="orders")
    told = run(
        "bash",
        "-ec",
        f"{INVOKE}\naws sqs list-queues --output text --query QueueUrls",
        client=version_2().name,
    )
    assert (tmp_path / "answer.json").read_text() == '"ADA"'
    assert told.endswith(f"{cloud.url}/000000000000/orders\n")


@pytest.mark.parametrize("version", [1, 2])
def test_a_live_tail_follows(orders: LocalCloud, tmp_path: Path, version: int) -> None:
    """`start-live-tail` (an event stream that stays open) and version 2's `tail --follow` show what is written meanwhile."""
    client, command = (installed("tools"), LIVE) if version == 1 else (version_2(), FOLLOW)
    logs = orders.client("logs")
    variables = environment(client) | {"PYTHONUNBUFFERED": "1"}
    tail = subprocess.Popen(
        ["bash", "-c", f"exec {command}"], env=variables, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    written = threading.Event()

    def write() -> None:
        while not written.wait(0.2):
            events = [{"timestamp": orders.store.clock.now_ms(), "message": "order 9"}]
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
