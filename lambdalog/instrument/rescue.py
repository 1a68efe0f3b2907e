"""The line where making it failed: what there is of it, and what failed."""

from __future__ import annotations

from time import time_ns
from typing import Any

from lambdalog.instrument.levels import word
from lambdalog.instrument.line import safe, stamp
from lambdalog.instrument.render import render


def rescued(number: int, message: object, keys: dict[str, Any], error: Exception) -> bytes:
    """The line where making it failed: with what failed, and the message and keys that there are."""
    try:
        told = f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - the error's own text may fail too
        told = type(error).__name__
    keys = {name: value for name, value in keys.items() if name != "exc_info"}
    return render(
        {
            "timestamp": stamp(time_ns()),
            "level": word(number),
            "message": message,
            **safe(keys),
            "lambdalogError": told,
        }
    )
