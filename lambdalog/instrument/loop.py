"""The event loop of a function's coroutines: one for all invocations, as what clients keep open for the next one lives in it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Loop:
    """Runs coroutines to their end. Made with the first one: asyncio isn't imported for functions that have none."""

    def __init__(self) -> None:
        self._runner: Any = None

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """What a coroutine returns; what it raises comes out.

        In the main thread, where Lambda calls, always by the same loop. In other threads, and where a loop runs that
        would have to be waited for, by one of its own.
        """
        import asyncio
        from contextvars import copy_context

        if asyncio._get_running_loop() is not None:  # noqa: SLF001 - the one that doesn't raise
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(1, thread_name_prefix="lambdalog-loop") as pool:
                return pool.submit(copy_context().run, asyncio.run, coroutine).result()
        if threading.current_thread() is not threading.main_thread():
            return asyncio.run(coroutine)
        if self._runner is None:
            import atexit

            self._runner = asyncio.Runner()
            atexit.register(self.close)
        return self._runner.run(coroutine, context=copy_context())

    def close(self) -> None:
        """Let go of the loop, if there is one."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()
