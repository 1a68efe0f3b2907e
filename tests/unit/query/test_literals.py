"""What regular expressions can't do without."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.query.literals import of_regex


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("ERROR", ["ERROR"]),
        ("^ERR.R: 4[0-9]{2}$", ["ERR", "R: 4"]),
        ("colou?r", ["colo", "r"]),
        ("ab+c", ["ab", "c"]),
        ("ab*c", ["a", "c"]),
        (r"10\.0\.0\.\d+ x", ["10.0.0.", " x"]),
        (r"a[]x]b[^\]]c", ["a", "b", "c"]),
        ("a{2,3}b", ["b"]),
        ("start(ed)? now", ["start"]),
        (r"f\(x\)", ["f(x)"]),
        ("gra|ey", []),
        (r"\x41", []),
        ("(?i)error", []),
        ("a{", []),
        ("[a", []),
    ],
)
def test_runs_between_what_may_vary(body: str, expected: list[str]) -> None:
    """Characters that stand in every match; optional, repeated and chosen ones end a run."""
    assert of_regex(body) == expected


@given(
    st.text(alphabet="ab.*+?[]^$\\d{},1()|", min_size=1, max_size=12),
    st.lists(st.text(alphabet="ab1.[]\\{},", max_size=12), max_size=20),
)
def test_no_match_lacks_a_run(body: str, texts: list[str]) -> None:
    """Whatever the expression, a text that it matches contains all the runs."""
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(body, options)
    except re2.error:
        return
    runs = of_regex(body)
    for text in texts:
        if compiled.search(text) is not None:
            assert all(run in text for run in runs)
