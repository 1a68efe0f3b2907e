"""Lambda's quotas, of today and of 2018."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROFILE_VARIABLE: Final = "LAMBDALOG_LIMITS"


@dataclass(frozen=True, slots=True)
class Limits:
    """A set of quotas: memory and /tmp in MB, timeout in seconds, payloads in bytes."""

    memory_max: int = 10_240
    memory_step: int = 1
    timeout_max: int = 900
    ephemeral_max: int = 10_240
    sync_payload_max: int = 6_291_456
    async_payload_max: int = 1_048_576
    environment_max: int = 4096
    layers_max: int = 5
    account_concurrency: int = 1000
    unreserved_min: int = 100


# From the page of Lambda quotas; the service model's own maxima belong to functions that run elsewhere.
CURRENT: Final = Limits()
# The same page in the middle of 2018: 3,008 MB in steps of 64, five minutes, 128 KB for an event, 512 MB of /tmp.
IN_2018: Final = Limits(
    memory_max=3008, memory_step=64, timeout_max=300, ephemeral_max=512, async_payload_max=131_072
)


def profile(environ: Mapping[str, str]) -> Limits:
    """The limits that LAMBDALOG_LIMITS names: today's, or `2018`. ConfigError for another name."""
    named = environ.get(PROFILE_VARIABLE, "")
    if named in {"", "current"}:
        return CURRENT
    if named == "2018":
        return IN_2018
    raise ConfigError(f"{PROFILE_VARIABLE}={named}: there are no such limits; there are current and 2018")
