"""A handler called in a plain process."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambdalog import handler
from lambdalog.cloud import connect

if TYPE_CHECKING:
    import pytest


@handler
def good(event: Any, context: Any) -> str:
    """Answers, with the name of the function that its context has."""
    return str(context.function_name)


SCRIPT = """
from app import handler
print(handler({"id": "o-1"}))
try:
    handler({"fail": True})
except ValueError:
    print("raised")
"""
FUNCTION = """
import lambdalog
log = lambdalog.get_logger()
@lambdalog.handler
def handler(event, context):
    log.info("charging", order_id=event.get("id"))
    if event.get("fail"):
        raise ValueError("no order")
    return context.function_name
"""


def run_plain(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the function as a plain process."""
    folder = tmp_path / "payments"
    folder.mkdir()
    (folder / "app.py").write_text(FUNCTION)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"AWS_LAMBDA_RUNTIME_API", "PYTEST_CURRENT_TEST"}
    }
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=folder,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_plain_process_writes_the_log_that_lambda_would(tmp_path: Path, store_path: Path) -> None:
    """START, its lines, END and REPORT are in the store, under the function's name; standard output has its lines."""
    done = run_plain(tmp_path, LAMBDALOG_STORE=f"disk:{store_path}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "raised"
    assert "payments" in done.stdout
    with connect(f"disk:{store_path}") as cloud:
        events = cloud.logs.filter_log_events(logGroupName="/aws/lambda/payments")["events"]
    kinds = [event["message"].partition(" ")[0].partition('":')[0] for event in events]
    assert kinds == [
        "START",
        '{"timestamp',
        "END",
        "REPORT",
        "START",
        '{"timestamp',
        '{"timestamp',
        "END",
        "REPORT",
    ]
    failed = json.loads(events[6]["message"])
    assert failed["failure"]["type"] == "ValueError"
    assert failed["requestId"] in events[4]["message"]


def test_a_store_that_cannot_be_written_does_not_stop_the_function(tmp_path: Path) -> None:
    """The function answers; one of its lines says what became of its log."""
    (tmp_path / "file").write_text("")
    done = run_plain(tmp_path, LAMBDALOG_STORE=f"disk:{tmp_path}/file/store")
    assert done.returncode == 0
    assert "raised" in done.stdout
    told, _ = [line for line in done.stdout.splitlines() if "could not be written" in line]
    assert json.loads(told)["level"] == "WARN"


def test_only_what_a_function_needs_is_enough_to_write(tmp_path: Path) -> None:
    """Without what a desk needs, a function's log is in the store all the same; who reads it is told what to install."""
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("backports", "click", "duckdb", "msgspec", "re2", "rich", "textual"):
        (bare / f"{name}.py").write_text(f"raise ModuleNotFoundError('no {name}', name='{name}')")
    done = run_plain(tmp_path, PYTHONPATH=str(bare), LAMBDALOG_STORE=f"disk:{tmp_path}/store")
    assert done.returncode == 0, done.stderr
    assert "could not be written" not in done.stdout
    with connect(f"disk:{tmp_path}/store") as cloud:
        events = cloud.logs.filter_log_events(logGroupName="/aws/lambda/payments")["events"]
    assert [event["message"][:5] for event in events].count("START") == 2
    asked = """
from lambdalog import connect
from lambdalog.errors import ConfigError
for ask in (lambda cloud: cloud.logs.filter_log_events(logGroupName="/aws/lambda/payments"), lambda cloud: cloud.sqs):
    try:
        ask(connect())
    except ConfigError as error:
        print(error)
"""
    told = subprocess.run(
        [sys.executable, "-c", asked],
        env=os.environ | {"PYTHONPATH": str(bare), "LAMBDALOG_STORE": f"disk:{tmp_path}/store"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.count("pip install 'lambdalog[cli]'") == 2


def test_under_pytest_nothing_goes_to_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's own unit test of a handler leaves no files behind."""
    monkeypatch.chdir(tmp_path)
    assert good({"id": "o-1"}, None) == "test_plain"
    assert handler(lambda event, context: context.function_name)({}) == "test_plain"  # type: ignore[call-arg]
    assert list(Path.cwd().iterdir()) == []


def test_a_terminal_gets_lines_for_people(tmp_path: Path, store_path: Path) -> None:
    """Run in a terminal, lines are pretty and the failure's frames are listed; the store has JSON all the same."""
    (tmp_path / "payments").mkdir()
    (tmp_path / "payments" / "app.py").write_text(FUNCTION)
    master, slave = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    try:
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=tmp_path / "payments",
            env=environment | {"LAMBDALOG_STORE": f"disk:{store_path}"},
            stdout=slave,
            check=True,
        )
        shown = os.read(master, 100_000).decode()
    finally:
        os.close(slave)
        os.close(master)
    assert "\x1b[32mINFO \x1b[0m \x1b[1mcharging\x1b[0m" in shown
    assert "order_id" in shown
    assert "in handler" in shown
    with connect(f"disk:{store_path}") as cloud:
        events = cloud.logs.filter_log_events(logGroupName="/aws/lambda/payments")["events"]
    assert json.loads(events[1]["message"])["message"] == "charging"


STREAM = """
import lambdalog
log = lambdalog.get_logger()
@lambdalog.handler
def stream(event, context):
    log.info("first")
    yield 1
    log.info("second")
class Shop:
    @lambdalog.handler
    def handle(self, event, context):
        log.info(event)
        return context.function_name
print(list(stream({})))
print(Shop().handle("method"), Shop().handle(event="by keyword"))
"""


def test_streams_and_methods_are_logged_whole(tmp_path: Path, store_path: Path) -> None:
    """A generator's END comes after its last line; a method's event is not its self."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "app.py").write_text(STREAM)
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=tmp_path / "shop",
        env=environment | {"LAMBDALOG_STORE": f"disk:{store_path}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "shop shop"
    with connect(f"disk:{store_path}") as cloud:
        events = cloud.logs.filter_log_events(logGroupName="/aws/lambda/shop")["events"]
    told = [event["message"] for event in events]
    kinds = [json.loads(text)["message"] if text.startswith("{") else text.partition(" ")[0] for text in told]
    assert kinds == [
        *("START", "first", "second", "END", "REPORT"),
        *("START", "method", "END", "REPORT"),
        *("START", "by keyword", "END", "REPORT"),
    ]
