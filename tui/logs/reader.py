"""Reads lines for the logs screen in worker threads; what they find comes back as messages.

Each message carries the number of the question that it answers: an answer to an older question is let be.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from textual.message import Message

from tui.early import Beginning, Early
from tui.feed.logs import FIRST_PAGE, PAGE
from tui.trouble import explained

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.widget import Widget

    from lambdalog.clock import Clock
    from lambdalog.tail import Line
    from tui.feed import Bar, Logs, Query

RETRY_SECONDS: Final = 2.0
# Keys that are typed as fast as this are one question.
TYPING_SECONDS: Final = 0.03
# More than a screen has rows.
JUMP_PAGE: Final = 300
# What isn't needed for the first lines begins when these were drawn, or as late as this.
DRAWN_SECONDS: Final = 1.0
# Matching lines that are shown at once; the others are counted, and read when the user scrolls there.
SHOWN_AT_ONCE: Final = 10_000


class Past(Message):
    """The newest lines, oldest first, from which on the source is followed; `ended`: there are no older ones."""

    def __init__(self, followed: int, lines: list[Line], *, ended: bool) -> None:
        super().__init__()
        self.followed, self.lines, self.ended = followed, lines, ended


# Deliveries of new lines that wait to be taken.
WAITING_MAX: Final = 4


class Came(Message):
    """New lines, and what the user should know of the source. Each has to be answered by `Reader.taken`."""

    def __init__(self, followed: int, lines: list[Line], notes: list[str]) -> None:
        super().__init__()
        self.followed, self.lines, self.notes = followed, lines, notes


class Loaded(Message):
    """Lines that were asked for. `step` -1: older ones, 1: newer ones, 0: those around `at`; `ended`: no more that way."""

    def __init__(
        self, question: int, lines: list[Line], step: int, *, ended: bool, at: int | None = None
    ) -> None:
        super().__init__()
        self.question, self.lines, self.step, self.ended, self.at = question, lines, step, ended, at


class Matched(Message):
    """How far the search is: lines to show, all that were counted, and whether it has seen everything."""

    def __init__(self, question: int, lines: list[Line], count: int, *, ended: bool) -> None:
        super().__init__()
        self.question, self.lines, self.count, self.ended = question, lines, count, ended


class Filtered(Message):
    """Which of the lines that were loaded match."""

    def __init__(self, number: int, matches: Callable[[Line], bool], lines: list[Line]) -> None:
        super().__init__()
        self.number, self.matches, self.lines = number, matches, lines


class Total(Message):
    """How many lines there are of which a search found some."""

    def __init__(self, question: int, count: int) -> None:
        super().__init__()
        self.question, self.count = question, count


class Counted(Message):
    """The bars of a range; `query` is the very one that was asked."""

    def __init__(self, query: Query, start: int, step: int, bars: list[Bar]) -> None:
        super().__init__()
        self.query, self.start, self.step, self.bars = query, start, step, bars


class Around(Message):
    """A line with those before and after it in its stream."""

    def __init__(self, line: Line, lines: list[Line]) -> None:
        super().__init__()
        self.line, self.lines = line, lines


class Exported(Message):
    """How an export ended: how many lines were written, and why no more, in words, if it failed."""

    def __init__(self, path: Path, count: int, failed: str = "") -> None:
        super().__init__()
        self.path, self.count, self.failed = path, count, failed


class Trouble(Message):
    """The source could not be read; it is tried again."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what


class Recovered(Message):
    """The source answers again."""


class Bars(NamedTuple):
    """Which bars are wanted."""

    start: int
    step: int
    columns: int


class Reader:
    """Asks `logs` in threads of `owner`, a widget that takes the messages."""

    def __init__(self, owner: Widget, logs: Logs, clock: Clock) -> None:
        self._owner = owner
        self._logs = logs
        self._clock = clock
        self.question = 0
        self.followed = 0
        self._counting = self._filtering = 0
        self.retry_seconds = RETRY_SECONDS
        self._room = threading.Semaphore(WAITING_MAX)
        self._following = threading.Event()
        self._searching = threading.Event()
        self._closed = threading.Event()
        self._drawn = threading.Event()

    def drawn(self) -> None:
        """The first lines were drawn: everything else may be read."""
        self._drawn.set()

    def close(self) -> None:
        """Let every thread end."""
        self._closed.set()
        self._drawn.set()
        self._following.set()
        self._searching.set()

    def taken(self) -> None:
        """What came last has been taken: there is room for more."""
        self._room.release()

    def follow(
        self, query: Query, limit: int, early: Beginning | None = None, *, shown: bool = False
    ) -> None:
        """Read the newest lines, then hand over what comes; whatever was followed before is no longer.

        What is read early already isn't read again, nor handed over if it is `shown`.
        """
        self._following.set()
        self._following = stop = threading.Event()
        self.question += 1
        self.followed += 1
        followed = self.followed
        self._run("follow", lambda: self._follow(query, limit, followed, stop, early, shown=shown))

    def search(self, query: Query) -> None:
        """Find and count all lines that match."""
        self.stop_search()
        self._searching = stop = threading.Event()
        question = self.question
        self._run("search", lambda: self._search(query, question, stop))

    def stop_search(self) -> None:
        """Whatever was searched for isn't any longer."""
        self._searching.set()

    def filter(self, lines: list[Line], matches: Callable[[Line], bool], number: int) -> None:
        """Find the lines that match among those that are loaded, if they are many; another call's number ends it."""
        self._filtering = number

        def work() -> None:
            found: list[Line] = []
            for begin in range(0, len(lines), PAGE):
                if self._filtering != number or self._closed.is_set():
                    return
                found += filter(matches, lines[begin : begin + PAGE])
            self._post(Filtered(number, matches, found))

        self._run("filter", work)

    def load(self, query: Query, edge: int, step: int) -> None:
        """A page of older (-1) or newer (1) lines than `edge`, epoch ms."""
        question = self.question
        self._run(f"load{step}", lambda: self._load(query, edge, step, question))

    def jump(self, query: Query, at: int) -> None:
        """A page on either side of a time."""
        self.question += 1
        question = self.question
        self._run("jump", lambda: self._jump(query, at, question))

    def bars(self, query: Query, wanted: Bars) -> None:
        """Count what the histogram shows."""
        self._counting += 1
        counting = self._counting

        def count() -> None:
            self._drawn.wait(DRAWN_SECONDS)
            if self._closed.wait(TYPING_SECONDS) or counting != self._counting:
                return  # another key was typed
            self._post(Counted(query, wanted.start, wanted.step, self._logs.bars(query, *wanted)))

        self._run("bars", count)

    def context(self, line: Line, lines: int) -> None:
        """The lines around one."""
        self._run("context", lambda: self._post(Around(line, self._logs.context(line, lines))))

    def export(self, query: Query, path: Path, write: Callable[[Line], str]) -> None:
        """Write all lines that match, oldest first, a line each."""

        def work() -> None:
            count, failed = 0, ""
            try:
                with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
                    for lines in self._logs.matches(query, self._closed, descending=False):
                        file.writelines(f"{write(line)}\n" for line in lines)
                        count += len(lines)
            except Exception as error:  # noqa: BLE001 - that it ended early is what counts, whoever is to blame
                failed = explained(error)
            self._post(Exported(path, count, failed))

        self._run("export", work)

    # --- in the threads

    def _run(self, group: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown
                self._post(Trouble(explained(error)))

        self._owner.run_worker(guarded, thread=True, group=group, exclusive=True, exit_on_error=False)

    def _post(self, message: Message) -> None:
        if not self._closed.is_set():
            self._owner.post_message(message)

    def _follow(
        self,
        query: Query,
        limit: int,
        followed: int,
        stop: threading.Event,
        early: Beginning | None,
        *,
        shown: bool,
    ) -> None:
        since: int | None = None
        troubled = False

        def deliver(lines: list[Line], notes: list[str]) -> None:
            # A screen that is behind would else have all that waits for it in memory.
            while not self._room.acquire(timeout=0.2):
                if stop.is_set():
                    return
            self._post(Came(followed, lines, notes))

        def failed(error: Exception) -> None:
            self._post(Trouble(explained(error)))
            stop.wait(self.retry_seconds)

        while not stop.is_set():
            try:
                if since is None:
                    # Lines written while the history is read come twice; the buffer keeps one.
                    first = min(limit, FIRST_PAGE)
                    page = early.wait() if early is not None else None
                    is_early = page is not None and page.query == query
                    if page is None or not is_early:
                        now = self._clock.now_ms()
                        page = Early(query, now, self._logs.page(query, None, None, first, descending=True))
                    if not shown:
                        self._post(Past(followed, page.lines[::-1], ended=len(page.lines) < first))
                    since = page.since
                    self._drawn.wait(DRAWN_SECONDS)
                    # A screenful is there at once, then the rest; after an early one also what came late meanwhile.
                    if is_early or len(page.lines) == first < limit:
                        lines = self._logs.page(query, None, None, limit, descending=True)
                        self._post(Past(followed, lines[::-1], ended=len(lines) < limit))
                if troubled:
                    troubled = False
                    self._post(Recovered())
                self._logs.follow(query, since, deliver, stop, failed)
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown, and reading goes on
                troubled = True
                failed(error)

    def _search(self, query: Query, question: int, stop: threading.Event) -> None:
        if stop.wait(TYPING_SECONDS):
            return
        count = 0
        for lines in self._logs.matches(query, stop, descending=True):
            shown = lines if count < SHOWN_AT_ONCE else []
            count += len(lines)
            self._post(Matched(question, shown, count, ended=False))
        if not stop.is_set():
            self._post(Matched(question, [], count, ended=True))
            total = self._logs.total(query)
            if total is not None:
                self._post(Total(question, total))

    def _load(self, query: Query, edge: int, step: int, question: int) -> None:
        limit = PAGE
        while True:
            if step < 0:
                lines = self._logs.page(query, None, edge + 1, limit, descending=True)[::-1]
            else:
                lines = self._logs.page(query, edge, None, limit, descending=False)
            # A page that is all of one millisecond leads no further; a larger one does.
            if len(lines) < limit or lines[0].timestamp != lines[-1].timestamp:
                break
            limit *= 4
        self._post(Loaded(question, lines, step, ended=len(lines) < limit))

    def _jump(self, query: Query, at: int, question: int) -> None:
        later = self._logs.page(query, at, None, JUMP_PAGE, descending=False)
        ended = len(later) < JUMP_PAGE
        if not ended:  # what the user went to is there at once, and then what is above it
            self._post(Loaded(question, later, 0, ended=False, at=at))
        earlier = self._logs.page(query, None, at, PAGE, descending=True)[::-1]
        if ended:
            self._post(Loaded(question, [*earlier, *later], 0, ended=True, at=at))
        else:
            self._post(Loaded(question, earlier, -1, ended=len(earlier) < PAGE))
