"""What a trigger is: its kind, its function, its settings. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from lambdalog.errors import ConfigError
from lambdalog.local.triggers.expression import parse

if TYPE_CHECKING:
    from lambdalog.arn import Scope

Kind = Literal["schedule", "folder", "notifications"]
Missed = Literal["once", "skip"]

NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# S3's rules of general purpose buckets, in short.
BUCKET: Final = re.compile(r"(?!xn--|sthree-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# Which AWS service asks for leave to invoke, by kind.
SERVICES: Final[dict[Kind, str]] = {
    "schedule": "events.amazonaws.com",
    "folder": "s3.amazonaws.com",
    "notifications": "s3.amazonaws.com",
}
EVENTS: Final = ("ObjectCreated", "ObjectRemoved")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to invoke. `missed`: what becomes of times that passed while nobody served the store."""

    expression: str
    zone: str = "UTC"
    missed: Missed = "once"
    input: str | None = None

    def check(self) -> None:
        """ConfigError for an expression, a zone or an input that can't be."""
        parse(self.expression, self.zone)
        if self.missed not in {"once", "skip"}:
            raise ConfigError(f"missed can't be {self.missed!r}; it is once or skip")
        if self.input is not None:
            try:
                json.loads(self.input)
            except ValueError as error:
                raise ConfigError(f"the input is no JSON: {error}") from None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder whose files are a bucket's objects: what is put into it or deleted from it invokes."""

    folder: str
    bucket: str
    prefix: str = ""
    suffix: str = ""
    events: tuple[str, ...] = EVENTS

    def check(self) -> None:
        """ConfigError for a folder that isn't there, or a bucket's name that can't be."""
        path = Path(self.folder)
        if not path.is_absolute() or not path.is_dir():
            raise ConfigError(f"there is no folder {self.folder}")
        _check_bucket(self.bucket)
        if not self.events or not set(self.events) <= set(EVENTS):
            raise ConfigError(f"events are {' and '.join(EVENTS)}, not {', '.join(self.events)}")


@dataclass(frozen=True, slots=True)
class Notifications:
    """A queue into which S3 itself sends notifications: one of the store, or of AWS by its ARN or URL."""

    queue: str
    bucket: str
    prefix: str = ""
    suffix: str = ""

    def check(self) -> None:
        """ConfigError for what names no queue or bucket."""
        if not self.queue:
            raise ConfigError("name the queue that the bucket's notifications go to")
        _check_bucket(self.bucket)


Source = Schedule | Folder | Notifications
_KINDS: Final[dict[Kind, type[Source]]] = {
    "schedule": Schedule,
    "folder": Folder,
    "notifications": Notifications,
}


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger as it is kept. `made` is epoch seconds; the qualifier None means `$LATEST`."""

    name: str
    function: str
    qualifier: str | None
    source: Source
    enabled: bool = True
    made: float = 0.0

    @property
    def kind(self) -> Kind:
        """The kind of its source."""
        return next(kind for kind, source in _KINDS.items() if isinstance(self.source, source))

    def source_arn(self, scope: Scope) -> str:
        """The ARN by which a policy knows the source."""
        if isinstance(self.source, Schedule):
            return f"arn:aws:events:{scope.region}:{scope.account}:rule/{self.name}"
        return f"arn:aws:s3:::{self.source.bucket}"

    def record(self) -> dict[str, Any]:
        """As JSON."""
        kept = {"function": self.function, "qualifier": self.qualifier, "enabled": self.enabled}
        return kept | {"made": self.made, "kind": self.kind, "source": asdict(self.source)}


def read(name: str, record: dict[str, Any]) -> Trigger:
    """A trigger from its record."""
    settings = dict(record["source"])
    if "events" in settings:
        settings["events"] = tuple(settings["events"])
    kind: Kind = record["kind"]
    return Trigger(
        name=name,
        function=record["function"],
        qualifier=record["qualifier"],
        source=_KINDS[kind](**settings),
        enabled=record["enabled"],
        made=record["made"],
    )


def check_name(name: str) -> None:
    """ConfigError for a name that EventBridge would refuse for a rule."""
    if not NAME.fullmatch(name):
        raise ConfigError(f"a trigger can't be named {name!r}; up to 64 letters, digits, dots, - and _")


def bucket_name(folder: Path) -> str:
    """A bucket's name for a folder: its own, with what buckets can't have replaced."""
    name = re.sub(r"[^a-z0-9-]+", "-", folder.name.lower()).strip("-")[:63]
    return name if BUCKET.fullmatch(name) else f"{name or 'folder'}-bucket"[:63]


def chosen(key: str, prefix: str, suffix: str) -> bool:
    """Whether a key is one that a trigger is for."""
    return key.startswith(prefix) and key.endswith(suffix)


def _check_bucket(name: str) -> None:
    if not BUCKET.fullmatch(name):
        raise ConfigError(
            f"a bucket can't be named {name!r}; 3 to 63 small letters, digits, dots and hyphens"
        )
