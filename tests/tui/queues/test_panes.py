"""What rows of queues and messages say."""

from __future__ import annotations

import pytest

from tui.queues.panes import COMPACT_MAX, change_text, chosen, one_line


@pytest.mark.parametrize(
    ("name", "wanted", "meant"),
    [
        ("orders-dlq", "", True),
        ("orders-dlq", "DLQ", True),
        ("orders-dlq", "orders-*", True),
        ("orders-dlq", "dlq*", False),
        ("orders", "pay", False),
    ],
)
def test_a_name_is_meant_by_a_part_or_a_pattern(name: str, wanted: str, meant: bool) -> None:
    """A part of a name is enough; with a star or question mark it has to fit whole."""
    assert chosen(name, wanted) is meant


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
