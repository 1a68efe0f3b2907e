"""The code in docs/handler.md and docs/shipper.md: each piece is a file of docs/snippets, and does what the page says."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.cloud import connect
from tests.unit.instrument.heard import Context

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).resolve().parent.parent / "docs"
FILES = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "snippets").glob("*.py")}


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store_path: Path) -> Iterator[None]:
    """An empty folder, a new store, and Lambda's runtime around it; logging is as it was afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAMBDALOG_STORE", f"disk:{store_path}")
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
    root = logging.getLogger()
    before = list(root.handlers)
    yield
    root.handlers = before


def snippet(name: str) -> Any:
    """The file, imported."""
    spec = importlib.util.spec_from_file_location(name, DOCS / "snippets" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def process(name: str, then: str = "") -> str:
    """The file in a process of its own, and code behind it; what it prints."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", f"{FILES[name + '.py']}\n{then}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def stored(group: str) -> list[tuple[str, str]]:
    """(stream, message) in the store."""
    with connect() as cloud:
        events = cloud.logs.filter_log_events(logGroupName=group)["events"]
        return [(event["logStreamName"], event["message"]) for event in events]


def test_the_pages_show_the_files() -> None:
    """Each block of Python is a file, to the letter, and each file is shown."""
    shown = [
        code
        for page in ("handler.md", "shipper.md")
        for code in re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    ]
    assert sorted(shown) == sorted(FILES.values())


def test_first(capsys: pytest.CaptureFixture[str]) -> None:
    """A line has Lambda's keys, the invocation's and the user's."""
    assert snippet("first").process({"id": "o-1"}, Context()) == {"charged": "o-1"}
    (line,) = lines(capsys)
    assert list(line)[:3] == ["timestamp", "level", "message"]
    assert {
        "requestId": "req-1",
        "function": "orders",
        "version": "7",
        "order_id": "o-1",
    }.items() <= line.items()


def test_keys(capsys: pytest.CaptureFixture[str]) -> None:
    """Keys of the logger, of the invocation, of the block, of a child."""
    snippet("keys").process({"id": "o-1", "items": ["tea", "cup"]}, Context())
    found = lines(capsys)
    assert [(line["logger"], line.get("item"), line["order_id"], line["team"]) for line in found] == [
        ("orders", 0, "o-1", "checkout"),
        ("orders", 1, "o-1", "checkout"),
        ("orders.payments", None, "o-1", "checkout"),
    ]


def test_correlation(capsys: pytest.CaptureFixture[str]) -> None:
    """Found by the usual places, and by a path."""
    module = snippet("correlation")
    module.from_the_web({"headers": {"x-correlation-id": "c-1"}}, Context())
    module.from_the_bus({"detail": {"order": {"x-id": "c-2"}}}, Context())
    assert [line["correlationId"] for line in lines(capsys)] == ["c-1", "c-2"]


def test_debugging(capsys: pytest.CaptureFixture[str]) -> None:
    """What the level hid is written when the invocation fails, before the failure."""
    with pytest.raises(ValueError, match="negative"):
        snippet("debugging").process({"total": -1}, Context())
    first, last = lines(capsys)
    assert (first["level"], first["message"], first["total"]) == ("DEBUG", "priced", -1)
    assert first["location"].startswith("debugging.py:process:")
    assert last["errorType"] == "ValueError"


def test_permanent(capsys: pytest.CaptureFixture[str]) -> None:
    """The event is in the queue, and the invocation succeeds."""
    with connect() as cloud:
        url = cloud.sqs.create_queue(QueueName="orders-dlq")["QueueUrl"]
        assert snippet("permanent").process({"items": []}, Context()) is None
        (message,) = cloud.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert json.loads(message["Body"]) == {"items": []}
    assert {"Fingerprint", "FunctionName", "FunctionVersion"} < set(message["MessageAttributes"])
    assert snippet("permanent").process({"items": ["tea"]}, Context()) == "taken"


def test_batches(capsys: pytest.CaptureFixture[str]) -> None:
    """The one that failed is named."""
    records = [
        {
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:1:q",
            "messageId": body,
            "body": body,
        }
        for body in ("good", "bad")
    ]
    assert snippet("batches").process({"Records": records}, Context()) == {
        "batchItemFailures": [{"itemIdentifier": "bad"}]
    }
    assert {line["recordId"] for line in lines(capsys)} == {"good", "bad"}


def test_scrubbing(capsys: pytest.CaptureFixture[str]) -> None:
    """Names and patterns of one's own are taken, what is to be kept is kept."""
    with pytest.raises(LookupError):
        snippet("scrubbing").process({"tax_number": "12/345", "customer": "C-123456"}, Context())
    looking, failed = lines(capsys)
    assert (looking["tax_number"], looking["pin"]) == ("[scrubbed]", 7)
    assert "C-123456" not in json.dumps(failed)
    assert "12/345" not in json.dumps(failed)


def test_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    """Each answers as it would by itself, with its lines."""
    module = snippet("kinds")
    assert module.asynchronous({"id": 1}, Context()) == 1
    assert list(module.streaming({}, Context())) == [0, 1, 2]
    assert module.orders({}, Context()) == "EUR"
    assert [line["message"] for line in lines(capsys)] == ["awaited", "part", "part", "part", "charging"]


def test_others() -> None:
    """Three loggers, one stream, each line once."""
    out = process("others", "from tests.unit.instrument.heard import Context\nprocess({}, Context())")
    found = [json.loads(line) for line in out.splitlines()]
    assert [(line["message"], line.get("by"), line["requestId"]) for line in found] == [
        ("one", None, "req-1"),
        ("two", "structlog", "req-1"),
        ("three", "logging", "req-1"),
    ]


def test_shipping(capsys: pytest.CaptureFixture[str]) -> None:
    """Both events are where they belong, and the group keeps its events for a month."""
    snippet("shipping")
    assert capsys.readouterr().out == "2 accepted, 2 delivered\n"
    assert [stream for stream, _ in stored("app")] == ["payments", "worker-1"]
    with connect() as cloud:
        assert cloud.logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 30


def test_handler_of_logging() -> None:
    """Records are events of the stream that is named for the day."""
    process("handler_of_logging")
    found = stored("app")
    assert [message for _, message in found] == ["charged o-1", '{"order": "o-2", "ms": 3}']
    assert all(re.fullmatch(r"app/\d{4}-\d\d-\d\d", stream) for stream, _ in found)


def test_outage(capsys: pytest.CaptureFixture[str]) -> None:
    """What could not be delivered is kept, and sent later."""
    snippet("outage")
    # What the shipper says of its trouble may be among it, if another test has joined logging.
    assert capsys.readouterr().out.splitlines()[-2:] == ["1 accepted, 0 delivered, 1 spooled", "1"]
    assert stored("app") == [("s", "while it is down")]


def test_in_a_function() -> None:
    """The audit's event is there when the handler has answered."""
    module = snippet("in_a_function")
    assert module.process({"id": "o-1"}, Context(left=600_000)) == "charged"
    module.audit.flush(60)
    assert stored("audit") == [("orders", "o-1 charged")]
    module.audit.close()
    module.cloud.close()


def test_workers() -> None:
    """Parent and child each have a stream."""
    process("workers")
    found = stored("app")
    assert [message for _, message in found] == ["here I am"] * 2
    assert len({stream for stream, _ in found}) == 2


def test_the_commands_of_the_shippers_page() -> None:
    """As they stand there, in a shell."""
    (block,) = re.findall(r"```sh\n(.*?)```", (DOCS / "shipper.md").read_text(encoding="utf-8"), re.DOTALL)
    script = f'lambdalog() {{ "{sys.executable}" -m lambdalog "$@"; }}\nset -e -o pipefail\n{block}'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert stored("app") == [("shell", "one"), ("shell", "two")]
