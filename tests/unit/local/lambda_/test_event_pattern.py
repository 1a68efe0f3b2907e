"""Event patterns: what they match, what they are not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.local.lambda_.event_pattern import EventPattern, InvalidPattern

MATCHES: list[tuple[Any, Any, bool]] = [
    ({"a": ["x"]}, {"a": "x"}, True),
    ({"a": ["x", "y"]}, {"a": "y"}, True),
    ({"a": ["x"]}, {"a": "X"}, False),
    ({"a": ["x"]}, {"b": "x"}, False),
    ({"a": ["x"], "b": [1]}, {"a": "x", "b": 2}, False),
    ({"a": {"b": ["x"]}}, {"a": {"b": "x", "c": 1}}, True),
    ({"a": {"b": ["x"]}}, {"a": "b"}, False),
    ({"a": ["x"]}, {"a": ["y", "x"]}, True),
    ({"a": {"b": ["x"]}}, {"a": [{"b": "y"}, {"b": "x"}]}, True),
    ({"a": [300]}, {"a": 300.0}, True),
    ({"a": [1]}, {"a": True}, False),
    ({"a": [True]}, {"a": 1}, False),
    ({"a": [None]}, {"a": None}, True),
    ({"a": [None]}, {}, False),
    ({"a": [""]}, {"a": ""}, True),
    ({"a": [{"prefix": "ab"}]}, {"a": "abc"}, True),
    ({"a": [{"prefix": "ab"}]}, {"a": 12}, False),
    ({"a": [{"prefix": {"equals-ignore-case": "AB"}}]}, {"a": "abc"}, True),
    ({"a": [{"suffix": ".png"}]}, {"a": "x.png"}, True),
    ({"a": [{"suffix": {"equals-ignore-case": ".PNG"}}]}, {"a": "x.png"}, True),
    ({"a": [{"equals-ignore-case": "AbC"}]}, {"a": "aBc"}, True),
    ({"a": [{"wildcard": "a*c*e"}]}, {"a": "abcde"}, True),
    ({"a": [{"wildcard": "a*c"}]}, {"a": "abcd"}, False),
    ({"a": [{"wildcard": "*"}]}, {"a": ""}, True),
    ({"a": [{"wildcard": "a*a"}]}, {"a": "a"}, False),
    ({"a": [{"wildcard": "ab*bc"}]}, {"a": "abc"}, False),
    ({"a": [{"wildcard": "plain"}]}, {"a": "plain"}, True),
    ({"a": [{"wildcard": "a*b*b"}]}, {"a": "axbyb"}, True),
    ({"a": [{"anything-but": "x"}]}, {"a": "y"}, True),
    ({"a": [{"anything-but": "x"}]}, {}, False),
    ({"a": [{"anything-but": ["x", 1]}]}, {"a": 1}, False),
    ({"a": [{"anything-but": {"prefix": "x"}}]}, {"a": "xy"}, False),
    ({"a": [{"anything-but": {"suffix": ["a", "b"]}}]}, {"a": "xc"}, True),
    ({"a": [{"anything-but": {"equals-ignore-case": "X"}}]}, {"a": "x"}, False),
    ({"a": [{"anything-but": {"wildcard": "*x*"}}]}, {"a": "axb"}, False),
    ({"a": [{"numeric": [">", 100]}]}, {"a": 105}, True),
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, True),
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5.5}, False),
    ({"a": [{"numeric": ["=", 1]}]}, {"a": "1"}, False),
    ({"a": [{"numeric": ["=", 1]}]}, {"a": True}, False),
    ({"a": [{"exists": True}]}, {"a": None}, True),
    ({"a": [{"exists": True}]}, {"b": 1}, False),
    ({"a": [{"exists": False}]}, {"b": 1}, True),
    ({"a": [{"exists": False}]}, {"a": 1}, False),
    ({"a": {"b": [{"exists": False}]}}, {}, True),
    ({"a": ["x", {"prefix": "y"}]}, {"a": "yes"}, True),
    ({"$or": [{"a": ["x"]}, {"b": [1]}]}, {"b": 1}, True),
    ({"$or": [{"a": ["x"]}, {"b": [1]}], "c": [2]}, {"b": 1}, False),
    ({}, {"anything": 1}, True),
]

INVALID: list[str] = [
    "",
    "no json",
    "[]",
    '"text"',
    '{"a": "x"}',
    '{"a": 1}',
    '{"a": []}',
    '{"a": {}}',
    '{"a": [["x"]]}',
    '{"a": [{"unknown": 1}]}',
    '{"a": [{"prefix": 1}]}',
    '{"a": [{"prefix": "x", "suffix": "y"}]}',
    '{"a": [{"exists": "yes"}]}',
    '{"a": [{"numeric": [">"]}]}',
    '{"a": [{"numeric": ["~", 1]}]}',
    '{"a": [{"numeric": [">", "1"]}]}',
    '{"a": [{"anything-but": []}]}',
    '{"a": [{"anything-but": {"numeric": [">", 1]}}]}',
    '{"a": [{"wildcard": "a**b"}]}',
    '{"$or": [{"a": ["x"]}]}',
    '[{"eventName": ["INSERT"=123}]',
    "[" * 100_000,
    '{"a":' * 100 + '["x"]' + "}" * 100,
]


@pytest.mark.parametrize(("pattern", "event", "expected"), MATCHES)
def test_a_pattern_matches_what_it_says(pattern: Any, event: Any, expected: bool) -> None:
    """Every operator, with what it takes and what it doesn't."""
    assert EventPattern(json.dumps(pattern)).matches(event) is expected


@pytest.mark.parametrize("text", INVALID, ids=[text[:30] for text in INVALID])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    """Never with another error, however strange the text."""
    with pytest.raises(InvalidPattern):
        EventPattern(text)


@given(st.text(alphabet="ab*", max_size=12), st.text(alphabet="ab", max_size=12))
def test_wildcards_are_a_stars_meaning(pattern: str, text: str) -> None:
    """A wildcard matches where some split of the text over its stars exists, found the slow way."""
    if "**" in pattern:
        return

    def slow(parts: list[str], rest: str) -> bool:
        head, *more = parts
        if not more:
            return rest == head
        return rest.startswith(head) and any(
            slow(more, rest[cut:]) for cut in range(len(head), len(rest) + 1)
        )

    matched = EventPattern(json.dumps({"a": [{"wildcard": pattern}]})).matches({"a": text})
    assert matched is slow(pattern.split("*"), text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_event_breaks_a_pattern(event: Any) -> None:
    """Whatever JSON comes, a pattern answers yes or no."""
    pattern = EventPattern('{"a": {"b": [{"prefix": "x"}, {"numeric": [">", 1]}, {"exists": false}, null]}}')
    assert pattern.matches(event) in {True, False}
