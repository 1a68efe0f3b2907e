"""The dashboard in a real terminal, beside lnav, toolong and a stock RichLog on the same lines in a file."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lambdalog import connect
from lambdalog.store import LogStore
from lambdalog.store.maintenance import maintain
from tests.bench.failures import LETTERS, function, letters
from tests.bench.harness import Bench, Figure, Row, seconds
from tests.bench.store_events import GROUP, STREAMS, events_of, new_store
from tests.bench.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVENTS: Final = int(os.environ.get("LAMBDALOG_BENCH_EVENTS", "1000000"))
FEW: Final = 2000
FOLLOW_SECONDS: Final = 10
FOLLOW_RATE: Final = 10_000
# Whatever a program still loads when its first lines are there isn't following.
START_SECONDS: Final = 3
TIMES: Final = 3
RICHLOG: Final = "stock RichLog"
# More lines than these take it minutes, and gigabytes.
RICHLOG_MAX: Final = 100_000
LAST: Final = "the-very-last-line"
# What our head says when all of the screen is there, and keys are answered.
READY: Final = "LIVE"


def _ours(store: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "lambdalog", "dashboard", "--store", f"disk:{store}", *more]


def _peers(file: Path) -> dict[str, list[str] | None]:
    """By name; None: not installed. toolong wants a Textual of its own: install it by pipx, so that `tl` is found."""
    lnav, toolong = shutil.which("lnav"), shutil.which("tl")
    return {
        "lnav": None if lnav is None else [lnav, "-q", str(file)],
        "toolong": None if toolong is None else [toolong, str(file)],
        RICHLOG: [sys.executable, "-m", "tests.bench.stock_richlog", str(file)],
    }


def _filled(folder: Path, count: int) -> tuple[Path, Path]:
    """A store with so many events, sealed, and the same as lines of a file."""
    made = events_of(count)
    made.append((made[-1][0] + 1, LAST))
    with new_store(folder / "store", STREAMS) as store:
        for number in range(STREAMS):
            part = made[number::STREAMS]
            for begin in range(0, len(part), 5000):
                store.append(GROUP, f"s{number}", part[begin : begin + 5000])
    # What a store is still writing to isn't sealed.
    with LogStore(folder / "store") as store:
        maintain(store)
    file = folder / "lines.log"
    with file.open("w", encoding="utf-8") as out:
        out.writelines(f"{text}\n" for _, text in made)
    return folder / "store", file


def _begin(command: list[str], ready: str = "") -> tuple[float, float, float, float]:
    """(CPU s, MB, wall s) until the last line is on the screen, and CPU s until `ready` is; MB then."""
    with Terminal(command) as terminal:
        wall = terminal.wait(LAST)
        cpu = terminal.cpu
        terminal.wait(ready)
        return cpu, terminal.rss, wall, terminal.cpu


def _opened(what: str, folder: Path, count: int) -> Iterator[Row]:
    store, file = _filled(folder, count)
    runs = [_begin(_ours(store), READY) for _ in range(TIMES)]
    cpu, memory, wall, ready = (statistics.median(column) for column in zip(*runs, strict=True))
    others: dict[str, tuple[float, ...] | None] = {}
    for name, command in _peers(file).items():
        if name == RICHLOG and count > RICHLOG_MAX:
            continue
        others[name] = None
        if command is not None:
            with suppress(TimeoutError):
                others[name] = _begin(command)
    for label, place, ours, unit in (("CPU", 0, cpu * 1000, "ms"), ("memory", 1, memory, "MB"), ("time", 2, wall * 1000, "ms")):  # fmt: skip
        for name, found in others.items():
            scale = 1.0 if unit == "MB" else 1000.0
            peer = None if found is None else Figure(found[place] * scale, unit)
            who = name if found is not None else f"{name}: not installed, or not shown in time"
            yield Row(f"dashboard: {what}: {label}", Figure(ours, unit), who, peer)
    yield Row(f"dashboard: {what}: CPU until keys are answered", Figure(ready * 1000, "ms"))


def _first_paint(folder: Path) -> Iterator[Row]:
    """From nothing to the last of a few lines."""
    yield from _opened(f"first paint, {FEW:,} events", folder, FEW)


def _million(folder: Path) -> Iterator[Row]:
    """A large group, at its end; then filtered and jumped in."""
    yield from _opened(f"{EVENTS:,} events at their end", folder, EVENTS)
    firsts, alls, jumps = [], [], []
    for _ in range(TIMES):
        with Terminal(_ours(folder / "store")) as terminal:
            terminal.wait(READY)
            terminal.press("/")
            terminal.look(0.2)
            terminal.press("\x12")
            terminal.look(0.2)
            begin = time.monotonic()
            terminal.press("order_id.:12345[0-9]")
            firsts.append(terminal.wait(r"\d[^\n]{0,20} match"))
            terminal.wait(r"\d of [\d,]+ match")
            alls.append(time.monotonic() - begin)
            terminal.press("\r\x1b")
            terminal.look(0.5)
            terminal.press("t")
            terminal.look(0.3)
            terminal.press("36h")
            terminal.look(0.2)
            terminal.press("\r")
            jumps.append(terminal.wait("PAUSED"))
    found = shutil.which("lnav")
    peer = None
    if found is not None:
        # lnav without a terminal: reads, filters, prints what is left.
        command = f"{found} -n -q -c ':filter-in order_id.:12345[0-9]' {folder / 'lines.log'} > /dev/null"
        peer = Figure(seconds(lambda: os.system(command), times=1) * 1000, "ms")
    yield Row("dashboard: regex filter, first results", Figure(statistics.median(firsts) * 1000, "ms"))
    yield Row(
        f"dashboard: regex filter over {EVENTS:,} events, counted",
        Figure(statistics.median(alls) * 1000, "ms"),
        "lnav -n" if peer is not None else "lnav: not installed",
        peer,
    )
    yield Row("dashboard: jump to a time", Figure(statistics.median(jumps) * 1000, "ms"))


def _follow(folder: Path) -> Iterator[Row]:
    """Lines that come at a rate: CPU a second, and a frame."""
    messages = [text for _, text in events_of(6000)]
    with new_store(folder / "store") as store, Terminal(_ours(folder / "store")) as terminal:
        store.append(GROUP, "s0", [(int(time.time() * 1000), "begun")])
        terminal.wait("begun")
        terminal.wait(READY)
        terminal.look(START_SECONDS)
        before = terminal.cpu
        until = time.monotonic()
        each = FOLLOW_RATE // 100
        for number in range(FOLLOW_SECONDS * 100):
            now = int(time.time() * 1000)
            store.append(
                GROUP, "s0", [(now, messages[(number * each + n) % len(messages)]) for n in range(each)]
            )
            until += 0.01
            terminal.look(max(until - time.monotonic(), 0))
        ours = (terminal.cpu - before) / FOLLOW_SECONDS
        terminal.look(1)
        # A frame's own cost: few lines, drawn as they come.
        before, frames = terminal.cpu, terminal.frames
        for number in range(FOLLOW_SECONDS * 10):
            now = int(time.time() * 1000)
            store.append(GROUP, "s0", [(now, messages[(number * 5 + n) % len(messages)]) for n in range(5)])
            terminal.look(0.1)
        frame = (terminal.cpu - before) / max(terminal.frames - frames, 1)
    file = folder / "follow.log"
    for name, command in _peers(file).items():
        file.write_text("begun\n")
        peer = None
        if command is not None:
            with suppress(TimeoutError), Terminal(command) as terminal, file.open("a") as out:
                terminal.wait("begun")
                terminal.look(START_SECONDS)
                before = terminal.cpu
                until = time.monotonic()
                for number in range(FOLLOW_SECONDS * 100):
                    each = FOLLOW_RATE // 100
                    out.writelines(f"{messages[(number * each + n) % len(messages)]}\n" for n in range(each))
                    out.flush()
                    until += 0.01
                    terminal.look(max(until - time.monotonic(), 0))
                peer = Figure((terminal.cpu - before) / FOLLOW_SECONDS * 1000, "ms")
        yield Row(
            f"dashboard: follow {FOLLOW_RATE:,} lines/s: CPU a second",
            Figure(ours * 1000, "ms"),
            name if peer is not None else f"{name}: not installed",
            peer,
        )
    yield Row("dashboard: follow 50 lines/s: CPU a frame, all else with it", Figure(frame * 1000, "ms"))


def _failures(folder: Path) -> Iterator[Row]:
    """Many letters grouped while a key is answered."""
    with connect(f"disk:{folder / 'store'}") as cloud:
        function(cloud, folder / "code")
        letters(cloud, LETTERS)
    with Terminal(_ours(folder / "store")) as terminal:
        terminal.wait(READY)
        terminal.press("3")
        begin = time.monotonic()
        opened = terminal.wait("reading|failures in")
        slowest = 0.0
        while not (done := f"{LETTERS:,} failures" in terminal.text) and time.monotonic() - begin < 120:
            asked = time.monotonic()
            terminal.press("?")
            terminal.wait("keys")
            slowest = max(slowest, time.monotonic() - asked)
            terminal.press("\x1b")
            terminal.look(0.15)
        if not done:
            raise TimeoutError("the failures were never shown")
        yield Row(f"dashboard: {LETTERS:,} failures grouped", Figure(time.monotonic() - begin, "s"))
        yield Row(
            "dashboard: the screen of failures opened, just after the start", Figure(opened * 1000, "ms")
        )
        yield Row("dashboard: a key meanwhile, the slowest", Figure(slowest * 1000, "ms"))


def benches() -> list[Bench]:
    """All of the dashboard."""
    return [
        Bench("dashboard: first paint", _first_paint),
        Bench("dashboard: a large group", _million),
        Bench("dashboard: follow", _follow),
        Bench("dashboard: failures", _failures),
    ]
