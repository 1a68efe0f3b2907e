"""Which of many descriptors can be read: by epoll, and where there is none by what Python's selectors find."""

from __future__ import annotations

import select
import selectors
from typing import Any, Protocol


class Readiness(Protocol):
    """May be changed by other threads while one waits. What is closed has to be left before, or be watched but once."""

    def watch(self, descriptor: int) -> None:
        """Tell whenever it can be read."""
        ...

    def once(self, descriptor: int) -> None:
        """Tell one time that it can be read."""
        ...

    def leave(self, descriptor: int) -> None:
        """Watch it no more. KeyError if nobody watched it."""
        ...

    def ready(self, seconds: float) -> list[tuple[int, int]]:
        """What can be read, or has ended, as soon as there is something, each beside what the system says of it; none after so long."""
        ...

    def fileno(self) -> int:
        """Itself as a descriptor, which can be read when one of its own can."""
        ...

    def close(self) -> None:
        """Watch nothing any more."""
        ...


class _Epoll:
    def __init__(self) -> None:
        self._epoll: Any = select.epoll()
        self.ready = self._epoll.poll
        self.fileno = self._epoll.fileno
        self.close = self._epoll.close

    def watch(self, descriptor: int) -> None:
        self._epoll.register(descriptor, select.EPOLLIN)

    def once(self, descriptor: int) -> None:
        try:
            self._epoll.modify(descriptor, select.EPOLLIN | select.EPOLLONESHOT)
        except FileNotFoundError:
            self._epoll.register(descriptor, select.EPOLLIN | select.EPOLLONESHOT)

    def leave(self, descriptor: int) -> None:
        try:
            self._epoll.unregister(descriptor)
        except (FileNotFoundError, ValueError):
            raise KeyError(descriptor) from None


class _Selected:
    def __init__(self) -> None:
        self._selector: Any = selectors.DefaultSelector()
        self._once: set[int] = set()
        self.fileno = self._selector.fileno
        self.close = self._selector.close

    def watch(self, descriptor: int) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ)

    def once(self, descriptor: int) -> None:
        if descriptor in self._selector.get_map():
            self.leave(descriptor)
        self._once.add(descriptor)
        self.watch(descriptor)

    def leave(self, descriptor: int) -> None:
        self._once.discard(descriptor)
        self._selector.unregister(descriptor)

    def ready(self, seconds: float) -> list[tuple[int, int]]:
        found = [(key.fd, events) for key, events in self._selector.select(seconds)]
        for descriptor in self._once.intersection(descriptor for descriptor, _ in found):
            self.leave(descriptor)
        return found


def readiness() -> Readiness:
    """What this system has."""
    return _Epoll() if hasattr(select, "epoll") else _Selected()
