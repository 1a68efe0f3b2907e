"""A JSON log as an environment writes it: Lambda's own records, the function's lines, and the levels that filter both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.runtime import Runtime
from tests.unit.runtime.test_pool import log
from tests.unit.runtime.test_processes import function

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud

CODE = """
import json, logging, os
def handler(event, context):
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logging.getLogger().log(level, "by logging %s", level)
    print(json.dumps({"timestamp": "2026-01-02T03:04:05.678Z", "level": "DEBUG", "message": "own debug"}))
    print(json.dumps({"timestamp": "2026-01-02T03:04:05.678Z", "level": "ERROR", "message": "own error"}))
    print(json.dumps({"level": "FATAL", "message": "no time"}))
    print("plain")
    if event.get("exit"):
        os._exit(3)
"""


def lines(cloud: Cloud, tmp_path: Path, event: str = "{}", **changes: Any) -> list[str]:
    """The function's JSON log after one invocation: types of records, messages of lines."""
    spec = function(tmp_path / "code", CODE, log_format="JSON", **changes)
    with Runtime(logs=cloud.logs) as runtime:
        runtime.invoke(spec, event.encode(), request_id="req-1")
    found = []
    for text in log(cloud):
        line = json.loads(text) if text.startswith("{") else text.splitlines()[-1]
        found.append(line if isinstance(line, str) else line.get("type") or line["message"])
    return found


@pytest.mark.parametrize(
    ("application", "system", "expected"),
    [
        (
            None,
            None,
            {
                "platform.initStart",
                "platform.start",
                "platform.report",
                "by logging 20",
                "by logging 30",
                "by logging 40",
                "own error",
                "no time",
                "plain",
            },
        ),
        ("WARN", "WARN", {"by logging 30", "by logging 40", "own error"}),
        (
            "DEBUG",
            "DEBUG",
            {
                "platform.initStart",
                "platform.initRuntimeDone",
                "platform.initReport",
                "platform.start",
                "platform.runtimeDone",
                "platform.report",
                "by logging 10",
                "by logging 20",
                "by logging 30",
                "by logging 40",
                "own debug",
                "own error",
                "no time",
                "plain",
            },
        ),
        ("FATAL", "INFO", {"platform.initStart", "platform.start", "platform.report"}),
    ],
)
def test_levels_decide_what_is_logged(
    cloud: Cloud, tmp_path: Path, application: str | None, system: str | None, expected: set[str]
) -> None:
    """A line shows from its own level on (INFO if it names none, or bears no time), a record from Lambda's for it."""
    found = lines(cloud, tmp_path, application_log_level=application, system_log_level=system)
    assert set(found) == expected
    assert len(found) == len(expected)


def test_what_failed_shows_at_the_highest_level(cloud: Cloud, tmp_path: Path) -> None:
    """The runtime's end is told in Lambda's words, and its records say error, though only warnings are wanted."""
    found = lines(cloud, tmp_path, '{"exit": true}', application_log_level="FATAL", system_log_level="WARN")
    assert found == ["Runtime.ExitError", "platform.runtimeDone", "platform.report"]
    assert (
        json.loads(log(cloud)[-1])["record"].items()
        >= {
            "requestId": "req-1",
            "status": "error",
            "errorType": "Runtime.ExitError",
        }.items()
    )
