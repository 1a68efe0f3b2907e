"""Reads what the functions screen shows in worker threads: marks from the window's beginning on, the list, the throttles."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from textual.message import Message

from tui.listing import Failed
from tui.trouble import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.widget import Widget

    from lambdalog.clock import Clock
    from lambdalog.invocations import Mark
    from tui.feed import Feed
    from tui.feed.functions import About, Function

RETRY_SECONDS: Final = 2.0
LIST_EVERY_SECONDS: Final = 5.0
PAGE: Final = 5000


class Came(Message):
    """Marks in order of time; `caught_up`: from here on they are new."""

    def __init__(
        self, question: int, marks: Sequence[Mark], notes: Sequence[str], *, caught_up: bool
    ) -> None:
        super().__init__()
        self.question, self.marks, self.notes, self.caught_up = question, marks, notes, caught_up


class Listed(Message):
    """All functions, and what was throttled in the window."""

    def __init__(self, functions: list[Function], throttles: dict[str, int] | None) -> None:
        super().__init__()
        self.functions, self.throttles = functions, throttles


class AboutCame(Message):
    """Aliases and the like of a function."""

    def __init__(self, name: str, about: About) -> None:
        super().__init__()
        self.name_, self.about = name, about


class Reader:
    """Asks the feed in threads of `owner`, a widget that takes the messages."""

    def __init__(self, owner: Widget, feed: Feed, clock: Clock) -> None:
        self._owner, self._feed, self._clock = owner, feed, clock
        self.question = 0
        self.window_ms = 0
        self.retry_seconds = RETRY_SECONDS
        self._stop = threading.Event()
        self._closed = threading.Event()
        self._wake = threading.Event()
        self._listing = False

    def close(self) -> None:
        """Let every thread end."""
        self._closed.set()
        self._stop.set()
        self._wake.set()

    def read(self, window_ms: int) -> None:
        """Read from so long ago on, and go on; whatever was read before is no longer."""
        self._stop.set()
        self._stop = stop = threading.Event()
        self.question += 1
        self.window_ms = window_ms
        question, start = self.question, self._clock.now_ms() - window_ms
        self._run("marks", lambda: self._marks(question, start, stop))
        self._wake.set()
        if not self._listing:
            self._listing = True
            self._run("functions", self._list)

    def again(self) -> None:
        """List anew at once."""
        self._wake.set()

    def about(self, name: str) -> None:
        """Ask for a function's aliases and the like."""

        def work() -> None:
            try:
                self._post(AboutCame(name, self._feed.functions.about(name)))
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown
                self._post(Failed(explained(error), reading=True))

        self._run("about", work)

    # --- in the threads

    def _run(self, group: str, work: Callable[[], None]) -> None:
        self._owner.run_worker(work, thread=True, group=group, exit_on_error=False)

    def _post(self, message: Message) -> None:
        if not self._closed.is_set():
            self._owner.post_message(message)

    def _marks(self, question: int, start: int, stop: threading.Event) -> None:
        at, limit, caught_up = start, PAGE, False

        def deliver(marks: list[Mark], notes: list[str]) -> None:
            self._post(Came(question, marks, notes, caught_up=True))

        def failed(error: Exception) -> None:
            self._post(Failed(explained(error), reading=True))
            stop.wait(self.retry_seconds)

        while not stop.is_set():
            try:
                while not caught_up and not stop.is_set():
                    page = self._feed.invocations.onward(self._feed.groups, at, limit)
                    caught_up = page.ended
                    self._post(Came(question, page.marks, [], caught_up=caught_up))
                    # A page that is all of one millisecond leads no further; a larger one does.
                    limit = PAGE if page.start is None or page.start > at else limit * 4
                    at = page.start if page.start is not None else at
                self._feed.invocations.follow(self._feed.groups, at, deliver, stop, failed)
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown, and reading goes on
                caught_up = False
                failed(error)

    def _list(self) -> None:
        while not self._closed.is_set():
            now = self._clock.now_ms()
            try:
                functions = self._feed.functions.functions()
                throttles = self._feed.functions.throttles(now - self.window_ms, now + 1)
                self._post(Listed(functions, throttles))
                self._wake.wait(LIST_EVERY_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown, and reading goes on
                self._post(Failed(explained(error), reading=True))
                self._wake.wait(self.retry_seconds)
            self._wake.clear()
