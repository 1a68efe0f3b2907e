"""What a thread says before it waits for long, so that whoever runs it can have another do the work meanwhile.

Only the endpoint's threads have a host; to all others these functions are nothing.
"""

from __future__ import annotations

import threading
from typing import Protocol


class Host(Protocol):
    """Who runs a thread."""

    def readable(self, descriptor: int, seconds: float) -> bool:
        """Wait until there is something to read, at most so long; False if the thread has to wait by itself."""
        ...

    def aside(self) -> None:
        """The thread is about to wait for long, or to take long."""
        ...


class _Here(threading.local):
    host: Host | None = None


_here = _Here()


def hosted(host: Host) -> None:
    """This thread is run by `host`."""
    _here.host = host


def readable(descriptor: int, seconds: float) -> bool:
    """Wait for a descriptor as the thread's host has it; False if there is none: then nothing was waited for."""
    host = _here.host
    return host is not None and host.readable(descriptor, seconds)


def aside() -> None:
    """Say that this thread is going to wait for long."""
    if (host := _here.host) is not None:
        host.aside()
