"""The logs screen: lines of many groups, live, with what narrows them and what is done with one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.text import Text
from textual import on

from lambdalog.printable import printable
from lambdalog.tail import Line
from lambdalog.tail.render import as_json, as_text
from lambdalog.tail.when import parse_time
from tui.actions import bindings
from tui.feed import Query
from tui.logs.buffer import LogBuffer, key_of
from tui.logs.chooser import Choice, Chooser
from tui.logs.context import Context
from tui.logs.detail import DetailScreen, detail_text
from tui.logs.filter_bar import FilterBar
from tui.logs.format import clock_text, day_text
from tui.logs.histogram import Histogram
from tui.logs.matching import Mode, having, without
from tui.logs.reader import (
    Around,
    Bars,
    Came,
    Counted,
    Exported,
    Loaded,
    Matched,
    Reader,
    Recovered,
    Trouble,
)
from tui.logs.request import request_id_of
from tui.logs.view import LogView
from tui.prompt import Prompt
from tui.screen import ModeScreen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.binding import BindingType
    from textual.widget import Widget

    from tui.session import Session

BARS_EVERY_SECONDS: Final = 10


class LogsScreen(ModeScreen):
    """Tails, searches, jumps, marks, copies and exports."""

    SCOPE = "logs"
    BINDINGS: ClassVar[list[BindingType]] = bindings("logs")

    def __init__(self) -> None:
        super().__init__()
        self.query_ = Query()
        self.attached = True  # whether what is loaded reaches the newest line
        self.matched: int | None = None
        self.searched = True
        self.notes = ""
        self._loading: set[int] = set()
        self._start_reached = False
        self._whole_from: tuple[int, int, str] | None = None
        self._ticks = 0
        self._counted = False

    # --- parts

    def body(self) -> Iterable[Widget]:
        """Bars, lines, filter."""
        yield Histogram(id="bars")
        yield LogView(LogBuffer(self.dashboard.settings.kept_lines), id="lines")
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
        """Lines are there, and the bars of them."""
        return self.drawn and bool(self.view.buffer.total) and self._counted

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
        """Read from the newest line back, and follow."""
        self.view.clear()
        self.attached, self._start_reached, self._whole_from = self.query_.end is None, False, None
        self._loading.clear()
        self.reader.follow(self.query_, self.dashboard.settings.history_lines)
        if self.attached:
            self.view.resume()
        else:
            self.view.pause()
        self._count_bars()

    def _frame(self) -> None:
        self.view.sync()

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
        if not self.drawn:
            return
        if message.notes:
            self.notes = "; ".join(message.notes)
        self._recovered()
        lines = message.lines
        fitting = [line for line in lines if self._matches(line)] if self._narrow else lines
        self.bars.count(fitting)
        if self.matched is not None:
            self.matched += len(fitting)
        if self.attached:
            self.view.add_lines(lines)
        else:
            self.view.unseen += len(fitting)

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
        added = self.view.add_more(message.lines)
        if message.step < 0:
            self._start_reached = message.ended or not added
        elif message.step > 0 and message.ended:
            self.attached = self.query_.end is None
        elif message.at is not None:
            self.view.go_to(self.view.buffer.index_near((message.at, 0, "")))
            self.attached = False
            if message.ended and self.query_.end is None:
                # What came while the page was read is asked for, so that nothing is missing between.
                self.attached = True
                self._load(1)
        else:
            self._start_reached = message.ended
        self.view.sync()
        self.tick()

    @on(Matched)
    def _take_matched(self, message: Matched) -> None:
        if not self.drawn or message.question != self.reader.question or self.query_.pattern is None:
            return
        self.matched = message.count
        self.searched = message.ended
        self.view.add_more(message.lines)
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
            state.append(f"{matched:,}{'' if self.searched else '…'} match  ", "bold")
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
        self._forget_gaps()
        if self.query_.pattern is None and view.buffer.lines:
            self._whole_from = key_of(view.buffer.lines[0])
        self.query_ = replace(self.query_, pattern=message.pattern, text=message.text)
        view.found = message.text if message.mode is Mode.TEXT else ""
        view.show_only(self._matches if self._narrow else None)
        self.matched, self.searched = None, message.pattern is None
        self._start_reached = False
        if message.pattern is not None:
            self.reader.search(self.query_)
        self.bars.clear()
        self._count_bars()
        self.tick()

    def _forget_gaps(self) -> None:
        """What a search found before the lines that are there without gaps is forgotten."""
        if self._whole_from is not None:
            kept = self.view.cursor_line or self.view.top_line
            if kept is not None and not self.view.following and key_of(kept) < self._whole_from:
                # The user looks at one of those: the lines around it are read instead.
                self._whole_from = None
                self.call_later(self._go_to_time, kept.timestamp)
                return
            self.view.forget_before(self._whole_from)
            self._whole_from = None

    @on(FilterBar.Done)
    def _typed(self) -> None:
        self.view.focus()

    @on(Histogram.Chosen)
    def _range(self, message: Histogram.Chosen) -> None:
        self.query_ = replace(self.query_, start=message.start, end=message.end)
        self.bars.range = (message.start, message.end)
        self._restart()
        self.view.show_only(self._matches)
        if self.query_.pattern is not None:
            self.reader.search(self.query_)
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

    # --- keys

    def action_filter(self) -> None:
        """Type a filter."""
        self.filter_bar.open()

    def action_filter_mode(self) -> None:
        """Read it in another way."""
        self.filter_bar.open()
        self.filter_bar.switch_mode()

    def action_clear(self) -> None:
        """Show all lines again: the filter goes first, then the range."""
        if self.query_.text or self.filter_bar.has_focus_within:
            self.filter_bar.set("", self.filter_bar.mode)
        elif self.query_.start is not None:
            self.query_ = replace(self.query_, start=None, end=None)
            self.bars.range = None
            self.view.show_only(None)
            self._restart()
        self.view.focus()

    def action_pause(self) -> None:
        """Stop following, or go on."""
        if self.view.following:
            self.view.pause()
        else:
            self.action_resume()

    def action_resume(self) -> None:
        """Follow the newest lines again."""
        if self.attached:
            self.view.resume()
        elif self.query_.end is not None:
            self.view.go_to(len(self.view.buffer.shown) - 1)
        else:
            self._restart()

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self.view.move(step)

    def action_page(self, step: int) -> None:
        """Move by pages."""
        if step > 0 and self.view.following:
            return
        self.view.page(step)

    def action_top(self) -> None:
        """The oldest line there is."""
        if self._start_reached:
            self.view.go_to(0)
        else:
            self._go_to_time(self.query_.start or 0)

    def action_find(self, what: str, step: int) -> None:
        """The next or previous line of a kind."""
        view = self.view
        if what == "same":
            self._find_same(step)
            return
        marked = {"error": view.buffer.errors, "warning": view.buffer.warnings, "mark": view.marks}[what]
        if view.find(marked, step):
            return
        if what == "mark" and view.marks.lines:
            line = view.marks.lines[0 if step > 0 else -1]
            self._go_to_time(line.timestamp)
            return
        if step < 0 and not self._start_reached:
            self._load(-1)
        self.app.bell()

    def _find_same(self, step: int) -> None:
        line = self.view.here
        wanted = request_id_of(line, self.view.buffer.lines) if line is not None else None
        shown = self.view.buffer.shown
        if line is None or wanted is None:
            self.app.bell()
            return
        index = self.view.buffer.index_near(key_of(line)) + step
        while 0 <= index < len(shown):
            if wanted in shown[index].message:
                self.view.go_to(index)
                return
            index += step
        self.app.bell()

    def action_request(self) -> None:
        """Only the lines of this line's request."""
        line = self.view.here
        wanted = request_id_of(line, self.view.buffer.lines) if line is not None else None
        if wanted is None:
            self.notify("This line names no request.", severity="warning")
        else:
            self.show_request(wanted)

    def action_fold(self) -> None:
        """Lay a line out."""
        self.view.toggle_fold()

    def action_detail(self) -> None:
        """All of a line."""
        line = self.view.here
        if line is not None:
            self.app.push_screen(DetailScreen("log event", detail_text(line)))

    def action_take(self, wanted: bool) -> None:
        """A filter from the value under the cursor."""
        field = self.view.field
        if field is None or field.selector is None:
            self.notify("Unfold a JSON line (⏎) and put the cursor on a value.", severity="warning")
            return
        pattern = (having if wanted else without)(field.selector, field.value)
        if pattern is None:
            self.notify("A filter pattern can't say that.", severity="warning")
            return
        text = self.query_.text
        if self.filter_bar.mode is Mode.PATTERN and text.startswith("{"):
            pattern = f"{{ ({text.strip().removeprefix('{').removesuffix('}').strip()}) && {pattern[2:]}"
        self.filter_bar.set(pattern, Mode.PATTERN)

    def action_context(self) -> None:
        """The lines around this one."""
        line = self.view.here
        if line is not None:
            self._around = self.dashboard.settings.context_lines
            self.reader.context(line, self._around)

    @on(Around)
    def _show_context(self, message: Around) -> None:
        def more(around: int | None) -> None:
            if around is not None:
                self._around = around
                self.reader.context(message.line, around)

        self.app.push_screen(Context(message.line, message.lines, self._around, utc=self.view.utc), more)

    def action_bookmark(self) -> None:
        """Mark a line."""
        self.view.toggle_mark()

    def action_note(self) -> None:
        """Write a note to a line."""
        line = self.view.here
        if line is None:
            return
        self.view.go_to(self.view.buffer.index_near(key_of(line)))

        def keep(note: str | None) -> None:
            if note is not None:
                self.view.toggle_mark(printable(note.strip()))

        self.app.push_screen(Prompt("note", value=self.view.notes.get(key_of(line), "")), keep)

    def action_groups(self) -> None:
        """Choose groups and streams."""

        def choose(names: list[str]) -> None:
            chosen = Choice(self.query_.groups, self.query_.streams)
            self.app.push_screen(Chooser(names, chosen), self._chosen)

        self.dashboard.ask(self, self.feed.logs.groups, choose)

    def _chosen(self, choice: Choice | None) -> None:
        if choice is not None:
            self.query_ = replace(self.query_, groups=choice.groups, streams=choice.streams)
            self.reader.stop_search()
            self._restart()
            if self.query_.pattern is not None:
                self.matched, self.searched = None, False
                self.reader.search(self.query_)

    def action_jump(self) -> None:
        """Go to a time."""
        now = self.dashboard.clock.now()

        def check(text: str) -> str:
            return f"goes to {day_text(parse_time(text, now), utc=self.view.utc)}"

        def go(text: str | None) -> None:
            if text:
                self._go_to_time(parse_time(text, now))

        hint = "10m   2h ago   14:05   yesterday 14:00   2026-01-31T14:05"
        self.app.push_screen(Prompt("go to a time", hint=hint, check=check), go)

    def action_step(self, step: int) -> None:
        """A bar back or on."""
        line = self.view.cursor_line or self.view.top_line
        if line is not None:
            size = self.bars.step
            self._go_to_time((line.timestamp // size + step) * size)

    def action_zoom(self, by: int) -> None:
        """Other steps of the histogram."""
        if self.bars.zoom(by):
            self._count_bars()
        else:
            self.app.bell()

    def action_wrap(self) -> None:
        """Wrap lines, or cut them."""
        self.view.wrap = not self.view.wrap
        self.view.refresh()

    def action_utc(self) -> None:
        """Times in UTC, or local ones."""
        self.view.utc = self.bars.utc = not self.view.utc
        self.view.refresh()
        self.bars.refresh()

    def action_copy(self) -> None:
        """Copy a line."""
        line = self.view.here
        if line is not None:
            self.dashboard.copy(line.message)

    def action_export(self) -> None:
        """Write what matches to a file."""
        now = day_text(self.dashboard.clock.now_ms()).translate(str.maketrans(" :", "--", ""))

        def write(name: str | None) -> None:
            if name:
                path = Path(name).expanduser()
                self.reader.export(self.query_, path, as_text if path.suffix == ".txt" else as_json)

        hint = ".txt writes lines as they are shown, all else JSON lines; an existing file is replaced"
        self.app.push_screen(Prompt("export to", value=f"lambdalog-{now}.jsonl", hint=hint), write)

    @on(Exported)
    def _exported(self, message: Exported) -> None:
        self.notify(f"{message.count:,} lines are in {message.path}")
