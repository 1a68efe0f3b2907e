"""The benches' harness: what is measured, beside whom, and the table of it.

A module tests/bench/<room>.py has `benches() -> list[Bench]`; a bench is handed an empty folder and yields rows.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import tests.bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

# Of these a larger one is better; of all others (seconds, bytes, shares) a smaller one.
RATES: Final = frozenset({"/s", "MB/s"})
# Written with the micro sign.
MICROSECONDS: Final = "\u00b5s"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `unit`: s, ms, MICROSECONDS, MB, "", /s or MB/s."""

    value: float
    unit: str

    def __str__(self) -> str:
        digits = 0 if self.value >= 100 else 1 if self.value >= 10 else 2
        space = "" if not self.unit or self.unit.startswith("/") else " "
        return f"{self.value:,.{digits}f}{space}{self.unit}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `peer` None: nobody to compare with, or not installed (`who` says which)."""

    what: str
    ours: Figure
    who: str = ""
    peer: Figure | None = None

    @property
    def ratio(self) -> str:
        """How many times better than the peer."""
        if self.peer is None or not self.ours.value or not self.peer.value:
            return ""
        times = self.ours.value / self.peer.value
        return f"{times if self.ours.unit in RATES else 1 / times:,.1f} x"


@dataclass(frozen=True, slots=True)
class Bench:
    """Something to measure. `run` is given a folder of its own."""

    name: str
    run: Callable[[Path], Iterable[Row]]


def discover() -> list[Bench]:
    """The benches of all modules here that have some."""
    found: list[Bench] = []
    for module in pkgutil.iter_modules(tests.bench.__path__):
        if module.name not in {"__main__", "harness"}:
            benches = getattr(importlib.import_module(f"tests.bench.{module.name}"), "benches", None)
            found += benches() if benches is not None else []
    return found


def chosen(benches: Sequence[Bench], names: Sequence[str]) -> list[Bench]:
    """Those whose name begins with one of `names`; all, if there are none."""
    return [bench for bench in benches if not names or any(bench.name.startswith(name) for name in names)]


def run(bench: Bench) -> Iterator[Row]:
    """Run one bench in a folder that is removed after it."""
    folder = Path(tempfile.mkdtemp(prefix="lambdalog-bench-"))
    try:
        yield from bench.run(folder)
    finally:
        shutil.rmtree(folder)


def seconds(action: Callable[[], object], *, times: int = 5) -> float:
    """The median of some runs, the garbage collector off."""
    taken = []
    for _ in range(times):
        gc.collect()
        gc.disable()
        try:
            begin = time.perf_counter()
            action()
            taken.append(time.perf_counter() - begin)
        finally:
            gc.enable()
    return statistics.median(taken)


def milliseconds(action: Callable[[], object], *, times: int = 5) -> Figure:
    """The median of some runs."""
    return Figure(seconds(action, times=times) * 1000, "ms")


def rate(count: int, action: Callable[[], object], *, times: int = 3) -> Figure:
    """How many a second, if an action does `count`."""
    return Figure(count / seconds(action, times=times), "/s")


def table(rows: Iterable[Row]) -> Iterator[str]:
    """The rows as lines of a Markdown table."""
    yield "| what | ours | peer | ratio |"
    yield "|---|---:|---:|---:|"
    for row in rows:
        peer = f"{row.peer} ({row.who})" if row.peer is not None else row.who
        yield f"| {row.what} | {row.ours} | {peer} | {row.ratio} |"


def peak_bytes() -> int:
    """The most memory that this process has had resident.

    On Linux from /proc: what getrusage says of a process that was just started includes the one that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        rows = status.read_text(encoding="utf-8").splitlines()
        return 1024 * next(int(row.split()[1]) for row in rows if row.startswith("VmHWM:"))
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
