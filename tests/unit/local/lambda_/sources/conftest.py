"""Outcomes of invocations, for readers that are tested without running any function."""

from __future__ import annotations

import json
from typing import Any

from lambdalog.runtime import Outcome


def outcome(payload: Any = None, *, error: bool = False) -> Outcome:
    """An invocation that answered, or failed."""
    return Outcome(
        request_id="r-1",
        status="error" if error else "success",
        payload=json.dumps(payload).encode(),
        executed_version="$LATEST",
        log_stream="s",
        duration_ms=1.0,
        billed_ms=1,
        memory_mb=128,
        max_memory_mb=30,
        function_error="Unhandled" if error else None,
    )
