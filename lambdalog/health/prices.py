"""What invocations cost, by AWS's price list.

"Duration is calculated from the time your code begins executing until it returns or otherwise terminates … The price
depends on the amount of memory you allocate" (https://aws.amazon.com/lambda/pricing/, US East (N. Virginia), first tier,
read in 2026). Other regions, tiers and savings plans have other prices: they are settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MONTH_MS: Final = 30 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars: of a GB-second on x86 and on arm, and of a million requests."""

    gb_second_x86: float = 0.0000166667
    gb_second_arm: float = 0.0000133334
    million_requests: float = 0.20

    def gb_second(self, architecture: str) -> float:
        """By what Lambda calls the architecture: x86_64 or arm64."""
        return self.gb_second_arm if architecture == "arm64" else self.gb_second_x86


def cost(prices: Prices, *, requests: int, gb_seconds: float, architecture: str = "x86_64") -> float:
    """What that many requests cost that were billed for so many GB-seconds."""
    return gb_seconds * prices.gb_second(architecture) + requests * prices.million_requests / 1_000_000


def gb_seconds(billed_ms: float, memory_mb: int) -> float:
    """What an invocation is billed for; Lambda's GB are 1,024 MB."""
    return billed_ms / 1000 * memory_mb / 1024
