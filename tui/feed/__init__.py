"""All that the dashboard knows of the world comes through a `Feed`; nothing else in `tui` reads data.

A room for each screen. Methods block and are called from worker threads. `StoreFeed` reads a store or AWS; tests hand in
rooms of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tui.feed.failures import Failures, StoreFailures
from tui.feed.invocations import Invocations, StoreInvocations
from tui.feed.logs import Bar, Logs, Query, StoreLogs
from tui.feed.queues import Queues, StoreQueues

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambdalog.cloud import Cloud

__all__ = ["Bar", "Failures", "Feed", "Invocations", "Logs", "Query", "Queues", "StoreFeed"]


class Feed(Protocol):
    """Where everything comes from. `label` is what is being watched, `groups` what the user named at the start."""

    label: str
    groups: tuple[str, ...]

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
    def queues(self) -> Queues:
        """Queues and topics."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class StoreFeed:
    """Reads a `Cloud`: a store on disk, or AWS."""

    def __init__(self, cloud: Cloud, groups: Sequence[str] = ()) -> None:
        self.label = str(cloud.target)
        self.groups = tuple(groups)
        self.logs: Logs = StoreLogs(cloud)
        self.invocations: Invocations = StoreInvocations(cloud)
        self.failures: Failures = StoreFailures(cloud)
        self.queues: Queues = StoreQueues(cloud)

    def close(self) -> None:
        """Close what the rooms opened; the cloud is its owner's."""
        self.failures.close()
