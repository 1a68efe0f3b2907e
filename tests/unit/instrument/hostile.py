"""Values, keys and texts that loggers choke on; what tests of lines share."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import enum
import math
import types
from decimal import Decimal
from typing import Any, NamedTuple
from unittest.mock import MagicMock


class Colour(enum.Enum):
    """An enumeration."""

    RED = "red"


@dataclasses.dataclass
class Point:
    """A dataclass."""

    x: int
    y: object


class Pair(NamedTuple):
    """A named tuple."""

    a: int
    b: object


class NoText:
    """Neither str() nor repr() can be had."""

    def __str__(self) -> str:
        raise ValueError("no str")

    __repr__ = __str__


class NoStr:
    """str() can't be had, repr() can."""

    def __str__(self) -> str:
        raise ValueError("no str")

    def __repr__(self) -> str:
        return "NoStr()"


class Liar:
    """Answers every question about itself with an exception."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class Model:
    """A model as pydantic's are."""

    def __init__(self, value: float) -> None:
        self.value = value

    def model_dump(self) -> dict[str, Any]:
        """Its fields."""
        return {"a": self.value}


class Old:
    """A model as those of pydantic's first version are."""

    @classmethod
    def __get_validators__(cls) -> Any:
        """What tells them."""

    def dict(self) -> dict[str, Any]:
        """Its fields."""
        return {"a": 1}


class Endless(dict[str, Any]):
    """A dict whose items can't be had."""

    def items(self) -> Any:
        """Never."""
        raise RecursionError


class NoMethods(str):
    """A text whose own methods fail."""

    __slots__ = ()

    def encode(self, *_: Any) -> Any:
        """Never."""
        raise ValueError("no text")

    __len__ = __format__ = __str__ = encode


CIRCULAR: dict[str, Any] = {}
CIRCULAR["self"] = CIRCULAR
DEEP: list[Any] = []
for _ in range(2000):
    DEEP = [DEEP]

# Value, what the line has for it (ANYTHING: no matter what), whether the line says that it is degraded.
ANYTHING: Any = object()
HOSTILE: list[tuple[Any, Any, bool]] = [
    (CIRCULAR, {"self": "<circular>"}, True),
    (DEEP, ANYTHING, True),
    ({(1, 2): 1}, {"(1, 2)": 1}, True),
    ({1: "a"}, {"1": "a"}, True),
    ({1: "a", "1": "b"}, {"1": "a", "1_": "b"}, True),
    ({NoText(): 1}, {"<NoText: repr() raised ValueError>": 1}, True),
    ("\ud800", "\\ud800", True),
    ({"\ud800": 1}, {"'\\ud800'": 1}, True),
    (2**64, "18446744073709551616", True),
    (-(2**63) - 1, "-9223372036854775809", True),
    (10**5000, ANYTHING, True),
    (math.nan, "nan", True),
    (-math.inf, "-inf", True),
    ([1.5, [math.nan]], [1.5, ["nan"]], True),
    (Point(1, math.inf), {"x": 1, "y": "inf"}, True),
    (Model(math.nan), {"a": "nan"}, True),
    (NoText(), "<NoText: repr() raised ValueError>", True),
    (NoStr(), "NoStr()", True),
    ([NoText(), 1], ["<NoText: repr() raised ValueError>", 1], True),
    (Liar(), ANYTHING, True),
    (None, None, False),
    ([None, 1.5], [None, 1.5], False),
    (b"\x00\xff", "\x00\\xff", False),
    (bytearray(b"a"), "a", False),
    (memoryview(b"a"), "a", False),
    (dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC), "2026-01-02T03:04:00+00:00", False),
    (dt.timedelta(seconds=2), 2.0, False),
    (Decimal("NaN"), "NaN", False),
    (Decimal("7.70"), "7.70", False),
    (Colour.RED, "red", False),
    (Point(1, Colour.RED), {"x": 1, "y": "red"}, False),
    (Pair(1, Colour.RED), [1, "red"], False),
    (Model(1), {"a": 1}, False),
    (Old(), {"a": 1}, False),
    (Endless(a=1), {"a": 1}, False),
    (NoMethods("said"), "said", False),
    (collections.Counter("aa"), {"a": 2}, False),
    (MagicMock(name="stand-in"), ANYTHING, False),
    (types.MappingProxyType({"a": 1}), {"a": 1}, False),
    ({"a", "b"}, ["a", "b"], False),
    (ValueError, "ValueError", False),
    (ValueError("bad"), "ValueError: bad", False),
    ("\x1b[2J\u2028\x00", "\x1b[2J\u2028\x00", False),
]

# Names that loggers choke on, and those that a line has itself.
NAMES = [
    "name",
    "message",
    "msg",
    "event",
    "level",
    "self",
    "args",
    "keys",
    "exc",
    "logger",
    "timestamp",
    "method",
    "number",
    "running",
    "function",
    "requestId",
    "failure",
    "degraded",
    "errorType",
]
