"""How far a replay is, in a line."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lambdalog.failures import Step
from tui.failures.progress import BAR, progress_text

COLOURS = {"success": "green", "warning": "yellow", "error": "red"}


def _step(done: int, total: int, detail: str = "", **counts: int) -> Step:
    item: Any = None
    state: Any = list(counts)[-1]
    return Step(item, state, detail, done, total, Counter(counts))


def test_half_way() -> None:
    """The bar is filled as far as the run is, and each end is counted."""
    told = progress_text("replay", _step(20, 40, acked=20), COLOURS).plain
    assert told.count("━") == BAR // 2
    assert "20/40" in told
    assert "20 acked" in told


def test_the_canary() -> None:
    """After the first of a replay it is said whether it came through; a discard has no canary."""
    assert "came through" in progress_text("replay", _step(1, 40, acked=1), COLOURS).plain
    assert "failed  boom" in progress_text("replay", _step(1, 40, "boom", failed=1), COLOURS).plain
    assert "canary" not in progress_text("discard", _step(1, 40, discarded=1), COLOURS).plain


def test_what_a_function_says_is_no_markup() -> None:
    """The reason of a failure is shown as text."""
    assert "\x1b" not in progress_text("replay", _step(2, 3, "\x1b[2J[red]", failed=1), COLOURS).plain
