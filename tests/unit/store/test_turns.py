"""Turns to write: one after another between threads and processes, whoever dies, forks or has no file."""

from __future__ import annotations

import errno
import fcntl
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lambdalog.store import turns as module
from lambdalog.store.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 60
HOLDS = """
import sys, time
from pathlib import Path
from lambdalog.store.turns import Turns
def write():
    print("has it", flush=True)
    time.sleep(1000)
Turns(Path(sys.argv[1])).take(write)
"""
FORKS = """
import os, sys
from pathlib import Path
from lambdalog.store.turns import Turns
turns = Turns(Path(sys.argv[1]))
read, write = os.pipe()
def fork():
    child = os.fork()
    if not child:
        os.write(write, b"waits ")
        turns.take(os.write, write, b"child")
        os._exit(0)
    return child
def first():
    child = fork()
    said = os.read(read, 6)
    os.set_blocking(read, False)
    try:
        said += os.read(read, 5)
    except BlockingIOError:
        said += b"and "
    os.set_blocking(read, True)
    return child, said
child, said = turns.take(first)
os.waitpid(child, 0)
print((said + os.read(read, 5)).decode())
"""


def test_what_is_written_in_a_turn_is_returned(tmp_path: Path) -> None:
    """A turn gives what the call gives, raises what it raises, and is over after either."""
    turns = Turns(tmp_path / "lock")
    assert turns.take(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        turns.take(divmod, 7, 0)
    assert turns.take(divmod, 9, 2) == (4, 1)
    turns.close()
    assert turns.take(divmod, 5, 2) == (2, 1)
    turns.close()


def test_threads_take_turns(tmp_path: Path) -> None:
    """No two threads are ever in a turn at once."""
    turns = Turns(tmp_path / "lock")
    inside, most, count = 0, 0, 0

    def write() -> None:
        nonlocal inside, most, count
        inside += 1
        most = max(most, inside)
        count += 1
        time.sleep(0)  # whoever could come in would, now
        inside -= 1

    threads = [
        threading.Thread(target=lambda: [turns.take(write) for _ in range(200)], daemon=True)
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    turns.close()
    assert (most, count) == (1, 800)


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which has a turn and keeps it."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "has it\n"
        try:
            yield holder
        finally:
            holder.kill()


def test_who_dies_in_a_turn_hands_it_on(tmp_path: Path) -> None:
    """Another process waits for a turn that is held, and has its own as soon as the holder is killed."""
    path = tmp_path / "lock"
    turns = Turns(path)
    with held(path) as holder:
        done = threading.Event()
        waiting = threading.Thread(target=turns.take, args=(done.set,), daemon=True)
        waiting.start()
        assert not done.wait(0.1)
        holder.kill()
        assert done.wait(PATIENCE)
        waiting.join(PATIENCE)
    turns.close()


def test_who_is_stopped_in_a_turn_does_not_keep_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others write after a while, and then at once; as soon as the turn is handed on, they take turns again."""
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.1)
    path = tmp_path / "lock"
    turns = Turns(path)
    with held(path) as holder:
        holder.send_signal(signal.SIGSTOP)
        assert turns.take(divmod, 7, 2) == (3, 1)
        (left,) = (each for each in threading.enumerate() if each.name == "lambdalog-turn")
        monkeypatch.setattr(module, "PATIENCE_SECONDS", PATIENCE)
        assert turns.take(divmod, 9, 2) == (4, 1)
        assert left.is_alive()
        holder.kill()
        left.join(PATIENCE)
    assert turns.take(_is_free, path) is False
    assert _is_free(path)
    turns.close()


def _is_free(path: Path) -> bool:
    """Whether nobody has a turn."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_thread_whose_turn_does_not_end_does_not_keep_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does one of the same process."""
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.1)
    turns, begun, end = Turns(tmp_path / "lock"), threading.Event(), threading.Event()

    def write() -> None:
        begun.set()
        end.wait(PATIENCE)

    thread = threading.Thread(target=turns.take, args=(write,), daemon=True)
    thread.start()
    assert begun.wait(PATIENCE)
    assert turns.take(divmod, 7, 2) == (3, 1)
    assert not end.is_set()
    end.set()
    thread.join(PATIENCE)
    turns.close()


def test_a_forked_child_waits_for_its_parents_turn(tmp_path: Path) -> None:
    """It has a lock and a file of its own, though it was forked inside its parent's turn."""
    found = subprocess.run(
        [sys.executable, "-c", FORKS, str(tmp_path / "lock")],
        check=True,
        timeout=PATIENCE,
        capture_output=True,
        text=True,
    )
    assert found.stdout == "waits and child\n"


def test_without_a_file_to_lock_everybody_writes(tmp_path: Path) -> None:
    """Where the file can't be made, what guards the database is left to it."""
    assert Turns(tmp_path / "no folder" / "lock").take(divmod, 7, 2) == (3, 1)


def test_where_files_have_no_locks_everybody_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system that refuses to lock, as some of the network do, what guards the database is left to it."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(module, "flock", refuse)
    assert Turns(tmp_path / "lock").take(divmod, 7, 2) == (3, 1)
