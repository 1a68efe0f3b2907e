"""What the screens with a grid have in common: rows above, all about one of them below, a filter between."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import on
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

from lambdalog.printable import printable
from tui.grid import Grid
from tui.logs.filter_bar import FilterBar
from tui.logs.head import NOTES_REACH
from tui.logs.mode import Mode
from tui.screen import ModeScreen
from tui.trouble import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from textual.widget import Widget

    from lambdalog.query.pattern import Pattern


class Failed(Message):
    """Something could not be read or done; `reading`: it is tried again by itself."""

    def __init__(self, what: str, *, reading: bool) -> None:
        super().__init__()
        self.what, self.reading = what, reading


class ListingScreen(ModeScreen):
    """A grid, a filter, and a pane. A subclass makes the grid, and draws."""

    DEFAULT_CSS = """
    ListingScreen Grid { height: 1fr; }
    ListingScreen #views { height: 1; background: $background; padding: 0 1; link-style: none; link-style-hover: bold; link-background-hover: $panel; link-color-hover: $foreground; }
    ListingScreen #about { height: 1fr; border: round $primary 60%; border-title-color: $primary; padding: 0 1; background: $background; scrollbar-size: 1 1; }
    ListingScreen #about:focus { border: round $accent; }
    ListingScreen #about Static { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.pattern: Pattern | None = None
        self.notes: Sequence[str] = ()  # what could not be seen

    def body(self) -> Iterable[Widget]:
        """Quick views, rows, filter, one of them."""
        yield Static(id="views")
        yield self.make_grid()
        yield FilterBar(id="filter-bar")
        yield VerticalScroll(Static(id="told"), id="about")

    def make_grid(self) -> Grid:
        """The rows."""
        raise NotImplementedError

    @property
    def grid(self) -> Grid:
        """The rows."""
        return self.query_one(Grid)

    @property
    def moved(self) -> Grid:
        """The one that keys move in, where a screen has several."""
        return self.focused if isinstance(self.focused, Grid) else self.grid

    @property
    def filter_bar(self) -> FilterBar:
        """The line to type a filter into."""
        return self.query_one(FilterBar)

    @property
    def about(self) -> VerticalScroll:
        """The pane below."""
        return cast("VerticalScroll", self.query_one("#about"))

    def show_about(self, title: Text, told: Text) -> None:
        """What the pane says."""
        self.about.border_title = title
        self.query_one("#told", Static).update(told)

    @property
    def about_width(self) -> int:
        """How many columns what the pane says may have."""
        return max(self.about.size.width - 3, 40)

    def show_rows(self) -> None:
        """Draw what is to be seen."""
        raise NotImplementedError

    def noted(self) -> Text:
        """What the right end of the head begins with: what could not be seen."""
        state = Text()
        if self.notes:
            state.append(f"{printable('; '.join(self.notes))[:NOTES_REACH]}  ", self.ink("warn"))
        return state

    def in_thread(self, group: str, work: Callable[[], None]) -> None:
        """Do something; what goes wrong is said at the top for a moment."""

        def guarded() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown
                self.post_message(Failed(explained(error), reading=False))

        self.run_worker(guarded, thread=True, group=group, exit_on_error=False)

    @on(Failed)
    def _take_failed(self, message: Failed) -> None:
        if message.reading:
            self.show_trouble(message.what)
        else:
            self.notify(message.what, severity="error")

    # --- the filter

    def kept(self) -> dict[str, str]:
        """The filter, and how it is read."""
        if not self.drawn:
            return self.dashboard.session.of(self.SCOPE)
        return {"filter": self.filter_bar.text, "filter_mode": self.filter_bar.mode.value}

    def take_up(self, kept: Mapping[str, str]) -> None:
        """The filter."""
        if text := kept.get("filter", ""):
            mode = kept.get("filter_mode", "")
            self.filter_bar.set(text, Mode(mode) if mode in set(Mode) else Mode.TEXT)

    @on(FilterBar.Changed)
    def _filter(self, message: FilterBar.Changed) -> None:
        self.pattern = message.pattern
        self.show_rows()

    @on(FilterBar.Done)
    def _typed(self) -> None:
        self.grid.focus()

    def set_filter(self, text: str) -> None:
        """Put a filter there, as if it had been typed."""
        self.filter_bar.set(text, self.filter_bar.mode)

    def action_filter(self) -> None:
        """Type a filter."""
        self.filter_bar.open()

    def action_filter_mode(self) -> None:
        """Read it in another way."""
        self.filter_bar.open()
        self.filter_bar.switch_mode()

    def action_clear(self) -> None:
        """Take the filter away."""
        self.set_filter("")
        self.grid.focus()

    # --- moving

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self.moved.move(step)

    def action_page(self, step: int) -> None:
        """Move by pages."""
        self.moved.page(step)

    def action_top(self) -> None:
        """The first row."""
        self.moved.go_to(0)

    def action_bottom(self) -> None:
        """The last row."""
        self.moved.go_to(len(self.moved.keys) - 1)

    def action_other(self) -> None:
        """The other pane."""
        (self.about if self.grid.has_focus else self.grid).focus()

    @on(Grid.Headed)
    def _headed(self, message: Grid.Headed) -> None:
        self.headed(message.name)

    def headed(self, column: str) -> None:
        """A column's head was clicked."""

    def selected_key(self) -> Hashable | None:
        """The row that keys act on."""
        return self.grid.selected
