"""A source that a user names (file.py:function, a folder, a zip) as the Code parameter of an operation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from lambdalog.runtime.project import Project


class Source(NamedTuple):
    """The Code parameter, and what the folder says of the function: handler, timeout, … as operations name them.

    `project` has what other operations than CreateFunction set; None of a zip, and of a folder without settings.
    """

    code: dict[str, Any]
    settings: dict[str, Any]
    name: str
    project: Project | None = None


def read_source(target: str, *, copy: bool) -> Source:
    """Read what `target` names. On a store a folder is run in place, unless it is to be copied; on AWS it is zipped.

    ConfigError for what isn't there, PackageError for a folder that can't be packed.
    """
    path = Path(target).expanduser().absolute()
    if path.suffix == ".zip":
        try:
            return Source({"ZipFile": path.read_bytes()}, {}, path.stem)
        except OSError as error:
            raise ConfigError(f"the zip can't be read from {target}: {error.strerror}") from None
    from lambdalog.runtime.project import read_project

    if path.is_dir() and not (path / "lambdalog.toml").is_file():
        # A folder without settings is code all the same: --handler says what is called.
        return Source(_code(path, copy=copy), {}, path.name)
    project = read_project(target)
    settings: dict[str, Any] = {
        "Handler": project.handler,
        "Timeout": project.timeout,
        "MemorySize": project.memory,
    }
    if project.environment:
        settings["Environment"] = {"Variables": project.environment}
    if project.runtime is not None:
        settings["Runtime"] = project.runtime
    return Source(_code(project.folder, copy=copy), settings, project.name, project)


def _code(folder: Path, *, copy: bool) -> dict[str, Any]:
    if copy:
        from lambdalog.runtime.packages import pack

        return {"ZipFile": pack(folder)}
    from lambdalog.local.lambda_ import LOCAL_FOLDER

    return {"S3Bucket": LOCAL_FOLDER, "S3Key": str(folder)}
