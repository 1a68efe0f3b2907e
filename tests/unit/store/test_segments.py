"""What is known of a group's files."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from lambdalog.store import LogStore, Scan
from lambdalog.store.maintenance import maintain

from .conftest import GROUP

if TYPE_CHECKING:
    from pathlib import Path

SECOND_NS = 1_000_000_000


@pytest.fixture
def listings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the folders that are listed from now on."""
    listed: list[str] = []
    real = os.listdir

    def listdir(folder: Path) -> list[str]:
        listed.append(folder.name)
        return real(folder)

    monkeypatch.setattr(os, "listdir", listdir)
    return listed


def changed(folder: Path, at: int) -> None:
    """Have a folder say that it changed then."""
    os.utime(folder, ns=(at, at))


def messages(store: LogStore) -> list[str]:
    """What is read of the group."""
    return [event.message for event in store.scan(Scan(GROUP))]


def test_a_folder_is_listed_once_until_it_changes(store: LogStore, listings: list[str]) -> None:
    """Where nothing came or went for a while it is not gone through again, and what comes is seen at once."""
    layout = store.layout.group(GROUP)
    store.append(GROUP, "s", [(store.clock.now_ms(), "a")])
    for folder in (layout.live, layout.sealed):
        changed(folder, time.time_ns() - 5 * SECOND_NS)
    assert messages(store) == ["a"]
    del listings[:]
    assert messages(store) == ["a"]
    assert listings == []
    store.create_stream(GROUP, "t")
    store.append(GROUP, "t", [(store.clock.now_ms() + 1, "b")])
    assert messages(store) == ["a", "b"]
    store.release(-1)
    maintain(store)
    assert messages(store) == ["a", "b"]
    assert not store.segments(GROUP).live_names()


@pytest.mark.parametrize("ago", [0, 2 * SECOND_NS])
def test_a_folder_that_has_just_changed_is_listed_anew(
    store: LogStore, listings: list[str], ago: int
) -> None:
    """Two changes may bear one time: the tick of the kernel's clock, or the second of some file systems."""
    live = store.layout.group(GROUP).live
    at = (time.time_ns() - ago) // SECOND_NS * SECOND_NS if ago else time.time_ns()
    changed(live, at)
    assert messages(store) == []
    store.append(GROUP, "s", [(store.clock.now_ms(), "a")])
    changed(live, at)
    assert messages(store) == ["a"]
    assert listings.count("live") == 2
