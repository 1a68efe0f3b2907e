"""Which invocation a line belongs to."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from lambdalog.instrument.invocation import Invocations
from tests.unit.instrument.heard import Context

if TYPE_CHECKING:
    import pytest


def in_thread(work: Any) -> Any:
    """What `work` gives in a thread of its own."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_an_invocation_has_its_contexts_keys() -> None:
    """Request id, function, version, and whether the environment is new; nothing is there afterwards."""
    running = Invocations()
    first = running.begin(Context())
    assert first.fields == {"requestId": "req-1", "function": "orders", "version": "7", "coldStart": True}
    assert running.current() is first
    running.end(first)
    assert running.current() is None
    second = running.begin(None)
    assert (second.fields["requestId"], second.fields["coldStart"]) == (None, False)
    running.end(second)


def test_a_context_may_be_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that lacks things, or fails at being asked, tells what it can; the environment tells the rest."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "of-the-environment")

    class Partly:
        """Has no function, and won't say its version."""

        aws_request_id = "req-1"

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(name) if name == "function_name" else RuntimeError(name)

    running = Invocations()
    for context, request in ((Partly(), "req-1"), (None, None), ("a text", None)):
        started = running.begin(context)
        assert (started.fields["requestId"], started.fields["version"]) == (request, None)
        assert started.fields["function"] == "of-the-environment"
        assert started.remaining is None
        running.end(started)


def test_a_foreign_thread_has_the_only_invocation() -> None:
    """Pool threads have no context variable: with one invocation it is that one, with two it is nobody's."""
    running = Invocations()
    assert in_thread(running.current) is None
    first = running.begin(Context())
    assert in_thread(running.current) is first
    assert in_thread(running.mine) is None

    def second() -> Any:
        other = running.begin(Context(request_id="req-2"))
        return other, running.current(), in_thread(running.current)

    other, own, foreign = in_thread(second)
    assert own is other
    assert foreign is None
    assert running.current() is first
    running.end(other)
    assert in_thread(running.current) is first
    running.end(first)


def test_an_invocation_that_is_over_is_nobodys() -> None:
    """A task that outlives its invocation writes the next one's lines, not the last one's."""
    running = Invocations()

    async def late() -> Any:
        first = running.begin(Context())
        waiting = asyncio.Event()

        async def task() -> Any:
            await waiting.wait()
            return running.current()

        found = asyncio.create_task(task())
        await asyncio.sleep(0)
        running.end(first)
        waiting.set()
        return await found

    assert asyncio.run(late()) is None


def test_blocks_of_tasks_do_not_meet() -> None:
    """Two tasks in blocks of their own, in turns: each has its own keys."""
    running = Invocations()
    seen: list[Any] = []

    async def work(name: str) -> None:
        leave = running.enter({"task": name})
        for _ in range(3):
            await asyncio.sleep(0)
            seen.append((name, (running.block() or {}).get("task")))
        leave()

    async def both() -> None:
        started = running.begin(Context())
        started.thread = 0
        await asyncio.gather(work("a"), work("b"))
        running.end(started)

    asyncio.run(both())
    assert len(seen) == 6
    assert all(name == found for name, found in seen)


def test_foreign_threads_may_ask_while_invocations_come_and_go() -> None:
    """Whatever begins and ends meanwhile, a pool's thread gets one that runs, or none; nothing is left in the end."""
    running = Invocations()
    over = threading.Event()
    asked: list[Any] = []

    def ask() -> None:
        # What it raises fails the test: pytest tells of a thread's exception.
        while not over.is_set():
            asked.append(running.current())

    def serve() -> None:
        for _ in range(500):
            running.end(running.begin(Context()))

    asking = threading.Thread(target=ask)
    serving = [threading.Thread(target=serve) for _ in range(3)]
    for thread in [asking, *serving]:
        thread.start()
    for thread in serving:
        thread.join()
    over.set()
    asking.join()
    assert asked
    assert in_thread(running.current) is None
