"""What is asked of an invocation before it runs."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.local.lambda_.invocation import _check_json

# What JSON is made of, and what it is mistaken for.
PIECES = [
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b'"',
    b'"a"',
    b"\\",
    b"\\u00e9",
    b"\\ud800",
    b"0",
    b"-1.5e3",
    b"1.",
    b"null",
    b"NaN",
]
ODD = [b"\xc3\xa9", b"\xff", b"\xed\xa0\x80", b"\x00", b"\xef\xbb\xbf", b" ", b"\n"]


@given(st.lists(st.sampled_from(PIECES + ODD), max_size=12).map(b"".join))
def test_what_python_reads_is_taken_and_nothing_else(payload: bytes) -> None:
    """Any bytes: refused if Python's reader refuses them, in its words."""
    words = None
    try:
        json.loads(payload)
    except ValueError as error:
        words = str(error)
    if words is None:
        _check_json(payload)
    else:
        with pytest.raises(ValueError) as refused:
            _check_json(payload)
        assert str(refused.value) == words


def test_what_is_nested_too_deep_is_refused() -> None:
    """Ten thousand brackets are no event, and end nothing but themselves."""
    with pytest.raises(RecursionError):
        _check_json(b"[" * 10_000 + b"]" * 10_000)
