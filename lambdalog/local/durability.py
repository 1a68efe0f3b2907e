"""How safely a database writes: NORMAL outlives the death of every process, FULL also a power cut."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

Durability = Literal["NORMAL", "FULL"]
_AS_EVER: Final = nullcontext()


def durably(db: sqlite3.Connection, usual: Durability, *, full: bool) -> AbstractContextManager[None]:
    """What is written inside outlives a power cut, if `full`; not to be used inside a transaction."""
    return _written(db, "FULL", usual) if full and usual != "FULL" else _AS_EVER


def lightly(db: sqlite3.Connection, usual: Durability) -> AbstractContextManager[None]:
    """What is written inside may be lost in a power cut, whatever the usual is; not to be used inside a transaction."""
    return _written(db, "NORMAL", usual) if usual != "NORMAL" else _AS_EVER


@contextmanager
def _written(db: sqlite3.Connection, now: Durability, usual: Durability) -> Iterator[None]:
    db.execute(f"PRAGMA synchronous={now}")
    try:
        yield
    finally:
        db.execute(f"PRAGMA synchronous={usual}")


def is_dead_letter(attributes: Mapping[str, Any] | None) -> bool:
    """Whether these are the message attributes with which Lambda sends a dead letter."""
    return attributes is not None and "RequestID" in attributes and "ErrorCode" in attributes
