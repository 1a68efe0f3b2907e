"""The shipper where processes fork, are signalled, leave, and are killed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lambdalog.cloud import connect
from lambdalog.shipper import Spool
from lambdalog.shipper.shipper import Shipper
from tests.unit.shipper.program import BEGIN, FORKS, messages, run

if TYPE_CHECKING:
    from pathlib import Path


def test_a_forked_child_sends_its_own_events_alone(tmp_path: Path) -> None:
    """What waited at fork() is the parent's; the child ships what it puts itself, with a ledger of its own."""
    done = run(FORKS, tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(messages(tmp_path)) == ["child's", "parent's"]


def test_an_exit_without_close_sends_what_waits(tmp_path: Path) -> None:
    """A program that ends without a word loses nothing, after an exception and with events from exit handlers too."""
    done = run(
        """
import atexit
atexit.register(lambda: shipper.put("last words"))
shipper.put("a")
raise SystemExit(3)
""",
        tmp_path,
    )
    assert done.returncode == 3, done.stderr
    assert sorted(messages(tmp_path)) == ["a", "last words"]


def test_a_multiprocessing_child_sends_what_waits(tmp_path: Path) -> None:
    """It leaves by os._exit(), without exit handlers: multiprocessing's own finalizers are used."""
    done = run(
        """
import multiprocessing
def work():
    shipper.put("child's")
found = multiprocessing.get_context("fork").Process(target=work)
found.start()
found.join()
assert found.exitcode == 0
""",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert messages(tmp_path) == ["child's"]


def test_a_signals_handler_may_put(tmp_path: Path) -> None:
    """Signals that break in upon put() at any point, and put themselves: no deadlock, and every event is there once."""
    done = run(
        """
from lambdalog.shipper import shipper as module
import signal
count, over = 0, False
def handler(*_):
    global count
    count += 1
    shipper.put(f"signal {count}")
    # Set again only now: on a busy machine a put may take longer than the timer, and a handler would break into itself
    # until the stack is full.
    if not over:
        signal.setitimer(signal.ITIMER_REAL, 0.0005)
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0005)
for number in range(20_000):
    shipper.put(f"main {number}")
over = True
signal.setitimer(signal.ITIMER_REAL, 0)
shipper.flush(100)
ledger = shipper.ledger
assert count > 3
assert ledger.accepted == ledger.delivered == 20_000 + count, (count, ledger)
print(count)
""",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    found = messages(tmp_path)
    assert len(found) == len(set(found)) == 20_000 + int(done.stdout)


def test_threads_lose_nothing(tmp_path: Path) -> None:
    """Eight threads put and flush at once: each event is there once."""
    done = run(
        """
def work(name):
    for number in range(500):
        shipper.put(f"{name} {number}")
        if number % 100 == 0:
            shipper.flush(60)
threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
shipper.close(60)
assert shipper.ledger.accepted == shipper.ledger.delivered == 4000, shipper.ledger
""",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(messages(tmp_path)) == sorted(
        f"{name} {number}" for name in range(8) for number in range(500)
    )


KILLED = """
import random, itertools
class Shaky:
    def __getattr__(self, name): return getattr(cloud.logs, name)
    def put_log_events(self, **params):
        if random.random() < 0.5: raise ConnectionResetError("reset")
        return cloud.logs.put_log_events(**params)
shaky = Shipper(Shaky(), group="g", stream="s", spool=spool, interval=0.001)
for number in itertools.count():
    for part in range(random.randrange(20)):
        shaky.put(f"{number} {part}")
        print(json.dumps(["put", f"{number} {part}"]), flush=True)
    shaky.flush(random.random() / 100)
    print(json.dumps(["flushed"]), flush=True)
"""


def killed(folder: Path, lines: int) -> None:
    """Kill a shipping process when it has said so many lines; nothing that a flush acknowledged may be missing."""
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN + KILLED, str(folder / "store"), str(folder / "spool")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    put: list[str] = []
    acknowledged: list[str] = []
    for count, line in enumerate(process.stdout):
        what, *text = json.loads(line) if line.endswith("\n") else ["torn"]
        put += text
        if what == "flushed":
            acknowledged = list(put)
        if count == lines:
            process.kill()
    process.wait()
    process.stdout.close()
    with connect(f"disk:{folder / 'store'}") as cloud:
        later = Shipper(cloud.logs, group="g", stream="s", spool=folder / "spool", threaded=False)
        while len(Spool(folder / "spool")):
            later.turn()
    assert set(acknowledged) <= set(messages(folder))
    assert not list((folder / "spool").glob("*.bad"))


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Whenever it hits: what flush() returned for is in the store, or in the spool, which the next shipper sends."""
    killed(tmp_path, random.randrange(100, 400))


@pytest.mark.long
@pytest.mark.parametrize("run_number", range(40))
def test_kill_9_many_times(run_number: int, tmp_path: Path) -> None:
    """The same at forty other moments."""
    killed(tmp_path, random.Random(run_number).randrange(20, 3000))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what is open")
def test_no_file_stays_open(tmp_path: Path) -> None:
    """Batches that went to the spool and out of it leave no descriptor behind."""
    done = run(
        """
class Down:
    def put_log_events(self, **_): raise ConnectionResetError
    def close(self): pass
down = Shipper(Down(), group="g", stream="s", spool=spool)
def opened(): return len(os.listdir("/proc/self/fd"))
down.put("x"); down.flush(0.01)
before = opened()
for number in range(20):
    down.put(str(number)); down.flush(0)
assert opened() <= before + 1, (before, opened())
assert down.ledger.spooled == 21
""",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert len(os.listdir(tmp_path / "spool")) == 21
