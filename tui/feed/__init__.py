"""All that the dashboard knows of the world comes through a `Feed`; nothing else in `tui` reads data.

A room for each screen. Methods block and are called from worker threads. `StoreFeed` reads a store or AWS; tests hand in
rooms of their own.
"""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from lambdalog.clock import SYSTEM
from tui.feed.logs import Bar, Logs, Query, StoreLogs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambdalog.cloud import Cloud
    from tui.feed.failures import Failures
    from tui.feed.functions import Functions
    from tui.feed.invocations import Invocations
    from tui.feed.queues import Queues

__all__ = ["Bar", "Feed", "Logs", "Query", "StoreFeed"]


class Feed(Protocol):
    """Where everything comes from. `label` is what is being watched, `groups` what the user named at the start."""

    label: str
    groups: tuple[str, ...]

    @property
    def near(self) -> bool:
        """Whether a page is a matter of milliseconds: what is read lies on this machine."""
        ...

    @property
    def logs(self) -> Logs:
        """Log lines."""
        ...

    @property
    def invocations(self) -> Invocations:
        """What ran, and runs."""
        ...

    @property
    def failures(self) -> Failures:
        """What failed."""
        ...

    @property
    def functions(self) -> Functions:
        """What can run."""
        ...

    @property
    def queues(self) -> Queues:
        """Queues and topics."""
        ...

    def keep_up(self, stop: threading.Event, failed: Callable[[str], None]) -> None:
        """Look after what is read, as its readers do, until `stop` is set. `failed` is told in words what went wrong."""
        ...

    def leave(self) -> None:
        """Let nobody wait for an answer any longer, where that can be: the dashboard is being left."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class StoreFeed:
    """Reads a `Cloud`: a store on disk, or AWS. A room is made, and its modules are loaded, when it is first entered."""

    def __init__(self, cloud: Cloud, groups: Sequence[str] = ()) -> None:
        self.label = str(cloud.target)
        self.groups = tuple(groups)
        self.logs: Logs = StoreLogs(cloud)
        self._cloud = cloud
        self._lock = threading.Lock()
        self._rooms: dict[str, Any] = {}

    def _room(self, name: str, kind: str, *given: Any) -> Any:
        with self._lock:
            if name not in self._rooms:
                self._rooms[name] = getattr(import_module(f"tui.feed.{name}"), kind)(*given)
            return self._rooms[name]

    @property
    def near(self) -> bool:
        """Whether it is a store."""
        return self._cloud.root is not None

    @property
    def _may_be_apart(self) -> bool:
        """Whether another process finds what is read here: a store, at the machine's time."""
        return self._cloud.root is not None and self._cloud.clock is SYSTEM

    @property
    def invocations(self) -> Invocations:
        """What ran, and runs."""
        found: Invocations = self._room("invocations", "StoreInvocations", self._cloud, self.failures)
        return found

    @property
    def failures(self) -> Failures:
        """What failed: of a store by a process of its own, which has the machine's clock."""
        kind, given = ("ApartFailures", self.label) if self._may_be_apart else ("StoreFailures", self._cloud)
        found: Failures = self._room("failures", kind, given)
        return found

    @property
    def functions(self) -> Functions:
        """What can be invoked, and how it does."""
        found: Functions = self._room("functions", "StoreFunctions", self._cloud, self.failures)
        return found

    @property
    def queues(self) -> Queues:
        """Queues and topics."""
        found: Queues = self._room("queues", "StoreQueues", self._cloud)
        return found

    def keep_up(self, stop: threading.Event, failed: Callable[[str], None]) -> None:
        """Seal what is no longer written in a store, and remove what has expired; on AWS nothing is to be done."""
        if self._may_be_apart and self._cloud.store is not None:
            from lambdalog.store.keeping import keep_up

            def told(error: Exception) -> None:
                failed(f"upkeep of the store failed, and is tried again: {type(error).__name__}: {error}")

            keep_up(self._cloud.store, stop, failed=told)

    def leave(self) -> None:
        """Wait no longer for what other processes do."""
        if (room := self._entered("failures")) is not None:
            room.leave()

    def close(self) -> None:
        """Close what the rooms opened; the cloud is its owner's."""
        if (room := self._entered("failures")) is not None:
            room.close()

    def _entered(self, name: str) -> Any:
        with self._lock:
            return self._rooms.get(name)
