"""Sealing, packing and expiring, under readers' eyes."""

from __future__ import annotations

import random
import tempfile
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdalog.clock import ManualClock
from lambdalog.errors import StoreLocked
from lambdalog.store import LogStore, Scan, maintenance
from lambdalog.store.frames import FRAME_BYTES
from lambdalog.store.maintenance import Upkeep, maintain, maintain_group
from tests.unit.store.conftest import GROUP

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T0 = 1_700_000_000_000


def fill(store: LogStore, streams: Sequence[str], events: int, *, seed: int = 1) -> None:
    """Write events of changing size to some streams, in batches."""
    chance = random.Random(seed)
    for stream in streams:
        store.create_stream(GROUP, stream)
    for n in range(0, events, 20):
        store.append(
            GROUP,
            chance.choice(streams),
            [(T0 + (n + m) * 100, f"{n + m} " + "x" * chance.randrange(600)) for m in range(20)],
        )


def sealed_names(store: LogStore) -> list[str]:
    """The sealed files."""
    return sorted(path.name for path in store.layout.group(GROUP).sealed.iterdir())


def live_names(store: LogStore) -> list[str]:
    """The live files."""
    return sorted(path.name for path in store.layout.group(GROUP).live.iterdir())


def containing(text: str) -> Callable[[str], bool]:
    """Matches messages with a text in them."""
    return lambda message: text in message


SCANS = [
    Scan(GROUP),
    Scan(GROUP, descending=True),
    Scan(GROUP, start=T0 + 100_000, end=T0 + 130_000),
    Scan(GROUP, start=T0 + 100_000, end=T0 + 130_000, descending=True),
    Scan(GROUP, streams=frozenset({"b", "s"})),
    Scan(GROUP, stream_prefix="a", descending=True),
    Scan(GROUP, literals=("77 x",), match=containing("77 x")),
]


@pytest.mark.parametrize("small", [0, 1 << 40], ids=["each alone", "in a pack"])
def test_sealing_changes_nothing_that_is_read(
    store: LogStore, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every scan, the streams and the counts are the same before and after, positions included."""
    monkeypatch.setattr(maintenance, "SMALL_BYTES", small)
    fill(store, ["a", "b", "s"], 6000)
    before = [list(store.scan(scan)) for scan in SCANS]
    known = (store.streams(GROUP), store.minutes(GROUP), store.stored_bytes(GROUP))
    assert all(before)
    store.close()
    done = maintain_group(store, GROUP)
    assert done.sealed >= 3
    assert not live_names(store)
    assert len(sealed_names(store)) == (1 if small else done.sealed)
    assert [list(store.scan(scan)) for scan in SCANS] == before
    assert (store.streams(GROUP), store.minutes(GROUP)) == known[:2]
    assert done.bytes_before == known[2]
    assert store.stored_bytes(GROUP) == done.bytes_after
    with LogStore(store.root, clock=store.clock) as fresh:
        assert [list(fresh.scan(scan)) for scan in SCANS] == before
    assert store.damage == []


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.sampled_from("ab"),
                st.lists(
                    st.tuples(st.integers(0, 9000), st.text(st.characters(), max_size=50)),
                    min_size=1,
                    max_size=5,
                ),
            ),
            st.sampled_from(["seal", "close", "pack"]),
        ),
        max_size=16,
    )
)
def test_any_text_in_any_order_survives_sealing(
    steps: list[tuple[str, list[tuple[int, str]]] | str],
) -> None:
    """Whatever is written, sealed and packed in whatever order, every event is there once, at its place."""
    with tempfile.TemporaryDirectory() as folder, LogStore(Path(folder), clock=ManualClock()) as store:
        store.create_group(GROUP)
        expected: list[tuple[int, str]] = []
        seen: dict[tuple[str, int], str] = {}
        for step in steps:
            if isinstance(step, tuple):
                store.create_stream(GROUP, step[0])
                batch = [(T0 + time, text) for time, text in step[1]]
                store.append(GROUP, step[0], batch)
                expected += batch
            elif step == "close":
                store.close()
            else:
                maintain(store, everything=step == "pack")
            found = list(store.scan(Scan(GROUP)))
            assert sorted((event.timestamp, event.message) for event in found) == sorted(expected)
            for event in found:
                assert seen.setdefault((event.segment, event.offset), event.message) == event.message
            assert list(store.scan(Scan(GROUP, descending=True))) == found[::-1]


def test_a_page_goes_on_after_sealing(store: LogStore) -> None:
    """The position after which a page ended means the same once the segment is sealed, and once it is packed."""
    fill(store, ["a", "b"], 2000)
    everything = list(store.scan(Scan(GROUP)))
    position = everything[777].position
    store.close()
    maintain_group(store, GROUP)
    assert list(store.scan(Scan(GROUP, after=position))) == everything[778:]
    assert list(store.scan(Scan(GROUP, after=position, descending=True))) == everything[:777][::-1]


def test_a_scan_goes_on_while_its_segments_are_sealed_and_packed(
    store: LogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that is half way when files are sealed, and again when they are packed, loses and doubles nothing."""
    fill(store, ["a", "b", "c"], 6000)
    expected = list(store.scan(Scan(GROUP)))
    for descending in (False, True):
        scan = store.scan(Scan(GROUP, descending=descending))
        found = [next(scan) for _ in range(10)]
        store.close()
        if not descending:
            monkeypatch.setattr(maintenance, "SMALL_BYTES", 0)
            assert maintain_group(store, GROUP).sealed
            monkeypatch.setattr(maintenance, "SMALL_BYTES", 1 << 40)
        else:
            assert maintain_group(store, GROUP).packs
        found += scan
        assert found == (expected[::-1] if descending else expected)


def test_a_living_writer_is_left_alone(store: LogStore) -> None:
    """A segment whose writer has it open is not sealed; once closed it is."""
    store.append(GROUP, "s", [(T0, "one")])
    assert maintain_group(store, GROUP) == Upkeep(busy=1)
    store.release(idle=10)
    assert maintain_group(store, GROUP).busy == 1
    store.release(idle=-1)
    assert maintain_group(store, GROUP).sealed == 1
    store.append(GROUP, "s", [(T0 + 1, "two")])
    assert [event.message for event in store.scan(Scan(GROUP))] == ["one", "two"]


def test_a_torn_tail_is_cut(store: LogStore) -> None:
    """What a crash left of a line is not sealed."""
    store.append(GROUP, "s", [(T0, "whole")])
    store.close()
    (path,) = store.layout.group(GROUP).live.iterdir()
    with path.open("ab") as file:
        file.write(b'{"t":17000')
    assert maintain_group(store, GROUP).torn == 1
    assert [event.message for event in store.scan(Scan(GROUP))] == ["whole"]


def test_small_segments_wait_until_it_is_worth_it(store: LogStore) -> None:
    """Run often, upkeep leaves a few small segments alone, and packs many."""
    for n in range(maintenance.WAIT_COUNT - 1):
        store.append(GROUP, "s", [(T0 + n, f"{n}")])
        store.close()
    assert maintain(store, everything=False).waiting == maintenance.WAIT_COUNT - 1
    store.append(GROUP, "s", [(T0 + 999, "last")])
    store.close()
    done = maintain(store, everything=False)
    assert (done.sealed, done.packs) == (maintenance.WAIT_COUNT, 1)
    assert len(list(store.scan(Scan(GROUP)))) == maintenance.WAIT_COUNT


def test_small_files_are_packed_together(store: LogStore) -> None:
    """Sealed one by one, small segments end in one file, each once."""
    for n in range(10):
        store.append(GROUP, "s", [(T0 + n, f"{n}")])
        store.close()
        maintain_group(store, GROUP)
    assert len(sealed_names(store)) == 1
    assert [event.message for event in store.scan(Scan(GROUP))] == [str(n) for n in range(10)]


def test_what_a_crash_left_is_removed(store: LogStore) -> None:
    """A live file whose segment is sealed is ignored, then removed; so are files half written."""
    store.append(GROUP, "s", [(T0, "once")])
    store.close()
    layout = store.layout.group(GROUP)
    (live,) = layout.live.iterdir()
    kept = live.read_bytes()
    maintain_group(store, GROUP)
    live.write_bytes(kept)
    (layout.sealed / ".tmp-1234").write_bytes(b"half")
    (store.layout.logs / ".deleted-1234").mkdir()
    assert [event.message for event in store.scan(Scan(GROUP))] == ["once"]
    maintain(store)
    assert not live_names(store)
    assert len(sealed_names(store)) == 1
    assert store.groups() == [GROUP]
    assert not (store.layout.logs / ".deleted-1234").exists()


def test_a_segment_in_two_files_is_read_once(store: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the rename of a pack and the removal of what it replaces, upkeep leaves both; nothing doubles."""
    monkeypatch.setattr(maintenance, "SMALL_BYTES", 0)
    for stream in "ab":
        fill(store, [stream], 40)
        store.close()
        maintain_group(store, GROUP)
    expected = list(store.scan(Scan(GROUP)))
    layout = store.layout.group(GROUP)
    copies = {path: path.read_bytes() for path in layout.sealed.iterdir()}
    monkeypatch.undo()
    assert maintain_group(store, GROUP).packs == 1
    for path, data in copies.items():
        path.write_bytes(data)
    assert len(sealed_names(store)) == 3
    assert list(store.scan(Scan(GROUP))) == expected
    maintain_group(store, GROUP)
    assert list(store.scan(Scan(GROUP))) == expected
    maintain_group(store, GROUP)
    assert len(sealed_names(store)) == 1
    assert list(store.scan(Scan(GROUP))) == expected


def test_expired_segments_are_removed_and_the_rest_filtered(store: LogStore, clock: ManualClock) -> None:
    """Retention removes whole segments, live or sealed, and hides what has expired of the others."""
    day = 86_400_000
    now = clock.now_ms()
    for stream, times in {
        "old": [now - 9 * day],
        "mixed": [now - 8 * day, now - day],
        "new": [now - day],
    }.items():
        store.create_stream(GROUP, stream)
        for time in times:
            store.append(GROUP, stream, [(time, stream)])
        store.close()
        maintain_group(store, GROUP)
    store.append(GROUP, "s", [(now - 8 * day, "live and old")])
    store.close()
    store.update_group(GROUP, lambda info: replace(info, retention_days=7))
    assert [event.message for event in store.scan(Scan(GROUP))] == ["mixed", "new"]
    assert sum(events for events, _ in store.minutes(GROUP).values()) == 2
    before = store.stored_bytes(GROUP)
    done = maintain_group(store, GROUP)
    assert done.expired >= 1
    assert store.stored_bytes(GROUP) < before
    assert [event.message for event in store.scan(Scan(GROUP))] == ["mixed", "new"]
    clock.advance(7 * 86_400)
    assert maintain_group(store, GROUP).expired
    assert sealed_names(store) == live_names(store) == []
    assert list(store.scan(Scan(GROUP))) == []


def test_a_deleted_stream_stays_deleted_in_a_pack(store: LogStore, clock: ManualClock) -> None:
    """A stream's events in a file it shares are gone when it is deleted, also once it is made again."""
    fill(store, ["a", "b"], 400)
    store.close()
    maintain_group(store, GROUP)
    assert store.delete_stream(GROUP, "a")
    assert {event.stream for event in store.scan(Scan(GROUP))} == {"b"}
    store.create_stream(GROUP, "a")
    store.append(GROUP, "a", [(T0, "new")])
    assert [event.message for event in store.scan(Scan(GROUP, streams=frozenset("a")))] == ["new"]
    store.delete_stream(GROUP, "b")
    assert maintain_group(store, GROUP).expired
    assert sealed_names(store) == []


def test_one_process_at_a_time(store: LogStore) -> None:
    """While somebody maintains a group, others are told; a run over all groups passes it over."""
    with maintenance.alone(store.layout.group(GROUP), GROUP):
        with pytest.raises(StoreLocked, match="another process is maintaining the group /aws/lambda/orders"):
            maintain_group(store, GROUP)
        assert maintain(store) == Upkeep()
    with pytest.raises(KeyError):
        maintain_group(store, "none")


def test_a_request_id_is_found_without_reading_all(store: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A literal with a UUID in it opens only the frames that may hold it, and finds every event of it."""
    ids = [str(uuid.UUID(int=n * 0x1234_5678_9ABC_DEF0_1357)) for n in range(400)]
    for n, request in enumerate(ids):
        store.append(
            GROUP, "s", [(T0 + n * 10 + m, f"{m} RequestId: {request} " + "y" * 3000) for m in range(3)]
        )
    store.close()
    maintain_group(store, GROUP)
    opened: list[int] = []
    from lambdalog.store.sealed import SealedFile

    really = SealedFile.frame

    def counted(self: SealedFile, number: int) -> bytes:
        opened.append(number)
        return really(self, number)

    monkeypatch.setattr(SealedFile, "frame", counted)
    for wanted in (ids[0], ids[222], ids[399]):
        opened.clear()
        scan = Scan(GROUP, literals=(wanted,), match=containing(wanted))
        assert [event.message[0] for event in store.scan(scan)] == ["0", "1", "2"]
        assert len(opened) <= 3
    (path,) = store.layout.group(GROUP).sealed.iterdir()
    assert len(SealedFile(path).index.frames) > 10


def test_a_line_longer_than_a_frame(store: LogStore) -> None:
    """A message larger than a frame comes back whole."""
    long = "z" * (FRAME_BYTES * 2 + 5)
    store.append(GROUP, "s", [(T0, "before"), (T0 + 1, long), (T0 + 2, "after")])
    store.close()
    maintain_group(store, GROUP)
    assert [event.message for event in store.scan(Scan(GROUP))] == ["before", long, "after"]
