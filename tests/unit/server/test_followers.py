"""Threads of which one leads: who does what, and that there is always one who does."""

from __future__ import annotations

import logging
import math
import socket
import threading
import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest

from lambdalog.server.followers import Followers
from lambdalog.waiting import aside, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Bench:
    """Followers, and what they are to do: `ask` has a thread of theirs do something, and returns."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.bell, _ = self.pair()
        self.due = math.inf
        self.tended = threading.Event()
        self.followers = Followers(lambda: min(self.due - time.monotonic(), 60.0), self._tend)
        self.followers.start()

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """Two ends of a connection."""
        here, there = socket.socketpair()
        self.stack.enter_context(here)
        self.stack.enter_context(there)
        return here, there

    def ask(self, what: Callable[[], object]) -> None:
        """Do it once."""
        here, there = self.pair()

        def call() -> None:
            here.recv(1)
            what()

        self.followers.watch(here.fileno(), call)
        there.send(b"x")

    def _tend(self) -> None:
        self.due = math.inf
        self.tended.set()


@pytest.fixture
def bench() -> Iterator[Bench]:
    """One that is ended."""
    with ExitStack() as stack:
        found = Bench(stack)
        yield found
        found.followers.end()


def test_one_thread_does_it_all(bench: Bench) -> None:
    """What doesn't wait is done by the same thread, one after the other."""
    threads: list[threading.Thread] = []
    done = threading.Semaphore(0)

    def note() -> None:
        threads.append(threading.current_thread())
        done.release()

    for _ in range(10):
        bench.ask(note)
        assert done.acquire(timeout=30)
    assert len(set(threads)) == 1


@pytest.mark.parametrize("say", [aside, int], ids=["says so", "says nothing"])
def test_who_waits_leads_no_more(bench: Bench, say: Callable[[], object]) -> None:
    """Another thread does what comes, and the one that has waited does the rest of its own."""
    go_on, did, ended = threading.Event(), threading.Event(), threading.Event()

    def wait() -> None:
        say()
        assert go_on.wait(30)
        ended.set()

    bench.ask(wait)
    bench.ask(did.set)
    assert did.wait(30)
    go_on.set()
    assert ended.wait(30)


def test_who_waits_for_a_descriptor_leads_meanwhile(bench: Bench) -> None:
    """Many wait in the midst of work; each goes on when its own can be read, in whatever order, however often."""
    ends = [bench.pair() for _ in range(10)]
    heard: list[int] = []
    done = threading.Semaphore(0)

    def wait(number: int) -> None:
        for _ in range(3):
            while True:
                assert readable(ends[number][0].fileno(), 30)
                try:
                    ends[number][0].recv(1, socket.MSG_DONTWAIT)
                    break
                except BlockingIOError:
                    continue
        heard.append(number)
        done.release()

    for number in range(10):
        bench.ask(partial(wait, number))
    for _ in range(3):
        for number in reversed(range(10)):
            ends[number][1].send(b"x")
    for _ in range(10):
        assert done.acquire(timeout=30)
    assert sorted(heard) == list(range(10))


def test_what_was_begun_is_ended_in_turns_with_what_is_to_begin(bench: Bench) -> None:
    """Whoever has waited isn't kept waiting by those who come, nor the other way round."""
    pairs = [bench.pair() for _ in range(2)]
    waits, done = threading.Semaphore(0), threading.Semaphore(0)
    order: list[str] = []

    def wait(here: socket.socket) -> None:
        waits.release()
        assert readable(here.fileno(), 30)
        note("ended")

    def note(what: str) -> None:
        order.append(what)
        done.release()

    def make_all_ready() -> None:
        for _, there in pairs:
            bench.ask(partial(note, "begun"))
            there.send(b"x")

    for here, _ in pairs:
        bench.ask(partial(wait, here))
        assert waits.acquire(timeout=30)
    bench.ask(make_all_ready)
    for _ in range(4):
        assert done.acquire(timeout=30)
    assert order == ["ended", "begun"] * 2


def test_who_is_alone_waits_by_itself_once(bench: Bench) -> None:
    """From the second time in a row that the same is done; others are served all the same."""
    here, there = bench.pair()
    waited: list[bool] = []
    done = threading.Semaphore(0)

    def wait() -> None:
        here.recv(1)
        waited.extend(readable(bench.bell.fileno(), 0.001) for _ in range(3))
        done.release()

    bench.followers.watch(here.fileno(), wait)
    for _ in range(2):
        there.send(b"x")
        assert done.acquire(timeout=30)
    bench.ask(done.release)
    assert done.acquire(timeout=30)
    there.send(b"x")
    assert done.acquire(timeout=30)
    assert waited == [True, True, True, False, True, True, True, True, True]


def test_who_is_alone_finds_what_is_there_by_then(bench: Bench) -> None:
    """One that is answered at once need not wait by itself, be it alone or not."""
    here, there = bench.pair()
    answer, function = bench.pair()
    waited: list[bool] = []
    done = threading.Semaphore(0)

    def wait() -> None:
        here.recv(1)
        waited.append(readable(answer.fileno(), 30))
        answer.recv(1)
        done.release()

    bench.followers.watch(here.fileno(), wait)
    for _ in range(4):
        function.send(b"x")
        there.send(b"x")
        assert done.acquire(timeout=30)
    assert waited == [True] * 4


def test_a_wait_has_an_end(bench: Bench) -> None:
    """Whoever leads meanwhile, or another."""
    done = threading.Semaphore(0)

    def wait() -> None:
        here, _ = bench.pair()
        for _ in range(3):
            assert readable(here.fileno(), 0.01)
        done.release()

    for _ in range(5):
        bench.ask(wait)
    for _ in range(5):
        assert done.acquire(timeout=30)


def test_what_is_due_is_done_while_somebody_waits(bench: Bench) -> None:
    """A leader that waits in the midst of work lets another one tend."""
    stop, ended = threading.Event(), threading.Event()

    def wait() -> None:
        here, _ = bench.pair()
        while not stop.is_set():
            readable(here.fileno(), 0.005)
        ended.set()

    bench.ask(wait)
    bench.due = time.monotonic() + 0.05
    bench.followers.ring()
    assert bench.tended.wait(30)
    stop.set()
    assert ended.wait(30)


def test_what_fails_is_logged_and_the_next_is_done(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """There is always one who leads."""
    done = threading.Event()

    def fail() -> None:
        raise ValueError("this one")

    with caplog.at_level(logging.ERROR):
        bench.ask(fail)
        bench.ask(done.set)
        assert done.wait(30)
    assert "this one" in caplog.text


def test_a_long_rest_is_ended_by_work(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever watches the leader sleeps while there is nothing to do, and is there when somebody takes long."""
    monkeypatch.setattr("lambdalog.server.followers._LOOKS", 0)
    while not bench.followers._asleep:
        time.sleep(0.001)
    test_who_waits_leads_no_more(bench, int)


def test_an_end_ends_the_threads(bench: Bench) -> None:
    """All that lead or rest; one that waits in the midst of work ends when that does."""
    here, there = bench.pair()
    waits, ended = threading.Event(), threading.Event()

    def wait() -> None:
        waits.set()
        while not ended.is_set():
            if not readable(here.fileno(), 0.005):
                ended.wait(0.005)

    bench.ask(wait)
    assert waits.wait(30)
    bench.followers.end()
    ended.set()
    there.send(b"x")
    for thread in threading.enumerate():
        if thread.name in {"lambdalog-connection", "lambdalog-lead"}:
            thread.join(30)
            assert not thread.is_alive()


def test_what_nobody_waits_for_any_more_keeps_nobody_busy(bench: Bench) -> None:
    """A descriptor that can be read after its thread gave up waiting is told of once, not again and again."""
    here, there = bench.pair()
    done = threading.Event()

    def wait_in_vain() -> None:
        readable(here.fileno(), 0.01)
        done.set()

    bench.ask(wait_in_vain)
    assert done.wait(30)
    there.send(b"x")
    looks = 0
    left = bench.followers._left

    def count() -> float:
        nonlocal looks
        looks += 1
        return left()

    bench.followers._left = count
    bench.followers.ring()
    assert not bench.tended.wait(0.2)
    assert looks < 50
