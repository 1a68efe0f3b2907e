"""Invocations for the dashboard: the lines of Lambda's platform, from the past and as they come, and all about one."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from lambdalog.invocations import PATTERN, Invocation, Mark, mark_of
from lambdalog.invocations.invocation import FAILED
from lambdalog.query.pattern import Term, parse
from lambdalog.tail import Line, open_source
from tui.feed.failures import StoreFailures
from tui.feed.going_on import going_on

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lambdalog.cloud import Cloud
    from lambdalog.query.pattern import Pattern
    from lambdalog.tail import Source
    from tui.feed.failures import Letters

__all__ = ["Child", "Detail", "Invocation", "Invocations", "Mark", "Past", "Refusal", "StoreInvocations"]

# A screenful of invocations is there at once; what follows comes in larger pages.
FIRST_PAGE: Final = 400
PAGE: Final = 5000
# What an invocation set off is looked for until so long after its end.
AFTER_MS: Final = 15 * 60_000
LINES_MAX: Final = 2000
CHILDREN_MAX: Final = 50
# Ids under which an invocation's work goes on elsewhere: X-Ray's trace, and what loggers call a correlation.
_THREAD: Final = re.compile(
    r'(?:XRAY TraceId: |"(?:xray_trace_id|traceId|trace_id|correlationId|correlation_id)"\s*:\s*"(?:Root=)?)'
    r"([\w-]{8,128})"
)
THREADS_MAX: Final = 3


class Past(NamedTuple):
    """Marks in order of time; `ended`: there are none before `start`, epoch ms."""

    marks: list[Mark]
    start: int | None
    ended: bool


class Refusal(NamedTuple):
    """A request that was throttled. `at` is epoch ms."""

    at: int
    group: str
    request_id: str
    reason: str


class Child(NamedTuple):
    """What came of an invocation: a message in a queue, or another invocation. `at` is epoch ms, `ended` too or None."""

    kind: str
    name: str
    at: int
    ended: int | None
    request_id: str
    said: str
    failed: bool


class Detail(NamedTuple):
    """An invocation's lines, and what came of it: None while that is looked for. `notes`: what could not be seen."""

    lines: list[Line]
    children: list[Child] | None = None
    notes: tuple[str, ...] = ()


class Invocations(Protocol):
    """The platform's lines of a store or of AWS. Every method but `follow` returns soon."""

    def past(self, groups: Sequence[str], end: int | None, limit: int) -> Past:
        """The last `limit` marks before `end` (epoch ms, None: now)."""
        ...

    def onward(self, groups: Sequence[str], start: int, limit: int) -> Past:
        """The first `limit` marks from `start` (epoch ms) on; its `start` is the last one's time, for the next page."""
        ...

    def follow(
        self,
        groups: Sequence[str],
        since: int,
        deliver: Callable[[list[Mark], list[str]], None],
        stop: threading.Event,
        failed: Callable[[Exception], None],
    ) -> None:
        """Hand over marks, and what the user should know, from `since` on until `stop` is set.

        What goes wrong on the way is told to `failed`; then it goes on where it was. It is overcome when something is handed
        over, if only nothing.
        """
        ...

    def refused(self, start: int) -> list[Refusal]:
        """What was throttled since `start`; only a store on disk knows it one by one."""
        ...

    def detail(self, invocation: Invocation, now: int) -> Iterator[Detail]:
        """An invocation's lines; then these with what came of it, which takes longer to find."""
        ...


class StoreInvocations:
    """Reads a `Cloud`."""

    POLL_SECONDS = 0.2

    def __init__(self, cloud: Cloud, letters: Letters | None = None) -> None:
        self._cloud = cloud
        self._messages = letters or StoreFailures(cloud)
        self._pattern = parse(PATTERN)

    def past(self, groups: Sequence[str], end: int | None, limit: int) -> Past:
        """A page of the platform's lines, read backwards."""
        lines = self._source(groups, self._pattern).page(None, end, limit, descending=True)
        start = lines[-1].timestamp if lines else end
        return Past(_marks(reversed(lines)), start, len(lines) < limit)

    def onward(self, groups: Sequence[str], start: int, limit: int) -> Past:
        """A page of the platform's lines, in order."""
        lines = self._source(groups, self._pattern).page(start, None, limit, descending=False)
        return Past(_marks(lines), lines[-1].timestamp if lines else start, len(lines) < limit)

    def follow(
        self,
        groups: Sequence[str],
        since: int,
        deliver: Callable[[list[Mark], list[str]], None],
        stop: threading.Event,
        failed: Callable[[Exception], None],
    ) -> None:
        """Hand over marks as they come."""
        following = self._source(groups, self._pattern).follow(since)
        for lines, notes in going_on(following, self.POLL_SECONDS, stop, failed):
            deliver(_marks(lines), notes)

    def refused(self, start: int) -> list[Refusal]:
        """What the local Lambda noted."""
        if self._cloud.store is None:
            return []
        return [
            Refusal(one.at, f"/aws/lambda/{one.function}", one.request_id, one.reason)
            for one in self._cloud.client("lambda").throttles.since(start)
        ]

    def detail(self, invocation: Invocation, now: int) -> Iterator[Detail]:
        """Lines by the attempts' streams and times; messages from the inbox; invocations by the ids that their lines share."""
        lines = self._lines(invocation, now)
        yield Detail(lines)
        notes: list[str] = []
        children = self._letters(invocation, now, notes) + self._related(invocation, lines, now)
        children.sort(key=lambda child: child.at)
        yield Detail(lines, children[:CHILDREN_MAX], tuple(notes))

    # --- parts of a detail

    def _lines(self, invocation: Invocation, now: int) -> list[Line]:
        found: dict[tuple[int, str, str], Line] = {}
        for attempt in invocation.attempts:
            end = (attempt.ended if attempt.ended is not None else now) + 1
            start = attempt.began - int(attempt.init_ms or 0) - 1
            source = open_source(self._cloud, groups=[invocation.group], streams=attempt.stream)
            page = source.page(start, end, LINES_MAX, descending=False)
            for line in page:
                # A stream runs one invocation at a time; in one millisecond another's last line may still lie.
                mark = mark_of(line)
                own = mark is None or mark.request_id in {"", invocation.request_id}
                inside = line.timestamp >= attempt.began or not _ends(mark)
                if line.stream == attempt.stream and own and inside:
                    found[line.timestamp, line.stream, line.id] = line
        return sorted(found.values(), key=attrgetter("order"))[:LINES_MAX]

    def _letters(self, invocation: Invocation, now: int, notes: list[str]) -> list[Child]:
        # On AWS a look into a queue is not free: only what failed has letters.
        if self._cloud.store is None and invocation.status(now) not in FAILED:
            return []
        letters, unseen = self._messages.of_request(invocation.request_id)
        notes += unseen
        return [
            Child(
                "destination" if letter.kind in {"destination", "success"} else "dead letter",
                letter.queue,
                letter.sent_at,
                None,
                letter.request_id,
                letter.condition or _PREFIX.sub("", letter.error_message),
                letter.kind != "success",
            )
            for letter in letters
        ]

    def _related(self, invocation: Invocation, lines: list[Line], now: int) -> list[Child]:
        if not invocation.attempts:
            return []
        threads = dict.fromkeys(name for line in lines for name in _THREAD.findall(line.message[:20_000]))
        threads.pop(invocation.request_id, None)
        wanted = [invocation.request_id, *list(threads)[:THREADS_MAX]]
        start = invocation.attempts[0].began
        last = invocation.attempts[-1]
        end = (last.ended if last.ended is not None else now) + AFTER_MS
        others: dict[tuple[str, str], int] = {}
        for name in wanted:
            source = self._source([], parse(str(Term(name, quoted=True))))
            for line in source.page(start, end, LINES_MAX, descending=False):
                named = _REQUEST.search(line.message)
                key = (line.group, named.group(1) if named is not None else "")
                if key[1] and key != invocation.key and key not in others:
                    others[key] = line.timestamp
        return [
            Child("invocation", group.removeprefix("/aws/lambda/"), at, None, request, request, failed=False)
            for (group, request), at in list(others.items())[:CHILDREN_MAX]
        ]

    def _source(self, groups: Sequence[str], pattern: Pattern | None) -> Source:
        return open_source(self._cloud, groups=list(groups), pattern=pattern)


# What Lambda puts before an error's words.
_PREFIX: Final = re.compile(r"^RequestId: \S+ (?:Error: )?")
_REQUEST: Final = re.compile(
    r'(?:RequestId: |"(?:requestId|request_id|function_request_id|aws_request_id|AWSRequestId)"\s*:\s*")([\w-]{8,128})'
)


def _ends(mark: Mark | None) -> bool:
    return mark is not None and mark.kind in {"end", "report"}


def _marks(lines: Iterable[Line]) -> list[Mark]:
    return [mark for line in lines if (mark := mark_of(line)) is not None]
