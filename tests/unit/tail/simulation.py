"""An account of many groups, on a clock of its own: what FilterLogEvents and StartLiveTail give of it, and refuse."""

from __future__ import annotations

import random
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from lambdalog.tail.line import Line
from lambdalog.tail.live import Update

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambdalog.clock import ManualClock
    from lambdalog.query.pattern import Pattern
    from lambdalog.tail.group import Group

ACCOUNT = "123456789012"
PAGE = 1000
LISTED = 50


class Written(NamedTuple):
    """An event: its time, when it can be seen first (both epoch ms), its number."""

    timestamp: int
    visible: int
    number: int


def refusal(code: str, operation: str, status: int = 400) -> ClientError:
    """An error as botocore raises it."""
    answer: Any = {
        "Error": {"Code": code, "Message": "Rate exceeded"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, operation)


@dataclass
class Account:
    """A CloudWatch Logs client. Each call takes `latency` seconds; more than `quota` calls a second are throttled."""

    clock: ManualClock
    events: dict[str, list[Written]] = field(default_factory=dict)
    quota: float | None = None
    latency: float = 0.04
    denied: frozenset[str] = frozenset()
    calls: list[float] = field(default_factory=list)
    throttles: int = 0
    failing: list[Exception] = field(default_factory=list)
    same_text: bool = False
    _tokens: float = 0.0
    _filled: float = 0.0

    def describe_log_groups(
        self,
        logGroupNamePrefix: str = "",  # noqa: N803 - AWS's name
        nextToken: str = "",  # noqa: N803 - AWS's name
    ) -> dict[str, Any]:
        """Fifty at a time."""
        self.clock.advance(self.latency)
        names = sorted(name for name in self.events if name.startswith(logGroupNamePrefix))
        begin = int(nextToken or 0)
        page = [
            {
                "logGroupName": name,
                "arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}:*",
                # Whoever writes now wrote before.
                "storedBytes": len(self.events[name]) * 1000,
            }
            for name in names[begin : begin + LISTED]
        ]
        more = {"nextToken": str(begin + LISTED)} if begin + LISTED < len(names) else {}
        return {"logGroups": page, **more}

    def filter_log_events(
        self,
        logGroupName: str,  # noqa: N803 - AWS's name
        startTime: int = 0,  # noqa: N803 - AWS's name
        nextToken: str = "",  # noqa: N803 - AWS's name
        **_: Any,
    ) -> dict[str, Any]:
        """What can be seen by now, in order of time, in pages."""
        self._count()
        if self.failing:
            raise self.failing.pop(0)
        if logGroupName in self.denied:
            raise refusal("AccessDeniedException", "FilterLogEvents")
        if logGroupName not in self.events:
            raise refusal("ResourceNotFoundException", "FilterLogEvents")
        now = self.clock.now_ms()
        events = self.events[logGroupName]
        begin = bisect_left(events, (startTime,))
        found = [event for event in events[begin:] if event.visible <= now]
        skip = int(nextToken or 0)
        page = found[skip : skip + PAGE]
        more = {"nextToken": str(skip + PAGE)} if skip + PAGE < len(found) else {}
        return {
            "events": [
                {
                    "timestamp": event.timestamp,
                    "ingestionTime": event.visible,
                    "logStreamName": "s",
                    "message": self.text(logGroupName, event),
                    "eventId": f"{event.number:056d}",
                }
                for event in page
            ],
            **more,
        }

    def text(self, group: str, event: Written) -> str:
        """An event's message."""
        return group if self.same_text else f"{group} {event.number}"

    def _count(self) -> None:
        self.clock.advance(self.latency)
        now = self.clock.monotonic()
        self.calls.append(now)
        if self.quota is None:
            return
        self._tokens = min(self._tokens + (now - self._filled) * self.quota, self.quota)
        self._filled = now
        if self._tokens < 1:
            self.throttles += 1
            raise refusal("ThrottlingException", "FilterLogEvents")
        self._tokens -= 1


class Session:
    """A StartLiveTail session of an `Account`: 500 events a second, `hours` long."""

    def __init__(
        self,
        logs: Account,
        groups: Sequence[Group],
        pattern: Pattern | None,
        came: Callable[[], None],
        *,
        seconds: float = 3 * 3600,
    ) -> None:
        self.groups = groups
        self.trouble = ""
        self.opened = logs.clock.monotonic()
        self.sampled = 0
        self.closed = False
        self._logs = logs
        self._seconds = seconds
        # It takes a second to begin: what is ingested before that isn't given.
        self._at = logs.clock.now_ms() + 1000
        self._coming = sorted(
            (event.visible, event, group.name) for group in groups for event in logs.events[group.name]
        )
        self._next = bisect_left(self._coming, (self._at,))

    @property
    def ended(self) -> bool:
        """Whether its time is over."""
        return self._logs.clock.monotonic() - self.opened > self._seconds

    def take(self) -> list[Update]:
        """An update for each second that has passed."""
        updates = []
        while self._at + 1000 <= self._logs.clock.now_ms():
            self._at += 1000
            found = []
            while self._next < len(self._coming) and self._coming[self._next][0] < self._at:
                _, event, name = self._coming[self._next]
                found.append(
                    Line(event.timestamp, event.visible, name, "s", self._logs.text(name, event), "")
                )
                self._next += 1
            if found:
                self.sampled += len(found) > 500
                updates.append(Update(found[:500], sampled=len(found) > 500))
        return updates

    def close(self) -> None:
        """Nothing is held."""
        self.closed = True


def busy_account(
    clock: ManualClock, groups: int, seconds: float, *, late: float = 0.05, seed: int = 7
) -> Account:
    """A few groups write much, some now and then, most next to nothing; `late` of the events come up to 8 s late."""
    chance = random.Random(seed)
    begin = clock.now_ms()
    account = Account(clock)
    number = 0
    for place in range(groups):
        rate = 5.0 if place % 100 == 0 else 0.1 if place % 10 == 0 else 1 / 600
        events = []
        at = chance.expovariate(rate)
        while at < seconds:
            number += 1
            timestamp = begin + round(at * 1000)
            delay = chance.uniform(1000, 8000) if chance.random() < late else chance.uniform(50, 400)
            events.append(Written(timestamp, timestamp + round(delay), number))
            at += chance.expovariate(rate)
        account.events[f"/aws/lambda/f{place:04d}"] = sorted(events)
    return account
