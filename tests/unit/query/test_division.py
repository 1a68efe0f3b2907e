"""Who reads what."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.query import division
from lambdalog.store import Extent, Stretch

stretches = st.builds(
    lambda begin, length, size: Stretch(begin, begin + length, size),
    st.integers(0, 1000),
    st.integers(0, 300),
    st.integers(1, 1 << 20),
)


@st.composite
def files(draw: st.DrawFn) -> list[division.File]:
    """Files of a few groups."""
    return [
        (draw(st.sampled_from("gh")), Extent(frozenset({f"s{number}", f"t{number}"}), held))
        for number, held in enumerate(
            draw(st.lists(st.lists(stretches, min_size=1, max_size=4), max_size=12))
        )
    ]


def _all(shares: list[division.Share]) -> list[tuple[str, str]]:
    return [(group, segment) for share in shares for group, each in share.items() for segment in each]


@given(files(), st.integers(1, 5), st.booleans())
def test_each_segment_is_in_one_share(given_: list[division.File], count: int, descending: bool) -> None:
    """Nothing is left out, nothing read twice, and what is in one file stays together."""
    for shares in (
        division.in_turn(given_, count, descending=descending),
        division.in_row(given_, count),
    ):
        assert len(shares) == count
        assert sorted(_all(shares)) == sorted(_all([division.share_of(given_)]))
        for group, extent in given_:
            assert sum(extent.segments <= share.get(group, frozenset()) for share in shares) == 1


@given(files(), st.integers(1, 5))
def test_shares_in_a_row_keep_the_order(given_: list[division.File], count: int) -> None:
    """What a share holds comes before all of the next one."""
    place = {segment: number for number, (_, extent) in enumerate(given_) for segment in extent.segments}
    places = [
        [place[segment] for each in share.values() for segment in each]
        for share in division.in_row(given_, count)
    ]
    for earlier, later in pairwise([each for each in places if each]):
        assert max(earlier) < min(later)


def test_shares_are_about_as_large() -> None:
    """Files of one size are dealt out evenly, in either way."""
    given_ = [("g", Extent(frozenset({f"s{n}"}), [Stretch(n, n + 5, 100)])) for n in range(12)]
    for shares in (division.in_turn(given_, 3, descending=True), division.in_row(given_, 3)):
        assert [len(share["g"]) for share in shares] == [4, 4, 4]
    assert division.in_turn(given_, 2, descending=True)[0]["g"] == {f"s{n}" for n in range(1, 12, 2)}


def test_nobody_is_begun_for_little() -> None:
    """A share lasts half a second at least, and there are never more than there may be."""
    assert [division.count(seconds, 4) for seconds in (0.0, 0.9, 1.0, 1.6, 60.0)] == [1, 1, 2, 3, 4]
    assert division.count(60.0, 0) == 1


@given(st.booleans())
def test_a_scan_begins_with_what_is_near(descending: bool) -> None:
    """Near and far side of the time that parts them are as large as the bytes say, and together they are all."""
    size = division.NEAR_BYTES // 4
    given_ = [
        ("g", Extent(frozenset({f"s{n}"}), [Stretch(k * 100, k * 100 + 99, size) for k in range(8)]))
        for n in range(2)
    ]
    time = division.near(given_, descending=descending)
    assert time == (600 if descending else 200)
    left = division.beyond(given_, time, descending=descending)
    assert division.size_of(left) == size * 12
    halfway = division.beyond(given_, 450, descending=descending)
    assert division.size_of(halfway) == pytest.approx(size * (9 if descending else 7), rel=0.001)


@given(files(), st.booleans())
def test_what_is_beyond_is_no_more_than_all(given_: list[division.File], descending: bool) -> None:
    """What remains of a stretch lies on the far side, and is no larger than it was."""
    time = division.near(given_, descending=descending) if given_ else 0
    left = division.beyond(given_, time, descending=descending)
    assert division.size_of(left) <= division.size_of(given_)
    for _, extent in left:
        for stretch in extent.stretches:
            assert stretch.earliest <= stretch.latest
            assert stretch.latest < time if descending else stretch.earliest >= time


def test_the_first_files_are_read_before_others_are_begun() -> None:
    """So many that there is enough to judge by."""
    given_ = [
        ("g", Extent(frozenset({f"s{n}"}), [Stretch(0, 9, division.NEAR_BYTES // 2)])) for n in range(4)
    ]
    assert division.first_of(given_) == 2
    assert division.first_of(given_[:1]) == 1
    assert division.first_of([]) == 0


@pytest.mark.parametrize("descending", [False, True])
def test_small_files_that_all_last_long_are_parted_too(descending: bool) -> None:
    """Many streams with few lines, all day long: what is near is the beginning of each, not all of some."""
    size = division.NEAR_BYTES // 10
    given_ = [("g", Extent(frozenset({f"s{n}"}), [Stretch(0, 99_999, size)])) for n in range(100)]
    time = division.near(given_, descending=descending)
    assert time == pytest.approx(90_000 if descending else 10_000, abs=2)
    left = division.beyond(given_, time, descending=descending)
    assert division.share_of(left) == division.share_of(given_)
    assert division.size_of(left) == pytest.approx(9 * division.NEAR_BYTES, rel=0.001)
