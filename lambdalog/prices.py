"""What invocations cost, by AWS's price list.

"Duration is calculated from the time your code begins executing until it returns or otherwise terminates … The price
depends on the amount of memory you allocate" (https://aws.amazon.com/lambda/pricing/, US East (N. Virginia), first tier,
read in 2026). Other regions, tiers and savings plans have other prices: environment variables set them for everything that
tells a cost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

MONTH_MS: Final = 30 * 24 * 3_600_000
# The variable of each price, by its field of `Prices`.
VARIABLES: Final = {
    "gb_second_x86": "LAMBDALOG_PRICE_GB_SECOND",
    "gb_second_arm": "LAMBDALOG_PRICE_GB_SECOND_ARM",
    "million_requests": "LAMBDALOG_PRICE_MILLION_REQUESTS",
}


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars: of a GB-second on x86 and on arm, and of a million requests."""

    gb_second_x86: float = 0.0000166667
    gb_second_arm: float = 0.0000133334
    million_requests: float = 0.20

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """The prices that the environment sets, AWS's where it sets none. ConfigError for what is no price."""
        return cls(
            **{
                name: _price(variable, text)
                for name, variable in VARIABLES.items()
                if (text := environ.get(variable))
            }
        )

    def gb_second(self, architecture: str) -> float:
        """By what Lambda calls the architecture: x86_64 or arm64."""
        return self.gb_second_arm if architecture == "arm64" else self.gb_second_x86


def cost(prices: Prices, *, requests: int, gb_seconds: float, architecture: str = "x86_64") -> float:
    """What that many requests cost that were billed for so many GB-seconds."""
    return gb_seconds * prices.gb_second(architecture) + requests * prices.million_requests / 1_000_000


def gb_seconds(billed_ms: float, memory_mb: int) -> float:
    """What an invocation is billed for; Lambda's GB are 1,024 MB."""
    return billed_ms / 1000 * memory_mb / 1024


def _price(variable: str, text: str) -> float:
    try:
        price = float(text)
    except ValueError:
        price = math.nan
    if not 0 <= price < math.inf:
        raise ConfigError(f"{variable} is {text!r}; it has to be a number of US dollars, at least 0")
    return price
