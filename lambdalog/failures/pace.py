"""How fast a run goes, and when it stops: a canary, then 2, 5, 10, …; a rate; so many failures, or such a share."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lambdalog.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate` items a second, None for as fast as it goes. `canary` items first (0: no ramp), each must succeed.

    `stop_after` failures end the run at once; `stop_share` of failures, 0 to 1, ends it at the end of a stage.
    `at_once` invocations run side by side, in the ramp no more than a stage has.
    """

    rate: float | None = None
    canary: int = 0
    stop_after: int | None = None
    stop_share: float | None = None
    at_once: int = 1

    def stages(self) -> Iterator[int]:
        """How many items each stage has: the canary, then what follows it of 2, 5, 10, 20, 50, … without end."""
        last = 0
        if self.canary:
            yield self.canary
            last = self.canary
        size = 1
        while True:
            for factor in (1, 2, 5):
                if size * factor > last:
                    yield size * factor
            size *= 10

    def record(self) -> dict[str, Any]:
        """As the journal keeps it."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Pace:
        """Back from the journal."""
        return cls(**{name: value for name, value in record.items() if name in cls.__slots__})

    def verdict(self, *, stage: int, ended: bool, sent: int, failed: int) -> str:
        """Why a run stops after `failed` of `sent` failed, in stage number `stage` (from 0), which ended or not; or ""."""
        if self.canary and stage == 0 and failed:
            return "the canary failed"
        if self.stop_after is not None and failed >= self.stop_after:
            return f"stopped after {failed} failure{'s' if failed > 1 else ''}"
        if ended and self.stop_share is not None and sent and failed / sent > self.stop_share:
            return f"stopped: {failed} of {sent} failed, more than {self.stop_share:.0%}"
        return ""


def parse_stop(text: str) -> tuple[int | None, float | None]:
    """(failures, share) of `5` or `20%`. ArgumentError for what is neither."""
    try:
        if text.endswith("%"):
            share = float(text[:-1]) / 100
            if 0 <= share < 1:
                return None, share
        elif int(text) > 0:
            return int(text), None
    except ValueError:
        pass
    raise ArgumentError(f"'{text}': say after how many failures to stop (5), or at which share of them (20%)")


def parse_rate(text: str) -> float:
    """Items a second, of `5`, `5/s`, `90/m` or `600/h`. ArgumentError for what is none."""
    number, slash, unit = text.partition("/")
    seconds = {"s": 1, "m": 60, "h": 3600}.get(unit if slash else "s")
    try:
        rate = float(number)
    except ValueError:
        rate = 0.0
    if seconds is None or not 0 < rate < float("inf"):
        raise ArgumentError(f"'{text}' is no rate; write 5/s, or 90/m")
    return rate / seconds
