"""How safely a database writes: NORMAL outlives the death of every process, FULL also a power cut."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

Durability = Literal["NORMAL", "FULL"]


@contextmanager
def durably(db: sqlite3.Connection, usual: Durability, *, full: bool) -> Iterator[None]:
    """What is written inside outlives a power cut, if `full`; not to be used inside a transaction."""
    if not full or usual == "FULL":
        yield
        return
    db.execute("PRAGMA synchronous=FULL")
    try:
        yield
    finally:
        db.execute(f"PRAGMA synchronous={usual}")


@contextmanager
def lightly(db: sqlite3.Connection, usual: Durability) -> Iterator[None]:
    """What is written inside may be lost in a power cut, whatever the usual is; not to be used inside a transaction."""
    if usual == "NORMAL":
        yield
        return
    db.execute("PRAGMA synchronous=NORMAL")
    try:
        yield
    finally:
        db.execute(f"PRAGMA synchronous={usual}")


def is_dead_letter(attributes: Mapping[str, Any] | None) -> bool:
    """Whether these are the message attributes with which Lambda sends a dead letter."""
    return attributes is not None and "RequestID" in attributes and "ErrorCode" in attributes
