"""Packages that nothing needs any more: unpacked folders of functions, versions and layers that are gone."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lambdalog.local.lambda_.catalog import Catalog

logger = logging.getLogger(__name__)

# A package may be in use for as long as an invocation that began before its function was deleted; a day is more than that.
KEPT_SECONDS: Final = 86_400.0
LOOK_SECONDS: Final = 3600.0


def needed(catalog: Catalog) -> set[str]:
    """The ids of all packages that a record names, of deleted layer versions too: functions may still use them."""
    kinds = (catalog.all("function"), catalog.all("version"), catalog.all("layer"))
    return {
        record["code"]["id"]
        for records in kinds
        for _, _, record in records
        if "id" in record.get("code", {})
    }


def leftovers(folder: Path, wanted: Iterable[str], now: float) -> list[Path]:
    """The folders under `folder` that are not wanted and have been there for a day; half-made ones too."""
    kept = set(wanted)
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return []
    return [
        folder / entry.name
        for entry in entries
        if entry.name not in kept and now - entry.stat(follow_symlinks=False).st_mtime > KEPT_SECONDS
    ]


def sweep(folder: Path, catalog: Catalog, now: float) -> int:
    """Remove what is left over; how many folders that were."""
    removed = 0
    for path in leftovers(folder, needed(catalog), now):
        # Renamed first: whoever looks for the package finds all of it, or none.
        grave = path.with_name(f".{secrets.token_hex(8)}")
        try:
            path.rename(grave)
            shutil.rmtree(grave)
        except OSError as error:
            logger.warning("the package %s can't be removed: %s", path.name, error)
            continue
        removed += 1
    return removed
