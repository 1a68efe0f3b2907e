"""Where the store is, and which region and account its ARNs name.

Settings come from arguments, then environment variables, then defaults; nothing here imports anything heavy.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_Choice = TypeVar("_Choice")
STORE_VARIABLE = "LAMBDALOG_STORE"
STORE_FOLDER = ".lambdalog"
COMMANDS_VARIABLE = "LAMBDALOG_ALLOW_COMMANDS"
DURABILITY_VARIABLE = "LAMBDALOG_DURABILITY"
LOG_DURABILITY_VARIABLE = "LAMBDALOG_LOG_DURABILITY"
PROCESSES_VARIABLE = "LAMBDALOG_PROCESSES"
# Each takes 40 to 70 MB.
_PROCESSES_MOST = 8
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
DEFAULT_REGION = "us-east-1"
# Emulators agree on this account number; it can't belong to anyone.
LOCAL_ACCOUNT = "000000000000"

_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")


@dataclass(frozen=True, slots=True)
class Disk:
    """A store in a folder."""

    path: Path

    def __str__(self) -> str:
        return f"disk:{self.path}"


@dataclass(frozen=True, slots=True)
class Aws:
    """AWS itself; `region` None leaves the choice to boto3's own configuration."""

    region: str | None = None

    def __str__(self) -> str:
        return f"aws:{self.region}" if self.region else "aws"


def parse_target(text: str) -> Disk | Aws:
    """Read `disk:PATH`, `aws`, `aws:REGION` or a bare path (one with a separator, or `.`).

    Raises ConfigError for anything else.
    """
    kind, colon, rest = text.partition(":")
    if kind == "disk" and rest:
        return Disk(Path(rest).expanduser().absolute())
    if kind == "aws":
        if colon and not _REGION.fullmatch(rest):
            raise ConfigError(f"'{rest}' is not a region; write aws or aws:eu-west-1")
        return Aws(rest or None)
    if os.sep in text or text in {".", ".."} or text.startswith("~"):
        return Disk(Path(text).expanduser().absolute())
    raise ConfigError(f"'{text}' names no store; write disk:PATH, aws or aws:REGION")


def find_target(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Disk | Aws:
    """The store in use: LAMBDALOG_STORE, else the nearest `.lambdalog/` upward, else `./.lambdalog`."""
    environ = os.environ if environ is None else environ
    if named := environ.get(STORE_VARIABLE):
        return parse_target(named)
    folder = Path.cwd() if folder is None else folder
    for place in (folder, *folder.parents):
        if (place / STORE_FOLDER).is_dir():
            return Disk(place / STORE_FOLDER)
    return Disk(folder / STORE_FOLDER)


# File names that say nothing of a function: its folder's name does.
_PLAIN_STEMS = frozenset({"app", "main", "handler", "index", "lambda_function", "function", "__main__"})


def function_name(file: Path) -> str:
    """The name of a function by its file: `samples/orders/app.py` is orders, `resize.py` is resize."""
    file = file.absolute()
    name = file.parent.name if file.stem in _PLAIN_STEMS else file.stem
    return re.sub(r"[^A-Za-z0-9_-]", "-", name)[:64] or "function"


def region(environ: Mapping[str, str] | None = None) -> str:
    """The region that local ARNs name: AWS_REGION, AWS_DEFAULT_REGION, or us-east-1."""
    environ = os.environ if environ is None else environ
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION


def commands_allowed(environ: Mapping[str, str] | None = None) -> bool:
    """Whether topics may run commands, and write files outside of the store: LAMBDALOG_ALLOW_COMMANDS is 1."""
    environ = os.environ if environ is None else environ
    return environ.get(COMMANDS_VARIABLE) == "1"


def durability(environ: Mapping[str, str] | None = None) -> Literal["NORMAL", "FULL"]:
    """How safely queues and topics are written: LAMBDALOG_DURABILITY is `normal` (the default) or `full`; else ConfigError.

    NORMAL outlives the death of every process, FULL also a power cut.
    """
    return _chosen(environ, DURABILITY_VARIABLE, {"normal": "NORMAL", "full": "FULL"})


def log_durability(environ: Mapping[str, str] | None = None) -> Literal["never", "batch", "invocation"]:
    """When logs are synced to the disk: LAMBDALOG_LOG_DURABILITY is `never` (the default), `batch` or `invocation`; else ConfigError.

    `never` outlives the death of every process; the others also a power cut: each batch, or each invocation that ended.
    """
    return _chosen(
        environ,
        LOG_DURABILITY_VARIABLE,
        {"never": "never", "batch": "batch", "invocation": "invocation"},
    )


def processes(environ: Mapping[str, str] | None = None) -> int:
    """How many processes may read one store's logs together: LAMBDALOG_PROCESSES, or as many as there are processors to use.

    In a function on Lambda (or under our runtime) always 1. ConfigError for what is no number from 1 on.
    """
    environ = os.environ if environ is None else environ
    if "AWS_LAMBDA_FUNCTION_NAME" in environ:
        return 1
    text = environ.get(PROCESSES_VARIABLE)
    if not text:
        return min(_processors(), _PROCESSES_MOST)
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ConfigError(f"{PROCESSES_VARIABLE} is '{text}'; write a number: 1 has one process read all")
    return int(text)


def _processors() -> int:
    """How many processors this process may run on, and has the time of."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    return min(len(os.sched_getaffinity(0)), _granted(_QUOTA))


def _granted(file: Path) -> int:
    """The time of how many processors a container is granted (`docker run --cpus`): microseconds of each period, or `max`."""
    try:
        quota, period = file.read_text().split()
        return max(int(quota) // int(period), 1)
    except (OSError, ValueError):
        return _PROCESSES_MOST  # no limit, or none that is told here


def _chosen(environ: Mapping[str, str] | None, variable: str, choices: Mapping[str, _Choice]) -> _Choice:
    """What a variable says, in any case; the first choice where it isn't set."""
    environ = os.environ if environ is None else environ
    first, *others = choices
    text = environ.get(variable) or first
    found = choices.get(text.lower())
    if found is None:
        raise ConfigError(f"{variable} is '{text}'; write {', '.join([first, *others[:-1]])} or {others[-1]}")
    return found


# Services that a store has, by the names in AWS_ENDPOINT_URL_….
_OURS = ("CLOUDWATCH_LOGS", "LOGS", "SQS", "SNS", "LAMBDA", "STS")


def other_endpoints(environ: Mapping[str, str]) -> dict[str, str]:
    """Where services that no store has are found: AWS_ENDPOINT_URL_S3 and the like."""
    ours = {f"AWS_ENDPOINT_URL_{name}" for name in _OURS}
    return {
        name: value
        for name, value in environ.items()
        if name.startswith("AWS_ENDPOINT_URL_") and name not in ours
    }
