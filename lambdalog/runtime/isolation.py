"""How environments are shut in, where it is asked for: LAMBDALOG_ISOLATION names what, by commas."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "LAMBDALOG_ISOLATION"
WAYS: Final = ("network", "files", "cpu")


def isolation(environment: Mapping[str, str], platform: str = sys.platform) -> tuple[str, ...]:
    """The ways that are asked for. ConfigError for a word that is none, and where the system has none of it."""
    asked = tuple(filter(None, (word.strip() for word in environment.get(VARIABLE, "").split(","))))
    for word in asked:
        if word not in WAYS:
            raise ConfigError(f"{VARIABLE} names {word}; there are {', '.join(WAYS)}")
    if asked and platform != "linux":
        raise ConfigError(f"{VARIABLE}: environments can only be shut in on Linux; leave it out here")
    return asked
