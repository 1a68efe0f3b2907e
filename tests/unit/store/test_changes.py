"""How all processes learn of changes, and writers that files were deleted under them."""

from __future__ import annotations

import mmap
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lambdalog.store import LogStore, Scan
from lambdalog.store.changes import Changes
from tests.unit.store.conftest import GROUP

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.clock import ManualClock

T0 = 1_700_000_000_000
AGAIN = """
import sys
from pathlib import Path
from lambdalog.store import LogStore
with LogStore(Path(sys.argv[1])) as store:
    group = sys.argv[3]
    if sys.argv[2] == "stream":
        store.delete_stream(group, "s")
    else:
        store.delete_group(group)
        store.create_group(group)
    store.create_stream(group, "s")
"""


@pytest.fixture
def store(store: LogStore) -> LogStore:
    """A store to which one event was written; its clock stands still."""
    store.append(GROUP, "s", [(T0, "before")])
    return store


def texts(store: LogStore) -> list[str]:
    """What the group holds."""
    return [event.message for event in store.scan(Scan(GROUP))]


@pytest.mark.parametrize("what", ["stream", "group"])
@pytest.mark.parametrize("mapped", [True, False])
def test_a_deletion_by_another_process_is_known_at_the_next_append(
    store: LogStore, what: str, mapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written once a deletion is over lands in what was made anew, also where files can't be mapped."""
    if not mapped:

        def refuse(*args: object, **named: object) -> None:
            raise OSError("no such device")

        monkeypatch.setattr(mmap, "mmap", refuse)
        store = LogStore(store.root, clock=store.clock)
        store.append(GROUP, "s", [(T0, "before")])
    for number in range(3):
        subprocess.run([sys.executable, "-c", AGAIN, str(store.root), what, GROUP], check=True)
        assert texts(store) == []
        store.append(GROUP, "s", [(T0, f"after {number}")])
        assert texts(store) == [f"after {number}"]


def test_an_append_to_what_another_process_deleted_is_refused(store: LogStore) -> None:
    """As AWS would: there is no such stream."""
    with LogStore(store.root) as other:
        other.delete_stream(GROUP, "s")
    with pytest.raises(KeyError):
        store.append(GROUP, "s", [(T0, "after")])


def test_what_is_deleted_by_hand_is_noticed_soon(store: LogStore, clock: ManualClock) -> None:
    """Nobody tells of a folder that was removed; a tenth of a second later its writer asks the system."""
    shutil.rmtree(store.root)
    clock.advance(0.2)
    with pytest.raises(KeyError):
        store.append(GROUP, "s", [(T0, "after")])


def test_two_who_tell_at_once_are_both_heard(tmp_path: Path) -> None:
    """Each change is a number that was never there, so that none is taken for another."""
    first, second, writer = (Changes(tmp_path / "changes") for _ in range(3))
    first.tell()
    assert not (tmp_path / "changes").exists()  # nobody has looked yet, so nobody need be told
    told = writer.told()
    seen = {told[0]}
    for _ in range(20):
        first.tell()
        seen.add(told[0])
        second.tell()
        seen.add(told[0])
    assert len(seen) == 41
