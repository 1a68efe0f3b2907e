"""The functions screen: how each version fares, its aliases and configuration, and invoking it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar, Final, cast

from rich.text import Text
from textual import on
from textual.message import Message
from textual.widgets import Static

from lambdalog.health import Book, Prices, Who
from lambdalog.printable import printable
from tui.actions import bindings
from tui.editor import Editor
from tui.failures.confirm import Confirm
from tui.functions.invoking import WORD, Samples, checked_event, question
from tui.functions.reader import AboutCame, Came, Listed, Reader
from tui.functions.rows import COLUMNS, NAME_MAX, SORTS, TREND, Row, cells, ordered
from tui.functions.told import told
from tui.grid import Grid
from tui.listing import ListingScreen
from tui.numbers import count_text
from tui.page import Page

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from textual.binding import BindingType

    from lambdalog.health import Health
    from tui.feed.functions import About, Answer, Function, Sample
    from tui.grid import Cell

MINUTE_MS: Final = 60_000
WINDOWS: Final = {"15m": 15, "1h": 60, "6h": 360, "24h": 1440}


class Invoked(Message):
    """How an invocation by hand was answered."""

    def __init__(self, name: str, answer: Answer) -> None:
        super().__init__()
        self.name_, self.answer = name, answer


class FunctionsScreen(ListingScreen):
    """Counts what runs by version and minute, and draws it each second."""

    SCOPE = "functions"
    BINDINGS: ClassVar[list[BindingType]] = bindings("functions")

    def __init__(self) -> None:
        super().__init__()
        self.window = "1h"
        self.sort = "function"
        self.every_version = False
        self.read = False
        self.listed = False
        self.running = ""
        self.rows: dict[Who, Row] = {}
        self.book = Book()
        self.prices = Prices()
        self._functions: list[Function] = []
        self._throttles: dict[str, int] | None = {}
        self._abouts: dict[str, About] = {}
        self._asked = ""
        self._dirty = False
        self._ticks = 0

    def make_grid(self) -> Grid:
        """The rows."""
        return Grid(COLUMNS, self._paint, id="functions")

    def on_mount(self) -> None:
        """Start reading."""
        settings = self.dashboard.settings
        self.prices = Prices(
            settings.price_gb_second_x86, settings.price_gb_second_arm, settings.price_million_requests
        )
        self.reader = Reader(self, self.feed, self.dashboard.clock)
        self.grid.focus()
        self.take_up(self.dashboard.session.of(self.SCOPE))
        self.reader.read(self.window_ms)
        self.set_interval(1.0, self.tick)
        self.show_rows()

    def kept(self) -> dict[str, str]:
        """The filter, how far back is looked, and by what rows are ordered."""
        every = "yes" if self.every_version else ""
        return super().kept() | {"window": self.window, "sort": self.sort, "every_version": every}

    def take_up(self, kept: Mapping[str, str]) -> None:
        """All of that."""
        window, sort = kept.get("window", ""), kept.get("sort", "")
        self.window = window if window in WINDOWS else self.window
        self.sort = sort if sort in SORTS else self.sort
        self.every_version = bool(kept.get("every_version"))
        super().take_up(kept)

    def on_unmount(self) -> None:
        """Stop reading."""
        self.reader.close()

    @property
    def window_ms(self) -> int:
        """How far back is looked."""
        return WINDOWS[self.window] * MINUTE_MS

    @property
    def settled(self) -> bool:
        """Functions are there, with what they did, and all about the first."""
        row = self.selected
        return (
            self.drawn
            and self.read
            and self.listed
            and (row is None or row.function is None or row.name in self._abouts)
        )

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        return self.rows.get(cast("Who", self.grid.selected)) if self.drawn else None

    # --- what came

    @on(Came)
    def _take(self, message: Came) -> None:
        if not self.drawn or message.question != self.reader.question:
            return
        self.show_trouble("")
        if message.notes:
            self.notes = message.notes
        self._dirty = bool(self.book.add(message.marks)) or self._dirty
        if message.caught_up and not self.read:
            self.read = True
            self._show_first()

    def _show_first(self) -> None:
        """Rows came in two ways, some above others; now that all are there, the first one is looked at."""
        self.show_rows()
        if self.read and self.listed:
            self.grid.go_to(0)

    @on(Listed)
    def _take_list(self, message: Listed) -> None:
        if not self.drawn:
            return
        self.show_trouble("")
        first, self.listed = not self.listed, True
        self._functions, self._throttles = message.functions, message.throttles
        if first:
            self._show_first()
        else:
            self.show_rows()
        row = self.selected
        if row is not None and row.function is not None:
            # An alias may have been moved since.
            self.reader.about(row.name)

    @on(AboutCame)
    def _take_about(self, message: AboutCame) -> None:
        if self.drawn:
            self._abouts[message.name_] = message.about
            self.show_detail()

    @on(Invoked)
    def _take_invoked(self, message: Invoked) -> None:
        self.running = ""
        answer = message.answer
        words = f"{printable(message.name_[:NAME_MAX])}:{printable(answer.version)}"
        said = printable(answer.said[:300])
        if answer.error:
            self.notify(f"{words} failed: {said}", severity="error")
        elif answer.said:
            self.notify(f"{words}: {said}")
        else:
            self.notify(f"{words} has the event {answer.request_id}. {answer.note}".strip())
        if self.dashboard.current_mode in {"functions", "invocations"}:
            self.dashboard.show_invocations(function=message.name_[:NAME_MAX], request_id=answer.request_id)
        self.say_state()

    # --- drawing

    def tick(self) -> None:
        """Once a second: what was counted, and the window goes on."""
        if not self.drawn or not self.is_current:
            return
        self._ticks += 1
        if self._dirty or self._ticks % 10 == 0:
            self._dirty = False
            self.show_rows()

    def health(self, who: Who) -> Health:
        """How a version fared in the window."""
        now = self.dashboard.clock.now_ms()
        return self.book.health(who, now - self.window_ms, now + 1, TREND)

    def show_rows(self) -> None:
        """Draw the versions that are to be seen."""
        if not self.drawn:
            return
        listed = {Who.of(one.name, one.group, one.version): one for one in self._functions}
        rows = []
        for who in sorted({*listed, *self.book.who()}):
            function = listed.get(who)
            health = self.health(who)
            latest = who.version == "$LATEST"
            if not (self.every_version or health.invocations or (function and latest)):
                continue
            throttles: int | None = 0
            if function is not None and latest:
                throttles = None if self._throttles is None else self._throttles.get(function.name, 0)
            rows.append(Row(who, function, health, throttles))
        if self.pattern is not None:
            rows = [row for row in rows if self.pattern.matches(row.text)]
        rows = ordered(rows, self.sort, self.prices)
        self.rows = {row.who: row for row in rows}
        self.grid.sorted_by = self.sort
        self.grid.show([row.who for row in rows])
        self.grid.refresh()
        self.show_views()
        self.say_state()
        self.show_detail()

    def show_views(self) -> None:
        """How far back is looked."""
        parts = ["[$text-muted]the last[/]"]
        for name in WINDOWS:
            look = "b reverse $primary" if name == self.window else "$text-muted"
            parts.append(f"[@click=screen.window('{name}')][{look}] {name} [/][/]")
        versions = "every version" if self.every_version else "what ran"
        parts.append(f"  [$text-muted]by[/] {self.sort}  [$text-muted]·[/] {versions}")
        self.query_one("#views", Static).update(" ".join(parts))

    def say_state(self) -> None:
        """How many there are, and what they did together."""
        state = self.noted()
        if self.running:
            state.append(f"{self.running}  ", self.ink("warn"))
        runs = sum(row.health.invocations for row in self.rows.values())
        errors = sum(row.health.errors for row in self.rows.values())
        names = len({row.name for row in self.rows.values()})
        state.append(f"{count_text(names, 'function')}  ", "dim")
        state.append(f"{count_text(runs, 'run')}  ", "bold")
        state.append(f"{errors:,} failed ", self.ink("error") if errors else "dim")
        if not self.read:
            state.append(" reading … ", "dim")
        self.show_state(state)

    @on(Grid.Moved)
    def _moved(self) -> None:
        self.about.scroll_home(animate=False)
        self.show_detail()

    def show_detail(self) -> None:
        """Draw all about the version under the cursor; ask for what is not known of it."""
        row = self.selected
        if row is None:
            nothing = "Nothing fits. Esc takes the filter away." if self.pattern is not None else ""
            if self.listed and not nothing:
                nothing = "There are no functions; make one with: lambdalog function create SOURCE"
            self.show_about(Text("no function"), Text(nothing))
            return
        if row.function is not None and self._asked != row.name:
            self._asked = row.name
            self.reader.about(row.name)
        title = Text(f"{printable(row.name[:NAME_MAX])} · {printable(row.version[:NAME_MAX])}")
        about = self._abouts.get(row.name)
        self.show_about(
            title,
            told(
                row,
                about,
                lambda version: self.health(row.who._replace(version=version)),
                self.prices,
                self.window_ms,
                self.styles_by_role,
            ),
        )

    def _paint(self, key: Hashable) -> dict[str, Cell]:
        row = self.rows.get(cast("Who", key))
        return {} if row is None else cells(row, self.prices)

    # --- keys

    def action_window(self, name: str = "") -> None:
        """Another stretch of time; read anew, as more of it may be wanted."""
        names = list(WINDOWS)
        self.window = name or names[(names.index(self.window) + 1) % len(names)]
        self.book, self.read = Book(), False
        self.reader.read(self.window_ms)
        self.show_rows()

    def action_sort(self, by: str = "") -> None:
        """Another order."""
        self.sort = by or SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]
        self.show_rows()

    def headed(self, column: str) -> None:
        """A head that rows can be ordered by."""
        if column in SORTS:
            self.action_sort(column)

    def action_versions(self) -> None:
        """Every version, or only what ran."""
        self.every_version = not self.every_version
        self.show_rows()

    def action_invocations(self) -> None:
        """What ran of this function."""
        row = self.selected
        if row is None:
            self.app.bell()
        else:
            self.dashboard.show_invocations(function=row.name[:NAME_MAX])

    @on(Grid.Chosen)
    def _chosen(self) -> None:
        self.action_invocations()

    def action_config(self) -> None:
        """All of the configuration."""
        row = self.selected
        if row is None or row.function is None:
            self.app.bell()
            return
        config = {name: value for name, value in row.function.config.items() if name != "ResponseMetadata"}
        text = json.dumps(config, default=str, ensure_ascii=False)
        title = f"{printable(row.name[:NAME_MAX])}:{printable(row.version)}"
        self.app.push_screen(Page(title, Text(printable(str(config.get("FunctionArn", "")))), text))

    def action_copy(self) -> None:
        """Copy the ARN."""
        row = self.selected
        if row is not None and row.function is not None:
            self.dashboard.copy(str(row.function.config.get("FunctionArn", row.name)))

    def action_invoke(self, asynchronous: bool = False) -> None:
        """Invoke: which event, edited, asked, sent, watched."""
        row = self.selected
        if row is None or row.function is None or self.running:
            self.app.bell()
            return
        name, qualifier = row.function.name, row.version
        title = (
            f"{'event for' if asynchronous else 'invoke'} {printable(name[:NAME_MAX])}:{printable(qualifier)}"
        )

        def choose(samples: list[Sample]) -> None:
            self.app.push_screen(Samples(title, samples), edit)

        def edit(text: str | None) -> None:
            if text is not None:
                self.app.push_screen(Editor(title, text, checked_event), ask)

        def ask(event: str | None) -> None:
            if event is None:
                return

            def go(typed: str | None) -> None:
                if typed is not None:
                    self._invoke(name, qualifier, event, asynchronous=asynchronous)

            what = question(name, qualifier, event, asynchronous=asynchronous)
            self.app.push_screen(Confirm(title, what, word=WORD), go)

        self.dashboard.ask(self, lambda: self.feed.functions.samples(name), choose)

    def _invoke(self, name: str, qualifier: str, event: str, *, asynchronous: bool) -> None:
        self.running = f"{printable(name[:60])} runs …"
        self.say_state()

        def work() -> None:
            try:
                answer = self.feed.functions.invoke(name, qualifier, event, asynchronous=asynchronous)
            except Exception:
                self.app.call_from_thread(self._ran)
                raise
            self.post_message(Invoked(name, answer))

        self.in_thread("invoke", work)
        # Its row is there as soon as it runs.
        self.dashboard.show_invocations(function=name[:NAME_MAX])

    def _ran(self) -> None:
        self.running = ""
        self.say_state()
