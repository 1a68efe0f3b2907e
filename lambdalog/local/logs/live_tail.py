"""StartLiveTail: what is written from now on, an update each second."""

from __future__ import annotations

import random
import threading
import uuid
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.event_stream import EventStream
from lambdalog.local.logs.room import Room, group_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambdalog.store import Event
    from lambdalog.store.follow import Follower

UPDATE_SECONDS: Final = 1.0
# "... the log events are sampled down to 500 log events to be included in each LiveTailSessionUpdate object."
EVENTS_MAX: Final = 500
# "... when the session times out, after it has been kept open for three hours."
SESSION_SECONDS: Final = 3 * 3600.0


class LiveTail(Room):
    """The operation on sessions."""

    def start_live_tail(
        self,
        *,
        logGroupIdentifiers: list[str],
        logStreamNames: list[str] | None = None,
        logStreamNamePrefixes: list[str] | None = None,
        logEventFilterPattern: str = "",
    ) -> dict[str, Any]:
        """StartLiveTail. `responseStream` is an iterator: one sessionStart, then a sessionUpdate each second.

        Close it, or use it in a `with`, to end the session.
        """
        arns = self._tailed(logGroupIdentifiers)
        if logStreamNames and logStreamNamePrefixes:
            raise self._invalid("logStreamNames and logStreamNamePrefixes are mutually exclusive parameters.")
        if (logStreamNames or logStreamNamePrefixes) and len(arns) > 1:
            raise self._invalid("Log streams can be specified for a single log group only.")
        pattern = self._pattern(logEventFilterPattern)
        named, prefixes = frozenset(logStreamNames or ()), tuple(logStreamNamePrefixes or ())
        anything = not logEventFilterPattern.strip()

        def wanted(event: Event) -> bool:
            if named and event.stream not in named:
                return False
            if prefixes and not event.stream.startswith(prefixes):
                return False
            return anything or pattern.matches(event.message)

        started: dict[str, Any] = {
            "requestId": str(uuid.uuid4()),
            "sessionId": str(uuid.uuid4()),
            "logGroupIdentifiers": list(arns.values()),
            "logEventFilterPattern": logEventFilterPattern,
        }
        if logStreamNames:
            started["logStreamNames"] = logStreamNames
        if logStreamNamePrefixes:
            started["logStreamNamePrefixes"] = logStreamNamePrefixes
        # From this moment on, not from the first look of whoever reads.
        follower = self._try(lambda: self._store.follow(groups=arns.__contains__))
        session = self._session(started, follower, wanted, arns)
        return {"responseStream": EventStream(session, endless=True, on_close=follower.close)}

    def _session(
        self,
        started: dict[str, Any],
        follower: Follower[Event],
        wanted: Callable[[Event], bool],
        arns: dict[str, str],
    ) -> Iterator[dict[str, Any]]:
        yield {"sessionStart": started}
        never = threading.Event()
        begun = self.clock.monotonic()
        following = begun + UPDATE_SECONDS
        while True:
            now = self.clock.monotonic()
            if now < following:
                self.clock.wait(never, following - now)
            # Whoever reads slowly gets the next update, not all that were missed.
            following = max(following, self.clock.monotonic()) + UPDATE_SECONDS
            if self.clock.monotonic() - begun >= SESSION_SECONDS:
                raise self.error(
                    "SessionTimeoutException", "The session timed out after it was open for three hours."
                )
            found, sampled = _sample(follower, wanted)
            yield {
                "sessionUpdate": {
                    "sessionMetadata": {"sampled": sampled},
                    "sessionResults": [
                        {
                            "logStreamName": event.stream,
                            "logGroupIdentifier": arns[event.group],
                            "message": event.message,
                            "timestamp": event.timestamp,
                            "ingestionTime": event.ingestion,
                        }
                        for event in found
                    ],
                }
            }

    def _tailed(self, identifiers: list[str]) -> dict[str, str]:
        """Group → ARN of what is to be tailed."""
        arns: dict[str, str] = {}
        for identifier in identifiers:
            if not identifier.startswith("arn:"):
                raise self._invalid(f"logGroupIdentifiers must be ARNs; '{identifier}' is none.")
            if identifier.endswith("*"):
                raise self._invalid(
                    "The ARN of a log group in logGroupIdentifiers can't end with an asterisk."
                )
            name = group_name(identifier)
            info = self._group(name)
            if info.extra.get("class", "STANDARD") != "STANDARD":
                raise self.error(
                    "InvalidOperationException", "Live Tail is for log groups of the Standard class only."
                )
            arns[name] = self.scope.log_group(name)
        return arns


def _sample(follower: Follower[Event], wanted: Callable[[Event], bool]) -> tuple[list[Event], bool]:
    """What came since the last update, or 500 of it; no more is held, however much there is."""
    kept: list[Event] = []
    seen = 0
    while events := follower.poll(0):
        for event in events:
            if not wanted(event):
                continue
            seen += 1
            if len(kept) < EVENTS_MAX:
                kept.append(event)
            elif (place := random.randrange(seen)) < EVENTS_MAX:
                kept[place] = event
        if seen > 100 * EVENTS_MAX:
            break  # the rest belongs to the next update
    kept.sort(key=lambda event: event.position)
    return kept, seen > EVENTS_MAX
