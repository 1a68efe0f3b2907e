"""The dashboard: live log lines above, failures below.

Reading happens in worker threads; what they find comes back as messages. Nothing blocks the keyboard.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, ClassVar, Final

from rich.text import Text
from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Footer, Input, Static

from lambdalog.clock import SYSTEM, Clock
from lambdalog.errors import PatternError
from lambdalog.query.pattern import parse
from tui.failures.pane import FailuresPane
from tui.logs.buffer import key_of
from tui.logs.detail import DetailScreen, detail_text
from tui.logs.histogram import Histogram
from tui.logs.view import LogView

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.feed import FailureRow, Feed, Line

HISTORY_LINES: Final = 5000
FRAMES_A_SECOND: Final = 15
FAILURES_EVERY_SECONDS: Final = 2.0


class LinesCame(Message):
    """Log lines from the feed."""

    def __init__(self, lines: list[Line]) -> None:
        super().__init__()
        self.lines = lines


class FailuresCame(Message):
    """The failure groups, read anew."""

    def __init__(self, rows: list[FailureRow]) -> None:
        super().__init__()
        self.rows = rows


class FailureLines(Message):
    """The log lines of one failure, to be jumped to."""

    def __init__(self, row: FailureRow, lines: list[Line]) -> None:
        super().__init__()
        self.row = row
        self.lines = lines


class FeedTrouble(Message):
    """The feed could not read; it goes on trying."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what


class Dashboard(App[None]):
    """Tails logs and failures of functions."""

    TITLE = "lambdalog"
    RETRY_SECONDS: ClassVar[float] = 2.0
    CSS_PATH = "dashboard.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("p,space", "pause", "Pause"),
        Binding("tab", "app.focus_next", "Other pane", key_display="Tab"),
        Binding("escape", "unfilter", "All lines", key_display="Esc"),
        Binding("ctrl+c", "quit", show=False),
    ]

    def __init__(self, feed: Feed, *, clock: Clock = SYSTEM) -> None:
        super().__init__()
        self.feed = feed
        self.clock = clock
        self._stop = threading.Event()
        self._trouble = ""
        self._lines_seen = 0
        self._pattern = ""

    def compose(self) -> ComposeResult:
        """Title, bars, lines, failures, filter, keys."""
        yield Horizontal(Static(id="title"), Static(id="status"), id="head")
        yield Histogram(id="bars")
        yield LogView(id="lines")
        with Vertical(id="failures-box"):
            yield FailuresPane(id="failures")
        with Horizontal(id="filter-box"):
            yield Static("/", id="filter-sign")
            yield Input(
                placeholder='filter pattern: ERROR   "exact phrase"   -without   %regex%   { $.level = ERROR }',
                id="filter",
            )
            yield Static(id="filter-note")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Start reading."""
        self.theme = "tokyo-night"
        self.query_one("#failures-box").border_title = "failures"
        self.query_one("#filter-box").display = False
        self.query_one(LogView).focus()
        self._follow()
        self._read_failures()
        self.set_interval(1 / FRAMES_A_SECOND, self.query_one(LogView).sync)
        self.set_interval(1.0, self._tick)
        self._tick()

    def on_unmount(self) -> None:
        """Stop reading."""
        self._stop.set()

    # --- reading, off the thread that draws

    @work(thread=True, group="follow", exit_on_error=False)
    def _follow(self) -> None:
        def deliver(lines: list[Line]) -> None:
            self.post_message(LinesCame(lines))

        since: int | None = None
        while not self._stop.is_set():
            try:
                if since is None:
                    # Lines written while the history is read come twice; the buffer keeps one.
                    now = self.clock.now_ms()
                    lines = self.feed.history(HISTORY_LINES)
                    since = min(now, lines[-1].timestamp) if lines else now
                    deliver(lines)
                self.feed.follow(since, deliver, self._stop)
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown, and reading goes on
                self._report(error)
                self._stop.wait(self.RETRY_SECONDS)

    @work(thread=True, group="failures", exit_on_error=False)
    def _read_failures(self) -> None:
        while not self._stop.is_set():
            try:
                rows = self.feed.failures()
                self.post_message(FailuresCame(rows))
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown, and reading goes on
                self._report(error)
            self._stop.wait(FAILURES_EVERY_SECONDS)

    @work(thread=True, group="jump", exclusive=True, exit_on_error=False)
    def _read_failure_lines(self, row: FailureRow) -> None:
        try:
            self.post_message(FailureLines(row, self.feed.lines_of(row)))
        except Exception as error:  # noqa: BLE001 - shown in the status line
            self._report(error)

    def _report(self, error: Exception) -> None:
        if not self._stop.is_set():
            self.post_message(FeedTrouble(f"{type(error).__name__}: {error}"))

    @property
    def _drawn(self) -> bool:
        """Whether the screen's parts are there; what arrives while the app is leaving finds none."""
        return bool(self.query(LogView))

    # --- what came

    @on(LinesCame)
    def _take_lines(self, message: LinesCame) -> None:
        if not self._drawn:
            return
        self._trouble = ""
        self._lines_seen += len(message.lines)
        self.query_one(Histogram).count(message.lines)
        self.query_one(LogView).add_lines(message.lines)

    @on(FailuresCame)
    def _take_failures(self, message: FailuresCame) -> None:
        if not self._drawn:
            return
        pane = self.query_one(FailuresPane)
        pane.show_rows(message.rows, self.clock.now_ms())
        total = sum(row.count for row in message.rows)
        box = self.query_one("#failures-box")
        box.border_title = (
            f"failures · {total:,} in {len(message.rows)} groups" if total else "failures · none"
        )
        box.set_class(not message.rows, "empty")

    @on(FailureLines)
    def _jump(self, message: FailureLines) -> None:
        if not self._drawn:
            return
        if not message.lines:
            self.notify("No log lines of this failure are left in the store.", severity="warning")
            return
        view = self.query_one(LogView)
        view.add_lines(message.lines)
        request = next(iter(message.row.request_ids), "")
        self._set_filter(f'"{request}"' if request else "")
        view.go_to(view.buffer.index_near(key_of(message.lines[0])))
        view.focus()

    @on(FeedTrouble)
    def _show_trouble(self, message: FeedTrouble) -> None:
        self._trouble = message.what
        self._tick()

    @on(LogView.Changed)
    def _tick(self) -> None:
        if not self._drawn:
            return
        view = self.query_one(LogView)
        self.query_one(Histogram).tick(self.clock.now_ms())
        title = Text.assemble((" λ", "bold"), (" lambdalog ", "bold"), (self.feed.label, "dim"))
        self.query_one("#title", Static).update(title)
        shown, total = len(view.buffer.shown), view.buffer.total
        state = Text(justify="right")
        if self._trouble:
            state.append(f"✗ {self._trouble[:80]}   ", "bold red")
        if self._pattern:
            state.append(f"{shown:,} of {total:,} lines match   ", "bold")
        else:
            state.append(f"{total + view.buffer.trimmed:,} lines   ", "dim")
        if view.following:
            state.append("● LIVE ", "bold green")
        else:
            state.append(f"‖ PAUSED  ▼ {view.unseen:,} new ", "bold yellow")
        self.query_one("#status", Static).update(state)

    # --- keys

    def action_pause(self) -> None:
        """Stop following, or go on."""
        self.query_one(LogView).action_pause()

    def action_filter(self) -> None:
        """Type a filter pattern."""
        self.query_one("#filter-box").display = True
        self.query_one("#filter", Input).focus()

    def action_unfilter(self) -> None:
        """Show all lines again."""
        self._set_filter("")
        self.query_one("#filter-box").display = False
        self.query_one(LogView).focus()

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        self._apply_pattern(event.value)

    @on(Input.Submitted, "#filter")
    def _done_typing(self) -> None:
        self.query_one("#filter-box").display = bool(self._pattern)
        self.query_one(LogView).focus()

    def _set_filter(self, text: str) -> None:
        field = self.query_one("#filter", Input)
        self.query_one("#filter-box").display = bool(text)
        with self.prevent(Input.Changed):
            field.value = text
        self._apply_pattern(text)

    def _apply_pattern(self, text: str) -> None:
        note = self.query_one("#filter-note", Static)
        matches: Callable[[Line], bool] | None = None
        if text.strip():
            try:
                pattern = parse(text)
            except PatternError as error:
                note.update(Text(f"at {error.position + 1}: {error}", "red"))
                return

            def matches(line: Line) -> bool:
                return pattern.matches(line.message)

        note.update("")
        self._pattern = text.strip()
        view = self.query_one(LogView)
        view.show_only(matches)

    @on(LogView.Opened)
    def _open(self, message: LogView.Opened) -> None:
        self.push_screen(DetailScreen("log event", detail_text(message.line)))

    @on(FailuresPane.LinesWanted)
    def _lines_wanted(self, message: FailuresPane.LinesWanted) -> None:
        self._read_failure_lines(message.row)


async def screenshot(feed: Feed, size: tuple[int, int], settle_seconds: float = 3.0) -> str:
    """The dashboard as SVG, drawn without a terminal once lines and failures have been read."""
    app = Dashboard(feed)
    async with app.run_test(size=size) as pilot:
        until = time.monotonic() + settle_seconds
        while time.monotonic() < until and not (
            app.query_one(LogView).buffer.total and app.query_one(FailuresPane).rows_shown
        ):
            await pilot.pause(0.05)
        app.query_one(LogView).sync()
        await pilot.pause(0.1)
        drawn = app.export_screenshot(title="lambdalog dashboard", simplify=True)
        # Without this, some renderers drop the spaces that a run of text begins with.
        return drawn.replace("<svg ", '<svg xml:space="preserve" ', 1)
