"""A function's code as a folder to run in: a zip unpacked once by its hash, or a folder that is run in place."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import secrets
import shutil
import stat
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lambdalog.errors import PackageError

if TYPE_CHECKING:
    from collections.abc import Iterator

# From the page of Lambda quotas.
ZIPPED_MAX: Final = 50 * 1024 * 1024
UNZIPPED_MAX: Final = 250 * 1024 * 1024
# Lambda names no number; a zip of empty entries must not take a file system's inodes.
ENTRIES_MAX: Final = 100_000
NO_ZIP: Final = "Could not unzip uploaded file. Please check your file, then try to upload again."
_SKIPPED: Final = frozenset({"__pycache__", ".git", ".venv", "node_modules", ".lambdalog"})
_NOT_CODE: Final = frozenset({"__pycache__", ".git", ".venv", ".lambdalog", ".mypy_cache", ".ruff_cache"})


def sha256(data: bytes) -> str:
    """CodeSha256: the hash of a zip, base64."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def unpack(data: bytes, code: Path) -> Path:
    """The folder under `code` that holds a zip's files, unpacked if it isn't there yet.

    PackageError for what is no zip, is too large, or holds links or paths outside the folder; then nothing is made.
    """
    if not data:
        raise PackageError("Uploaded file must be a non-empty zip")
    if len(data) > ZIPPED_MAX:
        raise PackageError(f"the zip has {len(data)} bytes; at most {ZIPPED_MAX} can be uploaded")
    target = code / hashlib.sha256(data).hexdigest()
    if target.is_dir():
        os.utime(target)  # it is in use again: whoever clears away goes by its age
        return target
    partial = code / f".{target.name}-{secrets.token_hex(4)}"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check(members)
            partial.mkdir(parents=True)
            _extract(archive, members, partial)
        partial.rename(target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        # Damaged, encrypted, or packed in a way that nobody here knows.
        raise PackageError(NO_ZIP) from None
    except OSError as error:
        if not target.is_dir():
            raise PackageError(f"the package can't be unpacked: {error.strerror}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def pack(folder: Path) -> bytes:
    """A folder as a zip: the same bytes for the same files, without caches, version control and environments.

    PackageError if it holds a link that leads out of it, is too large, or can't be read.
    """
    root = folder.resolve()
    buffer = io.BytesIO()
    left = UNZIPPED_MAX
    try:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(_packed(folder)):
                if not path.resolve().is_relative_to(root):
                    raise PackageError(f"{path} is a link out of {folder}; it can't be packed")
                data = path.read_bytes()
                left -= len(data)
                if left < 0:
                    raise PackageError(f"Unzipped size must be smaller than {UNZIPPED_MAX} bytes")
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
                entry.external_attr = (stat.S_IFREG | (0o755 if path.stat().st_mode & 0o111 else 0o644)) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, data)
    except OSError as error:
        raise PackageError(f"{error.filename or folder} can't be packed: {error.strerror}") from error
    return buffer.getvalue()


def _packed(folder: Path) -> Iterator[Path]:
    """The files that belong to a folder's code."""
    for path in folder.iterdir():
        if path.name in _NOT_CODE:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _packed(path)
        elif path.is_file():
            yield path


def _check(members: list[zipfile.ZipInfo]) -> None:
    if not members:
        raise PackageError("Uploaded file must be a non-empty zip")
    if len(members) > ENTRIES_MAX:
        raise PackageError(f"the zip holds {len(members)} files; at most {ENTRIES_MAX} are unpacked")
    if sum(member.file_size for member in members) > UNZIPPED_MAX:
        raise PackageError(f"Unzipped size must be smaller than {UNZIPPED_MAX} bytes")
    for member in members:
        path = Path(member.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
            raise PackageError(f"the zip holds the path {member.filename!r}, which leads out of the package")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise PackageError(f"the zip holds {member.filename!r}, which is neither a file nor a folder")


def _extract(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path) -> None:
    """Unpack, counting what really comes out: a header can lie about its size."""
    left = UNZIPPED_MAX
    for member in members:
        target = folder / member.filename
        if member.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, target.open("wb") as file:
            while chunk := source.read(1 << 20):
                left -= len(chunk)
                if left < 0:
                    raise PackageError(f"Unzipped size must be smaller than {UNZIPPED_MAX} bytes")
                file.write(chunk)
        # Only whether it can be run is taken over from the archive.
        target.chmod(0o755 if member.external_attr >> 16 & 0o111 else 0o644)


def folder_state(folder: Path) -> str:
    """A text that changes when a file below `folder` does: what a running environment was started with."""
    newest = count = 0
    pending = [str(folder)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.name in _SKIPPED:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    count += 1
                    newest = max(newest, entry.stat(follow_symlinks=False).st_mtime_ns)
    return f"{count}-{newest}"
