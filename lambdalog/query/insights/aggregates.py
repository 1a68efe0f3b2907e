"""What `stats` makes of many values: each aggregate takes them in by the block, in bounded memory."""

from __future__ import annotations

import math
import struct
from array import array
from collections import Counter
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from lambdalog.query.insights.values import Time, number_of, order, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# Name → how many arguments, least and most.
NAMES: Final[dict[str, tuple[int, int]]] = {
    "count": (0, 1),
    "count_distinct": (1, 1),
    "sum": (1, 1),
    "avg": (1, 1),
    "min": (1, 1),
    "max": (1, 1),
    "pct": (2, 2),
    "percentile": (2, 2),
    "median": (1, 1),
    "stddev": (1, 1),
    "earliest": (1, 1),
    "latest": (1, 1),
    "sortsfirst": (1, 1),
    "sortslast": (1, 1),
}
# Up to so many values an answer is exact, beyond them within half a percent.
EXACT_MAX: Final = 1024
# Numbers whose bits begin alike, up to the seventh of the fraction, share a bucket: it is less than 0.8 % wide.
_DROPPED: Final = 52 - 7
_SIZES: Final = (1 << 63 - _DROPPED) - 1
_FLOAT, _BITS = struct.Struct("d"), struct.Struct("q")
_REGISTERS: Final = 14  # bits: 16,384 registers, a standard error of 0.8 %


class Aggregate(Protocol):
    """One aggregate of one group."""

    def extend(self, values: list[Any]) -> None:
        """Take in the values of some records, one of each, None where a record has none."""
        ...

    def merge(self, other: Self) -> None:
        """Take in what another one has taken in, of records that come after all of these."""
        ...

    def result(self) -> Any:
        """The value of all that were taken in; None if there were none that count."""
        ...


def maker(name: str, percent: float = 50.0) -> Callable[[], Aggregate]:
    """What makes a new aggregate of that name. `percent` is for percentiles.

    `count` without an argument takes the records themselves; earliest and latest take (value, time) pairs.
    """
    match name:
        case "count":
            return Count
        case "count_distinct":
            return CountDistinct
        case "sum" | "avg":
            return lambda: Sum(mean=name == "avg")
        case "stddev":
            return Deviation
        case "min" | "max":
            return lambda: Extreme(1 if name == "max" else -1, numeric=True)
        case "sortsfirst" | "sortslast":
            return lambda: Extreme(1 if name == "sortslast" else -1, numeric=False)
        case "pct" | "percentile" | "median":
            return lambda: Percentile(percent)
        case _:
            return lambda: AtTime(1 if name == "latest" else -1)


def numbers_of(values: list[Any]) -> list[int | float]:
    """The numbers among values, and those that texts say."""
    # Most often all are numbers already, which is seen at once.
    if set(map(type, values)) <= _NUMBERS:
        return values
    return [number for value in values if (number := number_of(value)) is not None]


_NUMBERS: Final = frozenset({int, float})


class Count:
    """How many there are."""

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0

    def extend(self, values: list[Any]) -> None:
        """Count those that are there."""
        self._count += len(values) - values.count(None)

    def add(self, count: int) -> None:
        """Records that were counted elsewhere."""
        self._count += count

    def merge(self, other: Self) -> None:
        """Add its count."""
        self._count += other._count

    def result(self) -> int:
        """How many."""
        return self._count


class CountDistinct:
    """How many different values: exact for a few thousand, then estimated (HyperLogLog)."""

    __slots__ = ("_registers", "_seen")

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._registers: bytearray | None = None

    def extend(self, values: list[Any]) -> None:
        """Take values in."""
        different: Iterable[Any]
        try:
            different = set(values)
        except TypeError:  # lists or objects
            different = values
        for value in different:
            if value is not None:
                self._add(value)

    def _add(self, value: Any) -> None:
        digest = blake2b(text_of(value).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        number = int.from_bytes(digest, "big")
        if self._registers is not None:
            self._register(self._registers, number)
            return
        self._seen.add(number)
        if len(self._seen) > 4 * EXACT_MAX:
            self._estimate()

    def _estimate(self) -> bytearray:
        """From now on no value is remembered."""
        if self._registers is None:
            self._registers = bytearray(1 << _REGISTERS)
            for each in self._seen:
                self._register(self._registers, each)
            self._seen = set()
        return self._registers

    def merge(self, other: Self) -> None:
        """Put its values to these."""
        if self._registers is None and other._registers is None:
            self._seen |= other._seen
            if len(self._seen) > 4 * EXACT_MAX:
                self._estimate()
            return
        registers = self._estimate()
        registers[:] = bytes(map(max, registers, other._estimate()))

    @staticmethod
    def _register(registers: bytearray, number: int) -> None:
        bits = 64 - _REGISTERS
        index, rest = number >> bits, number & ((1 << bits) - 1)
        rank = bits - rest.bit_length() + 1
        registers[index] = max(registers[index], rank)

    def result(self) -> int:
        """How many, or about how many."""
        if self._registers is None:
            return len(self._seen)
        size = len(self._registers)
        estimate = 0.7213 / (1 + 1.079 / size) * size * size / sum(2.0**-rank for rank in self._registers)
        empty = self._registers.count(0)
        if estimate <= 2.5 * size and empty:
            estimate = size * math.log(size / empty)
        return round(estimate)


class Sum:
    """Sum, or average; whole numbers are added exactly, others without the small ones being swallowed."""

    __slots__ = ("_compensation", "_count", "_mean", "_sum")

    def __init__(self, *, mean: bool) -> None:
        self._mean = mean
        self._count = 0
        self._sum: int | float = 0
        self._compensation = 0.0

    def extend(self, values: list[Any]) -> None:
        """Take numbers in; what is none doesn't count."""
        numbers = numbers_of(values)
        self._count += len(numbers)
        if type(self._sum) is int and set(map(type, numbers)) <= {int}:
            self._sum += sum(numbers)
            return
        self._add(math.fsum(numbers))

    def merge(self, other: Self) -> None:
        """Add its sum."""
        self._count += other._count
        if type(self._sum) is int and type(other._sum) is int:
            self._sum += other._sum
        else:
            self._add(other._sum)
            self._compensation += other._compensation

    def _add(self, number: float) -> None:
        # Neumaier's sum of the blocks' sums.
        before = self._sum
        self._sum = before + number
        large, small = (before, number) if abs(before) >= abs(number) else (number, before)
        self._compensation += (large - self._sum) + small

    def result(self) -> int | float | None:
        """The value; None without any number."""
        if not self._count:
            return None
        total = self._sum if self._compensation == 0 else self._sum + self._compensation
        return total / self._count if self._mean else total


class Deviation:
    """The standard deviation, of the values as the whole population."""

    __slots__ = ("_count", "_mean", "_squares")

    def __init__(self) -> None:
        self._count = 0
        self._mean = 0.0
        self._squares = 0.0

    def extend(self, values: list[Any]) -> None:
        """Take numbers in; what is none doesn't count."""
        numbers = numbers_of(values)
        if not numbers:
            return
        count = len(numbers)
        mean = math.fsum(numbers) / count
        self._add(count, mean, math.fsum((number - mean) ** 2 for number in numbers))

    def merge(self, other: Self) -> None:
        """Take in its part."""
        if other._count:
            self._add(other._count, other._mean, other._squares)

    def _add(self, count: int, mean: float, squares: float) -> None:
        # Chan's way to put two parts together.
        difference, total = mean - self._mean, self._count + count
        self._squares += squares + difference * difference * self._count * count / total
        self._mean += difference * count / total
        self._count = total

    def result(self) -> float | None:
        """The value; None without any number."""
        return math.sqrt(self._squares / self._count) if self._count else None


class Extreme:
    """The least or the greatest: of numbers, or of all values as they are sorted."""

    __slots__ = ("_best", "_numeric", "_sign")

    def __init__(self, sign: int, *, numeric: bool) -> None:
        self._sign = sign
        self._numeric = numeric
        self._best: Any = None

    def extend(self, values: list[Any]) -> None:
        """Keep what is beyond the best one yet."""
        kinds = set(map(type, values))
        if kinds and (kinds <= _NUMBERS or kinds == {Time}):
            values = [max(values) if self._sign > 0 else min(values)]
        for value in values:
            if value is None or (self._numeric and number_of(value) is None):
                continue
            if self._best is None or (order(value, self._best) or 0) * self._sign > 0:
                self._best = value

    def merge(self, other: Self) -> None:
        """Keep its best one if that is beyond."""
        self.extend([other._best])

    def result(self) -> Any:
        """The best one."""
        return self._best


class AtTime:
    """The value of the earliest or the latest record that has one."""

    __slots__ = ("_sign", "_value", "_when")

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._value: Any = None
        self._when: Any = None

    def extend(self, values: list[Any]) -> None:
        """Keep the value of what is earlier, or later, than the one yet."""
        for value, when in values:
            if value is None or when is None:
                continue
            if self._when is None or (when - self._when) * self._sign > 0:
                self._value, self._when = value, when

    def merge(self, other: Self) -> None:
        """Keep its value if that is of an earlier, or later, one."""
        self.extend([(other._value, other._when)])

    def result(self) -> Any:
        """Its value."""
        return self._value


class Percentile:
    """The value below which so many percent of the numbers are: exact for a thousand, then within half a percent."""

    __slots__ = ("_buckets", "_count", "_few", "_least", "_most", "_percent")

    def __init__(self, percent: float) -> None:
        self._percent = percent
        self._few: array[float] | None = array("d")
        self._buckets: Counter[int] = Counter()
        self._count = 0
        self._least = math.inf
        self._most = -math.inf

    def extend(self, values: list[Any]) -> None:
        """Take numbers in; what is none doesn't count."""
        numbers = numbers_of(values)
        self._count += len(numbers)
        if self._few is None:
            self._put(numbers)
            return
        self._few.extend(map(float, numbers))
        if len(self._few) > EXACT_MAX:
            self._forget()

    def merge(self, other: Self) -> None:
        """Put its numbers to these."""
        if other._few is not None:
            self.extend(other._few.tolist())
            return
        self._forget()
        self._count += other._count
        self._buckets.update(other._buckets)
        self._least, self._most = min(self._least, other._least), max(self._most, other._most)

    def _forget(self) -> None:
        """From now on only buckets are known."""
        if self._few is not None:
            self._put(self._few)
            self._few = None

    def _put(self, numbers: Sequence[float]) -> None:
        if numbers:
            self._least = float(min(self._least, *numbers))
            self._most = float(max(self._most, *numbers))
            bits = memoryview(array("d", numbers)).cast("B").cast("q")
            self._buckets.update([each >> _DROPPED for each in bits])

    def result(self) -> float | None:
        """The value of the nearest rank."""
        if not self._count:
            return None
        rank = max(math.ceil(self._percent / 100 * self._count), 1)
        if self._few is not None:
            return sorted(self._few)[rank - 1]
        below = 0
        for middle, count in sorted((_middle(bucket), count) for bucket, count in self._buckets.items()):
            below += count
            if below >= rank:
                return min(max(middle, self._least), self._most)
        return self._most


def _middle(bucket: int) -> float:
    """The number in the middle of a bucket, of which the bits of the numbers in it begin alike."""
    if not bucket & _SIZES:
        return 0.0
    middle: float = _FLOAT.unpack(_BITS.pack((bucket << _DROPPED) + (1 << _DROPPED - 1)))[0]
    return middle
