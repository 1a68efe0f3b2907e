"""The invocation that runs now: what every line of it says, in whatever thread it is written.

Its thread knows it by a context variable, which tasks inherit. Pool threads have no such variable: they are given the
only invocation that runs, and an environment of Lambda's runs one at a time. Where several run side by side (a local
server's threads), a foreign thread's lines are nobody's rather than the wrong one's.
"""

from __future__ import annotations

import os
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar

from lambdalog.forked import after_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambdalog.instrument.ring import Ring

# Above every level: an invocation that is not sampled lowers nobody's threshold.
NOTHING_MORE = 1000
_ATTRIBUTES = ("aws_request_id", "function_name", "function_version", "get_remaining_time_in_millis")


class Invocation:
    """One invocation. `fields` are the keys of its lines, `floor` the level from which it is written in any case."""

    __slots__ = (
        "coroutine",
        "failed",
        "fields",
        "finish",
        "floor",
        "listen",
        "over",
        "previous",
        "remaining",
        "ring",
        "thread",
    )

    remaining: Callable[[], Any] | None
    # One for all of them: it is held for a moment, and making one for each invocation costs more than that.
    binding: ClassVar = threading.Lock()

    def __init__(self, context: Any, *, cold: bool, environ: Mapping[str, str] = os.environ) -> None:
        try:
            request, function, version, self.remaining = (
                context.aws_request_id,
                context.function_name,
                context.function_version,
                context.get_remaining_time_in_millis,
            )
        except Exception:  # noqa: BLE001 - it is None, or anybody's object: each by itself
            request, function, version, self.remaining = (_of(context, name) for name in _ATTRIBUTES)
        self.fields: dict[str, Any] = {
            "requestId": request,
            "function": function or environ.get("AWS_LAMBDA_FUNCTION_NAME"),
            "version": version or environ.get("AWS_LAMBDA_FUNCTION_VERSION"),
            "coldStart": cold,
        }
        self.floor = NOTHING_MORE
        self.ring: Ring | None = None
        self.listen: Callable[[bytes], None] | None = None
        self.finish: Callable[[], None] | None = None
        self.thread = threading.get_ident()
        self.coroutine: Any = None
        self.over = False
        self.failed = False
        self.previous: Invocation | None = None

    def bind(self, keys: Mapping[str, Any]) -> None:
        """More keys for each line to come. A new dict each time: another thread may be reading the old one."""
        with self.binding:
            self.fields = {**self.fields, **keys}

    def restore(self, before: Mapping[str, Any], keys: Mapping[str, Any]) -> None:
        """Give `keys` the values they had in `before`, or none; other keys stay as they are by now."""
        with self.binding:
            fields = {name: value for name, value in self.fields.items() if name not in keys}
            fields.update({name: before[name] for name in keys if name in before})
            self.fields = fields


def _of(context: Any, name: str) -> Any:
    """What a context has under a name; None if it has no such, or fails at being asked."""
    try:
        return getattr(context, name, None)
    except Exception:  # noqa: BLE001 - anybody's object
        return None


class Invocations:
    """Which invocations run. Without a lock, which costs as much as half a line: each step on the dict is one."""

    def __init__(self) -> None:
        self._mine: ContextVar[Invocation | None] = ContextVar("lambdalog_invocation", default=None)
        self._block: ContextVar[Mapping[str, Any] | None] = ContextVar("lambdalog_block", default=None)
        # The keys of the blocks around this point, of this thread or task alone. A method of ours would cost as much again.
        self.block: Callable[[], Mapping[str, Any] | None] = self._block.get
        self._running: dict[int, Invocation] = {}
        self._cold = True
        after_fork(self._forked)

    def begin(self, context: Any) -> Invocation:
        """An invocation begins in this thread, with what its context tells."""
        started = Invocation(context, cold=self._cold)
        self._cold = False
        self.enter_again(started)
        return started

    def end(self, invocation: Invocation) -> None:
        """It is over: later lines are not its own."""
        invocation.over = True
        self.leave(invocation)

    def enter_again(self, invocation: Invocation) -> None:
        """An invocation runs, or runs on, in this thread or task."""
        invocation.previous = self.mine()
        self._mine.set(invocation)
        self._running[id(invocation)] = invocation

    def leave(self, invocation: Invocation) -> None:
        """It doesn't run for now."""
        mine = self._mine
        if mine.get() is invocation:
            mine.set(invocation.previous)
        invocation.previous = None
        self._running.pop(id(invocation), None)

    def mine(self) -> Invocation | None:
        """The invocation that this very thread, or task, runs."""
        found = self._mine.get()
        return None if found is None or found.over else found

    def current(self) -> Invocation | None:
        """The invocation whose line this is."""
        found = self._mine.get()
        if found is None or found.over:
            running = list(self._running.values())
            return running[0] if len(running) == 1 else None
        return found

    def _forked(self) -> None:
        Invocation.binding = threading.Lock()

    # --- keys of a block

    def enter(self, keys: Mapping[str, Any]) -> Callable[[], None]:
        """Bind keys until the function that is returned is called.

        In the handler's own thread they are the invocation's, so that the threads it starts have them; elsewhere, and
        in tasks, they are this thread's or task's own.
        """
        running = self.mine()
        if running is not None and running.thread == threading.get_ident() and self._block.get() is None:
            before = running.fields
            running.bind(keys)
            return lambda: running.restore(before, keys)
        return self.enter_own(keys)

    def enter_own(self, keys: Mapping[str, Any]) -> Callable[[], None]:
        """Bind keys in this thread or task alone."""
        outer = self._block.get()
        self._block.set({**(outer or {}), **keys})

        def leave() -> None:
            self._block.set(outer)

        return leave


CURRENT = Invocations()
