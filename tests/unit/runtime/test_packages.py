"""Packages: zips unpacked once, and hostile ones refused."""

from __future__ import annotations

import io
import stat
import zipfile
from typing import TYPE_CHECKING

import pytest

from lambdalog.errors import PackageError
from lambdalog.runtime import packages
from lambdalog.runtime.packages import folder_state, pack, unpack

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


def test_a_folder_is_packed_as_it_is(tmp_path: Path) -> None:
    """The same files give the same bytes, executables stay so, caches are left out; unpacked it is the folder again."""
    folder = tmp_path / "code"
    (folder / "lib").mkdir(parents=True)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_text("x")
    (folder / "lib" / "a.py").write_text("a = 1")
    (folder / "bootstrap").write_text("#!/bin/sh")
    (folder / "bootstrap").chmod(0o755)
    data = pack(folder)
    assert pack(folder) == data
    unpacked = unpack(data, tmp_path / "store")
    files = sorted(path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file())
    assert files == ["bootstrap", "lib/a.py"]
    assert (unpacked / "bootstrap").stat().st_mode & 0o111


def test_a_link_out_of_a_folder_is_not_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor a folder that is too large, or gone."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "mine.py").write_text("x = 1")
    (folder / "secret").symlink_to("/etc/hostname")
    with pytest.raises(PackageError, match="is a link out of"):
        pack(folder)
    (folder / "secret").unlink()
    monkeypatch.setattr(packages, "UNZIPPED_MAX", 3)
    with pytest.raises(PackageError, match="Unzipped size must be smaller than 3 bytes"):
        pack(folder)
    with pytest.raises(PackageError, match="can't be packed: No such file"):
        pack(tmp_path / "none")


@pytest.mark.parametrize("damage", ["encrypted", "truncated", "checksum", "empty"])
def test_a_damaged_zip_is_refused(tmp_path: Path, damage: str) -> None:
    """Encrypted, cut off, altered or empty: one clear error, and no file."""
    data = zipped(aDOTtxt="hello hello hello")
    if damage == "encrypted":
        # The flag of encryption in both headers.
        data = data.replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01")
        data = data.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    elif damage == "truncated":
        data = data[: len(data) // 2]
    elif damage == "checksum":
        data = data.replace(b"hello hello", b"hullo hello", 1)
    else:
        data = zipped()
    with pytest.raises(PackageError, match=r"Could not unzip|non-empty zip"):
        unpack(data, tmp_path)
    assert list(tmp_path.iterdir()) == []
