"""Following the groups of an account, thousands of them, within AWS's quotas.

Events become visible some time after their timestamp. Each look at a group therefore goes back behind the last one, and
knows by their ids the events that were given already: nothing is lost that comes within the window. What comes later than
`watched.LOOK_BACK_MS` is found by looking back further now and then; it is given, and counted.

The budget of calls is shared out by the square root of how much each group writes: of all ways to share it, that one has
the events wait least. Where it doesn't reach, the busiest groups are followed by StartLiveTail, and polled now and then
all the same: Live Tail samples, and its sessions end.

Throttling, faults of the service and a network that is down are waited out. What else goes wrong is raised, and the next poll goes on from there.
"""

from __future__ import annotations

import heapq
import threading
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 - botocore's name

from lambdalog.denied import denied
from lambdalog.tail.budget import passing, throttled
from lambdalog.tail.live import GROUPS_MOST
from lambdalog.tail.request import Belonging
from lambdalog.tail.watched import FAR_EVERY_SECONDS, POLL_SECONDS, Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lambdalog.query.pattern import Pattern
    from lambdalog.tail.aws import AwsSource
    from lambdalog.tail.group import Group
    from lambdalog.tail.line import Line
    from lambdalog.tail.live import Session

    OpenSession = Callable[[Any, Sequence[Group], Pattern | None, Callable[[], None]], Session]

# The rest of the budget lists groups and reads the pages that come after the first.
SHARE: Final = 0.9
LIST_EVERY_SECONDS: Final = 30.0
# While nobody answers: the first wait, which doubles, the longest, and how often it is said.
PAUSE_SECONDS: Final = 0.5
PAUSE_MOST_SECONDS: Final = 10.0
SAY_SECONDS: Final = 60.0
# A poll gives back what it has once it has so much.
LINES_MOST: Final = 10_000

# Live Tail: sessions (of the account's 15), what a group must write to be worth a place, and how much one session takes
# before AWS samples it.
SESSIONS_MOST: Final = 5
LIVE_RATE: Final = 0.05
SESSION_RATE: Final = 400.0
ARRANGE_SECONDS: Final = 30.0
LIVE_AGAIN_SECONDS: Final = 600.0


class AwsFollowing:
    """Looks at one group after another. Not thread-safe, but for `wake`."""

    def __init__(self, source: AwsSource, since: int, *, session: OpenSession | None) -> None:
        self.late = 0
        self._source = source
        self._clock = source.clock
        self._budget = source.budget
        self._since = since
        self._watched: dict[str, Watched] = {}
        self._due: list[tuple[float, str]] = []
        self._weights = 0.0
        self._refused: set[str] = set()
        self._listing: Iterator[Any] | None = None
        self._listed: set[str] = set()
        self._next_listing = self._clock.monotonic()
        self._whole = False  # whether all groups were listed once
        self._turn = False
        wanted = source.wanted
        self._pattern = wanted.pattern if wanted.request is None else None
        self._belongs = None if wanted.request is None else Belonging(wanted.request)
        # Live Tail takes prefixes of streams only for a single group, and no globs.
        self._open_session = session if wanted.stream is None else None
        self._sessions: list[Session] = []
        self._arrange_at = self._clock.monotonic() + ARRANGE_SECONDS
        self._live_said = False
        self._notes: list[str] = []
        self._found: list[Line] = []  # read, and not given yet
        self._late_told = 0
        self._latest_late = 0
        self._unanswered = 0  # calls in a row
        self._down = False  # whether that was said
        self._said: dict[str, float] = {}  # of what may be said again and again, when it was
        self._stirred = threading.Event()
        self._woken = False

    def poll(self, timeout: float) -> list[Line]:
        """Lines that came since the last look, once each."""
        until = self._clock.monotonic() + timeout
        found = self._found
        while True:
            self._take_live(found)
            if self._woken or len(found) >= LINES_MOST:
                break
            now = self._clock.monotonic()
            if self._step(now, found):
                # As much as there is to do at this moment belongs together; but nobody waits for ever.
                if self._clock.monotonic() < until or not found:
                    continue
                break
            if found or now >= until:
                break
            self._clock.wait(self._stirred, max(min(self._next_step(now), until) - now, 0.001))
            self._stirred.clear()
        self._woken = False
        self._found = []
        found.sort(key=lambda line: line.order)
        if self._belongs is None:
            return found
        pattern = self._source.wanted.pattern
        return [
            line
            for line in found
            if self._belongs(line) and (pattern is None or pattern.matches(line.message))
        ]

    def wake(self) -> None:
        """End a wait."""
        self._woken = True
        self._stirred.set()

    def notes(self) -> list[str]:
        """What happened since the last call."""
        notes, self._notes = [*self._source.notes(), *self._notes], []
        if self.late > self._late_told:
            count = self.late - self._late_told
            notes.append(
                f"{count} line{'' if count == 1 else 's'} came late, up to {self._latest_late / 1000:.0f} s "
                f"({self.late} in all)"
            )
            self._late_told, self._latest_late = self.late, 0
        return notes

    def close(self) -> None:
        """End the sessions, and forget."""
        for session in self._sessions:
            session.close()
        self._sessions = []
        self._watched = {}
        self._due = []

    # --- what to do next

    def _step(self, now: float, found: list[Line]) -> bool:
        """Make one call, if one is due and the budget has it; whether something was done."""
        self._arrange(now)
        listing = self._listing is not None or now >= self._next_listing
        looking = self._next_due() <= now
        if not (listing or looking) or not self._budget.take():
            return False
        # Neither waits for the other to be done.
        self._turn = not self._turn
        if listing and (self._turn or not looking):
            self._list(now)
        else:
            self._look(self._watched[heapq.heappop(self._due)[1]], found)
        return True

    def _next_step(self, now: float) -> float:
        due = now if self._listing is not None else min(self._next_listing, self._next_due())
        return max(due, now + self._budget.delay())

    def _next_due(self) -> float:
        while self._due:
            due, name = self._due[0]
            watched = self._watched.get(name)
            if watched is not None and watched.due == due:
                return due
            heapq.heappop(self._due)  # put off since, or gone
        return float("inf")

    def _put(self, watched: Watched, due: float) -> None:
        watched.due = due
        heapq.heappush(self._due, (due, watched.group.name))

    def _weigh(self, watched: Watched) -> None:
        self._weights += watched.weigh()

    def _interval(self, watched: Watched) -> float:
        """Seconds until a group's next look: the budget's share of it."""
        if watched.live:
            return FAR_EVERY_SECONDS
        return max(POLL_SECONDS, self._weights / (watched.weight * self._budget.rate * SHARE))

    # --- groups

    def _list(self, now: float) -> None:
        if self._listing is None:
            self._listing, self._listed = self._source.listing(), set()
        page = next(self._listing, None)
        if page is None:
            self._end_listing(now)
            return
        try:
            groups = page()
        except ClientError as error:
            self._list_again(now)
            if throttled(error):
                self._throttled("DescribeLogGroups")
            elif passing(error):
                self._unreachable(error)
            else:
                raise
            return
        except (ConnectionError, HTTPClientError) as error:
            self._list_again(now)
            self._unreachable(error)
            return
        except BaseException:
            self._list_again(now)
            raise
        self._answered()
        for group in groups:
            self._listed.add(group.name)
            if group.name not in self._watched and group.name not in self._refused:
                watched = self._watched[group.name] = Watched(group, self._since)
                self._weigh(watched)
                self._put(watched, now + self._turn_of(len(self._watched)))
        if not self._whole and self._listing is not None:
            self._largest_first(now)

    def _list_again(self, now: float) -> None:
        self._listing, self._next_listing = None, now + LIST_EVERY_SECONDS / 10

    def _turn_of(self, place: int) -> float:
        """When a group that was never looked at has its turn, at its place among those: the others go on meanwhile."""
        return (place - 1) / (self._budget.rate * SHARE)

    def _largest_first(self, now: float) -> None:
        """Begin with the groups that hold most: they write most, as a rule."""
        new = [watched for watched in self._watched.values() if watched.looked is None and not watched.token]
        new.sort(key=lambda watched: -watched.group.stored_bytes)
        for place, watched in enumerate(new, 1):
            self._put(watched, now + self._turn_of(place))

    def _end_listing(self, now: float) -> None:
        for name in [name for name in self._watched if name not in self._listed]:
            self._forget(name)
        # Listing takes no more than a tenth of the budget, however many groups there are.
        calls = max(len(self._listed) / 50, 1)
        self._next_listing = now + max(LIST_EVERY_SECONDS, calls * 10 / self._budget.rate)
        self._listing = None
        self._whole = True

    def _forget(self, name: str) -> None:
        watched = self._watched.pop(name)
        self._weights -= watched.weight

    # --- looks

    def _look(self, watched: Watched, found: list[Line]) -> None:
        """Read one page of a group."""
        now = self._clock.monotonic()
        if watched.token is None:
            watched.begin(now, self._clock.now_ms())
        params: dict[str, Any] = {"startTime": watched.start}
        if watched.token is not None:
            params["nextToken"] = watched.token
        try:
            lines, token = self._source.events(watched.group.name, self._pattern, **params)
        except ClientError as error:
            self._failed(watched, error)
            return
        except (ConnectionError, HTTPClientError) as error:
            self._unreachable(error)
            self._put(watched, now)
            return
        except BaseException:
            self._put(watched, now)
            raise
        self._answered()
        fresh, late = watched.take(lines)
        found += fresh
        self.late += len(late)
        self._latest_late = max([self._latest_late, *(line.ingestion - line.timestamp for line in late)])
        watched.token = token
        if token is not None:
            self._put(watched, now)
        else:
            now = self._clock.monotonic()
            watched.finish(now)
            self._weigh(watched)
            self._put(watched, now + self._interval(watched))

    def _failed(self, watched: Watched, error: ClientError) -> None:
        now = self._clock.monotonic()
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if throttled(error):
            self._throttled("FilterLogEvents")
            self._put(watched, now)
        elif passing(error):
            self._unreachable(error)
            self._put(watched, now)
        elif code == "ResourceNotFoundException":
            self._forget(watched.group.name)  # deleted since it was listed
        elif code == "InvalidParameterException" and watched.token is not None:
            watched.token = None  # a token that expired: the look begins anew
            self._put(watched, now)
        elif denied(error) and not self._source.wanted.named(watched.group.name):
            self._notes.append(f"{watched.group.name} can't be read: {message}")
            self._refused.add(watched.group.name)
            self._forget(watched.group.name)
        else:
            self._put(watched, now)
            raise error

    def _answered(self) -> None:
        self._budget.granted()
        self._unanswered = 0
        if self._down:
            self._down = False
            self._notes.append("AWS answers again")

    def _unreachable(self, error: Exception) -> None:
        self._budget.pause(min(PAUSE_SECONDS * 2 ** min(self._unanswered, 10), PAUSE_MOST_SECONDS))
        self._unanswered += 1
        self._down |= self._say(f"AWS can't be reached, trying again: {error}")

    def _say(self, note: str) -> bool:
        """Note what may go on for hours, the same no more than once a minute; whether it was noted."""
        now = self._clock.monotonic()
        if now - self._said.get(note, float("-inf")) < SAY_SECONDS:
            return False
        self._said[note] = now
        self._notes.append(note)
        return True

    def _throttled(self, operation: str) -> None:
        self._budget.refuse()
        self._say(
            f"AWS throttles {operation}: going on with {self._budget.rate:.1f} calls a second "
            f"for {len(self._watched)} group{'' if len(self._watched) == 1 else 's'}"
        )

    # --- Live Tail

    def _arrange(self, now: float) -> None:
        """Give the busiest groups to Live Tail, where polling makes them wait."""
        if self._open_session is None or now < self._arrange_at or not self._whole:
            return
        self._arrange_at = now + ARRANGE_SECONDS
        busy = [
            watched
            for watched in self._watched.values()
            if not watched.live
            and watched.group.arn
            and watched.rate >= LIVE_RATE
            and self._interval(watched) > 2 * POLL_SECONDS
        ]
        busy.sort(key=lambda watched: -watched.rate)
        while busy and len(self._sessions) < SESSIONS_MOST:
            chosen: list[Watched] = []
            total = 0.0
            for watched in busy:
                if len(chosen) < GROUPS_MOST and total + watched.rate <= SESSION_RATE:
                    chosen.append(watched)
                    total += watched.rate
            if not chosen:
                break
            busy = [watched for watched in busy if watched not in chosen]
            self._start(chosen, now)

    def _start(self, chosen: list[Watched], now: float) -> None:
        assert self._open_session is not None
        groups = [watched.group for watched in chosen]
        self._sessions.append(self._open_session(self._source.logs, groups, self._pattern, self._stirred.set))
        for watched in chosen:
            watched.live = True
            self._weigh(watched)
            # Soon once more, for what is written until the session has begun.
            self._put(watched, now + 2 * POLL_SECONDS)
        if not self._live_said:
            self._live_said = True
            self._notes.append(
                f"the busiest of {len(self._watched)} groups are followed by Live Tail, which AWS charges by the minute"
            )

    def _take_live(self, found: list[Line]) -> None:
        for session in list(self._sessions):
            for update in session.take():
                for line in update.lines:
                    watched = self._watched.get(line.group)
                    if watched is not None and (taken := watched.take_live(line)) is not None:
                        found.append(taken)
                if update.sampled:
                    self._sampled(session)
            if session.ended:
                self._end(session)

    def _sampled(self, session: Session) -> None:
        self._notes.append(
            "AWS samples Live Tail, there are more than 500 events a second: what it left out is read by FilterLogEvents"
        )
        now = self._clock.monotonic()
        for group in session.groups:
            watched = self._watched.get(group.name)
            if watched is not None and watched.token is None and watched.due > now:
                self._put(watched, now)

    def _end(self, session: Session) -> None:
        self._sessions.remove(session)
        session.close()
        now = self._clock.monotonic()
        for group in session.groups:
            watched = self._watched.get(group.name)
            if watched is not None:
                watched.live = False
                self._weigh(watched)
                if watched.token is None:
                    self._put(watched, now)
        if session.trouble:
            self._notes.append(f"Live Tail ended, polling goes on: {session.trouble}")
            self._arrange_at = now + LIVE_AGAIN_SECONDS
