"""A Code parameter as a folder to run: a zip unpacked once by its hash, or a folder that is run in place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lambdalog.errors import PackageError
from lambdalog.runtime.packages import ZIPPED_MAX, pack, sha256, unpack

if TYPE_CHECKING:
    from lambdalog.local.lambda_.room import Room

# Code that is run where it lies: Code={"S3Bucket": LOCAL_FOLDER, "S3Key": "/absolute/folder"}.
LOCAL_FOLDER: Final = "local-folder"
# The size of a request that holds the largest zip as base64, as Lambda names it.
REQUEST_MAX: Final = 70_167_211


class Code(NamedTuple):
    """`where` is kept in records: {"kind": "zip", "id"} or {"kind": LOCAL_FOLDER, "folder"}; size in bytes."""

    where: dict[str, str]
    size: int
    sha256: str


def read_code(room: Room, root: Path, code: dict[str, Any], operation: str) -> Code:
    """Take a function's or a layer's code in. Refused as Lambda does what is no zip, too large or dangerous."""
    if "ZipFile" in code:
        return _zip(room, root, bytes(code["ZipFile"]), operation)
    if code.get("S3Bucket") == LOCAL_FOLDER:
        return _folder(room, root, code.get("S3Key", ""), operation)
    if "ImageUri" in code:
        raise room.invalid("ImageUri: container images can't be run here; give a zip, a file or a folder.")
    if "S3Bucket" in code:
        raise room.invalid(
            "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not "
            f"exist (a folder of this machine is S3Bucket={LOCAL_FOLDER}, S3Key=/absolute/folder)"
        )
    raise room.invalid("Please provide a source for function code.")


def frozen(room: Room, root: Path, code: Code) -> Code:
    """Code that doesn't change any more: what is run in place is packed and taken in, for a version to keep."""
    if code.where["kind"] != LOCAL_FOLDER:
        return code
    try:
        data = pack(Path(code.where["folder"]))
    except PackageError as error:
        raise room.invalid(str(error)) from None
    return _zip(room, root, data, "PublishVersion")


def code_folder(root: Path, where: dict[str, str]) -> Path:
    """The folder of code that was taken in."""
    return Path(where["folder"]) if where["kind"] == LOCAL_FOLDER else root / "code" / where["id"]


def _zip(room: Room, root: Path, data: bytes, operation: str) -> Code:
    if len(data) > ZIPPED_MAX:
        raise room.error(
            "RequestEntityTooLargeException",
            f"Request must be smaller than {REQUEST_MAX} bytes for the {operation} operation",
            status=413,
        )
    try:
        folder = unpack(data, root / "code")
    except PackageError as error:
        raise room.invalid(str(error)) from None
    return Code({"kind": "zip", "id": folder.name}, len(data), sha256(data))


def _folder(room: Room, root: Path, key: str, operation: str) -> Code:
    folder = Path(key)
    if folder.is_absolute() and folder.is_file() and folder.suffix == ".zip":
        return _zip(room, root, folder.read_bytes(), operation)
    if not folder.is_absolute() or not folder.is_dir():
        raise room.invalid(f"There is no folder {key}")
    return Code({"kind": LOCAL_FOLDER, "folder": str(folder)}, 0, sha256(str(folder).encode()))
