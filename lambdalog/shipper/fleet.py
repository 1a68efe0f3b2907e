"""The shippers of this process: all are flushed before a handler answers, and closed at exit."""

from __future__ import annotations

import atexit
import sys
import threading
import time
import weakref
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from lambdalog.errors import ShipError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.shipper.shipper import Shipper


class Fleet:
    """Which shippers there are, and which threads are sending right now."""

    def __init__(self) -> None:
        self._shippers: weakref.WeakSet[Shipper] = weakref.WeakSet()
        self._sending: set[int] = set()
        self._registered = False

    def join(self, shipper: Shipper) -> None:
        """One more; the first one sees to the exit."""
        self._shippers.add(shipper)
        if not self._registered:
            self._registered = True
            atexit.register(self.close)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._shippers)

    def at_exit_of_a_child(self) -> None:
        """A child that multiprocessing made leaves by os._exit(), and calls its own finalizers before."""
        process = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            from multiprocessing.util import Finalize

            Finalize(None, self.close, exitpriority=0)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """While this thread sends, what it logs is about sending."""
        ident = threading.get_ident()
        self._sending.add(ident)
        try:
            yield
        finally:
            self._sending.discard(ident)

    def sends_here(self) -> bool:
        """Whether this thread is sending now: what it logs must not be sent in turn, for ever."""
        return threading.get_ident() in self._sending

    def flush(self, budget: float) -> None:
        """Flush them all within `budget` seconds together. ShipError for the first that couldn't."""
        end = time.monotonic() + budget
        found = list(self._shippers)
        for shipper in found:
            shipper.urge()
        error: ShipError | None = None
        for shipper in found:
            try:
                shipper.flush(max(end - time.monotonic(), 0.0))
            except ShipError as own:
                error = error or own
        if error is not None:
            raise error

    def close(self) -> None:
        """The process ends: each has its own deadline, and all of them run at once."""
        found = list(self._shippers)
        for shipper in found:
            shipper.urge()
        began = time.monotonic()
        for shipper in found:
            # One that fails must not take the others' events along.
            with suppress(Exception):
                shipper.close(max(shipper.exit_seconds - (time.monotonic() - began), 0.0))

    def forked(self) -> None:
        """In a child no thread sends yet."""
        self._sending.clear()


FLEET: Final = Fleet()
