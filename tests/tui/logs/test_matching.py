"""What the filter line means."""

from __future__ import annotations

import pytest

from lambdalog.errors import PatternError
from tui.logs.matching import compiled
from tui.logs.mode import Mode


@pytest.mark.parametrize(
    ("expression", "what", "at"),
    [("payment[", "missing ]", 7), ("x**", "bad repetition operator", 1), ("ä[é", "missing ]", 1), ("\\", "trailing \\", 1)],
)  # fmt: skip
def test_what_is_no_expression_is_said_with_its_place(expression: str, what: str, at: int) -> None:
    """The refusal says what is wrong and from which character on, in words and no more."""
    with pytest.raises(PatternError) as refused:
        compiled(expression, Mode.REGEX)
    assert (str(refused.value), refused.value.position) == (what, at)
