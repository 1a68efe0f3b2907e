"""Names from outside as names of files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.store import files

names = st.text(min_size=1, max_size=512)


@given(names)
def test_a_quoted_name_is_one_harmless_component(name: str) -> None:
    """No name is a path, a hidden file, or longer than a file system takes."""
    quoted = files.quote(name)
    assert Path(quoted).name == quoted
    assert not quoted.startswith(".")
    assert len(quoted.encode()) <= files.NAME_MAX
    assert "@" not in quoted


@given(names, names)
def test_different_names_stay_different_without_case(first: str, second: str) -> None:
    """Two names never share a file, even where the file system ignores case."""
    if first != second:
        assert files.quote(first).lower() != files.quote(second).lower()


@pytest.mark.parametrize(
    "name", [".", "..", "a/b", "../../etc/passwd", "a", "A", "[$LATEST]", "\ud800", "x" * 512]
)
def test_odd_names_are_quoted(name: str) -> None:
    """Names that mean something to a file system mean nothing once quoted."""
    quoted = files.quote(name)
    assert "/" not in quoted
    assert quoted not in {".", ".."}


def test_a_segment_id_tells_its_stream_and_time() -> None:
    """The parts that readers choose segments by can be taken from its id."""
    found = files.segment_id("2026/01/02/[$LATEST]ab", 1_700_000_000_000, 42)
    assert files.stream_part(found) == files.quote("2026/01/02/[$LATEST]ab")
    assert files.first_ms(found) == 1_700_000_000_000


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300))
def test_a_short_quoted_name_can_be_read_again(name: str) -> None:
    """What was quoted comes back, unless it was too long; nothing else passes for a quoted name."""
    quoted = files.quote(name)
    assert files.unquote(quoted) == (name if "~" not in quoted else None)


@pytest.mark.parametrize("text", ["A", "%2", "%2f", "%61", ".a", "ä", "%FF"])
def test_what_is_no_quoted_name_is_none(text: str) -> None:
    """A file that somebody put there is not taken for a stream."""
    assert files.unquote(text) is None or files.quote(files.unquote(text) or "") == text
