"""The store's key pair."""

from __future__ import annotations

import stat
import threading
from typing import TYPE_CHECKING

import pytest

from lambdalog.errors import StoreError
from lambdalog.server.keys import load_keys

if TYPE_CHECKING:
    from pathlib import Path


def test_made_once_for_its_owner(tmp_path: Path) -> None:
    """The same pair each time, in a file that nobody else reads."""
    path = tmp_path / "keys.json"
    keys = load_keys(path)
    assert load_keys(path) == keys
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_keys(tmp_path / "other.json") != keys
    assert {entry.name for entry in tmp_path.iterdir()} == {"keys.json", "other.json"}


def test_made_by_many_at_once(tmp_path: Path) -> None:
    """All get the pair of whoever was first."""
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(load_keys(tmp_path / "keys.json"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["keys.json"]


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"access_key": "x"}'])
def test_a_spoiled_file(tmp_path: Path, text: str) -> None:
    """It is named, and left alone."""
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(StoreError, match=r"keys\.json: not a key pair"):
        load_keys(path)
    assert path.read_text() == text
