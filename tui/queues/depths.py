"""How deep queues were at the last looks: which way they go, and how fast. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.feed.queues import Queue

LOOKS: Final = 24
MINUTE_MS: Final = 60_000
# A change is told once there is enough of it to be told by.
LEAST_MS: Final = 1500


class Depths:
    """The last looks at each queue, (epoch ms, messages there)."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[int, int]]] = {}

    def look(self, queues: Iterable[Queue], now: int) -> None:
        """Note how deep they are; what is gone is forgotten."""
        there = {queue.name: queue.depth for queue in queues}
        self._seen = {name: self._seen.get(name, deque(maxlen=LOOKS)) for name in there}
        for name, depth in there.items():
            seen = self._seen[name]
            if seen and seen[-1][0] == now:
                seen.pop()  # a second look at one moment tells no more
            seen.append((now, depth))

    def depths(self, queue: str) -> list[int]:
        """How deep it was, the oldest look first."""
        return [depth for _, depth in self._seen.get(queue, ())]

    def change(self, queue: str) -> float | None:
        """Messages a minute by which it grew (or shrank, below 0) in the last minute; None: not known yet."""
        seen = self._seen.get(queue)
        if not seen:
            return None
        now, depth = seen[-1]
        at, before = next(look for look in seen if look[0] >= now - MINUTE_MS)
        return None if now - at < LEAST_MS else (depth - before) * MINUTE_MS / (now - at)
