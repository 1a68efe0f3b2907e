"""Where a store's spool lies, so that whoever ships to it next finds what was kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lambdalog.settings import STORE_FOLDER, Disk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambdalog.settings import Aws

SPOOL_VARIABLE: Final = "LAMBDALOG_SPOOL"


def _account() -> str | None:
    from lambdalog.shipper.aws import account

    return account()


def spool_of(
    target: Disk | Aws,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    account: Callable[[], str | None] = _account,
) -> Path:
    """The spool's folder: LAMBDALOG_SPOOL, else `spool/` in the store.

    For AWS a folder for each account and region in the nearest `.lambdalog/spool/` upward, else `./.lambdalog/spool/`:
    what was meant for one destination is never sent to another. `account` tells whose credentials there are.
    """
    environ = os.environ if environ is None else environ
    if named := environ.get(SPOOL_VARIABLE):
        return Path(named).expanduser().absolute()
    if isinstance(target, Disk):
        return target.path / "spool"
    folder = Path.cwd() if folder is None else folder
    place = next((place for place in (folder, *folder.parents) if (place / STORE_FOLDER).is_dir()), folder)
    region = target.region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "default"
    owner = account()
    return place / STORE_FOLDER / "spool" / (f"aws-{region}" if owner is None else f"aws-{owner}-{region}")
