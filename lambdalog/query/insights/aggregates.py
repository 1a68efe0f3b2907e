"""What `stats` makes of many values: each aggregate takes one after the other, in bounded memory."""

from __future__ import annotations

import math
from array import array
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, Protocol

from lambdalog.query.insights.records import getter
from lambdalog.query.insights.values import number_of, order, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.query.insights.records import Record

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
_ACCURACY: Final = 0.005
_GAMMA: Final = (1 + _ACCURACY) / (1 - _ACCURACY)
_LOG_GAMMA: Final = math.log(_GAMMA)
_REGISTERS: Final = 14  # bits: 16,384 registers, a standard error of 0.8 %


class Aggregate(Protocol):
    """One aggregate of one group."""

    def add(self, record: Record) -> None:
        """Take one record in."""
        ...

    def result(self) -> Any:
        """The value of all that were taken in; None if there were none that count."""
        ...


def maker(name: str, args: list[Callable[[Record], Any]], percent: float = 50.0) -> Callable[[], Aggregate]:
    """What makes a new aggregate of that name over the values of its arguments. `percent` is for percentiles."""
    match name:
        case "count":
            return (lambda: CountPresent(args[0])) if args else Count
        case "count_distinct":
            return lambda: CountDistinct(args[0])
        case "sum" | "avg" | "stddev":
            return lambda: Moments(args[0], name)
        case "min" | "max":
            return lambda: Extreme(args[0], 1 if name == "max" else -1, numeric=True)
        case "sortsfirst" | "sortslast":
            return lambda: Extreme(args[0], 1 if name == "sortslast" else -1, numeric=False)
        case "pct" | "percentile" | "median":
            return lambda: Percentile(args[0], percent)
        case _:
            return lambda: AtTime(args[0], 1 if name == "latest" else -1)


class Count:
    """`count(*)`."""

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0

    def add(self, record: Record) -> None:
        """One more."""
        self._count += 1

    def add_many(self, count: int) -> None:
        """Records that were counted elsewhere."""
        self._count += count

    def result(self) -> int:
        """How many."""
        return self._count


class CountPresent:
    """`count(field)`: the records that have it."""

    __slots__ = ("_count", "_value")

    def __init__(self, value: Callable[[Record], Any]) -> None:
        self._value = value
        self._count = 0

    def add(self, record: Record) -> None:
        """One more, if it has the field."""
        if self._value(record) is not None:
            self._count += 1

    def result(self) -> int:
        """How many."""
        return self._count


class CountDistinct:
    """How many different values: exact for a few thousand, then estimated (HyperLogLog)."""

    __slots__ = ("_registers", "_seen", "_value")

    def __init__(self, value: Callable[[Record], Any]) -> None:
        self._value = value
        self._seen: set[int] = set()
        self._registers: bytearray | None = None

    def add(self, record: Record) -> None:
        """Take a value in."""
        value = self._value(record)
        if value is None:
            return
        digest = blake2b(text_of(value).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        number = int.from_bytes(digest, "big")
        if self._registers is None:
            self._seen.add(number)
            if len(self._seen) > 4 * EXACT_MAX:
                self._registers = bytearray(1 << _REGISTERS)
                for each in self._seen:
                    self._register(each)
                self._seen = set()
        else:
            self._register(number)

    def _register(self, number: int) -> None:
        assert self._registers is not None
        bits = 64 - _REGISTERS
        index, rest = number >> bits, number & ((1 << bits) - 1)
        rank = bits - rest.bit_length() + 1
        self._registers[index] = max(self._registers[index], rank)

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


class Moments:
    """Sum, average, and standard deviation (of the values as the whole population)."""

    __slots__ = ("_compensation", "_count", "_mean", "_name", "_squares", "_sum", "_value")

    def __init__(self, value: Callable[[Record], Any], name: str) -> None:
        self._value = value
        self._name = name
        self._count = 0
        self._sum: int | float = 0
        self._mean = 0.0
        self._squares = 0.0
        self._compensation = 0.0

    def add(self, record: Record) -> None:
        """Take a number in; what is none doesn't count."""
        number = number_of(self._value(record))
        if number is None:
            return
        self._count += 1
        if self._name == "stddev":
            difference = number - self._mean
            self._mean += difference / self._count
            self._squares += difference * (number - self._mean)
        elif type(number) is int and type(self._sum) is int:
            self._sum += number
        else:
            # Neumaier: the small parts that a large sum swallows are kept beside it.
            total = self._sum + number
            large, small = (self._sum, number) if abs(self._sum) >= abs(number) else (number, self._sum)
            self._compensation += (large - total) + small
            self._sum = total

    def result(self) -> int | float | None:
        """The value; None without any number."""
        if not self._count:
            return None
        if self._name == "stddev":
            return math.sqrt(self._squares / self._count)
        total = self._sum if self._compensation == 0 else self._sum + self._compensation
        return total if self._name == "sum" else total / self._count


class Extreme:
    """The least or the greatest: of numbers, or of all values as they are sorted."""

    __slots__ = ("_best", "_numeric", "_sign", "_value")

    def __init__(self, value: Callable[[Record], Any], sign: int, *, numeric: bool) -> None:
        self._value = value
        self._sign = sign
        self._numeric = numeric
        self._best: Any = None

    def add(self, record: Record) -> None:
        """Keep it if it is beyond the best one yet."""
        value = self._value(record)
        if value is None or (self._numeric and number_of(value) is None):
            return
        if self._best is None or (order(value, self._best) or 0) * self._sign > 0:
            self._best = value

    def result(self) -> Any:
        """The best one."""
        return self._best


class AtTime:
    """The value of the earliest or the latest record that has one."""

    __slots__ = ("_sign", "_time", "_value", "_when")

    def __init__(self, value: Callable[[Record], Any], sign: int) -> None:
        self._value = value
        self._sign = sign
        self._time: Any = None
        self._when: Any = None

    def add(self, record: Record) -> None:
        """Keep it if it is earlier, or later, than the one yet."""
        value, when = self._value(record), _timestamp(record)
        if value is None or when is None:
            return
        if self._when is None or (when - self._when) * self._sign > 0:
            self._time, self._when = value, when

    def result(self) -> Any:
        """Its value."""
        return self._time


class Percentile:
    """The value below which so many percent of the numbers are: exact for a thousand, then within half a percent."""

    __slots__ = ("_buckets", "_count", "_few", "_least", "_most", "_percent", "_value")

    def __init__(self, value: Callable[[Record], Any], percent: float) -> None:
        self._value = value
        self._percent = percent
        self._few: array[float] | None = array("d")
        self._buckets: dict[int, int] = {}
        self._count = 0
        self._least = math.inf
        self._most = -math.inf

    def add(self, record: Record) -> None:
        """Take a number in; what is none doesn't count."""
        number = number_of(self._value(record))
        if number is None:
            return
        try:
            number = float(number)
        except OverflowError:
            return
        self._count += 1
        if self._few is not None:
            self._few.append(number)
            if len(self._few) > EXACT_MAX:
                for each in self._few:
                    self._put(each)
                self._few = None
        else:
            self._put(number)

    def _put(self, number: float) -> None:
        self._least, self._most = min(self._least, number), max(self._most, number)
        bucket = _bucket(number)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1

    def result(self) -> float | None:
        """The value of the nearest rank."""
        if not self._count:
            return None
        rank = max(math.ceil(self._percent / 100 * self._count), 1)
        if self._few is not None:
            return sorted(self._few)[rank - 1]
        below = 0
        for bucket in sorted(self._buckets):
            below += self._buckets[bucket]
            if below >= rank:
                return min(max(_middle(bucket), self._least), self._most)
        return self._most


# Buckets grow with the numbers in them; those of negative numbers lie below zero, which is a bucket of its own.
_SHIFT: Final = 1 << 20


def _bucket(number: float) -> int:
    if abs(number) < 1e-12:
        return 0
    index = math.ceil(math.log(abs(number)) / _LOG_GAMMA) + _SHIFT
    return index if number > 0 else -index


def _middle(bucket: int) -> float:
    if bucket == 0:
        return 0.0
    value = 2 * math.exp((abs(bucket) - _SHIFT) * _LOG_GAMMA) / (_GAMMA + 1)
    return value if bucket > 0 else -value


_timestamp = getter("@timestamp")
