"""Percentiles of many durations in little memory: counts in buckets that grow by two percent each."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# A percentile is within one percent of the true one.
GROWTH: Final = 1.02
_LOG: Final = math.log(GROWTH)
# From a hundredth of a ms to 15 minutes are about 900 buckets.
LEAST_MS: Final = 0.01


class Sketch:
    """Durations in ms. Sketches can be added up."""

    __slots__ = ("buckets", "count")

    def __init__(self) -> None:
        self.count = 0
        self.buckets: Counter[int] = Counter()

    def add(self, value: float) -> None:
        """Count one."""
        self.count += 1
        self.buckets[math.ceil(math.log(max(value, LEAST_MS)) / _LOG)] += 1

    def merge(self, other: Sketch) -> None:
        """Count all of another's."""
        self.count += other.count
        self.buckets.update(other.buckets)

    def percentile(self, share: float) -> float | None:
        """The value that `share` (0 to 1) of the values do not exceed; None for no values."""
        return self.percentiles([share])[0]

    def percentiles(self, shares: Iterable[float]) -> list[float | None]:
        """Several at once."""
        ordered = sorted(self.buckets.items())
        found: list[float | None] = []
        for share in shares:
            rank = max(math.ceil(share * self.count), 1)
            seen = 0
            value: float | None = None
            for bucket, count in ordered:
                seen += count
                if seen >= rank:
                    # The middle of the bucket.
                    value = 2 * GROWTH**bucket / (1 + GROWTH)
                    break
            found.append(value)
        return found
