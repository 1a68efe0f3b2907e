"""One handler, observed: its invocation's lines, its failures, its deadline, and what becomes of what can't succeed.

What is ours may fail, but never into the handler: each step is guarded, and told once.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Final

from lambdalog.instrument.deadline import Watchdog, lead
from lambdalog.instrument.invocation import CURRENT
from lambdalog.instrument.levels import DEBUG, ERROR, WARN
from lambdalog.instrument.logger import Logger
from lambdalog.instrument.output import STDOUT
from lambdalog.instrument.shipping import flush_shippers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator

    from lambdalog.instrument.invocation import Invocation
    from lambdalog.instrument.scrub import Scrubber

WATCHDOG: Final = Watchdog()


@dataclass(frozen=True, slots=True)
class Options:
    """What `@handler(…)` takes; see there."""

    permanent: tuple[type[BaseException], ...] = ()
    dead_letter: str | None = None
    timeout_warning: float | None = 0.5
    correlation: tuple[tuple[str | int, ...], ...] = ()
    sample: float = 0.0
    debug_ring: int = 0
    scrub: Scrubber | None = None
    capture_event: bool = True
    capture_locals: bool = True
    flush: float | None = 2.0


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
        self.name = name
        self.options = options
        self._watchdog = watchdog
        self._chance = chance
        # A failure is told at any level that is set.
        self._log = log or Logger({}, level=0)
        self._runner: Any = None
        self._told: set[str] = set()

    def run(self, call: Callable[[], Any], event: Any, context: Any, finish: Any = None) -> Any:
        """Call a handler and observe it, to the end of what it answers: a generator runs on after it.

        `finish` gets the invocation at its begin, and gives what is to be called at its end.
        """
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
            self._guard("tell an answer", self._answered, result, invocation, event)
        except BaseException as error:
            if not self._failed(error, invocation, event):
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
        import contextvars

        # Keys of a block belong to the task that set them.
        invocation.thread = 0
        if asyncio._get_running_loop() is not None:  # noqa: SLF001 - the one that doesn't raise
            self._pause(invocation, number)
            return self._awaited(coroutine, invocation, event)
        if threading.current_thread() is not threading.main_thread():
            with asyncio.Runner() as runner:
                result = runner.run(self._known(coroutine, invocation), context=contextvars.copy_context())
        else:
            if self._runner is None:
                import atexit

                # One loop for all invocations: what clients keep open for the next one lives in it.
                self._runner = asyncio.Runner()
                atexit.register(self.close)
            result = self._runner.run(self._known(coroutine, invocation), context=contextvars.copy_context())
        self._guard("tell an answer", self._answered, result, invocation, event)
        return result

    @staticmethod
    async def _known(coroutine: Any, invocation: Invocation) -> Any:
        invocation.coroutine = coroutine
        return await coroutine

    async def _awaited(self, coroutine: Any, invocation: Invocation, event: Any) -> Any:
        number = self._resume(invocation, event)
        try:
            result = await self._known(coroutine, invocation)
            self._guard("tell an answer", self._answered, result, invocation, event)
        except BaseException as error:
            if not self._failed(error, invocation, event):
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
            self._guard("tell an answer", self._answered, result, invocation, event)
        except GeneratorExit:
            # Whoever reads has had enough; that is no failure.
            raise
        except BaseException as error:
            if not self._failed(error, invocation, event):
                raise
            return None
        else:
            return result
        finally:
            self._end(invocation, number)

    async def _stream_async(self, generator: Any, invocation: Invocation, event: Any) -> AsyncIterator[Any]:
        number = self._resume(invocation, event)
        try:
            invocation.thread = 0
            invocation.coroutine = generator
            async for part in generator:
                yield part
        except GeneratorExit:
            await generator.aclose()
            raise
        except BaseException as error:
            if not self._failed(error, invocation, event):
                raise
        finally:
            self._end(invocation, number)

    def close(self) -> None:
        """Let go of the event loop, if there is one."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()

    # --- begin and end

    def _begin(self, event: Any, context: Any, finish: Any) -> tuple[Invocation | None, int | None]:
        invocation, number = None, None
        try:
            invocation = CURRENT.begin(context)
            options = self.options
            if finish is not None:
                invocation.finish = finish(invocation)
            if options.correlation:
                from lambdalog.instrument.correlation import find

                found = find(event, options.correlation)
                if found is not None:
                    invocation.fields["correlationId"] = found
            if options.sample and self._sampled(options.sample):
                invocation.floor = DEBUG
                invocation.fields["sampled"] = True
            elif options.debug_ring:
                from lambdalog.instrument.ring import Ring

                invocation.ring = Ring(options.debug_ring)
            if options.timeout_warning and invocation.remaining is not None:
                number = self._arm(invocation, event)
        except Exception as error:  # noqa: BLE001 - ours, and none of the handler's
            self.own_failure("begin an invocation", error)
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
            self.own_failure("go on with an invocation", error)
        return None

    def _arm(self, invocation: Invocation, event: Any) -> int | None:
        remaining = invocation.remaining() / 1000 if invocation.remaining is not None else 0
        if remaining <= 0:
            return None
        ahead = lead(remaining, self.options.timeout_warning or 0)
        thread = threading.get_ident()
        clock = self._watchdog.clock
        return self._watchdog.arm(
            clock.monotonic() + remaining - ahead, lambda: self._stuck(invocation, event, thread)
        )

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
            self.own_failure("end an invocation", error)

    # --- what is told

    def _stuck(self, invocation: Invocation, event: Any, thread: int) -> Callable[[], None] | None:
        """In the watchdog's thread: where the handler's thread is now; gives what writes it down."""
        try:
            from lambdalog.failure import from_stack
            from lambdalog.instrument.capture import stuck_keys
            from lambdalog.instrument.deadline import stack_of

            left = int(invocation.remaining()) if invocation.remaining is not None else 0
            message = f"about to time out: {left} ms left"
            keys = stuck_keys(
                lambda local: from_stack(
                    "Sandbox.Timedout", message, stack_of(thread, invocation.coroutine), local
                ),
                scrubber=self.options.scrub,
                local=self.options.capture_locals,
                event=self._shown(event),
                running=invocation,
            )
        except Exception as error:  # noqa: BLE001 - ours, and none of the handler's
            self.own_failure("warn of a deadline", error)
            return None
        return lambda: self._log.tell(WARN, message, keys, invocation)

    def _failed(self, error: BaseException, invocation: Invocation, event: Any) -> bool:
        """Tell a failure; whether it is permanent and its event is where it belongs, so that nobody tries again."""
        try:
            return self._told_failure(error, invocation, event)
        except Exception as own:  # noqa: BLE001 - ours, and none of the handler's
            self.own_failure("tell a failure", own)
            return False

    def _told_failure(self, error: BaseException, invocation: Invocation, event: Any) -> bool:
        if isinstance(error, (KeyboardInterrupt, GeneratorExit)) and not isinstance(
            error, self.options.permanent
        ):
            return False
        delivered, keys = self.capture(error, event, invocation)
        self.note(headline(keys), keys, invocation)
        return delivered

    def capture(
        self, error: BaseException, event: Any, invocation: Invocation
    ) -> tuple[bool, dict[str, Any]]:
        """The keys that tell a failure of `event`; before them, whether a dead letter was delivered for it."""
        from lambdalog.instrument.capture import tell

        options = self.options
        keys = tell(
            error,
            scrubber=options.scrub,
            local=options.capture_locals,
            event=self._shown(event),
            running=invocation,
            surroundings=True,
        )
        if not options.permanent or not isinstance(error, options.permanent):
            return False, keys
        target = options.dead_letter
        if target is None:
            return False, keys
        keys["permanent"] = True
        try:
            from lambdalog.instrument.permanent import letter, send

            keys["deadLetter"] = send(target, letter(event, keys["failure"], invocation.fields))
        except Exception as own:  # noqa: BLE001 - then Lambda's retries are the way on: the exception is raised
            keys["deadLetterError"] = _text(own)
            return False, keys
        return True, keys

    def _answered(self, result: Any, invocation: Invocation, event: Any) -> None:
        if (
            type(result) is not dict
            or invocation.failed
            or not ("statusCode" in result or "batchItemFailures" in result)
        ):
            return
        from lambdalog.instrument.outcome import failed_answer

        found = failed_answer(result, self.name)
        if found is None:
            return
        from lambdalog.instrument.capture import tell_failure

        keys = tell_failure(found, scrubber=self.options.scrub, event=self._shown(event), running=invocation)
        self.note(headline(keys), keys, invocation)

    def note(self, message: str, keys: dict[str, Any], invocation: Invocation) -> None:
        """A line at ERROR about this invocation, which counts as failed from now on."""
        invocation.failed = True
        self._flush(invocation)
        self._log.tell(ERROR, message, keys, invocation)

    def _flush(self, invocation: Invocation) -> None:
        """What the level kept back, with the times it had."""
        ring = invocation.ring
        if ring is None:
            return
        for line in ring.drain():
            self._log.put(line, invocation)
        if ring.dropped:
            self._log.tell(DEBUG, f"{ring.dropped} earlier lines were not kept", {}, invocation)
            ring.dropped = 0

    def _shown(self, event: Any) -> Any:
        return event if self.options.capture_event else "(not captured)"

    # --- ourselves

    def _guard(self, what: str, step: Callable[..., None], *args: Any) -> None:
        try:
            step(*args)
        except Exception as error:  # noqa: BLE001 - ours, and none of the handler's
            self.own_failure(what, error)

    def own_failure(self, what: str, error: Exception) -> None:
        """What of ours doesn't work is told once for each thing: a line a call would drown the function's own."""
        if what in self._told:
            return
        self._told.add(what)
        try:
            self._log.error(f"lambdalog could not {what}", lambdalogError=_text(error))
        except Exception:  # noqa: BLE001 - there is nobody left to tell
            STDOUT.lost += 1


def headline(keys: dict[str, Any]) -> str:
    """`ValueError: no order`, from the keys of a failure's line."""
    message = str(keys.get("errorMessage") or "")
    return f"{keys['errorType']}: {message}" if message else str(keys["errorType"])


def _text(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:1000]
    except Exception:  # noqa: BLE001 - its text is anybody's code
        return type(error).__name__


def in_lambda() -> bool:
    """Whether a Runtime API calls this process's handler: Lambda's, or `lambdalog invoke`'s."""
    return bool(os.environ.get("AWS_LAMBDA_RUNTIME_API"))
