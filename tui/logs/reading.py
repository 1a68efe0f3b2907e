"""The logs screen's lines: what is loaded of the store, what narrows it, and what the head says of it.

What is loaded is a window: lines without gaps, which reach the newest one while `attached`. A search puts older matches
before it; these are forgotten with their filter, or the window is read anew where the user looks.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from textual import on

from lambdalog.tail import Line
from tui.early import first_query
from tui.feed import Query
from tui.logs.buffer import LogBuffer, key_of, severe_of
from tui.logs.filter_bar import FilterBar
from tui.logs.head import Told, head_text, nothing_text
from tui.logs.histogram import Histogram
from tui.logs.mode import Mode
from tui.logs.pace import Pace
from tui.logs.reader import (
    Bars,
    Came,
    Counted,
    Filtered,
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

    from tui.early import Beginning
    from tui.logs.buffer import Key
    from tui.session import Session

# Where the source leaves lines out, or was away, bars are counted anew so often.
BARS_EVERY_SECONDS: Final = 10
# So many bars after it was the newest, all that was on its way into a bar is there.
SETTLED_BARS: Final = 2
# More lines are filtered in a thread, while keys are answered.
FILTERED_AT_ONCE: Final = 20_000


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
        self._ticks = self._filters = 0
        self._counted = self._read = False
        self._past_to: Key | None = None  # up to where following may hand over what is loaded already
        self._inexact = False  # whether what is counted as it comes isn't all there is
        self._bars_of = Query()  # what the bars were asked of
        self._unsettled: int | None = None  # the newest bar when the bars were counted

    # --- parts

    def body(self) -> Iterable[Widget]:
        """Bars, lines, filter."""
        self.bars = Histogram(id="bars")
        self.view = LogView(LogBuffer(self.dashboard.settings.kept_lines), id="lines")
        self.filter_bar = FilterBar(id="filter-bar")
        yield from (self.bars, self.view, self.filter_bar)

    def on_mount(self) -> None:
        """Take the last session up, and start reading."""
        settings, session = self.dashboard.settings, self.dashboard.session
        self.reader = Reader(self, self.feed.logs, self.dashboard.clock)
        self._pace = Pace(self.view.sync, self.set_timer, settings.frames_per_second, self.dashboard.clock)
        self.view.wrap = settings.wrap or session.wrap
        self.view.utc = self.bars.utc = settings.utc or session.utc
        self.query_ = first_query(self.feed.groups, session)
        self.view.focus()
        self.recall(session.marks)
        early, self.dashboard.early = self.dashboard.early, None
        self._restart(early)
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

    def remember(self, session: Session) -> None:
        """Put into a session what a later start takes up."""
        streams = self.query_.streams
        session.groups = list(self.query_.groups)
        session.streams = streams if isinstance(streams, str) else ""
        session.stream_names = [] if isinstance(streams, str) else list(streams)
        session.filter, session.filter_mode = self.query_.text, self.filter_bar.mode.value
        session.wrap, session.utc = self.view.wrap, self.view.utc
        session.marks = [
            [*line[:4], line.message, line.id, self.view.notes.get(key_of(line), "")]
            for line in self.view.marks.lines[-500:]
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

    def _restart(self, early: Beginning | None = None) -> None:
        """Read from the newest line back, and follow; older lines that match are searched for."""
        self.view.clear()
        self.attached, self._start_reached, self._whole_from = self.query_.end is None, False, None
        self._sparse = False
        self._loading.clear()
        self.reader.stop_search()
        # Without the filter, so that the window has no gaps once it is lifted.
        every = replace(self.query_, pattern=None, text="")
        found = early.wait(0) if early is not None else None
        shown = found is not None and found.query == every
        self.reader.follow(every, self.dashboard.settings.history_lines, early, shown=shown)
        if found is not None and shown:
            self._show_past(Past(self.reader.followed, found.lines[::-1], ended=False))
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

    def _fitting(self, lines: list[Line]) -> list[Line]:
        return [line for line in lines if self.query_.fits(line)] if self._narrow else lines

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
            self._inexact = True
        self._recovered()
        lines = self._unknown(message.lines)
        severe = severe_of(lines)
        fitting = self._fitting(lines)
        if fitting is lines:
            self.bars.count(lines, severe)
        else:  # the bars show what matches, whatever range of it was chosen
            pattern = self.query_.pattern
            matching = [line for line in lines if pattern is None or pattern.matches(line.message)]
            self.bars.count(matching, severe_of(matching))
        if self.matched is not None:
            self.matched += len(fitting)
        if self.total is not None:
            self.total += len(lines)
        if self.attached and not self.view.following and self.view.buffer.total > self.view.buffer.limit:
            # Somebody reads for hours: what comes meanwhile is in the store, and read when it is wanted.
            self.attached = False
        if self.attached:
            self.view.add_lines(lines, severe)
            self._pace.ask()
        else:
            self.view.unseen += len(fitting)

    def _unknown(self, lines: list[Line]) -> list[Line]:
        """Those that were not loaded before following began: what was written meanwhile comes twice."""
        known, to = self.view.buffer.has, self._past_to
        if to is None or not lines or key_of(lines[0]) > to:
            return lines
        return [line for line in lines if key_of(line) > to or not known(key_of(line))]

    @on(Past)
    def _take_past(self, message: Past) -> None:
        if self.drawn and message.followed == self.reader.followed and self.attached_or_ranged:
            self._show_past(message)

    def _show_past(self, message: Past) -> None:
        self._recovered()
        self._read = True
        self.view.add_more(message.lines)
        if message.lines:
            self._past_to = key_of(message.lines[-1])
        if message.lines and self.query_.pattern is not None:
            self._whole_from = key_of(message.lines[0])
        elif self.query_.pattern is None:
            self._start_reached = message.ended
        self.view.sync()
        self.tick()
        self.call_after_refresh(self.reader.drawn)

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
            self._pace.ask()
        self.tick()

    @on(Total)
    def _take_total(self, message: Total) -> None:
        if self.drawn and message.question == self.reader.question:
            self.total = message.count
            self.tick()

    @on(Counted)
    def _take_bars(self, message: Counted) -> None:
        if self.drawn and message.query is self._bars_of:
            self._counted = True
            self._recovered()
            self.bars.set_bars(message.start, message.step, message.bars)

    @on(Trouble)
    def _take_trouble(self, message: Trouble) -> None:
        self._loading.clear()
        self._inexact = True  # it may be the bars that could not be counted
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
        bars = self.bars
        bars.tick(self.dashboard.clock.now_ms())
        if self._inexact and self._ticks % BARS_EVERY_SECONDS == 0:
            self._inexact = False
            self._count_bars()
        elif self._unsettled is not None and bars.newest >= self._unsettled + SETTLED_BARS:
            begin = max(self._unsettled - 1, bars.newest - bars.columns + 1)
            self.reader.bars(self._bars_of, Bars(begin * bars.step, bars.step, self._unsettled + 1 - begin))
            self._unsettled = None
        self.say_state()

    @on(LogView.Changed)
    def say_state(self) -> None:
        """What is shown, of how much, and whether it follows."""
        if not self.drawn:
            return
        view, buffer = self.view, self.view.buffer
        told = Told(
            self.query_,
            self.notes,
            lines=buffer.total + buffer.trimmed,
            matched=self.matched if self.matched is not None else len(buffer.shown),
            total=self.total,
            searched=self.searched,
            following=view.following,
            unseen=view.unseen,
            utc=view.utc,
        )
        self.show_state(head_text(told, self.ink))
        view.say_nothing(nothing_text(self.query_, searched=self.searched) if self._read else "")

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
        self.show_matching()
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

    def show_matching(self) -> None:
        """Show only what matches the filter and the range as they are now."""
        self._filters += 1
        matches = self.query_.fits if self._narrow else None
        if matches is None or self.view.buffer.total <= FILTERED_AT_ONCE:
            self.view.show_only(matches)
        else:
            self.reader.filter(self.view.buffer.snapshot(), matches, self._filters)

    @on(Filtered)
    def _show_filtered(self, message: Filtered) -> None:
        if self.drawn and message.number == self._filters:
            self.view.show_only(message.matches, message.lines)
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
        self.bars.refresh()
        self._restart()
        self.show_matching()
        self.tick()

    def _count_bars(self) -> None:
        """Count all bars; what comes meanwhile may be counted twice or not at all, so the last ones are counted again."""
        bars = self.bars
        if bars.columns > 1:
            bars.tick(self.dashboard.clock.now_ms())
            self._unsettled = bars.newest
            self._bars_of = replace(self.query_, start=None, end=None)
            self.reader.bars(self._bars_of, Bars(bars.first, bars.step, bars.columns))

    def show_request(self, request_id: str) -> None:
        """Show only the lines of a request."""
        self.filter_bar.set(request_id, Mode.TEXT)
        self.view.focus()

    def _go_to_time(self, at: int) -> None:
        self.view.pause()
        self.reader.jump(self.query_, at)
