"""The watchdog: it warns in time, once, and never into another invocation."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.instrument.deadline import Watchdog, lead, stack_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.clock import ManualClock


def saying(told: list[str], what: str) -> Callable[[], Callable[[], None]]:
    """A warning that only says its name."""
    return lambda: lambda: told.append(what)


@pytest.fixture
def watchdog(clock: ManualClock) -> Watchdog:
    """One without a thread: the test looks in its place."""
    return Watchdog(clock, threaded=False)


def test_it_warns_at_the_deadline_once(watchdog: Watchdog, clock: ManualClock) -> None:
    """Not before it, and not again."""
    told: list[str] = []
    number = watchdog.arm(5.0, saying(told, "a"))
    assert watchdog.look() == 5.0
    clock.advance(4.9)
    watchdog.look()
    assert told == []
    clock.advance(0.1)
    watchdog.look()
    watchdog.look()
    assert told == ["a"]
    watchdog.disarm(number)
    assert watchdog.look() == float("inf")


def test_what_is_armed_during_a_garbage_collection_disturbs_no_look(
    watchdog: Watchdog, clock: ManualClock
) -> None:
    """A finalizer may let another thread arm while the watchdog looks: it goes on, and warns of that one, too."""
    told: list[str] = []
    for _ in range(2000):
        watchdog.arm(100.0, saying(told, "a"))

    def collected(phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            watchdog.arm(100.0, saying(told, "b"))

    thresholds = gc.get_threshold()
    gc.callbacks.append(collected)
    try:
        gc.set_threshold(1)
        assert watchdog.look() == 100.0
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(collected)
    clock.advance(100.0)
    watchdog.look()
    assert told.count("a") == 2000
    assert "b" in told


def test_a_deadline_that_was_taken_back_is_silent(watchdog: Watchdog, clock: ManualClock) -> None:
    """An invocation that ended in time is not warned of, its successor by its own deadline."""
    told: list[str] = []
    watchdog.disarm(watchdog.arm(5.0, saying(told, "first")))
    watchdog.arm(9.0, saying(told, "second"))
    clock.advance(6.0)
    assert watchdog.look() == 9.0
    assert told == []
    clock.advance(3.0)
    watchdog.look()
    assert told == ["second"]


def test_an_invocation_that_ends_while_its_warning_is_made_is_not_warned_of(
    watchdog: Watchdog, clock: ManualClock
) -> None:
    """Making the warning takes time: whether the invocation still runs is asked again before it is written."""
    told: list[str] = []
    numbers: list[int] = []

    def slow() -> Callable[[], None]:
        # Here the invocation ends, and the next one begins.
        watchdog.disarm(numbers[0])
        watchdog.arm(100.0, saying(told, "next"))
        return lambda: told.append("late")

    numbers.append(watchdog.arm(1.0, slow))
    clock.advance(2.0)
    assert watchdog.look() == 100.0
    assert told == []


def test_taking_back_waits_for_a_warning_that_is_being_written() -> None:
    """Whoever takes a deadline back goes on when its warning is out: the next invocation's lines come behind it."""
    watchdog = Watchdog()
    told: list[str] = []
    writing, go_on = threading.Event(), threading.Event()

    def write() -> None:
        writing.set()
        go_on.wait(10)
        told.append("warning")

    number = watchdog.arm(time.monotonic(), lambda: write)
    assert writing.wait(10)

    def end() -> None:
        watchdog.disarm(number)
        told.append("end")

    ending = threading.Thread(target=end)
    ending.start()
    ending.join(0.02)
    assert told == []
    go_on.set()
    ending.join()
    assert told == ["warning", "end"]


def test_several_invocations_have_a_deadline_each(watchdog: Watchdog, clock: ManualClock) -> None:
    """Side by side in a local server's threads: each is warned of at its own time; one with nothing to say is passed."""
    told: list[str] = []
    for at, name in ((3.0, "c"), (1.0, "a"), (2.0, "b")):
        watchdog.arm(at, saying(told, name))
    watchdog.arm(1.5, lambda: None)
    for _ in range(3):
        clock.advance(1.0)
        watchdog.look()
    assert told == ["a", "b", "c"]


def test_one_thread_serves_all_invocations() -> None:
    """It is started by the first, woken by a nearer deadline, and there is no other."""
    watchdog = Watchdog()
    warned = threading.Event()
    far = [watchdog.arm(time.monotonic() + 1000, lambda: None) for _ in range(50)]
    near = watchdog.arm(time.monotonic() + 0.01, lambda: warned.set)
    assert warned.wait(10)
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("lambdalog-deadline") >= 1
    before = len(names)
    for number in [*far, near]:
        watchdog.disarm(number)
    assert watchdog.look() == float("inf")
    again = threading.Event()
    watchdog.arm(time.monotonic(), lambda: again.set)
    assert again.wait(10)
    assert len(threading.enumerate()) == before


def test_a_race_is_never_lost() -> None:
    """Thousands of invocations that end right at their deadline: no warning is written after its invocation's end."""
    watchdog = Watchdog()
    running: set[int] = set()
    wrong: list[int] = []

    def warning(name: int) -> Callable[[], Callable[[], None]]:
        return lambda: lambda: None if name in running else wrong.append(name)

    for name in range(2000):
        running.add(name)
        number = watchdog.arm(time.monotonic() + 0.00002, warning(name))
        for _ in range(name % 60):
            pass
        watchdog.disarm(number)
        running.discard(name)
    assert wrong == []


FORKED = """
import os, threading, time
from lambdalog.instrument.deadline import Watchdog
watchdog = Watchdog()
watchdog.arm(time.monotonic() + 1000, lambda: None)
pid = os.fork()
if pid == 0:
    warned = threading.Event()
    watchdog.arm(time.monotonic() + 0.01, lambda: warned.set)
    os._exit(0 if warned.wait(10) else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_a_forked_child_has_a_watchdog_too() -> None:
    """The thread stays behind at fork(); the child's first deadline starts another."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], check=False, timeout=30)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("remaining", "wanted", "expected"), [(900, 0.5, 0.5), (1.0, 0.5, 0.2), (0.1, 3, 0.02)]
)
def test_a_short_timeout_is_warned_of_later(remaining: float, wanted: float, expected: float) -> None:
    """With little time in all, a warning half a second ahead would come for what goes well."""
    assert lead(remaining, wanted) == pytest.approx(expected)


def test_a_stuck_threads_stack_is_told() -> None:
    """Its own, not that of whoever asks."""
    ready, release = threading.Event(), threading.Event()

    def stuck() -> None:
        ready.set()
        release.wait()

    thread = threading.Thread(target=stuck)
    thread.start()
    ready.wait()
    names = [frame.f_code.co_name for frame, _ in stack_of(thread.ident or 0)]
    release.set()
    thread.join()
    assert "stuck" in names
    assert "test_a_stuck_threads_stack_is_told" not in names
    assert stack_of(0) == []


def test_a_stuck_coroutines_stack_is_told() -> None:
    """What the coroutine awaits, down to the innermost one."""

    async def inner() -> None:
        await asyncio.sleep(100)

    async def outer() -> None:
        await inner()

    async def look() -> list[Any]:
        coroutine = outer()
        task = asyncio.create_task(coroutine)
        await asyncio.sleep(0)
        found = [frame.f_code.co_name for frame, _ in stack_of(0, coroutine)]
        task.cancel()
        return found

    assert asyncio.run(look())[:3] == ["outer", "inner", "sleep"]
