"""Where an invocation comes from: the trace header, and in it how often each function ran in this chain of events.

A function that is invoked by what it did itself (over a queue, a topic, or directly) runs for ever. Lambda counts a
function's invocations in the header's `Lineage`, which AWS's SDKs, SQS and SNS carry on, and stops "approximately 16"
of them (Lambda developer guide, "Recursive loop detection"). Here it is 16.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextvars import ContextVar
from functools import lru_cache
from typing import Final, NamedTuple

INVOCATIONS_MAX: Final = 16
# An X-Ray header is short; what is longer was not made by an SDK.
HEADER_MAX: Final = 2048
_ENTRY: Final = re.compile(r"(?:\d+:)?([0-9a-f]{8}):(\d{1,9})")
_ROOT: Final = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")

current_trace: ContextVar[str | None] = ContextVar("lambdalog_current_trace", default=None)
"""The `X-Amzn-Trace-Id` of the request that is being served, empty if it has none; set by whoever serves over HTTP."""


class Trace(NamedTuple):
    """A header for the function's environment, and how often the function was invoked in its chain, this time included."""

    header: str
    invocations: int


def caller_trace() -> str | None:
    """The trace that a call made now belongs to: the served request's, or the invocation's whose code makes the call."""
    served = current_trace.get()
    if served is not None:
        return served or None
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return None
    return os.environ.get("_X_AMZN_TRACE_ID")


def arrive(header: str | None, function_arn: str, now: float, *, active: bool = False) -> Trace:
    """Count one more invocation of a function. A header that is none begins a chain of its own.

    `active`: the function's tracing mode is Active, and a chain of which nobody has decided yet is sampled.
    """
    mark, drawn = _mark(function_arn), os.urandom(20).hex()
    fields = _fields(header)
    counts = _counts(fields.get("lineage", ""))
    counts[mark] = counts.get(mark, 0) + 1
    root = fields.get("root", "")
    if not _ROOT.fullmatch(root):
        root = f"1-{int(now):08x}-{drawn[16:]}"
    lineage = "|".join([f"1:{name}:{count}" for name, count in counts.items()])
    sampled = "1" if fields.get("sampled", "1" if active else "0") == "1" else "0"
    return Trace(f"Root={root};Parent={drawn[:16]};Sampled={sampled};Lineage={lineage}", counts[mark])


@lru_cache(maxsize=1000)
def _mark(function_arn: str) -> str:
    return hashlib.sha256(function_arn.encode()).hexdigest()[:8]


def _fields(header: str | None) -> dict[str, str]:
    if not header or len(header) > HEADER_MAX:
        return {}
    pairs = (part.split("=", 1) for part in header.split(";") if "=" in part)
    return {name.strip().lower(): value.strip() for name, value in pairs}


def _counts(lineage: str) -> dict[str, int]:
    if not lineage:
        return {}
    found = map(_ENTRY.fullmatch, lineage.split("|"))
    return {entry.group(1): int(entry.group(2)) for entry in found if entry is not None}
