"""The store's upkeep while the dashboard is open: whoever reads seals what is no longer written, and removes what expired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lambdalog.store.maintenance import IDLE_SECONDS, maintain
from tui.feed.apart import Apart
from tui.trouble import ExplainedError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from lambdalog.cloud import Cloud
    from lambdalog.store import LogStore

EVERY_SECONDS: Final = 60.0


class StoreUpkeep:
    """One turn after the other."""

    def __init__(self, cloud: Cloud) -> None:
        assert cloud.store is not None
        self._store: LogStore = cloud.store

    def turn(self) -> None:
        """Seal, pack and expire in all groups; a group that another process is at is passed over."""
        maintain(self._store, everything=False)

    def close(self) -> None:
        """The store is the cloud's."""


class ApartUpkeep:
    """Has a process of its own do it: sealing takes a second of Python for each 40 MB.

    The process begins with the first turn, a minute after the dashboard, and is ended wherever it is when that is left.
    """

    def __init__(self, cloud: Cloud) -> None:
        assert cloud.store is not None
        self._clock, self._store = cloud.clock, cloud.store
        self._apart = Apart("upkeep", "StoreUpkeep", str(cloud.target))

    def run(self, stop: threading.Event, failed: Callable[[str], None]) -> None:
        """Look after the store each minute until `stop` is set. `failed` is told what went wrong; the next turn tries again."""
        while not self._clock.wait(stop, EVERY_SECONDS):
            # What was invoked from here writes here.
            self._store.release(IDLE_SECONDS)
            try:
                self._apart.call("turn")
            except ExplainedError as error:
                if not stop.is_set():
                    failed(f"upkeep of the store failed, and is tried again: {error}")

    def leave(self) -> None:
        """End the process, and wait for nothing."""
        self._apart.leave()

    def close(self) -> None:
        """End the process."""
        self._apart.close()
