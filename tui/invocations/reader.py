"""Reads invocations in worker threads: the past page by page, what comes as it comes, and all about the one looked at."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from textual.message import Message

from tui.feed.invocations import FIRST_PAGE, PAGE
from tui.listing import Failed
from tui.trouble import explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.widget import Widget

    from lambdalog.clock import Clock
    from lambdalog.invocations import Invocation, Mark
    from tui.feed.invocations import Detail, Invocations, Refusal

RETRY_SECONDS: Final = 2.0
REFUSED_EVERY_SECONDS: Final = 1.0
# An invocation has about four lines.
MARKS_EACH: Final = 4
# So far back the past is read by itself.
PAST_MS: Final = 24 * 3_600_000


class Came(Message):
    """Marks: of the past, or new ones. `ended`: the past is read as far as it is."""

    def __init__(
        self, question: int, marks: Sequence[Mark], notes: Sequence[str], *, past: bool, ended: bool = False
    ) -> None:
        super().__init__()
        self.question, self.marks, self.notes, self.past, self.ended = question, marks, notes, past, ended


class Refused(Message):
    """What was throttled."""

    def __init__(self, question: int, refusals: list[Refusal]) -> None:
        super().__init__()
        self.question, self.refusals = question, refusals


class DetailCame(Message):
    """All about an invocation."""

    def __init__(self, invocation: Invocation, detail: Detail) -> None:
        super().__init__()
        self.invocation, self.detail = invocation, detail


class Recovered(Message):
    """The source answers again."""


class Reader:
    """Asks the room of invocations in threads of `owner`, a widget that takes the messages."""

    def __init__(self, owner: Widget, room: Invocations, clock: Clock, *, kept: int) -> None:
        self._owner, self._room, self._clock = owner, room, clock
        self._kept = kept
        self.question = 0
        self.retry_seconds = RETRY_SECONDS
        self._following = threading.Event()
        self._closed = threading.Event()
        self._wanted: Invocation | None = None
        self._look = threading.Event()
        self._looking = False

    def close(self) -> None:
        """Let every thread end."""
        self._closed.set()
        self._following.set()
        self._look.set()

    def follow(self, groups: Sequence[str]) -> None:
        """Read the past, and hand over what comes; whatever was followed before is no longer."""
        self._following.set()
        self._following = stop = threading.Event()
        self.question += 1
        question = self.question
        self._run("follow", lambda: self._follow(groups, question, stop))
        self._run("past", lambda: self._past(groups, question, stop))
        self._run("refused", lambda: self._refused(question, stop))

    def look(self, invocation: Invocation) -> None:
        """Read all about one; of many asked for in a row, the last."""
        self._wanted = invocation
        self._look.set()
        if not self._looking:
            self._looking = True
            self._run("look", self._looks)

    # --- in the threads

    def _run(self, group: str, work: object) -> None:
        self._owner.run_worker(work, thread=True, group=group, exit_on_error=False)  # type: ignore[arg-type]

    def _post(self, message: Message) -> None:
        if not self._closed.is_set():
            self._owner.post_message(message)

    def _follow(self, groups: Sequence[str], question: int, stop: threading.Event) -> None:
        # Lines of now may be read twice, here and with the past; the roll knows them.
        since = self._clock.now_ms()
        troubled = False

        def deliver(marks: list[Mark], notes: list[str]) -> None:
            self._post(Came(question, marks, notes, past=False))

        def failed(error: Exception) -> None:
            self._post(Failed(explained(error), reading=True))
            stop.wait(self.retry_seconds)

        while not stop.is_set():
            try:
                if troubled:
                    troubled = False
                    self._post(Recovered())
                self._room.follow(groups, since, deliver, stop, failed)
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown, and reading goes on
                troubled = True
                failed(error)

    def _past(self, groups: Sequence[str], question: int, stop: threading.Event) -> None:
        end: int | None = None
        left = self._kept * MARKS_EACH
        limit = FIRST_PAGE
        earliest = self._clock.now_ms() - PAST_MS
        while not stop.is_set():
            try:
                found = self._room.past(groups, end, limit)
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown, and reading goes on
                self._post(Failed(explained(error), reading=True))
                stop.wait(self.retry_seconds)
                continue
            left -= len(found.marks)
            start = found.start
            ended = found.ended or left <= 0 or start is None or start < earliest
            self._post(Came(question, found.marks, [], past=True, ended=ended))
            if ended or start is None:
                return
            # The page ended within a millisecond; one that is all of it leads no further, and a larger one does.
            limit = PAGE if end is None or start + 1 < end else limit * 4
            end = start + 1

    def _refused(self, question: int, stop: threading.Event) -> None:
        since = self._clock.now_ms() - PAST_MS
        while not stop.is_set():
            try:
                found = self._room.refused(since)
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown, and reading goes on
                self._post(Failed(explained(error), reading=True))
                stop.wait(self.retry_seconds)
                continue
            if found:
                since = found[-1].at + 1
                self._post(Refused(question, found))
            stop.wait(REFUSED_EVERY_SECONDS)

    def _looks(self) -> None:
        while not self._closed.is_set():
            self._look.wait()
            self._look.clear()
            wanted = self._wanted
            if wanted is None or self._closed.is_set():
                continue
            try:
                for detail in self._room.detail(wanted, self._clock.now_ms()):
                    self._post(DetailCame(wanted, detail))
                    if self._look.is_set():
                        break  # another is looked at by now
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown
                self._post(Failed(explained(error), reading=False))
