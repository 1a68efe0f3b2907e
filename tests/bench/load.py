"""Calls as many clients make them: how many a second are answered, and how long each takes."""

from __future__ import annotations

import statistics
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it: requests a second, and seconds of the median and of the slowest in a hundred."""

    rate: float
    median: float
    slow: float


def told(taken: Sequence[float], whole: float) -> Load:
    """What calls come to that took so many seconds each, and `whole` all together."""
    each = sorted(taken)
    return Load(len(each) / whole, statistics.median(each), each[-1 - len(each) // 100])


def middle(loads: Sequence[Load]) -> Load:
    """The median of each figure over some rounds."""
    return Load(
        statistics.median(one.rate for one in loads),
        statistics.median(one.median for one in loads),
        statistics.median(one.slow for one in loads),
    )


def load(clients: int, seconds: float, make: Callable[[], Callable[[], object]]) -> Load:
    """Have so many clients, a thread each, call for so long, each what `make` makes it; each calls once at least."""
    calls = [make() for _ in range(clients)]
    taken: list[list[float]] = [[] for _ in calls]
    failed: list[BaseException] = []
    begin = threading.Barrier(clients + 1)

    def run(call: Callable[[], object], mine: list[float]) -> None:
        begin.wait()
        until = time.perf_counter() + seconds
        try:
            while not mine or time.perf_counter() < until:
                at = time.perf_counter()
                call()
                mine.append(time.perf_counter() - at)
        except Exception as error:  # noqa: BLE001 - raised where the figures are read
            failed.append(error)

    threads = [
        threading.Thread(target=run, args=pair, daemon=True) for pair in zip(calls, taken, strict=True)
    ]
    for thread in threads:
        thread.start()
    begin.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    whole = time.perf_counter() - began
    if failed:
        raise failed[0]
    return told([one for mine in taken for one in mine], whole)
