"""What rows of queues and messages say."""

from __future__ import annotations

import pytest

from tui.queues.rows import COMPACT_MAX, change_text, one_line


@pytest.mark.parametrize(
    ("change", "told"), [(None, "-"), (0.2, "0/m"), (12.4, "+12/m"), (-3.0, "-3/m"), (1234.0, "+1,234/m")]
)
def test_a_change_says_which_way(change: float | None, told: str) -> None:
    """More and fewer have their signs; what isn't known is a dash."""
    assert change_text(change) == told


def test_a_body_is_one_line() -> None:
    """JSON loses the spaces that lay it out; what only looks like JSON, and what is huge, is shown as it begins."""
    assert one_line('{\n  "a": [1,\n 2]\n}') == '{"a":[1,2]}'
    assert one_line("{oops\n") == "{oops␊"
    assert one_line("[" + " " * COMPACT_MAX).startswith("[ ")
    assert "\x1b" not in one_line("\x1b[2J")
