"""Our lines under Lambda's JSON log format: its own filter reads their levels, and throws away none that counts."""

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
import logging
from lambdalog import get_logger, handler as decorated
log = get_logger(level="TRACE")
library = logging.getLogger("library")
@decorated(debug_ring=10)
def handler(event, context):
    for level in ("trace", "debug", "info", "warning", "error", "critical"):
        log.log(level, level)
    library.info("library info")
    library.warning("library warning")
    if event.get("fail"):
        raise ValueError("no order")
"""


def said(cloud: Cloud, tmp_path: Path, level: str | None, event: bytes) -> list[dict[str, Any]]:
    """The function's own lines in its log."""
    spec = function(
        tmp_path / "code", CODE, log_format="JSON", application_log_level=level, system_log_level="WARN"
    )
    with Runtime(logs=cloud.logs) as runtime:
        runtime.invoke(spec, event, request_id="req-1")
    found = [json.loads(text) for text in log(cloud)]
    return [line for line in found if "message" in line]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (
            "TRACE",
            ["trace", "debug", "info", "warning", "error", "critical", "library info", "library warning"],
        ),
        (None, ["info", "warning", "error", "critical", "library info", "library warning"]),
        ("WARN", ["warning", "error", "critical", "library warning"]),
        ("FATAL", ["critical"]),
    ],
)
def test_lambdas_own_level_decides(
    cloud: Cloud, tmp_path: Path, level: str | None, expected: list[str]
) -> None:
    """Whatever the logger asks for; each line once, whole, and by its own level."""
    found = said(cloud, tmp_path, level, b"{}")
    assert [line["message"] for line in found] == expected
    assert {line["requestId"] for line in found} == {"req-1"}


def test_what_the_level_hid_gets_through_with_a_failure(cloud: Cloud, tmp_path: Path) -> None:
    """The ring's lines come under a level that Lambda lets through, with the one they were logged at and their time."""
    found = said(cloud, tmp_path, "ERROR", b'{"fail": true}')
    hidden = [line for line in found if "loggedAt" in line]
    assert [(line["message"], line["loggedAt"], line["level"]) for line in hidden] == [
        ("trace", "TRACE", "ERROR"),
        ("debug", "DEBUG", "ERROR"),
        ("info", "INFO", "ERROR"),
        ("warning", "WARN", "ERROR"),
    ]
    failure = next(line for line in found if line.get("errorType") == "ValueError" and "failure" in line)
    assert all(line["timestamp"] <= failure["timestamp"] for line in hidden)
