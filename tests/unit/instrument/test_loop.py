"""The loop that a function's coroutines run on."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TYPE_CHECKING

import pytest

from lambdalog.instrument.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE: ContextVar[str] = ContextVar("variable")


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop that is let go of."""
    found = Loop()
    yield found
    found.close()


async def which() -> tuple[asyncio.AbstractEventLoop, str]:
    """The loop that runs this, and the variable's value."""
    await asyncio.sleep(0)
    return asyncio.get_running_loop(), VARIABLE.get("none")


def test_the_main_threads_coroutines_share_a_loop(loop: Loop) -> None:
    """One after the other, each with its caller's context; after close there is another."""
    VARIABLE.set("set")
    first, value = loop.run(which())
    assert value == "set"
    assert loop.run(which())[0] is first
    loop.close()
    assert first.is_closed()
    assert loop.run(which())[0] is not first


def test_another_thread_has_a_loop_of_its_own(loop: Loop) -> None:
    """Which ends with its coroutine."""
    first, _ = loop.run(which())
    with ThreadPoolExecutor(1) as pool:
        other, _ = pool.submit(loop.run, which()).result()
    assert other is not first
    assert other.is_closed()


def test_where_a_loop_runs_it_is_not_disturbed(loop: Loop) -> None:
    """A plain call from within a coroutine gets its answer, from a loop of its own, in the caller's context."""

    async def within() -> None:
        VARIABLE.set("within")
        other, value = loop.run(which())
        assert other is not asyncio.get_running_loop()
        assert value == "within"

    asyncio.run(within())


def test_what_a_coroutine_raises_comes_out(loop: Loop) -> None:
    """The loop goes on after it."""

    async def fail() -> None:
        raise ValueError("no")

    first, _ = loop.run(which())
    with pytest.raises(ValueError, match="no"):
        loop.run(fail())
    assert loop.run(which())[0] is first
