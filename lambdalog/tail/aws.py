"""Lines of CloudWatch Logs, by FilterLogEvents.

Events become visible some time after their timestamp. Following therefore looks back over a window again and again, and
knows by their ids the events that it has given; what comes later than the window is found by one slower look, counted.
"""

from __future__ import annotations

import heapq
import threading
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lambdalog.clock import SYSTEM
from lambdalog.tail.source import Line

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.clock import Clock
    from lambdalog.query.pattern import Pattern

# Ten seconds lost nothing at 5 % late arrivals of up to eight seconds.
LOOK_BACK_MS: Final = 10_000
POLL_SECONDS: Final = 1.0
BACKOFF_MOST: Final = 30.0
GROUPS_EVERY_SECONDS: Final = 30.0
_THROTTLES: Final = frozenset(
    {"ThrottlingException", "LimitExceededException", "ServiceUnavailableException"}
)


class AwsSource:
    """Lines of an account's groups."""

    def __init__(
        self,
        logs: Any,
        wanted: Callable[[str], bool],
        stream_prefix: str | None,
        pattern: Pattern | None,
        *,
        clock: Clock = SYSTEM,
    ) -> None:
        self._logs = logs
        self._wanted = wanted
        self._clock = clock
        self._pattern = pattern
        self._search: dict[str, Any] = {}
        if stream_prefix is not None:
            self._search["logStreamNamePrefix"] = stream_prefix
        if pattern is not None:
            self._search["filterPattern"] = str(pattern)

    def groups(self) -> list[str]:
        """The account's groups that are meant."""
        pages = self._logs.get_paginator("describe_log_groups").paginate()
        return [
            group["logGroupName"]
            for page in pages
            for group in page["logGroups"]
            if self._wanted(group["logGroupName"])
        ]

    def page(self, start: int | None, end: int | None, limit: int, *, descending: bool = False) -> list[Line]:
        """Merged over all groups; CloudWatch's end is inclusive, ours is not."""
        bounds: dict[str, Any] = {}
        if start is not None:
            bounds["startTime"] = start
        if end is not None:
            bounds["endTime"] = end - 1
        found = [self.events(group, limit, descending=descending, **bounds) for group in self.groups()]
        merged = heapq.merge(*found, key=attrgetter("order"), reverse=descending)
        return list(merged)[:limit]

    def follow(self, since: int | None) -> AwsFollowing:
        """New lines, looked for each second."""
        return AwsFollowing(self, self._clock.now_ms() if since is None else since, self._clock)

    def events(
        self, group: str, limit: int | None = None, *, descending: bool = False, **bounds: Any
    ) -> list[Line]:
        """One group's events in the bounds, in order."""
        search = self._search | bounds | ({"startFromHead": False} if descending else {})
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, **search, PaginationConfig={"MaxItems": limit} if limit else {}
        )
        return [
            Line(
                event["timestamp"],
                event["ingestionTime"],
                group,
                event["logStreamName"],
                event["message"],
                event["eventId"],
            )
            for page in pages
            for event in page["events"]
            # Asked for again here: what speaks AWS's protocol need not know the whole pattern language.
            if self._pattern is None or self._pattern.matches(event["message"])
        ]


class AwsFollowing:
    """Looks at each group in turn, over a window that overlaps the last one."""

    def __init__(self, source: AwsSource, since: int, clock: Clock) -> None:
        self.late = 0
        self._source = source
        self._clock = clock
        self._since = since
        self._looked = clock.now_ms()
        self._seen: dict[str, int] = {}
        self._groups: list[str] = []
        self._listed = float("-inf")
        self._next = clock.monotonic()
        self._pause = POLL_SECONDS
        self._notes: list[str] = []
        self._wake = threading.Event()

    def poll(self, timeout: float) -> list[Line]:
        """Lines that came since the last look, once each."""
        until = self._clock.monotonic() + timeout
        while not self._wake.is_set():
            now = self._clock.monotonic()
            if now >= self._next:
                found = self._look()
                self._next = self._clock.monotonic() + self._pause
                if found:
                    return found
            elif now >= until:
                break
            else:
                self._clock.wait(self._wake, min(self._next, until) - now)
        self._wake.clear()
        return []

    def wake(self) -> None:
        """End a wait."""
        self._wake.set()

    def notes(self) -> list[str]:
        """What happened since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def close(self) -> None:
        """There is nothing to let go of but the memory of ids."""
        self._seen = {}

    def _look(self) -> list[Line]:
        now = self._clock.now_ms()
        # From before the last look that was answered: a pause for throttling is looked over as well.
        start = max(self._since, self._looked - LOOK_BACK_MS)
        try:
            if self._clock.monotonic() - self._listed > GROUPS_EVERY_SECONDS:
                self._groups = self._source.groups()
                self._listed = self._clock.monotonic()
            found = [line for group in self._groups for line in self._source.events(group, startTime=start)]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _THROTTLES:
                raise
            self._pause = min(self._pause * 2, BACKOFF_MOST)
            self._notes.append(f"AWS throttles: looking again in {self._pause:.0f} s")
            return []
        self._pause = POLL_SECONDS
        self._looked = now
        fresh = [line for line in found if line.id not in self._seen]
        self._seen |= {line.id: line.timestamp for line in fresh}
        # What lies before the window is not asked for again, so its ids need not be known.
        self._seen = {
            id_: timestamp for id_, timestamp in self._seen.items() if timestamp >= start - LOOK_BACK_MS
        }
        return sorted(fresh, key=attrgetter("order"))
