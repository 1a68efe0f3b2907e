"""A failure run here: what a function sees of it. The debugger itself is driven in tests/unit/cli."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lambdalog
from lambdalog.failures.debug import Context, Local

if TYPE_CHECKING:
    import pytest


def test_no_deadline_comes_near_while_one_debugs(capsys: pytest.CaptureFixture[str]) -> None:
    """However long somebody thinks at a breakpoint, all of the time is left, and nobody warns of a timeout."""
    function = Local("pay", "$LATEST", "arn", "app.handler", Path(), 128, 0.05, "/aws/lambda/pay", {})

    @lambdalog.handler
    def handler(event: Any, context: Any) -> int:
        time.sleep(0.2)
        left: int = context.get_remaining_time_in_millis()
        return left

    assert handler({}, Context(function, "r-1")) == 50
    assert "time out" not in "".join(capsys.readouterr())
