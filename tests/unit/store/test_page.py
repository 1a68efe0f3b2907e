"""Pages of one stream: what the quick way gives is what a scan gives."""

from __future__ import annotations

import tempfile
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdalog.clock import ManualClock
from lambdalog.store import LogStore, Scan, maintenance
from lambdalog.store.line import encode, encode_message
from lambdalog.store.maintenance import maintain

from .conftest import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambdalog.store.event import Position
    from lambdalog.store.page import Page, StreamPages

T0 = 1_700_000_000_000
HUGE = 1 << 40
# A few of these are more than what is read at first.
LONG = 40_000

Found = list[tuple["Position", str]]

messages = st.one_of(
    st.text(max_size=8),
    st.just('{"level":"INFO"}'),
    st.just("\ud800 alone"),
    st.just("LONG"),
)
events = st.tuples(st.integers(0, 9000), st.integers(0, 1), messages)
damaged = st.sampled_from([b'{"t":17000000000x0,"i":1700000000000,"m":{}}\n', b"half a li\n", b"\xff\xfe\n"])
segments = st.lists(st.lists(events, min_size=1, max_size=20), min_size=1, max_size=4)


def lines(written: Sequence[tuple[int, int, str]]) -> list[bytes]:
    """Lines as a writer leaves them: in order, but for two seconds."""
    found = sorted(written, key=lambda event: event[0] // 1000)
    return [
        encode(T0 + time, T0 + ingestion, message.replace("LONG", "x" * LONG))
        for time, ingestion, message in found
    ]


def write(store: LogStore, number: int, data: bytes) -> None:
    """A live segment, as a writer leaves it."""
    first = int(data[5:18])
    name = f"s@{first}-{number}-00000000"
    store.layout.group(GROUP).live_segment(name).write_bytes(data)


def scanned(store: LogStore, scan: Scan, limit: int) -> Found:
    """The page that a scan gives."""
    found = [(event.position, event.message) for event in islice(store.scan(scan), limit)]
    return found[::-1] if scan.descending else found


def stream_of(store: LogStore) -> StreamPages:
    """The pages of the stream that all are about."""
    info = store.group(GROUP)
    assert info is not None
    return store.stream(info, "s")


def paged(page: Page) -> Found:
    """The events of a page."""
    return [(page.position(number), message) for number, message in enumerate(page.messages)]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A place for many stores."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def opened(folder: Path) -> LogStore:
    """A new store with a stream that nothing was written to."""
    store = LogStore(Path(tempfile.mkdtemp(dir=folder)), clock=ManualClock())
    store.create_group(GROUP)
    store.create_stream(GROUP, "s")
    return store


@given(
    written=segments,
    sealed=st.integers(0, 4),
    bounds=st.tuples(*[st.one_of(st.none(), st.integers(0, 9000))] * 2),
    limit=st.integers(1, 12),
    descending=st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_pages_are_what_a_scan_gives(
    folder: Path,
    written: list[list[tuple[int, int, str]]],
    sealed: int,
    bounds: tuple[int | None, int | None],
    limit: int,
    descending: bool,
) -> None:
    """Live, sealed or packed, in both directions, within bounds, page by page: the events of a scan in its order."""
    with opened(folder) as store:
        for number, segment in enumerate(written):
            if number == sealed:
                maintain(store)
            write(store, number, b"".join(lines(segment)))
        start, end = (None if bound is None else T0 + bound for bound in bounds)
        after: Position | None = None
        while True:
            asked = Scan(GROUP, start, end, frozenset({"s"}), descending=descending, after=after)
            page = stream_of(store).page(asked, limit, HUGE)
            assert paged(page) == scanned(store, asked, limit)
            assert not page.cut
            if not page.times:
                break
            after = page.position(0 if descending else -1)


@given(written=segments, size=st.integers(1, 2000), descending=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_page_ends_for_its_bytes(
    folder: Path, written: list[list[tuple[int, int, str]]], size: int, descending: bool
) -> None:
    """It has the first events of which there are no more than so many bytes, one at least, and tells that there were more."""
    with opened(folder) as store:
        for number, segment in enumerate(written):
            write(store, number, b"".join(lines(segment)))
        asked = Scan(GROUP, streams=frozenset({"s"}), descending=descending)
        whole = scanned(store, asked, 1000)
        page = stream_of(store).page(asked, 1000, size)
        count = len(page.times)
        assert paged(page) == (whole[len(whole) - count :] if descending else whole[:count])
        assert page.cut == (count < len(whole))
        assert count == 1 or sum(len(encode_message(message)) for message in page.messages) <= size


@given(
    written=st.lists(st.one_of(events, damaged), min_size=1, max_size=12),
    limit=st.integers(1, 12),
    descending=st.booleans(),
    seal=st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_a_damaged_line_is_passed_over(
    folder: Path,
    written: list[tuple[int, int, str] | bytes],
    limit: int,
    descending: bool,
    seal: bool,
) -> None:
    """What is no event does not keep others back, and whatever a page that is not full came upon is told."""
    with opened(folder) as store, opened(folder) as other:
        data = b"".join(
            one if isinstance(one, bytes) else encode(T0, T0 + number, one[2])
            for number, one in enumerate(written)
        )
        for each in (store, other):
            write(each, 0, encode(T0, T0, "the first") + data)
            if seal:
                maintain(each)
        asked = Scan(GROUP, streams=frozenset({"s"}), descending=descending)
        page = stream_of(store).page(asked, limit, HUGE)
        assert paged(page) == scanned(other, asked, limit)
        if len(page.times) < limit:
            assert store.damage == other.damage


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("seal", [False, True])
def test_many_events_of_one_millisecond(store: LogStore, seal: bool, descending: bool) -> None:
    """Pages go on in the midst of events that differ in nothing but their place."""
    for begin in range(0, 6000, 1000):
        store.append(GROUP, "s", [(T0, f"{number:04d} {'x' * 100}") for number in range(begin, begin + 1000)])
    store.release(-1)
    if seal:
        maintain(store)
    found: list[str] = []
    after: Position | None = None
    while True:
        asked = Scan(GROUP, streams=frozenset({"s"}), descending=descending, after=after)
        page = stream_of(store).page(asked, 700, HUGE)
        if not page.times:
            break
        some = [message[:4] for message in page.messages]
        found = some + found if descending else found + some
        after = page.position(0 if descending else -1)
    assert found == [f"{number:04d}" for number in range(6000)]


def test_no_such_stream(store: LogStore) -> None:
    """Who asks for a stream that isn't there, or of a group that isn't, is told."""
    info = store.group(GROUP)
    assert info is not None
    with pytest.raises(KeyError):
        store.stream(info, "t")
    store.delete_group(GROUP)
    with pytest.raises(KeyError):
        store.stream(info, "s")


def test_expired_events_are_on_no_page(store: LogStore, clock: ManualClock) -> None:
    """Retention holds for pages as it does for scans."""
    now = clock.now_ms()
    store.append(GROUP, "s", [(now - 3 * 86_400_000, "old"), (now, "new")])
    store.update_group(GROUP, lambda info: type(info)(info.name, info.created, 1))
    page = stream_of(store).page(Scan(GROUP, streams=frozenset({"s"})), 10, HUGE)
    assert page.messages == ["new"]


def test_a_page_of_what_is_sealed_meanwhile(store: LogStore, clock: ManualClock) -> None:
    """The segments that were live when the stream was asked for are found where they are now."""
    now = clock.now_ms()
    store.append(GROUP, "s", [(now + number, f"{number}") for number in range(10)])
    stream = stream_of(store)
    store.release(-1)
    assert maintain(store).sealed == 1
    page = stream.page(Scan(GROUP, streams=frozenset({"s"})), 4, HUGE)
    assert page.messages == ["0", "1", "2", "3"]
    assert list(stream.segments) == [page.position(0)[2]]


@pytest.mark.parametrize("descending", [False, True])
def test_a_page_of_what_is_packed_meanwhile(
    store: LogStore, monkeypatch: pytest.MonkeyPatch, descending: bool
) -> None:
    """Sealed files that are packed into another after the stream was asked for are found in that one."""
    monkeypatch.setattr(maintenance, "SMALL_BYTES", 0)
    for number in range(3):
        store.append(GROUP, "s", [(T0 + number * 10 + event, f"{number}{event}") for event in range(4)])
        store.release(-1)
        assert maintain(store).sealed == 1
    stream = stream_of(store)
    monkeypatch.setattr(maintenance, "SMALL_BYTES", 1 << 40)
    assert maintain(store).packs == 1
    page = stream.page(Scan(GROUP, streams=frozenset({"s"}), descending=descending), 10, HUGE)
    whole = [f"{number}{event}" for number in range(3) for event in range(4)]
    assert page.messages == (whole[-10:] if descending else whole[:10])
