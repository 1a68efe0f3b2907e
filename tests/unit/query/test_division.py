"""Who reads what."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdalog.clock import ManualClock
from lambdalog.query import crew, division
from lambdalog.store import Extent, LogStore, Scan, Stretch
from tests.unit.query.filled import EVENTS, T0

if TYPE_CHECKING:
    from pathlib import Path

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


def test_a_narrower_scan_is_no_other_scan(store: LogStore) -> None:
    """What a scan reads of some segments and of all others is, together, what it reads."""
    extents = store.extents(Scan("g"))
    segments = [segment for extent in extents for segment in sorted(extent.segments)]
    assert len(set(segments)) == len(segments) > 2
    parts = [list(store.scan(replace(Scan("g"), segments=frozenset({segment})))) for segment in segments]
    assert sorted(chain(*parts), key=lambda event: event.position) == list(store.scan(Scan("g")))
    raw = sum(len(event.message) for event in store.scan(Scan("g")))
    assert sum(extent.size for extent in extents) > raw
    half = Scan("g", start=T0, end=T0 + EVENTS * 5)
    assert sum(extent.size for extent in store.extents(half)) < raw


edges = st.integers(T0 + EVENTS * 7, T0 + EVENTS * 8) | st.integers(T0 - 3000, T0 + EVENTS * 10 + 5000)


def test_a_damaged_first_time_leaves_no_segment_out(tmp_path: Path) -> None:
    """A live segment whose first line has a time long after is still read on either side of a time among its others."""
    with LogStore(tmp_path, clock=ManualClock(T0 / 1000 + 3600)) as store:
        store.create_group("g")
        store.create_stream("g", "a")
        store.append("g", "a", [(T0 + each * 100, f"line {each}") for each in range(1000)])
        store.close()
        (path,) = store.layout.group("g").live.iterdir()
        path.write_bytes(path.read_bytes().replace(b'{"t":1700', b'{"t":1900', 1))
        for descending in (False, True):
            files = crew.files_of(store, [Scan("g", descending=descending)])
            assert division.beyond(files, T0 + 50_000, descending=descending)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(start=st.none() | edges, end=st.none() | edges, parted=edges, descending=st.booleans())
def test_no_segment_is_left_out(
    store: LogStore, start: int | None, end: int | None, parted: int, descending: bool
) -> None:
    """Whatever is asked for, the segments with an event of it are among what is to be read, on its side of any time."""
    scan = Scan("g", start=start, end=end, descending=descending)
    files = crew.files_of(store, [scan])
    events = list(store.scan(scan))
    assert {event.segment for event in events} <= division.share_of(files).get("g", frozenset())
    left = division.share_of(division.beyond(files, parted, descending=descending)).get("g", frozenset())
    assert {one.segment for one in events if (one.timestamp < parted) == descending} <= left
