"""All kinds of handlers, observed: coroutines, generators, asynchronous generators."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.instrument.invocation import CURRENT
from tests.unit.instrument.heard import Context, Heard, observer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from lambdalog.instrument.logger import Logger
    from lambdalog.instrument.observe import Observer


def test_a_coroutine_is_run_to_its_end(heard: Heard, log: Logger) -> None:
    """In one event loop for all invocations, in the invocation's context, with its failure told."""
    loops = []

    async def work(fail: bool) -> str:
        loops.append(asyncio.get_running_loop())
        with log.block(part="a"):
            await asyncio.sleep(0)
            log.info("inside")
        if fail:
            raise ValueError("bad")
        return "done"

    watched = observer(heard)
    assert watched.run(lambda: work(False), {}, Context()) == "done"
    with pytest.raises(ValueError, match="bad"):
        watched.run(lambda: work(True), {}, Context())
    watched.loop.close()
    assert loops[0] is loops[1]
    assert [(line["message"], line["requestId"]) for line in heard.lines] == [
        ("inside", "req-1"),
        ("inside", "req-1"),
        ("ValueError: bad", "req-1"),
    ]
    assert heard.lines[0]["part"] == "a"
    assert CURRENT.current() is None


def test_in_a_running_loop_a_coroutine_is_handed_over(heard: Heard, log: Logger) -> None:
    """A test, or a server, awaits it; several at once keep their keys apart."""

    async def work(name: str) -> str:
        await asyncio.sleep(0)
        log.info(name)
        if name == "c":
            raise ValueError(name)
        return name

    async def several() -> list[Any]:
        watched = observer(heard)
        return await asyncio.gather(
            *(watched.run(lambda name=name: work(name), {}, Context(request_id=name)) for name in "abc"),  # type: ignore[misc]
            return_exceptions=True,
        )

    found = asyncio.run(several())
    assert found[:2] == ["a", "b"]
    assert isinstance(found[2], ValueError)
    assert all(line["requestId"] == line["message"] for line in heard.lines[:3])
    assert heard.lines[3]["requestId"] == "c"
    assert CURRENT.current() is None


def test_a_generators_invocation_lasts_as_long_as_it(heard: Heard, log: Logger) -> None:
    """Its lines and its failure are the invocation's; values, sent ones too, come through; the end is the end."""

    def stream(fail: bool) -> Iterator[Any]:
        log.info("first")
        yield 1
        log.info("second")
        yield 2
        if fail:
            raise ValueError("torn")

    watched = observer(heard)
    found = watched.run(lambda: stream(False), {}, Context())
    log.info("between")
    assert list(found) == [1, 2]
    with pytest.raises(ValueError, match="torn"):
        list(watched.run(lambda: stream(True), {}, Context()))
    assert [(line["message"], line.get("requestId")) for line in heard.lines] == [
        ("between", None),
        ("first", "req-1"),
        ("second", "req-1"),
        ("first", "req-1"),
        ("second", "req-1"),
        ("ValueError: torn", "req-1"),
    ]
    assert CURRENT.current() is None


def test_a_generator_that_nobody_reads_leaves_nothing_behind(heard: Heard) -> None:
    """Neither one that was never begun, nor one that was left in the midst."""

    def stream() -> Iterator[int]:
        yield 1
        yield 2

    watched = observer(heard)
    watched.run(stream, {}, Context())
    assert CURRENT.current() is None
    begun = watched.run(stream, {}, Context())
    assert next(begun) == 1
    begun.close()
    assert CURRENT.current() is None
    assert heard.lines == []


def test_an_asynchronous_generator_is_observed(heard: Heard, log: Logger) -> None:
    """A stream of coroutines has its lines and its failure told, and may be left in the midst."""

    async def stream(fail: bool) -> AsyncIterator[int]:
        log.info("first")
        yield 1
        if fail:
            raise ValueError("torn")
        yield 2

    async def read() -> list[Any]:
        watched = observer(heard)
        found: list[Any] = [part async for part in watched.run(lambda: stream(False), {}, Context())]
        try:
            async for part in watched.run(lambda: stream(True), {}, Context()):
                found.append(part)  # noqa: PERF401 - what came before the failure counts
        except ValueError as error:
            found.append(error)
        left = watched.run(lambda: stream(False), {}, Context())
        found.append(await anext(left))
        await left.aclose()
        return found

    found = asyncio.run(read())
    assert (found[:3], found[4]) == ([1, 2, 1], 1)
    assert [line["message"] for line in heard.lines] == ["first", "first", "ValueError: torn", "first"]
    assert CURRENT.current() is None


def test_a_reader_speaks_to_the_generator_itself(heard: Heard, log: Logger) -> None:
    """What is sent, thrown and closed reaches the handler, of either kind; what it fails with then is its failure."""

    def stream() -> Iterator[Any]:
        try:
            log.info("sent", value=(yield "ready"))
            yield "last"
        except KeyError as error:
            log.info("thrown", value=error.args[0])
            try:
                yield "caught"
            finally:
                log.info("closed")

    async def streaming() -> AsyncIterator[Any]:
        try:
            log.info("sent", value=(yield "ready"))
            yield "last"
        except KeyError as error:
            log.info("thrown", value=error.args[0])
            try:
                yield "caught"
            finally:
                await asyncio.sleep(0)
                log.info("closed")

    async def read() -> list[Any]:
        watched = observer(heard)
        one: Any = watched.run(streaming, {}, Context())
        found = [await one.asend(None), await one.asend("hello"), await one.athrow(KeyError("why"))]
        await one.aclose()
        other: Any = watched.run(streaming, {}, Context())
        await anext(other)
        with pytest.raises(ValueError, match="no such"):
            await other.athrow(ValueError("no such"))
        return found

    watched = observer(heard)
    one: Any = watched.run(stream, {}, Context())
    found = [one.send(None), one.send("hello"), one.throw(KeyError("why"))]
    one.close()
    other: Any = watched.run(stream, {}, Context())
    next(other)
    with pytest.raises(ValueError, match="no such"):
        other.throw(ValueError("no such"))
    expected = [("sent", "hello"), ("thrown", "why"), ("closed", None), ("ValueError: no such", None)]
    assert found == asyncio.run(read()) == ["ready", "last", "caught"]
    assert [(line["message"], line.get("value")) for line in heard.lines] == expected * 2
    assert CURRENT.current() is None


def test_an_asynchronous_generator_that_fails_at_being_closed_is_told(heard: Heard) -> None:
    """Being left is no failure; what its own end fails with is one."""

    async def stream() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            raise ValueError("no end")

    with pytest.raises(ValueError, match="no end"):
        asyncio.run(begun_and_left(observer(heard), stream))
    assert heard.line["message"] == "ValueError: no end"
    assert CURRENT.current() is None


def test_a_generator_that_yields_after_close_is_pythons_to_refuse(heard: Heard) -> None:
    """As it would be without a decorator: RuntimeError."""

    async def stream() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            yield 2

    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        asyncio.run(begun_and_left(observer(heard), stream))
    assert CURRENT.current() is None


async def begun_and_left(watched: Observer, stream: Callable[[], AsyncIterator[int]]) -> None:
    """Read one item of a handler's stream, and close it."""
    begun: Any = watched.run(stream, {}, Context())
    await anext(begun)
    await begun.aclose()
