"""The invocations screen: a row per request, live, and the waterfall of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, cast

from rich.text import Text
from textual import on
from textual.widgets import Static

from lambdalog.invocations import Invocation, Roll
from lambdalog.printable import printable
from tui.actions import bindings
from tui.grid import Grid
from tui.invocations.reader import Came, DetailCame, Reader, Recovered, Refused
from tui.invocations.rows import COLUMNS, NAME_MAX, VIEWS, belongs, cells, ordered, text_of
from tui.invocations.told import told
from tui.listing import ListingScreen
from tui.logs.filter_bar import FilterBar
from tui.numbers import count_text

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from textual.binding import BindingType

    from tui.feed.invocations import Detail
    from tui.grid import Cell

Key = tuple[str, str]

FRAMES_PER_SECOND: Final = 4
# What runs is looked at again so often while its row is under the cursor.
LOOK_AGAIN_TICKS: Final = 2


class InvocationsScreen(ListingScreen):
    """Keeps the newest invocations, counts the quick views, and shows one."""

    SCOPE = "invocations"
    BINDINGS: ClassVar[list[BindingType]] = bindings("invocations")

    def __init__(self) -> None:
        super().__init__()
        self.roll = Roll()
        self.view = "all"
        self.read = False
        self.detail: Detail | None = None
        self.counts: dict[str, int] = {}
        self.wanted = ""
        self._held: Key | None = None
        self._first_filter = ""
        self._led_here = False
        self._begun = False
        self._dirty = False
        self._ticks = 0
        self._looked: Invocation | None = None
        self._texts: dict[Key, tuple[Invocation, str]] = {}

    def make_grid(self) -> Grid:
        """The rows."""
        return Grid(COLUMNS, self._paint, follows=True, id="invocations")

    def on_mount(self) -> None:
        """Start reading."""
        kept = self.dashboard.settings.kept_invocations
        self.roll = Roll(kept)
        self.reader = Reader(self, self.feed.invocations, self.dashboard.clock, kept=kept)
        self.grid.focus()
        self.reader.follow(self.feed.groups)
        self.set_interval(1 / FRAMES_PER_SECOND, self._frame)
        self.set_interval(1.0, self.tick)
        self._begun = True
        if self._led_here:
            self._show_first()
            return
        self.take_up(self.dashboard.session.of(self.SCOPE))
        self.show_rows()

    def kept(self) -> dict[str, str]:
        """The filter, and the quick view."""
        return super().kept() | {"view": self.view}

    def take_up(self, kept: Mapping[str, str]) -> None:
        """The filter, and the quick view."""
        view = kept.get("view", "")
        self.view = view if view in VIEWS else "all"
        super().take_up(kept)

    def on_unmount(self) -> None:
        """Stop reading."""
        self.reader.close()

    @property
    def settled(self) -> bool:
        """Invocations are there, and all about the first."""
        return (
            self.drawn
            and self.read
            and (not self.grid.keys or (self.detail is not None and self.detail.children is not None))
        )

    @property
    def now(self) -> int:
        """Epoch ms."""
        return self.dashboard.clock.now_ms()

    @property
    def utc(self) -> bool:
        """Whether times are shown in UTC."""
        return self.dashboard.settings.utc

    @property
    def selected(self) -> Invocation | None:
        """The invocation under the cursor."""
        key = self.grid.selected
        return None if key is None else self.roll.get(*cast("Key", key))

    # --- what came

    @on(Came)
    def _take(self, message: Came) -> None:
        if not self.drawn or message.question != self.reader.question:
            return
        if message.notes:
            self.notes = message.notes
        self.show_trouble("")
        self._dirty = bool(self.roll.add(message.marks, past=message.past)) or self._dirty
        if message.past:
            self.read = True
            self._dirty = True

    @on(Refused)
    def _take_refused(self, message: Refused) -> None:
        if self.drawn and message.question == self.reader.question:
            for one in message.refusals:
                self.roll.refuse(one.group, one.request_id, one.at)
            self._dirty = True

    @on(Recovered)
    def _recovered(self) -> None:
        self.show_trouble("")

    @on(DetailCame)
    def _take_detail(self, message: DetailCame) -> None:
        found = self.selected if self.drawn else None
        if found is not None and found.key == message.invocation.key:
            self.detail = message.detail
            self.show_detail()

    # --- drawing

    def _frame(self) -> None:
        if self._dirty and self.is_current:
            self._dirty = False
            self.show_rows()

    def tick(self) -> None:
        """Once a second: what runs gets longer."""
        if not self.drawn or not self.is_current:
            return
        self._ticks += 1
        found = self.selected
        if found is not None and found.status(self.now) == "running":
            if self._ticks % LOOK_AGAIN_TICKS == 0:
                self.reader.look(found)
            self.show_detail()
        if any(key for key in self.grid.in_view if self._runs(key)):
            self.grid.refresh()

    def _runs(self, key: Hashable) -> bool:
        found = self.roll.get(*cast("Key", key))
        return found is not None and found.status(self.now) == "running"

    def on_screen_resume(self) -> None:
        """What came while another screen was shown."""
        super().on_screen_resume()
        self._dirty = True

    def show_rows(self) -> None:
        """Draw the invocations that the view and the filter leave."""
        if not self.drawn:
            return
        now = self.now
        every = self.roll.newest_first()
        fitting = [one for one in every if self._fits(one, now)] if self.pattern is not None else every
        self.counts = {view: sum(belongs(one, view, now) for one in fitting) for view in VIEWS}
        shown = ordered((one for one in fitting if belongs(one, self.view, now)), self.view)
        self.grid.sorted_by = "duration" if self.view == "slowest" else "time"
        # What was led to stays under the cursor, also as the first row, until the user moves on.
        held = self._held if self._held == self.grid.selected else None
        self.grid.show([one.key for one in shown])
        if held is not None:
            self.grid.select(held)
        if self.wanted and (found := self.roll.find(self.wanted)) is not None and self.grid.select(found.key):
            self.wanted, held = "", found.key
        self._held = held
        if len(self._texts) > 2 * self.roll.kept:
            self._texts = {}
        self.show_views()
        self.say_state()
        self.look()

    def _fits(self, invocation: Invocation, now: int) -> bool:
        if self.pattern is None:
            return True
        kept = self._texts.get(invocation.key)
        if kept is None or kept[0] is not invocation or " running " in kept[1]:
            kept = self._texts[invocation.key] = (invocation, text_of(invocation, now))
        return self.pattern.matches(kept[1])

    def show_views(self) -> None:
        """The quick views, with how many each has."""
        parts = []
        for view in VIEWS:
            look = "b reverse $primary" if view == self.view else "$text-muted"
            count = f" {self.counts[view]:,}" if view != "slowest" else ""
            key = f"[b]{view[0]}[/]{view[1:]}"
            parts.append(f"[@click=screen.view('{view}')][{look}] {key}{count} [/][/]")
        self.query_one("#views", Static).update(" ".join(parts))

    def say_state(self) -> None:
        """How many there are, of how many, and whether new ones are seen."""
        state = self.noted()
        total = len(self.roll)
        shown = len(self.grid.keys)
        if self.pattern is not None or self.view not in {"all", "slowest"}:
            state.append(f"{shown:,} of ", "bold")
        noun = "newest invocation" if self.roll.dropped else "invocation"
        state.append(f"{count_text(total, noun)}  ", "dim" if self.pattern is not None else "bold")
        if not self.read:
            state.append("reading … ", "dim")
        elif self.grid.following:
            state.append("● LIVE ", self.ink("live"))
        else:
            state.append("‖ HELD ", self.ink("warn"))
        self.show_state(state)

    @on(Grid.Moved)
    def _moved(self) -> None:
        self.say_state()
        self.look()

    def look(self) -> None:
        """Show the invocation under the cursor; read about it where that is not known."""
        found = self.selected
        if found is None:
            self._looked = self.detail = None
            self.show_about(Text("no invocation"), Text(self._nothing))
            return
        if self._looked is not found:
            if self._looked is None or self._looked.key != found.key:
                self.detail = None
                self.about.scroll_home(animate=False)
            self._looked = found
            self.reader.look(found)
            self.show_detail()

    @property
    def _nothing(self) -> str:
        if self.roll and (self.pattern is not None or self.view != "all"):
            return "Nothing fits. Esc takes the filter away, a shows all."
        return "" if not self.read else "No function has run yet: lambdalog invoke FUNCTION"

    def show_detail(self) -> None:
        """Draw the waterfall, and the lines."""
        found = self.selected
        if found is None:
            return
        title = Text(f"{printable(found.function[:NAME_MAX])} · {printable(found.request_id[:NAME_MAX])}")
        self.show_about(title, told(found, self.detail, self.now, self.about_width, self.styles_by_role))

    def _paint(self, key: Hashable) -> dict[str, Cell]:
        found = self.roll.get(*cast("Key", key))
        return {} if found is None else cells(found, self.now, utc=self.utc)

    def on_resize(self) -> None:
        """The waterfall has the width of the screen."""
        super().on_resize()
        if self.drawn:
            self.call_after_refresh(self.show_detail)

    # --- keys

    def action_view(self, view: str) -> None:
        """A quick view, or back to all."""
        self.view = "all" if view == self.view else view
        self.grid.go_to(0)
        self.show_rows()

    def action_clear(self) -> None:
        """Show all again: the filter goes first, then the view."""
        if self.pattern is None and not self.filter_bar.text:
            self.view = "all"
            self.show_rows()
        super().action_clear()

    def action_lines(self) -> None:
        """All lines of this invocation, on the logs screen."""
        found = self.selected
        if found is None:
            self.app.bell()
        else:
            self.dashboard.show_request(found.request_id)

    @on(Grid.Chosen)
    def _chosen(self) -> None:
        self.action_lines()

    def action_function(self) -> None:
        """Only this row's function."""
        found = self.selected
        if found is not None:
            self.set_filter(found.function[:NAME_MAX])

    def action_copy(self) -> None:
        """Copy the request id."""
        found = self.selected
        if found is not None:
            self.dashboard.copy(found.request_id)

    def headed(self, column: str) -> None:
        """The heads of time and duration order by these."""
        if column in {"time", "duration"}:
            self.view = "slowest" if column == "duration" else "all"
            self.show_rows()

    def show(self, *, filter_text: str = "", request_id: str = "") -> None:
        """What another screen leads to: a function's invocations, or one of them once it is there."""
        self.view = "all"
        self.wanted = request_id
        self._first_filter, self._led_here = filter_text, True
        if self._begun:
            self._show_first()

    def _show_first(self) -> None:
        self.set_filter(self._first_filter)
        self.grid.go_to(0)
        self.show_rows()

    @on(FilterBar.Changed)
    def _narrowed(self) -> None:
        self.about.scroll_home(animate=False)
