"""The logs screen: lines of many groups, live, with what narrows them and what is done with one.

What opens over it is loaded when it is first opened: the lines should be there at once.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on

from lambdalog.printable import printable
from tui.actions import bindings
from tui.logs.buffer import key_of
from tui.logs.format import day_text
from tui.logs.reader import (
    Around,
    Exported,
)
from tui.logs.reading import LogsReading
from tui.numbers import count_text

if TYPE_CHECKING:
    from textual.binding import BindingType

    from tui.logs.chooser import Choice


class LogsScreen(LogsReading):
    """Tails, searches, jumps, marks, copies and exports."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("logs")

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
            self.bars.refresh()
            self.show_matching()
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
        from tui.logs.request import request_id_of

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
        from tui.logs.request import request_id_of

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
        from tui.logs.detail import detail_text
        from tui.page import Page

        line = self.view.here
        if line is not None:
            self.app.push_screen(Page("log event", detail_text(line, self.ink)))

    def action_take(self, wanted: bool) -> None:
        """A filter from the value under the cursor."""
        from tui.logs.matching import having, without
        from tui.logs.mode import Mode

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
        from tui.logs.context import Context

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
        from tui.prompt import Prompt

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
        from tui.logs.chooser import Choice, Chooser

        def choose(names: list[str]) -> None:
            chosen = Choice(self.query_.groups, self.query_.streams)
            chooser = Chooser(names, chosen, self.feed.logs.streams, self.dashboard.clock.now_ms)
            self.app.push_screen(chooser, self._chosen)

        self.dashboard.ask(self, self.feed.logs.groups, choose)

    def _chosen(self, choice: Choice | None) -> None:
        if choice is not None:
            self.query_ = replace(self.query_, groups=choice.groups, streams=choice.streams)
            self._restart()

    def action_jump(self) -> None:
        """Go to a time."""
        from lambdalog.tail.when import parse_time
        from tui.prompt import Prompt

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
        from lambdalog.tail.render import as_json, as_text
        from tui.prompt import Prompt

        now = day_text(self.dashboard.clock.now_ms()).translate(str.maketrans(" :", "--", ""))

        def write(name: str | None) -> None:
            if name:
                path = Path(name).expanduser()
                self.reader.export(self.query_, path, as_text if path.suffix == ".txt" else as_json)

        hint = ".txt writes lines as they are shown, all else JSON lines; an existing file is replaced"
        self.app.push_screen(Prompt("export to", value=f"lambdalog-{now}.jsonl", hint=hint), write)

    @on(Exported)
    def _exported(self, message: Exported) -> None:
        if message.failed:
            written = f"; it has {count_text(message.count, 'line')}" if message.count else ""
            self.notify(f"the export failed: {message.failed}{written}", severity="error")
        else:
            self.notify(f"{count_text(message.count, 'line')} in {printable(str(message.path))}")
