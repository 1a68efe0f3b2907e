"""What a start takes up of the last one: screen, groups, filter, bookmarks; a file for each store."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Session:
    """Where the user was. `marks`: (timestamp, ingestion, group, stream, message, id, note) of each bookmark."""

    screen: str = "logs"
    theme: str = ""
    groups: list[str] = field(default_factory=list)
    streams: str = ""
    stream_names: list[str] = field(default_factory=list)
    filter: str = ""
    filter_mode: str = "text"
    wrap: bool = False
    utc: bool = False
    marks: list[list[Any]] = field(default_factory=list)
    screens: dict[str, Any] = field(default_factory=dict)
    """By a screen's name, what that one keeps: names and texts."""

    def of(self, screen: str) -> dict[str, str]:
        """What a screen has kept; a file that was written by hand may hold anything."""
        found = self.screens.get(screen)
        if not isinstance(found, dict):
            return {}
        return {name: text for name, text in found.items() if isinstance(text, str)}


def _file(folder: Path, label: str) -> Path:
    return folder / "sessions" / f"{hashlib.sha256(label.encode('utf-8', 'replace')).hexdigest()[:24]}.json"


def load(folder: Path, label: str) -> Session:
    """The last session on a store; a new one where there is none, or none that can be used."""
    try:
        found = json.loads(_file(folder, label).read_text(encoding="utf-8"))
        fresh = Session()
        known = {
            name: value
            for name, value in found.items()
            if hasattr(fresh, name) and isinstance(value, type(getattr(fresh, name)))
        }
        return Session(**known)
    except FileNotFoundError:
        return Session()
    except (OSError, ValueError, AttributeError, TypeError) as error:
        logger.warning("the last session can't be taken up: %s", error)
        return Session()


def save(folder: Path, label: str, session: Session) -> None:
    """Keep a session, whole or not at all. OSError where that can't be done."""
    path = _file(folder, label)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(f".{os.getpid()}.tmp")
    fresh.write_text(json.dumps(asdict(session)), encoding="utf-8")
    fresh.replace(path)
