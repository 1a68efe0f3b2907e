"""From a write in one process to the event in another."""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unittest import mock

from lambdalog.store import follow as module
from lambdalog.store.watch import Polling, new_watch
from tests.bench.harness import Bench, Figure, Row
from tests.bench.store_events import GROUP, STREAMS, T0, new_store, peak

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COUNT: Final = 1000
_WRITING: Final = """
import sys, time
from pathlib import Path
from lambdalog.store import LogStore
with LogStore(Path(sys.argv[1])) as store:
    for n in range(int(sys.argv[2])):
        now = time.time_ns()
        store.append("/aws/lambda/orders", "s0", [(now // 1_000_000, str(now))])
        time.sleep(0.003)
"""
_FOLLOWING: Final = """
import sys
from pathlib import Path
from lambdalog.store import LogStore
with LogStore(Path(sys.argv[1])) as store, store.follow(since=0) as follower:
    while follower.poll(0.2):
        pass
"""


def follow(folder: Path) -> Iterator[Row]:
    """Beside watchfiles, which says that a file has changed, and a poll of all files."""
    native = _latencies(folder / "a", new_watch)
    polled = _latencies(folder / "b", Polling)
    watched = _watchfiles(folder / "c")
    for name, share in (("p50", 0.50), ("p99", 0.99)):
        ours = _quantile(native, share)
        if watched is None:
            yield Row(f"follow latency, {name}", ours, "watchfiles: not installed")
        else:
            yield Row(f"follow latency, {name}", ours, "watchfiles", _quantile(watched, share))
        yield Row(f"follow latency, {name}", ours, "polling each 25 ms", _quantile(polled, share))
    yield Row(f"memory of a process that follows {STREAMS} streams", peak(_FOLLOWING, folder / "a"))


def _quantile(values: list[float], share: float) -> Figure:
    return Figure(statistics.quantiles(values, n=100)[round(share * 100) - 1] * 1000, "ms")


def _latencies(root: Path, watch: Callable[[], object]) -> list[float]:
    taken: list[float] = []
    with new_store(root, STREAMS) as store, mock.patch.object(module, "new_watch", watch):
        for number in range(STREAMS):
            store.append(GROUP, f"s{number}", [(T0, "already there")])
        with (
            store.follow() as follower,
            subprocess.Popen([sys.executable, "-c", _WRITING, str(root), str(COUNT)]) as process,
        ):
            while len(taken) < COUNT and (process.poll() is None or taken):
                events = follower.poll(1.0)
                now = time.time_ns()
                taken += [(now - int(event.message)) / 1e9 for event in events]
                if not events and process.poll() is not None:
                    break
    return taken


def _watchfiles(root: Path) -> list[float] | None:
    """How long until watchfiles, as it is by default, has said so, and what is new was read; for a second and a half."""
    try:
        import watchfiles
    except ImportError:
        return None
    taken: list[float] = []
    stop = threading.Event()
    with new_store(root, STREAMS) as store:
        live = store.layout.group(GROUP).live
        read: dict[str, int] = {}
        with subprocess.Popen([sys.executable, "-c", _WRITING, str(root), str(COUNT)]) as process:
            for changes in watchfiles.watch(live, stop_event=stop, rust_timeout=500, yield_on_timeout=True):
                for _, name in changes:
                    with Path(name).open("rb") as file:
                        file.seek(read.get(name, 0))
                        data = file.read()
                    now = time.time_ns()
                    whole = data[: data.rfind(b"\n") + 1]
                    read[name] = read.get(name, 0) + len(whole)
                    # The message is the time of writing, in quotes.
                    taken += [(now - int(line[41:-1].strip(b'"'))) / 1e9 for line in whole.split(b"\n")[:-1]]
                if len(taken) >= COUNT or (not changes and process.poll() is not None):
                    break
    return taken


def benches() -> list[Bench]:
    """What there is."""
    return [Bench("store.follow", follow)]
