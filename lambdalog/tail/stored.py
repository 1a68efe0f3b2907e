"""Following the groups of a store, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from lambdalog.tail.line import line_of
from lambdalog.tail.request import Belonging

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.store import Event
    from lambdalog.store.follow import Follower
    from lambdalog.tail.line import Line
    from lambdalog.tail.wanted import Wanted

Made = TypeVar("Made")


class FollowerOf(Generic[Made]):
    """What following a store comes to, in whichever form its follower hands over the events."""

    def __init__(self, follower: Follower[Made], wanted: Wanted, notes: Callable[[], list[str]]) -> None:
        self.late = 0
        self._follower = follower
        self._stream = wanted.stream
        self._notes = notes

    def wake(self) -> None:
        """End a wait."""
        self._follower.wake()

    def notes(self) -> list[str]:
        """On disk nothing is throttled, sampled or late; but it may be damaged."""
        return self._notes()

    def close(self) -> None:
        """Let go of the files."""
        self._follower.close()


class DiskFollowing(FollowerOf["Event"]):
    """A store's follower, filtered."""

    def __init__(self, follower: Follower[Event], wanted: Wanted, notes: Callable[[], list[str]]) -> None:
        super().__init__(follower, wanted, notes)
        self._pattern = wanted.pattern
        self._belongs = None if wanted.request is None else Belonging(wanted.request)
        self._everything = wanted.everything

    def poll(self, timeout: float) -> list[Line]:
        """Lines that came."""
        events = self._follower.poll(timeout)
        if self._everything:
            return list(map(line_of, events))
        return [
            line
            for event in events
            if self._stream is None or self._stream(event.stream)
            if self._belongs is not None or self._pattern is None or self._pattern.matches(event.message)
            if self._takes(line := line_of(event))
        ]

    def _takes(self, line: Line) -> bool:
        if self._belongs is None:
            return True
        return self._belongs(line) and (self._pattern is None or self._pattern.matches(line.message))
