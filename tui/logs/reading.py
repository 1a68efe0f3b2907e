"""The logs screen's lines: what is loaded of the store, what narrows it, and what the head says of it.

What is loaded is a window: lines without gaps, which reach the newest one while `attached`. A search puts older matches
before it; these are forgotten with their filter, or the window is read anew where the user looks.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text
from textual import on

from lambdalog.level import level_of
from lambdalog.printable import printable
from lambdalog.tail import Line
from tui.feed import Query
from tui.logs.buffer import LogBuffer, key_of
from tui.logs.filter_bar import FilterBar
from tui.logs.format import clock_text
from tui.logs.histogram import Histogram
from tui.logs.mode import Mode
from tui.logs.reader import (
    Bars,
    Came,
    Counted,
    Loaded,
    Matched,
    Past,
    Reader,
    Recovered,
    Total,
    Trouble,
)
from tui.logs.view import LogView
from tui.screen import ModeScreen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.widget import Widget

    from tui.session import Session

BARS_EVERY_SECONDS: Final = 10
LEVELS_MAX: Final = 4096


class LogsReading(ModeScreen):
    """Which lines are loaded, and how they come: history, live, searched for, jumped to."""

    SCOPE = "logs"

    def __init__(self) -> None:
        super().__init__()
        self.query_ = Query()
        self.attached = True  # whether what is loaded reaches the newest line
        self.matched: int | None = None
        self.total: int | None = None
        self.searched = True
        self.notes = ""
        self._loading: set[int] = set()
        self._start_reached = False
        self._sparse = False  # whether the window was read under the filter, and lacks what lies between
        self._whole_from: tuple[int, int, str] | None = None
        self._ticks = 0
        self._counted = self._read = False

    # --- parts

    def body(self) -> Iterable[Widget]:
        """Bars, lines, filter."""
        # Bars and view ask of the same new lines, one after the other.
        level = lru_cache(LEVELS_MAX)(level_of)
        yield Histogram(id="bars", level=level)
        yield LogView(LogBuffer(self.dashboard.settings.kept_lines, level=level), id="lines")
        yield FilterBar(id="filter-bar")

    def on_mount(self) -> None:
        """Take the last session up, and start reading."""
        settings, session = self.dashboard.settings, self.dashboard.session
        self.reader = Reader(self, self.feed.logs, self.dashboard.clock)
        self.view.wrap = settings.wrap or session.wrap
        self.view.utc = self.bars.utc = settings.utc or session.utc
        groups = self.feed.groups or tuple(session.groups)
        self.query_ = Query(groups, "" if self.feed.groups else session.streams)
        self.view.focus()
        self.recall(session.marks)
        self._restart()
        self.set_interval(1 / settings.frames_per_second, self._frame)
        self.set_interval(1.0, self.tick)
        if session.filter:
            self.filter_bar.set(
                session.filter, Mode(session.filter_mode) if session.filter_mode in set(Mode) else Mode.TEXT
            )
        self.tick()

    def on_unmount(self) -> None:
        """Stop reading."""
        self.reader.close()

    @property
    def settled(self) -> bool:
        """The newest lines were read, if there are any, and the bars of them."""
        return self.drawn and self._read and self._counted

    @property
    def view(self) -> LogView:
        """The lines."""
        return self.query_one("#lines", LogView)

    @property
    def bars(self) -> Histogram:
        """The histogram."""
        return self.query_one("#bars", Histogram)

    @property
    def filter_bar(self) -> FilterBar:
        """The line to type a filter into."""
        return self.query_one("#filter-bar", FilterBar)

    def remember(self, session: Session) -> None:
        """Put into a session what a later start takes up."""
        session.groups, session.streams = list(self.query_.groups), self.query_.streams
        session.filter, session.filter_mode = self.query_.text, self.filter_bar.mode.value
        session.wrap, session.utc = self.view.wrap, self.view.utc
        session.marks = [
            [*line, self.view.notes.get(key_of(line), "")] for line in self.view.marks.lines[-500:]
        ]

    def recall(self, marks: list[list[Any]]) -> None:
        """Set the bookmarks of a session; what isn't one is passed over."""
        for mark in marks:
            with suppress(TypeError, ValueError):
                timestamp, ingestion, group, stream, message, name, note = mark
                line = Line(int(timestamp), int(ingestion), str(group), str(stream), str(message), str(name))
                self.view.marks.add([line], 0)
                if note:
                    self.view.notes[key_of(line)] = str(note)

    @on(Histogram.Resized)
    def _more_bars(self) -> None:
        self._count_bars()

    # --- reading

    def _restart(self) -> None:
        """Read from the newest line back, and follow; older lines that match are searched for."""
        self.view.clear()
        self.attached, self._start_reached, self._whole_from = self.query_.end is None, False, None
        self._sparse = False
        self._loading.clear()
        self.reader.stop_search()
        # Without the filter, so that the window has no gaps once it is lifted.
        every = replace(self.query_, pattern=None, text="")
        self.reader.follow(every, self.dashboard.settings.history_lines)
        self._search()
        if self.attached:
            self.view.resume()
        else:
            self.view.pause()
        self._count_bars()

    def _search(self) -> None:
        self.total = None
        self.matched, self.searched = None, self.query_.pattern is None
        if self.query_.pattern is not None:
            self.reader.search(self.query_)

    def _frame(self) -> None:
        if self.view.sync():
            self.say_state()  # at once, for both to be drawn in one frame

    def _matches(self, line: Line) -> bool:
        query = self.query_
        return (
            (query.start is None or line.timestamp >= query.start)
            and (query.end is None or line.timestamp < query.end)
            and (query.pattern is None or query.pattern.matches(line.message))
        )

    @property
    def _narrow(self) -> bool:
        return self.query_.pattern is not None or self.query_.start is not None or self.query_.end is not None

    @on(Came)
    def _take_new(self, message: Came) -> None:
        self.reader.taken()
        if not self.drawn or message.followed != self.reader.followed:
            return
        if message.notes:
            self.notes = "; ".join(message.notes)
        self._recovered()
        lines = message.lines
        fitting = [line for line in lines if self._matches(line)] if self._narrow else lines
        self.bars.count(fitting)
        if self.matched is not None:
            self.matched += len(fitting)
        if self.total is not None:
            self.total += len(lines)
        if self.attached and not self.view.following and self.view.buffer.total > self.view.buffer.limit:
            # Somebody reads for hours: what comes meanwhile is in the store, and read when it is wanted.
            self.attached = False
        if self.attached:
            self.view.add_lines(lines)
        else:
            self.view.unseen += len(fitting)

    @on(Past)
    def _take_past(self, message: Past) -> None:
        if not self.drawn or message.followed != self.reader.followed or not self.attached_or_ranged:
            return
        self._recovered()
        self._read = True
        self.view.add_more(message.lines)
        if message.lines and self.query_.pattern is not None:
            self._whole_from = key_of(message.lines[0])
        elif self.query_.pattern is None:
            self._start_reached = message.ended
        self.view.sync()
        self.tick()

    @property
    def attached_or_ranged(self) -> bool:
        """Whether the view shows what following began with, and not some other time that was gone to."""
        return self.attached or self.query_.end is not None

    @on(Loaded)
    def _take_loaded(self, message: Loaded) -> None:
        if not self.drawn:
            return
        self._loading.discard(message.step)
        if message.question != self.reader.question:
            return
        self._recovered()
        if message.at is not None:
            self.view.clear()
            self._start_reached, self._whole_from = False, None
            self._sparse = self.query_.pattern is not None
        added = self.view.add_more(message.lines)
        if message.step < 0:
            self._start_reached = message.ended or not added
        elif message.step > 0:
            self._sparse = self._sparse or self.query_.pattern is not None
            self.attached = self.attached or (message.ended and self.query_.end is None)
        elif message.at is not None:
            self.view.go_to(self.view.buffer.index_near((message.at, 0, "")))
            self.attached = False
            if message.ended and self.query_.end is None:
                # What came while the page was read is asked for, so that nothing is missing between.
                self.attached = True
                self._load(1)
        self.view.sync()
        self.tick()

    @on(Matched)
    def _take_matched(self, message: Matched) -> None:
        if not self.drawn or message.question != self.reader.question or self.query_.pattern is None:
            return
        self.matched = message.count
        self.searched = message.ended
        if self.attached:
            self.view.add_more(message.lines)
        self.tick()

    @on(Total)
    def _take_total(self, message: Total) -> None:
        if self.drawn and message.question == self.reader.question:
            self.total = message.count
            self.tick()

    @on(Counted)
    def _take_bars(self, message: Counted) -> None:
        if self.drawn:
            self._counted = True
            self.bars.set_bars(message.start, message.step, message.bars)

    @on(Trouble)
    def _take_trouble(self, message: Trouble) -> None:
        self._loading.clear()
        self.show_trouble(message.what)

    @on(Recovered)
    def _recovered(self) -> None:
        self.show_trouble("")

    @on(LogView.MoreWanted)
    def _more(self, message: LogView.MoreWanted) -> None:
        if message.step < 0 and not self._start_reached:
            self._load(-1)
        elif message.step > 0 and not self.attached:
            self._load(1)

    def _load(self, step: int) -> None:
        lines = self.view.buffer.shown
        if lines and step not in self._loading:
            self._loading.add(step)
            edge = lines[0] if step < 0 else lines[-1]
            self.reader.load(self.query_, edge.timestamp, step)

    # --- the head

    def tick(self) -> None:
        """Once a second, and whenever something changed."""
        if not self.drawn:
            return
        self._ticks += 1
        self.bars.tick(self.dashboard.clock.now_ms())
        if self._ticks % BARS_EVERY_SECONDS == 0:
            self._count_bars()
        self.say_state()

    @on(LogView.Changed)
    def say_state(self) -> None:
        """What is shown, of how much, and whether it follows."""
        if not self.drawn:
            return
        view, query = self.view, self.query_
        state = Text()
        if self.notes:
            state.append(f"{printable(self.notes)[:60]}  ", "yellow")
        if query.groups:
            names = ", ".join(printable(name.removeprefix("/aws/lambda/")) for name in query.groups)
            state.append(f"{names if len(names) <= 24 else f'{len(query.groups)} groups'}  ", "cyan")
        if query.start is not None and query.end is not None:
            low, high = (clock_text(time, utc=view.utc)[:8] for time in (query.start, query.end))
            state.append(f"{low} … {high}  ", "cyan")
        if query.pattern is not None:
            matched = self.matched if self.matched is not None else len(view.buffer.shown)
            of = "" if self.total is None else f" of {max(self.total, matched):,}"
            state.append(f"{matched:,}{'' if self.searched else '…'}{of} match  ", "bold")
        else:
            state.append(f"{view.buffer.total + view.buffer.trimmed:,} lines  ", "dim")
        if view.following:
            state.append("● LIVE ", "bold green")
        else:
            state.append(f"‖ PAUSED  ▼ {view.unseen:,} new ", "bold yellow")
        self.show_state(state)

    # --- what narrows

    @on(FilterBar.Changed)
    def _filter(self, message: FilterBar.Changed) -> None:
        if message.text == self.query_.text and message.pattern == self.query_.pattern:
            return
        view = self.view
        self.reader.stop_search()
        self.reader.question += 1
        self._loading.clear()
        read_at = self._forget_gaps()
        if view.buffer.lines:
            self._whole_from = key_of(view.buffer.lines[0])
        self.query_ = replace(self.query_, pattern=message.pattern, text=message.text)
        view.found = message.text if message.mode is Mode.TEXT else ""
        view.show_only(self._matches if self._narrow else None)
        self._start_reached = False
        if read_at is None and self._sparse:
            self._restart()
        else:
            if read_at is not None:
                self._go_to_time(read_at)
            self._search()
        self.bars.clear()
        self._count_bars()
        self.tick()

    def _forget_gaps(self) -> int | None:
        """Forget what a search found before the window; the time to read anew where the user looks at one of those."""
        kept = None if self.view.following else self.view.cursor_line or self.view.top_line
        if kept is not None and (
            self._sparse or (self._whole_from is not None and key_of(kept) < self._whole_from)
        ):
            return kept.timestamp
        if self._whole_from is not None:
            self.view.forget_before(self._whole_from)
        return None

    @on(FilterBar.Done)
    def _typed(self) -> None:
        self.view.focus()

    @on(Histogram.Chosen)
    def _range(self, message: Histogram.Chosen) -> None:
        self.query_ = replace(self.query_, start=message.start, end=message.end)
        self.bars.range = (message.start, message.end)
        self._restart()
        self.view.show_only(self._matches)
        self.tick()

    def _count_bars(self) -> None:
        bars = self.bars
        if bars.columns > 1:
            bars.tick(self.dashboard.clock.now_ms())
            # The newest bar is still growing, and is counted as lines come.
            query = replace(self.query_, start=None, end=None)
            self.reader.bars(query, Bars(bars.first, bars.step, bars.columns - 1))

    def show_request(self, request_id: str) -> None:
        """Show only the lines of a request."""
        self.filter_bar.set(request_id, Mode.TEXT)
        self.view.focus()

    def _go_to_time(self, at: int) -> None:
        self.view.pause()
        self.reader.jump(self.query_, at)
