"""How a scan's reader makes events of lines."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdalog.store import Event, Scan, scan
from lambdalog.store.line import encode
from lambdalog.store.scan import Reader

T0 = 1_700_000_000_000

messages = st.one_of(
    st.text(max_size=20),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 9), max_size=2).map(str),
    st.just('{"level":"INFO"}'),
    st.just("\ud800 alone"),
)
damaged = st.sampled_from([b'{"t":17000000000x0,"i":1700000000000,"m":{}}\n', b"half a li\n", b"\xff\xfe\n"])
lines = st.lists(
    st.one_of(
        st.tuples(st.integers(T0, T0 + 99), messages).map(lambda one: encode(one[0], T0, one[1])), damaged
    ),
    min_size=1,
    max_size=12,
)


@given(lines, st.sampled_from([None, T0 + 20]), st.sampled_from([None, T0 + 70]), st.booleans())
@settings(max_examples=200, deadline=None)
def test_rows_and_columns_are_the_same_events(
    found: list[bytes], start: int | None, end: int | None, matching: bool
) -> None:
    """Whether lines are few, and taken one by one, or many, the same events come of them and the same damage is told."""
    asked = Scan("g", start=start, end=end, match=(lambda text: "a" in text) if matching else None)

    def read(least: int) -> tuple[list[Event], list[tuple[str, int]]]:
        told: list[tuple[str, int]] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scan, "_WORTH_COLUMNS", least)
            events = Reader(asked, lambda segment, offset: told.append((segment, offset))).events(
                "s", "segment", 100, b"".join(found)
            )
        return events, told

    assert read(0) == read(1 << 30)
