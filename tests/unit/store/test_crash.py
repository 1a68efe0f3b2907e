"""Killed at any moment, and all at once: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from lambdalog.store import Event, LogStore, Scan
from lambdalog.store.health import check, repair
from lambdalog.store.maintenance import maintain

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.store.follow import Follower

# Writes, closes, seals, packs and expires, and says what it was promised. Small limits, so that all of it happens often.
LIFE = """
import random, sys, time
from pathlib import Path
from lambdalog.store import LogStore, maintenance, seal, writer
from lambdalog.store.maintenance import maintain
root, first, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)
writer.SEGMENT_BYTES = 60_000
maintenance.SMALL_BYTES = 40_000
seal.frames.FRAME_BYTES = 16_384
store = LogStore(root)
store.create_group("g", retention_days=1)
for stream in "ab":
    store.create_stream("g", stream)
n = first
print("ready", flush=True)
while True:
    now = time.time_ns() // 1_000_000
    step = chance.random()
    if step < 0.8:
        texts = [f"{n + m} " + "x" * chance.randrange(4000) for m in range(10)]
        store.append("g", chance.choice("ab"), [(now, text) for text in texts])
        n += 10
        print(n, flush=True)
    elif step < 0.85:
        store.append("g", "a", [(now - 3 * 86_400_000, "expired")])
    elif step < 0.93:
        store.close()
    else:
        maintain(store, everything=chance.random() < 0.7)
"""


def live_and_die(root: Path, first: int, trial: int) -> int:
    """Let a process work on the store, kill it at a random moment; the first number it was not promised."""
    with subprocess.Popen(
        [sys.executable, "-c", LIFE, str(root), str(first), str(trial)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(random.Random(trial).random() * 0.25)  # the moment of death, not a wait for anything
        process.kill()
        promised = process.stdout.read().splitlines()
    return int(promised[-1]) if promised else first


def run_crashes(root: Path, trials: range) -> None:
    """Trial after trial on one store, which grows; read after each of them as it was left."""
    following = 0
    for trial in trials:
        first = following
        promised = live_and_die(root, first, trial)
        with LogStore(root) as store:
            numbers = sorted(int(event.message.split()[0]) for event in store.scan(Scan("g")))
            assert store.damage == []
            assert [damage for damage in check(store) if "cut the last line short" not in damage.what] == []
        # What was written but not promised before the end may be there, whole batches of it.
        assert numbers == list(range(len(numbers)))
        assert promised <= len(numbers)
        following = len(numbers)
    with LogStore(root) as store:
        list(repair(store))
        done = maintain(store)
        assert done.busy == 0
        assert list(check(store)) == []
        assert len(list(store.scan(Scan("g")))) == following
        layout = store.layout.group("g")
        assert list(layout.live.iterdir()) == []
        assert all(path.suffix == ".zst" for path in layout.sealed.iterdir())


def test_killed_at_any_moment(store_path: Path) -> None:
    """Kill -9 while writing, sealing, packing and expiring: every promised event is there once."""
    run_crashes(store_path, range(5))


@pytest.mark.long
@pytest.mark.parametrize("part", range(10))
def test_killed_at_any_moment_many_times(store_path: Path, part: int) -> None:
    """The same, three hundred times and more."""
    run_crashes(store_path, range(1000 + part * 35, 1035 + part * 35))


WRITER = """
import random, sys, time
from pathlib import Path
from lambdalog.store import LogStore, writer
writer.SEGMENT_BYTES = 200_000
root, name, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
chance = random.Random(name)
store = LogStore(root)
store.create_stream("g", name)
until = time.monotonic() + seconds
n = 0
while time.monotonic() < until:
    size = chance.randrange(1, 20)
    now = time.time_ns() // 1_000_000
    store.append("g", name, [(now, f"{name} {n + m} " + "x" * chance.randrange(500)) for m in range(size)])
    n += size
    if chance.random() < 0.01:
        store.close()
    time.sleep(0.002)
print(n)
"""


class Watcher(threading.Thread):
    """Follows the store until it is told to stop, and nothing comes any more."""

    def __init__(self, follower: Follower[Event]) -> None:
        super().__init__()
        self.follower = follower
        self.stop = threading.Event()
        self.events: list[Event] = []

    def run(self) -> None:
        """Collect what comes."""
        quiet = 0
        while quiet < 3:
            found = self.follower.poll(0.05)
            self.events += found
            quiet = quiet + 1 if self.stop.is_set() and not found else 0


def run_together(root: Path, seconds: float) -> None:
    """Four writers, three followers and upkeep at once."""
    with LogStore(root) as store:
        store.create_group("g")
        names = [f"w{n}" for n in range(4)]
        with store.follow() as one, store.follow() as two, store.follow(since=0) as three:
            watchers = [Watcher(follower) for follower in (one, two, three)]
            for watcher in watchers:
                watcher.start()
            writers = [
                subprocess.Popen(
                    [sys.executable, "-c", WRITER, str(root), name, str(seconds)], stdout=subprocess.PIPE
                )
                for name in names
            ]
            while any(writer.poll() is None for writer in writers):
                maintain(store)
                time.sleep(0.05)
            written = {
                name: int(writer.communicate()[0]) for name, writer in zip(names, writers, strict=True)
            }
            maintain(store)
            for watcher in watchers:
                watcher.stop.set()
            for watcher in watchers:
                watcher.join()
        assert all(written.values())
        for events in (*(watcher.events for watcher in watchers), list(store.scan(Scan("g")))):
            by_stream = defaultdict(list)
            for event in events:
                name, number, _ = event.message.split(" ", 2)
                assert name == event.stream
                by_stream[name].append(int(number))
            assert by_stream == {name: list(range(count)) for name, count in written.items()}
        assert store.damage == []


def test_writers_followers_and_upkeep_together(store_path: Path) -> None:
    """Four writers, three followers and a sealer at once: every event once, in order per stream."""
    run_together(store_path, 1.0)


@pytest.mark.long
def test_writers_followers_and_upkeep_together_for_a_minute(store_path: Path) -> None:
    """The same, for a minute."""
    run_together(store_path, 60.0)
