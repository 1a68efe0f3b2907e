"""What the filter line means."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.errors import PatternError
from tui.logs.matching import compiled, literals_of
from tui.logs.mode import Mode


@pytest.mark.parametrize(
    ("expression", "literals"),
    [
        ("order_id.:12345[0-9]", ("order_id", ":12345")),
        ("colou?r", ("colo",)),
        ("ab+cd", ("ab", "cd")),
        (r"\d+ms\.foo", ("ms.foo",)),
        ("abc{2}de", ("ab", "de")),
        ("err[or]+ timed out$", ("err", " timed out")),
        (r"[a\]b]cde", ("cde",)),
        ("start(ed)? now", ("start",)),
        ("one|two", ()),
        ("(?i)error", ()),
        (r"\Qa*b\E", ()),
        ("", ()),
    ],
)
def test_what_every_match_contains_is_known(expression: str, literals: tuple[str, ...]) -> None:
    """Runs of characters that no choice, group or repetition makes uncertain are told, and nothing else."""
    assert literals_of(expression) == literals


@pytest.mark.parametrize(
    ("expression", "what", "at"),
    [("payment[", "missing ]", 7), ("x**", "bad repetition operator", 1), ("ä[é", "missing ]", 1), ("\\", "trailing \\", 1)],
)  # fmt: skip
def test_what_is_no_expression_is_said_with_its_place(expression: str, what: str, at: int) -> None:
    """The refusal says what is wrong and from which character on, in words and no more."""
    with pytest.raises(PatternError) as refused:
        compiled(expression, Mode.REGEX)
    assert (str(refused.value), refused.value.position) == (what, at)


pieces = st.sampled_from(
    ["ab", "c", " ", ":", "x?", "y*", "z+", "q{2}", "r{0,1}", ".", r"\d", r"\.", "[ab]", "[^c]", "(ab|c)", "(k)?", "|", "^", "$"]
)  # fmt: skip


@given(st.lists(pieces, max_size=6).map("".join), st.text("abckxyzqr .:01", max_size=12))
def test_a_match_contains_all_of_its_literals(expression: str, text: str) -> None:
    """No line that an expression matches lacks what it is looked for by."""
    try:
        found = re2.search(expression, text)
    except re2.error:
        return
    if found is not None:
        assert all(literal in text for literal in literals_of(expression))
