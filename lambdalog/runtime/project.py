"""A function as it lies in a folder: the handler's file, and `lambdalog.toml` beside it for the rest.

[function]
name = "orders"            # else the file's name, or its folder's
handler = "app.handler"
timeout = 3                # seconds
memory = 128               # MB
retries = 2                # of asynchronous invocations
dead_letter = "orders-dlq"

[function.environment]
TABLE = "orders"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lambdalog.errors import ConfigError
from lambdalog.settings import function_name

FILE: Final = "lambdalog.toml"
_KEYS: Final[dict[str, type | tuple[type, ...]]] = {
    "name": str,
    "handler": str,
    "timeout": int,
    "memory": int,
    "retries": int,
    "max_age": int,
    "concurrency": int,
    "dead_letter": str,
    "runtime": str,
    "environment": dict,
}


@dataclass(frozen=True, slots=True)
class Project:
    """A function that can be deployed from its folder."""

    name: str
    handler: str
    folder: Path
    timeout: int = 3
    memory: int = 128
    retries: int | None = None
    max_age: int | None = None
    concurrency: int | None = None
    dead_letter: str | None = None
    runtime: str | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def dead_letter_queue(self) -> str:
        """The queue for failed asynchronous events: the configured one, or `<name>-dlq`."""
        return self.dead_letter or f"{self.name}-dlq"


def is_path(target: str) -> bool:
    """Whether a target names a file or folder, rather than a deployed function."""
    return "/" in target or target.endswith(".py") or ".py:" in target or target in {".", ".."}


def read_project(target: str) -> Project:
    """The function at `path/file.py:function`, `path/file.py`, or a folder with a lambdalog.toml.

    ConfigError for a file or folder that isn't there, or a setting that can't be.
    """
    text, _, function = target.partition(".py:")
    path = Path(f"{text}.py" if function else target).expanduser().absolute()
    folder = path if path.is_dir() else path.parent
    if not path.exists():
        raise ConfigError(
            f"there is no file {path}; write path/file.py:function, or a deployed function's name"
        )
    settings = _settings(folder / FILE)
    if path.is_dir():
        if "handler" not in settings:
            raise ConfigError(f"{folder} has no {FILE} that names a handler; write {folder}/file.py:function")
        named = settings["handler"]
    else:
        named = f"{path.stem}.{function}" if function else settings.get("handler", f"{path.stem}.handler")
    name = settings.get("name") or function_name(folder / f"{named.partition('.')[0]}.py")
    return Project(folder=folder, **settings | {"name": name, "handler": named})


def _settings(file: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: {error}") from None
    settings = found.get("function", {})
    for key, value in settings.items():
        if key not in _KEYS:
            raise ConfigError(f"{file}: there is no setting {key!r}; there are {', '.join(_KEYS)}")
        if not isinstance(value, _KEYS[key]) or isinstance(value, bool):
            raise ConfigError(f"{file}: {key} can't be {value!r}")
    environment = settings.get("environment", {})
    if not all(isinstance(value, str) for value in environment.values()):
        raise ConfigError(f"{file}: environment variables are texts, in quotes")
    return dict(settings)
