"""The store's own key pair for its endpoint: made once, readable by its owner alone."""

from __future__ import annotations

import base64
import json
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from lambdalog.errors import StoreError
from lambdalog.server.signature import Keys

if TYPE_CHECKING:
    from pathlib import Path


def load_keys(path: Path) -> Keys:
    """The key pair in `path` (mode 0600), made if there is none. StoreError if the file is something else."""
    with suppress(FileNotFoundError):
        return _read(path)
    keys = Keys("LLOG" + base64.b32encode(secrets.token_bytes(10)).decode(), secrets.token_urlsafe(30))
    temporary = path.with_name(f".tmp-{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(keys._asdict(), file)
        # A link, unlike a rename, leaves alone what another process made meanwhile.
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
    return _read(path)


def _read(path: Path) -> Keys:
    try:
        found = json.loads(path.read_text(encoding="ascii"))
        return Keys(str(found["access_key"]), str(found["secret_key"]))
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{path}: not a key pair; remove the file, and a new one is made") from None
