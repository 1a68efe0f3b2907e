"""A folder as a bucket: what is seen, and what has changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lambdalog.local.triggers.folder import SETTLED_NS, Seen, compare, etag, files

if TYPE_CHECKING:
    from pathlib import Path


def test_files_are_keys(tmp_path: Path) -> None:
    """Slashes between folders; hidden ones, links and the store are left out."""
    for name in ("a.png", "deep/er/b c.png", ".hidden", ".git/config", "store/queues.sqlite", "ü.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "links").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / os.fsdecode(b"\xff.txt")).write_text("x")
    assert sorted(files(tmp_path, but=tmp_path / "store")) == ["a.png", "deep/er/b c.png", "ü.txt"]
    assert files(tmp_path / "none") == {}


def test_changes_are_told_once_they_are_whole() -> None:
    """New and changed files that have settled, or look the same twice; what is being written waits; what is gone is told."""
    now = 10 * SETTLED_NS
    old, young = Seen(1, now - SETTLED_NS), Seen(2, now - 1)
    found = compare(
        {"same": old, "gone": old, "changed": old}, {"same": old, "changed": young, "new": old}, {}, now
    )
    assert (found.put, found.deleted, found.unsettled) == ({"new": old}, ["gone"], {"changed": young})
    again = compare({"changed": old}, {"changed": young}, found.unsettled, now)
    assert (again.put, again.unsettled) == ({"changed": young}, {})
    growing = Seen(3, now)
    assert compare({"changed": old}, {"changed": growing}, found.unsettled, now).put == {}


def test_an_etag_is_the_contents_md5(tmp_path: Path) -> None:
    """As S3's of a plain put; a file that is gone has none."""
    (tmp_path / "a").write_bytes(b"hello")
    assert etag(tmp_path / "a") == "5d41402abc4b2a76b9719d911017c592"
    assert etag(tmp_path / "none") == ""
