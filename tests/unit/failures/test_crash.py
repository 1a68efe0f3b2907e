"""Replays that are killed at any point, several at once; and what a power cut leaves of the journal."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lambdalog.failures import Explained
from lambdalog.failures.journal import Change, Journal
from lambdalog.failures.ledger import FILE, Ledger
from lambdalog.failures.letter import Letter

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.failures.journal import Item, State

# Children are forked by a process that has opened nothing; each opens the store for itself.
DRIVER = """
import json, os, random, signal, sys, time, traceback
import lambdalog.local.sqs, lambdalog.local.lambda_, lambdalog.local.logs
from lambdalog.cloud import connect
from lambdalog.errors import ReplayError
from lambdalog.failures import Desk, Destination, Pace

store, seed, count, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
chance = random.Random(seed)

def forked(work):
    pid = os.fork()
    if pid == 0:
        try:
            with connect(store) as cloud, Desk(cloud) as desk:
                work(cloud, desk)
            os._exit(0)
        except ReplayError:
            os._exit(0)  # the other child is still dying
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return pid

def ended(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def begin(cloud, desk):
    sqs = cloud.client("sqs")
    for name in ("dead", "out"):
        sqs.create_queue(QueueName=name)
    url = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
    for number in range(count):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(number))
    planned = desk.plan("dead", destination=Destination("queue", "out"))
    # The same messages, decided on twice: the runs have to share them.
    runs = [desk.begin(planned, pace=Pace(rate=float(chance.choice((400, 2000))))) for _ in range(2)]
    with open(sys.argv[5], "w") as file:
        json.dump([run.id for run in runs], file)

assert ended(forked(begin)) == 0
with open(sys.argv[5]) as file:
    runs = json.load(file)
for _ in range(rounds):
    children = [forked(lambda cloud, desk, run=run: desk.run(run)) for run in runs]
    time.sleep(chance.uniform(0, 0.12))
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        assert ended(child) in {0, -signal.SIGKILL}
for run in runs:
    assert ended(forked(lambda cloud, desk: desk.run(run))) == 0

def tell(cloud, desk):
    sqs = cloud.client("sqs")
    bodies = {
        name: [looked.body for looked in sqs.browse_messages(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])]
        for name in ("dead", "out")
    }
    states = [[item.state for item in desk.items(run)] for run in runs]
    print(json.dumps({"states": states, **bodies}))
    sys.stdout.flush()

assert ended(forked(tell)) == 0
"""


def killed(folder: Path, seed: int, count: int, rounds: int) -> None:
    """Two runs over the same messages, killed again and again: none lost, none sent twice, all accounted for."""
    arguments = [f"disk:{folder / 'store'}", str(seed), str(count), str(rounds), str(folder / "runs")]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    dead, out = list(map(json.loads, told["dead"])), list(map(json.loads, told["out"]))
    assert len(out) == len(set(out)), "sent twice"
    assert set(dead) | set(out) == set(range(count)), "lost"
    for number in range(count):
        states = {items[number] for items in told["states"]}
        if number in out and number in dead:
            # Sent, and not deleted before the kill: that is in doubt, and said.
            assert "in-doubt" in states
        elif number in out:
            assert states & {"acked", "in-doubt"}
        else:
            assert states <= {"gone", "in-doubt"}
    doubtful = sum(items.count("in-doubt") for items in told["states"])
    # A kill leaves no more in doubt than what was being sent at once.
    assert doubtful <= 2 * 10 * rounds


def test_replays_killed_at_any_point_lose_nothing_and_send_nothing_twice(tmp_path: Path) -> None:
    """A short run."""
    killed(tmp_path, seed=random.randrange(1 << 30), count=60, rounds=6)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(40))
def test_replays_killed_at_any_point_for_long(tmp_path: Path, seed: int) -> None:
    """A long run, more messages and more kills."""
    killed(tmp_path, seed, count=300, rounds=25)


def cut(root: Path, folder: Path, safe: int, chance: random.Random) -> Journal:
    """The journal as a power cut leaves it: of what was not synced there is a part, some of it rubbish."""
    folder.mkdir()
    shutil.copy(root / FILE, folder / FILE)
    log = bytearray((root / f"{FILE}-wal").read_bytes())
    del log[chance.randint(safe, len(log)) :]
    for place in range(safe, len(log)):
        if chance.random() < 0.3:
            log[place] = chance.randrange(256)
    (folder / f"{FILE}-wal").write_bytes(log)
    return Journal(Ledger(folder))


@pytest.mark.parametrize("seed", range(3))
def test_a_power_cut_keeps_what_the_journal_answered_for(tmp_path: Path, seed: int) -> None:
    """Between the write and the sync of a step the files are copied and cut: each earlier step is there, whole."""
    chance = random.Random(seed)
    ledger = Ledger(tmp_path)
    journal = Journal(ledger)
    letters = [
        Explained(Letter(f"m-{number}", "q", "message", "x", "x", number), "T", "m", "f")
        for number in range(5)
    ]
    run = journal.begin("replay", "q", [(letter, None) for letter in letters], now=0)
    # Each commit waits for the disk: 2 is FULL.
    assert ledger.db.execute("PRAGMA synchronous").fetchone() == (2,)
    items = journal.items(run.id)
    states: list[State] = ["planned"] * len(items)
    for step in range(12):
        safe = (tmp_path / f"{FILE}-wal").stat().st_size
        item: Item = items[chance.randrange(len(items))]
        before = list(states)
        state: State = chance.choice(["leased", "failed", "gone"])
        journal.advance(run, [Change(item, state)], step)
        states[item.position] = state
        left = cut(tmp_path, tmp_path / f"cut-{step}", safe, chance)
        found = [one.state for one in left.items(run.id)]
        assert found in {tuple(before): before, tuple(states): states}.values()
        assert left.ledger.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        left.ledger.close()
    ledger.close()
