"""Patterns from plain texts and regular expressions, and any pattern made once more from its wording."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.query.pattern import Pattern, parse
from lambdalog.query.wording import expression, literals_of, meant, plain


@pytest.mark.parametrize(
    ("body", "literals"),
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
def test_what_every_match_contains_is_known(body: str, literals: tuple[str, ...]) -> None:
    """Runs of characters that no choice, group or repetition makes uncertain are told, and nothing else."""
    assert literals_of(body) == literals


pieces = st.sampled_from(
    ["ab", "c", " ", ":", "x?", "y*", "z+", "q{2}", "r{0,1}", ".", r"\d", r"\.", "[ab]", "[^c]", "(ab|c)", "(k)?", "|", "^", "$"]
)  # fmt: skip


@given(st.lists(pieces, max_size=6).map("".join), st.text("abckxyzqr .:01", max_size=12))
def test_a_match_contains_all_of_its_literals(body: str, text: str) -> None:
    """No line that an expression matches lacks what it is looked for by."""
    try:
        found = re2.search(body, text)
    except re2.error:
        return
    if found is not None:
        assert all(literal in text for literal in literals_of(body))


@pytest.mark.parametrize(
    "pattern",
    [
        parse('{ $.level = "ERROR" && $.ms > 250 }'),
        parse("ERROR -retry"),
        parse("[ip, user, status = 5*]"),
        plain('a "quoted" \\ text'),
        plain("\ud800"),
        expression("order_id.:12[0-9]+"),
        expression("(?i)error|time"),
    ],
    ids=str,
)
@given(st.data())
def test_a_pattern_is_made_once_more_from_its_wording(pattern: Pattern, data: st.DataObject) -> None:
    """What another process makes of the text finds the same messages, by the same literals."""
    again = meant(pattern.wording) if pattern.wording is not None else None
    assert again is not None
    assert (again.wording, again.literals) == (pattern.wording, pattern.literals)
    odd = [
        'a "quoted" \\ text',
        "\ud800",
        "ERROR",
        "retry",
        '{"level":"ERROR","ms":251}',
        "1 me 503",
        "order_id=:123",
        "eRRor",
    ]
    message = data.draw(st.sampled_from(odd) | st.text()) + data.draw(
        st.sampled_from(["", " ERROR", "\ud800"])
    )
    assert again.matches(message) == pattern.matches(message)
