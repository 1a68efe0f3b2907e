"""Shippers of this process, flushed before a handler answers: Lambda freezes their thread with everything else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def flush_shippers(budget: float, remaining: Callable[[], Any] | None) -> None:
    """Flush them in `budget` seconds, but at most half of what `remaining` (milliseconds) leaves.

    ShipError if that wasn't enough and there is no spool: then the rest waits for the next invocation.
    """
    # A function that ships has imported this; another one doesn't pay for it.
    fleet = sys.modules.get("lambdalog.shipper.fleet")
    if fleet is None or not fleet.FLEET:
        return
    if remaining is not None:
        budget = min(budget, max(remaining() / 2000, 0.0))
    fleet.FLEET.flush(budget)
