"""Who is invoked with what, how often: a mix of events with failures in it, and where the samples lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    import random

SAMPLES: Final = ("orders", "thumbnails", "audit", "report", "payments")

# Function, event, weight, and whether it is invoked asynchronously.
MIX: Final = (
    ("orders", "new", 24, False),
    ("orders", "api", 12, False),
    ("orders", "unknown-product", 2, True),
    ("orders", "empty", 1, False),
    ("thumbnails", "put", 14, True),
    ("thumbnails", "not-an-image", 1, True),
    ("audit", "changes", 12, True),
    ("audit", "overdrawn", 1, True),
    ("report", "nightly", 3, False),
    ("payments", "ok", 16, False),
    ("payments", "outage", 4, True),
    ("payments", "declined", 2, False),
    ("payments", "raises", 1, True),
    ("payments", "slow", 2, False),
    ("payments", "hostile-bytes", 1, False),
    ("payments", "times-out", 1, True),
    ("payments", "exits", 1, True),
    ("payments", "out-of-memory", 1, True),
)


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation that is to be made."""

    function: str
    payload: bytes
    asynchronous: bool


def samples_folder() -> Path:
    """Where the samples are: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "samples", package.parent / "samples"):
        if (folder / "orders" / "app.py").is_file():
            return folder
    raise ConfigError("the samples are not there; install lambdalog whole, or run the demo from a checkout")


class Traffic:
    """Draws calls from the mix; the same seed draws the same ones."""

    def __init__(self, folder: Path, random: random.Random) -> None:
        self._random = random
        self._weights = [weight for _, _, weight, _ in MIX]
        self._calls = [
            Call(function, (folder / function / "events" / f"{event}.json").read_bytes(), asynchronous)
            for function, event, _, asynchronous in MIX
        ]

    def next(self) -> Call:
        """The next call."""
        return self._random.choices(self._calls, self._weights)[0]

    def pause(self, rate: float) -> float:
        """Seconds until the one after it: arrivals are independent, `rate` a second on average."""
        return self._random.expovariate(rate)
