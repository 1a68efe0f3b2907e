"""Lines of CloudWatch Logs, by FilterLogEvents, one call after another out of the account's budget."""

from __future__ import annotations

import heapq
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lambdalog.clock import SYSTEM
from lambdalog.denied import denied
from lambdalog.tail.budget import Budget
from lambdalog.tail.group import Group
from lambdalog.tail.line import line_of_answer
from lambdalog.tail.request import lines_of, naming
from lambdalog.tail.streams import AWS_GROUPS_MOST, AWS_PAGE, Stream, Streams, newest_of
from lambdalog.tail.wanted import prefixes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.clock import Clock
    from lambdalog.query.pattern import Pattern
    from lambdalog.tail.following import AwsFollowing
    from lambdalog.tail.line import Line
    from lambdalog.tail.wanted import Wanted

# A page of FilterLogEvents holds so many events, or 1 MB of them.
PAGE_MOST: Final = 10_000


class AwsSource:
    """Lines of an account's groups."""

    def __init__(
        self,
        logs: Any,
        wanted: Wanted,
        *,
        clock: Clock = SYSTEM,
        budget: Budget | None = None,
        live: bool = True,
    ) -> None:
        self.wanted = wanted
        self.logs = logs
        self.clock = clock
        self.budget = budget or Budget(clock)
        self._live = live
        self._notes: list[str] = []

    def groups(self) -> list[str]:
        """The account's groups that are meant."""
        return [group.name for page in self.listing() for group in self.budget.call(page)]

    def listing(self) -> Iterator[Any]:
        """Calls that each give one page of the groups that are meant; sorted, if made one after another to the end."""
        for prefix in prefixes(self.wanted.groups) if self.wanted.groups else [""]:
            asked: dict[str, Any] = {"logGroupNamePrefix": prefix} if prefix else {}
            token: list[str | None] = [None]

            def page(asked: dict[str, Any] = asked, token: list[str | None] = token) -> list[Group]:
                more = {"nextToken": token[0]} if token[0] else {}
                answer = self.logs.describe_log_groups(**asked, **more)
                token[0] = answer.get("nextToken")
                return [
                    Group.of_answer(group)
                    for group in answer["logGroups"]
                    if self.wanted.group(group["logGroupName"])
                ]

            yield page
            while token[0]:
                yield page

    def streams(self) -> Streams:
        """A page of the newest streams for each of the first few groups that are meant."""
        groups: list[str] = []
        for page in self.listing():
            groups += [group.name for group in self.budget.call(page)]
            if len(groups) > AWS_GROUPS_MOST:
                break
        found: list[Stream] = []
        more = len(groups) > AWS_GROUPS_MOST
        for group in groups[:AWS_GROUPS_MOST]:
            try:
                answer = self.budget.call(
                    self.logs.describe_log_streams,
                    logGroupName=group,
                    orderBy="LastEventTime",
                    descending=True,
                    limit=AWS_PAGE,
                )
            except ClientError as error:
                if error.response["Error"]["Code"] == "ResourceNotFoundException":
                    continue  # deleted since it was listed
                if not denied(error) or self.wanted.named(group):
                    raise
                more = True
                continue
            more = more or "nextToken" in answer
            found += [
                Stream(group, one["logStreamName"], one.get("lastEventTimestamp"))
                for one in answer["logStreams"]
                if self.wanted.stream is None or self.wanted.stream(one["logStreamName"])
            ]
        return newest_of(found, more=more)

    def lines(self, start: int | None, end: int | None, *, descending: bool = False) -> Iterator[Line]:
        """Merged over all groups, as they are read."""
        if self.wanted.request is not None:
            return self._of_request(self.wanted.request, start, end, descending=descending)
        return self._merged(start, end, self.wanted.pattern, descending=descending)

    def page(self, start: int | None, end: int | None, limit: int, *, descending: bool = False) -> list[Line]:
        """Merged over all groups, none of which is asked for more than `limit`, where AWS counts as it is counted here."""
        # What a request or a glob leaves out AWS would count: many small pages of nothing.
        if self.wanted.request is not None or self.wanted.glob:
            return list(islice(self.lines(start, end, descending=descending), limit))
        found = self._merged(start, end, self.wanted.pattern, descending=descending, limit=limit)
        return list(islice(found, limit))

    def minutes(self, start: int, end: int) -> dict[int, tuple[int, int]] | None:
        """CloudWatch Logs has no counts that could be read for less than the lines themselves."""
        del start, end
        return None

    def follow(
        self,
        since: int | None,
        *,
        undecoded: bool = False,
    ) -> AwsFollowing:
        """New lines, looked for again and again."""
        from lambdalog.tail.following import AwsFollowing
        from lambdalog.tail.live import LiveSession

        return AwsFollowing(
            self,
            self.clock.now_ms() if since is None else since,
            session=LiveSession if self._live else None,
        )

    def before(self, line: Line, count: int) -> list[Line]:
        """What stands right before a line in its stream, in order, whatever the filter."""
        found: list[Line] = []
        passed = False
        for one in self._scan(
            line.group, None, line.timestamp + 1, stream=line.stream, descending=True, limit=count + 1
        ):
            if passed:
                found.append(one)
            passed = passed or one.id == line.id
            if len(found) == count:
                break
        return found[::-1]

    def after(self, line: Line, count: int) -> list[Line]:
        """What follows a line in its stream, in order, whatever the filter."""
        lines = self._scan(line.group, line.timestamp, None, stream=line.stream, limit=count + 1)
        for one in lines:
            if one.id == line.id:
                break
        return list(islice(lines, count))

    def notes(self) -> list[str]:
        """What was refused, each once."""
        notes, self._notes = self._notes, []
        return notes

    # --- reading

    def events(self, group: str, pattern: Pattern | None, **params: Any) -> tuple[list[Line], str | None]:
        """One call of FilterLogEvents, outside of the budget: (lines of the group, token of the next page)."""
        stream = None if "logStreamNames" in params else self.wanted.stream
        if stream is not None and self.wanted.stream_prefix is not None:
            params["logStreamNamePrefix"] = self.wanted.stream_prefix
        if pattern is not None:
            params["filterPattern"] = str(pattern)
        answer = self.logs.filter_log_events(logGroupName=group, **params)
        lines = [
            line_of_answer(group, event)
            for event in answer["events"]
            # Asked for again here: what speaks AWS's protocol need not know the whole pattern language.
            if pattern is None or pattern.matches(event["message"])
            if stream is None or stream(event["logStreamName"])
        ]
        return lines, answer.get("nextToken")

    def _scan(
        self,
        group: str,
        start: int | None,
        end: int | None,
        *,
        stream: str | None = None,
        pattern: Pattern | None = None,
        descending: bool = False,
        limit: int | None = None,
    ) -> Iterator[Line]:
        """One group's lines, page after page; CloudWatch's end is inclusive, ours is not."""
        params: dict[str, Any] = {}
        if start is not None:
            params["startTime"] = max(start, 0)
        if end is not None:
            params["endTime"] = max(end - 1, 0)
        if stream is not None:
            params["logStreamNames"] = [stream]
        if descending:
            params["startFromHead"] = False
        if limit is not None:
            params["limit"] = min(limit, PAGE_MOST)
        while True:
            try:
                lines, token = self.budget.call(self.events, group=group, pattern=pattern, **params)
            except ClientError as error:
                if error.response["Error"]["Code"] == "ResourceNotFoundException":
                    return  # deleted since it was listed
                raise
            yield from lines
            if not token:
                return
            params["nextToken"] = token

    def _merged(
        self,
        start: int | None,
        end: int | None,
        pattern: Pattern | None,
        *,
        descending: bool = False,
        limit: int | None = None,
    ) -> Iterator[Line]:
        found = [
            self._guarded(
                group,
                self._scan(group, start, end, pattern=pattern, descending=descending, limit=limit),
            )
            for group in self.groups()
        ]
        yield from heapq.merge(*found, key=attrgetter("order"), reverse=descending)

    def _guarded(self, group: str, lines: Iterator[Line]) -> Iterator[Line]:
        """The lines; that one of many groups may not be read is said, and no reason to read none."""
        try:
            yield from lines
        except ClientError as error:
            if not denied(error) or self.wanted.named(group):
                raise
            self._notes.append(f"{group} can't be read: {error.response['Error']['Message']}")

    def _of_request(
        self, request: str, start: int | None, end: int | None, *, descending: bool
    ) -> Iterator[Line]:
        pattern = self.wanted.pattern
        found = lines_of(
            request,
            self._merged(start, end, naming(request)),
            lambda line: self._scan(line.group, line.timestamp, end, stream=line.stream),
        )
        lines = (line for line in found if pattern is None or pattern.matches(line.message))
        # An invocation ends after 15 minutes at most: its lines can be turned round.
        yield from reversed(list(lines)) if descending else lines
