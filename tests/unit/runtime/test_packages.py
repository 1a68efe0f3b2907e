"""Packages: zips unpacked once, and hostile ones refused."""

from __future__ import annotations

import io
import stat
import zipfile
from typing import TYPE_CHECKING

import pytest

from lambdalog.errors import PackageError
from lambdalog.runtime import packages
from lambdalog.runtime.packages import folder_state, unpack

if TYPE_CHECKING:
    from pathlib import Path


def zipped(**files: str) -> bytes:
    """A zip of files; `__` in a name stands for a slash, `DOT` for a dot."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("DOT", "."), text)
    return buffer.getvalue()


def test_a_zip_is_unpacked_once(tmp_path: Path) -> None:
    """The same bytes give the same folder, whose files are the zip's."""
    data = zipped(appDOTpy="x = 1", lib__aDOTpy="y = 2")
    folder = unpack(data, tmp_path)
    assert (folder / "lib" / "a.py").read_text() == "y = 2"
    (folder / "app.py").write_text("mine")
    assert unpack(data, tmp_path) == folder
    assert (folder / "app.py").read_text() == "mine"


@pytest.mark.parametrize("name", ["/etc/passwd", "../out.py", "a/../../out.py", "a\\b.py"])
def test_paths_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    """Nothing is written, inside or outside."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(PackageError, match="leads out"):
        unpack(buffer.getvalue(), tmp_path / "code")
    assert list(tmp_path.rglob("*.py")) == []


def test_links_are_refused(tmp_path: Path) -> None:
    """A symbolic link in a zip could point anywhere."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(PackageError, match="neither a file nor a folder"):
        unpack(buffer.getvalue(), tmp_path)


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What unpacks to more than the limit is refused by its header, and by what really comes out."""
    monkeypatch.setattr(packages, "UNZIPPED_MAX", 1000)
    data = zipped(aDOTtxt="x" * 2000)
    with pytest.raises(PackageError, match="Unzipped size must be smaller than 1000 bytes"):
        unpack(data, tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(PackageError, match="Could not unzip"):
        unpack(b"no zip", tmp_path)


def test_a_folders_state_changes_with_its_files(tmp_path: Path) -> None:
    """A new or a changed file changes the state; compiled files do not."""
    (tmp_path / "a.py").write_text("1")
    first = folder_state(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("x")
    assert folder_state(tmp_path) == first
    (tmp_path / "b.py").write_text("2")
    assert folder_state(tmp_path) != first
