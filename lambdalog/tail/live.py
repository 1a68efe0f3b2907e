"""A StartLiveTail session: what up to ten groups ingest, a second later. AWS charges it by the minute."""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from lambdalog.tail.line import line_of_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambdalog.query.pattern import Pattern
    from lambdalog.tail.group import Group
    from lambdalog.tail.line import Line

# "You can specify a maximum of 10 log groups."
GROUPS_MOST: Final = 10


class Update(NamedTuple):
    """What came in a second. `sampled`: AWS left some out, as there were more than 500."""

    lines: list[Line]
    sampled: bool


class Session(Protocol):
    """An open session."""

    groups: Sequence[Group]
    trouble: str
    """Why it ended, "" if it was AWS's own limit of three hours."""

    @property
    def ended(self) -> bool:
        """Whether nothing comes any more."""
        ...

    def take(self) -> list[Update]:
        """What came since the last call."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class LiveSession:
    """A session, read by a thread of its own. `came` is called, from there, when something may be taken."""

    def __init__(
        self, logs: Any, groups: Sequence[Group], pattern: Pattern | None, came: Callable[[], None]
    ) -> None:
        self.groups = groups
        self.trouble = ""
        self._names = {group.name for group in groups}
        self._pattern = pattern
        self._came = came
        self._updates: SimpleQueue[Update] = SimpleQueue()
        self._closed = False
        self._done = False
        self._stream: Any = None
        self._thread = threading.Thread(
            target=self._read, args=(logs,), name="lambdalog live tail", daemon=True
        )
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether the session is over and all of it was taken."""
        return self._done and self._updates.empty()

    def take(self) -> list[Update]:
        """What came since the last call."""
        updates = []
        with suppress(Empty):
            while True:
                updates.append(self._updates.get_nowait())
        return updates

    def close(self) -> None:
        """Hang up. The thread ends by itself when the connection has."""
        self._closed = True
        stream = self._stream
        if stream is not None:
            with suppress(Exception):  # it is being read, and may be closed at the other end
                stream.close()

    def _read(self, logs: Any) -> None:
        params: dict[str, Any] = {"logGroupIdentifiers": [group.arn for group in self.groups]}
        if self._pattern is not None:
            params["logEventFilterPattern"] = str(self._pattern)
        try:
            self._stream = logs.start_live_tail(**params)["responseStream"]
            for event in self._stream:
                if self._closed:
                    return
                self._take_in(event)
        except (ClientError, BotoCoreError) as error:
            if "SessionTimeout" not in str(error):
                self.trouble = str(error)
        except Exception as error:  # noqa: BLE001 - a stream that is closed under its reader raises whatever it likes
            self.trouble = f"{type(error).__name__}: {error}"
        finally:
            self._done = True
            self._came()

    def _take_in(self, event: dict[str, Any]) -> None:
        update = event.get("sessionUpdate")
        if update is None:
            return
        lines = [
            line_of_answer(name_of(found["logGroupIdentifier"]), found)
            for found in update["sessionResults"]
            if self._pattern is None or self._pattern.matches(found["message"])
        ]
        sampled = bool(update.get("sessionMetadata", {}).get("sampled"))
        if lines or sampled:
            self._updates.put(Update(lines, sampled))
            self._came()


def name_of(identifier: str) -> str:
    """A group's name, from its ARN or `account:name`."""
    if identifier.startswith("arn:"):
        return identifier.split(":log-group:", 1)[-1].removesuffix(":*")
    return identifier.rpartition(":")[2]
