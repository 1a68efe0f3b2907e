"""The decorator, in a plain process and as Lambda calls it."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lambdalog import get_logger, handler
from lambdalog.cloud import connect

log = get_logger()


class Context:
    """A context as Lambda's client makes it."""

    aws_request_id = "req-1"
    function_name = "orders"
    function_version = "7"


@pytest.fixture(autouse=True)
def _as_in_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process looks like Lambda's unless a test says otherwise."""
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")


@handler
def good(event: Any, context: Any) -> str:
    """Answers."""
    log.info("charging", order_id=event["id"])
    return "done"


@handler
def bad(event: Any, context: Any) -> None:
    """Fails."""
    raise ValueError("no order")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was written."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_lines_carry_their_invocation(capsys: pytest.CaptureFixture[str]) -> None:
    """Request id, function, version and cold start are in every line, and only while it runs."""
    assert good({"id": "o-1"}, Context()) == "done"
    log.info("outside")
    inside, outside = lines(capsys)
    assert (inside["requestId"], inside["function"], inside["version"]) == ("req-1", "orders", "7")
    assert inside["order_id"] == "o-1"
    assert isinstance(inside["coldStart"], bool)
    assert "requestId" not in outside


def test_keys_of_an_invocation_end_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    """What one invocation bound is not in the next one's lines."""

    @handler
    def binds(event: Any, context: Any) -> None:
        if event:
            log.bind_invocation(customer="ada")
        log.info("x")

    binds({"a": 1}, Context())
    binds({}, Context())
    first, second = lines(capsys)
    assert first["customer"] == "ada"
    assert "customer" not in second
    assert second["coldStart"] is False


def test_a_failure_is_told_and_raised(capsys: pytest.CaptureFixture[str]) -> None:
    """The exception comes through unchanged; the line has its type, text, fingerprint and frames."""
    with pytest.raises(ValueError, match="no order"):
        bad({}, Context())
    (line,) = lines(capsys)
    assert (line["level"], line["message"]) == ("ERROR", "ValueError: no order")
    assert (line["errorType"], line["errorMessage"]) == ("ValueError", "no order")
    assert len(line["failure"]["fingerprint"]) == 16
    assert [frame["function"] for frame in line["failure"]["frames"]][-1] == "bad"


def test_a_handler_stays_what_it_was() -> None:
    """Name, docstring and signature are kept, and wrapping twice is wrapping once."""
    assert good.__name__ == "good"
    assert good.__doc__ == "Answers."
    assert list(inspect.signature(good).parameters) == ["event", "context"]
    assert handler(good) is good
    assert handler()(good) is good


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the kill switch set, the decorator gives the function back."""
    monkeypatch.setenv("LAMBDALOG_DISABLED", "1")

    def plain(event: Any, context: Any) -> None:
        """Nothing."""

    assert handler(plain) is plain


def test_a_context_of_none_works(capsys: pytest.CaptureFixture[str]) -> None:
    """Code that calls its handler with no context gets its answer."""
    assert good({"id": "o-1"}, None) == "done"
    assert lines(capsys)[0]["requestId"] is None


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


def test_under_pytest_nothing_goes_to_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's own unit test of a handler leaves no files behind."""
    monkeypatch.delenv("AWS_LAMBDA_RUNTIME_API")
    monkeypatch.chdir(tmp_path)
    assert good({"id": "o-1"}, None) == "done"
    assert list(Path.cwd().iterdir()) == []
