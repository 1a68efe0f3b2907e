"""Filter patterns of terms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.errors import PatternError
from lambdalog.query.pattern import Pattern, Term, parse

BAD = "[ERROR 400] BAD REQUEST"
ARGUMENTS = "[ERROR 419] MISSING ARGUMENTS"
UNAUTHORIZED = "[ERROR 401] UNAUTHORIZED REQUEST"


# Cases of AWS's filter pattern documentation.
@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("ERROR", BAD, True),
        ("ERROR", "an error happened", False),
        ("ERROR ARGUMENTS", BAD, False),
        ("ERROR ARGUMENTS", ARGUMENTS, True),
        ("?ERROR ?ARGUMENTS", ARGUMENTS, True),
        ("?ERROR ?ARGUMENTS", "fine", False),
        ("?ERROR ?ARGUMENTS REQUEST", "[INFO] REQUEST FAILED", True),
        ("?ERROR ?ARGUMENTS REQUEST", ARGUMENTS, False),
        ("ERROR -ARGUMENTS", BAD, True),
        ("ERROR -ARGUMENTS", ARGUMENTS, False),
        ('"BAD REQUEST"', BAD, True),
        ('"BAD  REQUEST"', BAD, False),
        ('" "', BAD, True),
        ("%AUTHORIZED%", UNAUTHORIZED, True),
        ("%^[hc]at%", "cat sat", True),
        ("%^[hc]at%", "a cat", False),
        ("%4[0-9]{2}%", BAD, True),
        ("ERROR or WARN", BAD, False),
        ("", "anything", True),
        ("   ", "anything", True),
        ("-ERROR", "fine", True),
        ("-ERROR", BAD, False),
    ],
)
def test_terms_match_as_documented(pattern: str, message: str, expected: bool) -> None:
    """Terms, phrases, optional and excluded terms and regular expressions mean what AWS says."""
    assert parse(pattern).matches(message) is expected


@pytest.mark.parametrize(
    ("pattern", "position", "what"),
    [
        ('a "INTERNAL SERVER', 2, "no closing"),
        ("%abc", 0, "no closing %"),
        ("%%", 0, "empty"),
        ("x %something!%", 12, "'!' can't stand"),
        ("%café%", 4, "'é' can't stand"),
        ("%a(b)%", 2, "can't stand"),
        (" { $.a = 1 }", 1, "JSON"),
        ("x" * 1025, 1024, "at most 1024"),
    ],
)
def test_what_is_no_pattern_is_refused_with_its_place(pattern: str, position: int, what: str) -> None:
    """A refusal says where and what."""
    with pytest.raises(PatternError, match=what) as info:
        parse(pattern)
    assert info.value.position == position


texts = st.text(st.characters(codec="utf-8", exclude_characters='"\\'), min_size=1, max_size=12)
terms = st.builds(Term, texts, st.sampled_from(["required", "optional", "excluded"]), quoted=st.just(True))


@given(st.lists(terms, max_size=5))
def test_a_pattern_prints_and_parses_to_itself(found: list[Term]) -> None:
    """str() gives a pattern that parses to the same terms."""
    pattern = Pattern(tuple(found), lambda _: True)
    assert parse(str(pattern)).terms == pattern.terms


@given(st.lists(terms, max_size=4), st.lists(texts, max_size=6))
def test_literals_are_in_every_match(found: list[Term], words: list[str]) -> None:
    """What the prefilter looks for stands in each message that matches."""
    pattern = parse(" ".join(map(str, found)))
    message = " ".join(words)
    if pattern.matches(message):
        assert all(literal in message for literal in pattern.literals)


def test_a_hostile_expression_is_linear() -> None:
    """An expression that would take a backtracking engine for ever ends at once."""
    assert not parse("%" + "a*" * 200 + "b%").matches("a" * 5000)
