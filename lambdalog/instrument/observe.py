"""One handler, observed: where each of its invocations begins and ends, in whatever way it runs on.

What is ours may fail, but never into the handler: each step is guarded, and told once.
"""

from __future__ import annotations

import threading
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Final

from lambdalog.instrument.deadline import Watchdog, lead
from lambdalog.instrument.invocation import CURRENT
from lambdalog.instrument.levels import DEBUG
from lambdalog.instrument.loop import Loop
from lambdalog.instrument.report import Report
from lambdalog.instrument.shipping import flush_shippers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from lambdalog.instrument.invocation import Invocation
    from lambdalog.instrument.logger import Logger
    from lambdalog.instrument.options import Options

WATCHDOG: Final = Watchdog()
_NUMBERS: Final = frozenset({int, float})


class Observer:
    """Observes the invocations of one handler."""

    def __init__(
        self,
        name: str,
        options: Options,
        *,
        watchdog: Watchdog = WATCHDOG,
        chance: Callable[[], float] | None = None,
        log: Logger | None = None,
    ) -> None:
        self.options = options
        self._watchdog = watchdog
        self._chance = chance
        self.loop = Loop()
        # Imported by whoever has them, once: an import statement that finds its module costs as much as a small step.
        self._find: Any = None
        self._ring: Any = None
        if options.correlation:
            from lambdalog.instrument.correlation import find

            self._find = find
        if options.debug_ring:
            from lambdalog.instrument.ring import Ring

            self._ring = Ring
        self.report = Report(name, options, log)

    def run(self, call: Callable[[], Any], event: Any, context: Any, finish: Any = None) -> Any:
        """Call a handler and observe it, to the end of what it answers: a generator runs on after it.

        `finish` gets the invocation at its begin, and gives what is to be called at its end.
        """
        __tracebackhide__ = True  # see the decorator
        invocation, number = self._begin(event, context, finish)
        if invocation is None:
            return call()
        done = False
        try:
            result = call()
            kind = type(result)
            if kind is CoroutineType:
                result = self._drive(result, invocation, number, event)
                done = type(result) is CoroutineType
                return result
            if kind is GeneratorType:
                done = True
                self._pause(invocation, number)
                return self._stream(result, invocation, event)
            if kind is AsyncGeneratorType:
                done = True
                self._pause(invocation, number)
                return self._stream_async(result, invocation, event)
            self.report.answered(result, invocation, event)
        except BaseException as error:
            if not self.report.failed(error, invocation, event):
                raise
            return None
        else:
            return result
        finally:
            if not done:
                self._end(invocation, number)

    # --- the ways in which a handler may run on

    def _drive(self, coroutine: Any, invocation: Invocation, number: int | None, event: Any) -> Any:
        """Run a coroutine to its end; where an event loop runs already, a coroutine for it."""
        import asyncio

        # Keys of a block belong to the task that set them.
        invocation.thread = 0
        if asyncio._get_running_loop() is not None:  # noqa: SLF001 - the one that doesn't raise
            self._pause(invocation, number)
            return self._awaited(coroutine, invocation, event)
        result = self.loop.run(self._known(coroutine, invocation))
        self.report.answered(result, invocation, event)
        return result

    @staticmethod
    async def _known(coroutine: Any, invocation: Invocation) -> Any:
        invocation.coroutine = coroutine
        return await coroutine

    async def _awaited(self, coroutine: Any, invocation: Invocation, event: Any) -> Any:
        number = self._resume(invocation, event)
        try:
            result = await self._known(coroutine, invocation)
            self.report.answered(result, invocation, event)
        except BaseException as error:
            if not self.report.failed(error, invocation, event):
                raise
            return None
        else:
            return result
        finally:
            self._end(invocation, number)

    def _stream(self, generator: Any, invocation: Invocation, event: Any) -> Generator[Any, Any, Any]:
        number = self._resume(invocation, event)
        try:
            result = yield from generator
            self.report.answered(result, invocation, event)
        except GeneratorExit:
            # Whoever reads has had enough; that is no failure.
            raise
        except BaseException as error:
            if not self.report.failed(error, invocation, event):
                raise
            return None
        else:
            return result
        finally:
            self._end(invocation, number)

    async def _stream_async(
        self, generator: Any, invocation: Invocation, event: Any
    ) -> AsyncGenerator[Any, Any]:
        number = self._resume(invocation, event)
        try:
            invocation.thread = 0
            invocation.coroutine = generator
            step = generator.__anext__()
            while True:
                try:
                    part = await step
                except StopAsyncIteration:
                    return
                # What `yield from` does: whoever reads may send, throw and close, and the handler gets it.
                try:
                    step = generator.asend((yield part))
                except GeneratorExit:
                    await generator.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001 - the handler's to judge
                    step = generator.athrow(error)
        except GeneratorExit:
            raise
        except BaseException as error:
            if not self.report.failed(error, invocation, event):
                raise
        finally:
            self._end(invocation, number)

    # --- begin and end

    def _begin(self, event: Any, context: Any, finish: Any) -> tuple[Invocation | None, int | None]:
        invocation, number = None, None
        try:
            invocation = CURRENT.begin(context)
            options = self.options
            if finish is not None:
                invocation.finish = finish(invocation)
            if self._find is not None:
                found = self._find(event, options.correlation)
                if found is not None:
                    invocation.fields["correlationId"] = found
            if options.sample and self._sampled(options.sample):
                invocation.floor = DEBUG
                invocation.fields["sampled"] = True
            elif self._ring is not None:
                invocation.ring = self._ring(options.debug_ring)
            if options.timeout_warning and invocation.remaining is not None:
                number = self._arm(invocation, event)
        except Exception as error:  # noqa: BLE001 - ours, and none of the handler's
            self.report.own_failure("begin an invocation", error)
        return invocation, number

    def _sampled(self, share: float) -> bool:
        if self._chance is None:
            from random import random

            self._chance = random
        return self._chance() < share

    def _pause(self, invocation: Invocation, number: int | None) -> None:
        """What was answered may run on later, or never: until it does, no invocation runs."""
        if number is not None:
            self._watchdog.disarm(number)
        CURRENT.leave(invocation)

    def _resume(self, invocation: Invocation, event: Any) -> int | None:
        """It runs on, in whatever thread."""
        try:
            CURRENT.enter_again(invocation)
            if self.options.timeout_warning and invocation.remaining is not None:
                return self._arm(invocation, event)
        except Exception as error:  # noqa: BLE001 - ours, and none of the handler's
            self.report.own_failure("go on with an invocation", error)
        return None

    def _arm(self, invocation: Invocation, event: Any) -> int | None:
        left = invocation.remaining() if invocation.remaining is not None else 0
        # What stands in for a context in a test may say anything; a deadline that is none isn't watched.
        if type(left) not in _NUMBERS or left <= 0:
            return None
        remaining = left / 1000
        watchdog = self._watchdog
        at = watchdog.clock.monotonic() + remaining - lead(remaining, self.options.timeout_warning or 0)
        stuck, thread = self.report.stuck, threading.get_ident()
        return watchdog.arm(at, lambda: stuck(invocation, event, thread))

    def _end(self, invocation: Invocation, number: int | None) -> None:
        try:
            if number is not None:
                self._watchdog.disarm(number)
            finish = invocation.finish
            CURRENT.end(invocation)
            if finish is not None:
                finish()
            if self.options.flush is not None:
                flush_shippers(self.options.flush, invocation.remaining)
        except Exception as error:  # noqa: BLE001 - ours, and none of the handler's
            self.report.own_failure("end an invocation", error)
