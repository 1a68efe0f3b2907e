"""The failures screen: groups by fingerprint, all about one, and what is done about them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar, Final, cast

from rich.text import Text
from textual import on
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Static

from lambdalog.errors import ConfigError
from lambdalog.failures.edit import Refused, edited, pretty
from lambdalog.printable import printable
from tui.actions import bindings
from tui.editor import Editor
from tui.failures.confirm import Confirm, plan_text
from tui.failures.detail import failure_text
from tui.failures.progress import progress_text
from tui.failures.rows import COLUMNS, NAME_MAX, QUIET, cells, text_of
from tui.grid import Grid
from tui.json_tree import JsonTree
from tui.listing import Failed, ListingScreen
from tui.logs.filter_bar import FilterBar
from tui.numbers import count_text
from tui.page import Page
from tui.trouble import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

    from textual.binding import BindingType
    from textual.widget import Widget

    from tui.feed.failures import Detail, Group, Planned, Step
    from tui.grid import Cell

READ_EVERY_SECONDS: Final = 2.0
TELL_EVERY_SECONDS: Final = 0.1
# Grouping a hundred thousand takes a while: looks take at most a quarter of the time.
SHARE: Final = 4
# From so many columns on, the event stands beside the stack.
WIDE: Final = 110


class GroupsCame(Message):
    """The groups, read anew, and what could not be seen."""

    def __init__(self, groups: list[Group], notes: list[str]) -> None:
        super().__init__()
        self.groups, self.notes = groups, notes


class DetailCame(Message):
    """All about a group's newest failure."""

    def __init__(self, group: Group, detail: Detail) -> None:
        super().__init__()
        self.group, self.detail = group, detail


class Stepped(Message):
    """A run went one failure further, or says in a text why it stopped; `step` None: it has ended."""

    def __init__(self, verb: str, step: Step | str | None) -> None:
        super().__init__()
        self.verb, self.step = verb, step


class FailuresScreen(ListingScreen):
    """Reads the inbox every two seconds while it is shown, and acts on one group at a time."""

    SCOPE = "failures"
    BINDINGS: ClassVar[list[BindingType]] = bindings("failures")
    DEFAULT_CSS = """
    FailuresScreen #below { height: 1fr; }
    FailuresScreen #below #about { height: 100%; width: 3fr; }
    FailuresScreen #event { width: 2fr; height: 100%; display: none; border: round $primary 60%; border-title-color: $primary; padding: 0 1; background: $background; scrollbar-size: 1 1; }
    FailuresScreen #event:focus { border: round $accent; }
    FailuresScreen.wide #event { display: block; }
    FailuresScreen #run { height: 1; background: $surface; display: none; }
    FailuresScreen.running #run { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.groups: dict[str, Group] = {}
        self.read = False
        self.show_quiet = False
        self.running = ""
        self.detail: Detail | None = None
        self._detailed: tuple[str, int] | None = None
        self._stop, self._cancel, self._wake, self._shown = (threading.Event() for _ in range(4))

    def body(self) -> Iterable[Widget]:
        """Groups above, one of them below."""
        yield self.make_grid()
        yield FilterBar(id="filter-bar")
        yield Static(id="run")
        with Horizontal(id="below"):
            yield VerticalScroll(Static(id="told"), id="about")
            tree = JsonTree(id="event")
            tree.border_title = "event"
            yield tree

    def make_grid(self) -> Grid:
        """The groups."""
        return Grid(COLUMNS, self._paint, id="failures")

    def on_mount(self) -> None:
        """Start reading."""
        self.grid.focus()
        self.take_up(self.dashboard.session.of(self.SCOPE))
        self.call_after_refresh(self.show_rows)
        self.run_worker(self._read, thread=True, group="failures", exit_on_error=False)

    def kept(self) -> dict[str, str]:
        """The filter, and whether quiet groups are shown."""
        return super().kept() | {"quiet": "shown" if self.show_quiet else ""}

    def take_up(self, kept: Mapping[str, str]) -> None:
        """That."""
        self.show_quiet = bool(kept.get("quiet"))
        super().take_up(kept)

    def on_resize(self) -> None:
        """The event has a place of its own where there is room."""
        super().on_resize()
        self.set_class(self.app.size.width >= WIDE, "wide")
        self.call_after_refresh(self.show_detail)

    def on_screen_resume(self) -> None:
        """Read on, at once."""
        super().on_screen_resume()
        self._shown.set()
        self._wake.set()

    def on_screen_suspend(self) -> None:
        """Nobody looks: nothing is read."""
        super().on_screen_suspend()
        self._shown.clear()

    def on_unmount(self) -> None:
        """Stop reading, and what is running after the failure it is at."""
        for event in (self._stop, self._cancel, self._shown, self._wake):
            event.set()

    @property
    def settled(self) -> bool:
        """Groups are there, and all about the first."""
        return self.drawn and self.read and (not self.grid.keys or self.detail is not None)

    @property
    def selected(self) -> Group | None:
        """The group under the cursor."""
        return self.groups.get(cast("str", self.grid.selected)) if self.drawn else None

    # --- in threads

    def _read(self) -> None:
        clock = self.dashboard.clock
        while True:
            self._shown.wait()
            self._wake.clear()
            if self._stop.is_set():  # after what may take its call away
                return
            began = clock.monotonic()
            try:
                groups = self.feed.failures.groups()
                self.post_message(GroupsCame(groups, self.feed.failures.notes()))
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown, and reading goes on
                self.post_message(Failed(explained(error), reading=True))
            self._wake.wait(max(READ_EVERY_SECONDS, (clock.monotonic() - began) * (SHARE - 1)))

    # --- what came

    @on(GroupsCame)
    def _take(self, message: GroupsCame) -> None:
        if not self.drawn:
            return
        self.groups = {group.fingerprint: group for group in message.groups}
        self.read = True
        self.notes = message.notes
        self.show_trouble("")
        self.show_rows()

    def show_rows(self) -> None:
        """Draw the groups that are to be seen."""
        if not self.drawn:
            return
        shown = [
            key
            for key, group in self.groups.items()
            if (self.show_quiet or group.status not in QUIET)
            and (self.pattern is None or self.pattern.matches(text_of(group)))
        ]
        self.grid.show(shown)
        self.say_state()
        self.look()

    def _paint(self, key: Hashable) -> dict[str, Cell]:
        group = self.groups.get(cast("str", key))
        return {} if group is None else cells(group, self.dashboard.clock.now_ms())

    def say_state(self) -> None:
        """How many there are."""
        shown = [self.groups[cast("str", key)] for key in self.grid.keys]
        state = self.noted()
        total = sum(group.count for group in shown)
        hidden = len(self.groups) - len(shown)
        if not self.read:
            state.append("reading … ", "dim")
        elif total:
            state.append(f"{count_text(total, 'failure')} in {count_text(len(shown), 'group')} ", "bold")
        else:
            state.append("no failures ", "bold")
        if hidden:
            state.append(f"({hidden:,} hidden) ", "dim")
        self.show_state(state)

    @on(Grid.Moved)
    def look(self) -> None:
        """Show the group under the cursor; read about it where that is not known."""
        group = self.selected
        if group is None:
            self._detailed = self.detail = None
            self.show_about(Text("no failure" if self.read else ""), Text(self._nothing))
            self.query_one("#event", JsonTree).show("")
            return
        if self._detailed != (group.fingerprint, group.count):
            if self._detailed is None or self._detailed[0] != group.fingerprint:
                self.detail = None
                self.about.scroll_home(animate=False)
            self._detailed = (group.fingerprint, group.count)
            self.in_thread("detail", lambda: self._ask_detail(group))

    @property
    def _nothing(self) -> str:
        if not self.read:
            return ""
        if self.pattern is not None:
            return "Nothing fits. Esc takes the filter away."
        if self.groups:
            return "All groups are muted or resolved: M shows them."
        return "Nothing lies in a queue that gets failures."

    def _ask_detail(self, group: Group) -> None:
        self.post_message(DetailCame(group, self.feed.failures.detail(group)))

    @on(DetailCame)
    def _take_detail(self, message: DetailCame) -> None:
        selected = self.selected
        if selected is None or selected.fingerprint != message.group.fingerprint:
            return
        self.detail = message.detail
        self.query_one("#event", JsonTree).show(_event_of(message.detail))
        self.show_detail()

    def show_detail(self) -> None:
        """Draw all about a failure; its event too where that has no place of its own."""
        group = self.selected
        if group is not None and self.detail is not None:
            title = Text(f"{printable(group.type[:60])} · {group.fingerprint}")
            event = not self.has_class("wide")
            self.show_about(
                title, failure_text(self.detail, self.styles_by_role, self.about_width, event=event)
            )

    # --- acting

    def action_lines(self) -> None:
        """From a failure to its lines."""
        group = self.selected
        request = group.newest.request_id if group is not None else ""
        if request:
            self.dashboard.show_request(request)
        else:
            self.notify("This failure names no request.", severity="warning")

    @on(Grid.Chosen)
    def _chosen(self) -> None:
        self.action_lines()

    def action_replay(self) -> None:
        """Send a group again."""
        self._plan("replay", discard=False, word="replay")

    def action_discard(self) -> None:
        """Delete a group."""
        self._plan("discard", discard=True, word="")

    def action_event(self) -> None:
        """An event on a page of its own."""
        if self.detail is not None:
            title = f"event of {printable(self.detail.letter.message_id[:NAME_MAX])}"
            self.app.push_screen(Page(title, Text(), _event_of(self.detail)))

    def action_edit(self) -> None:
        """Change the newest failure's event, and send that."""
        group, detail = self.selected, self.detail
        if group is None or detail is None or self.running:
            self.app.bell()
            return
        before = detail.letter.event
        if before is None:
            self.notify("The message holds no event.", severity="warning")
            return

        def take(text: str | None) -> None:
            if text is not None:
                after = edited(before, text)
                self._ask("replay", lambda: self.feed.failures.plan_one(detail.letter, after), word="replay")

        def check(text: str) -> None:
            try:
                edited(before, text)
            except Refused as error:
                raise ConfigError(str(error)) from None

        title = f"event of {printable(detail.letter.message_id[:NAME_MAX])}"
        self.app.push_screen(Editor(title, pretty(before), check), take)

    def _plan(self, verb: str, *, discard: bool, word: str) -> None:
        group = self.selected
        if group is None or self.running:
            self.app.bell()
            return
        self._ask(verb, lambda: self.feed.failures.plans(group, discard=discard), word=word)

    def _ask(self, verb: str, make: Callable[[], list[Planned]], *, word: str) -> None:
        made: list[Planned] = []

        def ask(plans: list[Planned]) -> None:
            count = sum(planned.count for planned in plans)
            if not count:
                question.withdraw()
                reasons = {reason for planned in plans for reason in planned.left}
                self.notify(
                    f"Nothing to {verb}: {'; '.join(sorted(reasons)) or 'they are gone'}.", severity="warning"
                )
                return

            made.extend(plans)
            question.tell(f"{verb} {count_text(count, 'failure')}", plan_text(plans, verb))

        def go(typed: str | None) -> None:
            if typed is not None:
                self._run(verb, made, typed)

        def work_out() -> None:
            self.dashboard.ask(question, make, ask, question.withdraw)

        # Opened at once: what is typed ahead of the answer is meant for it, and would be keys of this screen.
        question = Confirm(f"{verb} …", word=word, work_out=work_out)
        self.app.push_screen(question, go)

    def _run(self, verb: str, plans: list[Planned], typed: str) -> None:
        self._cancel.clear()
        self.running = f"{verb} …"
        self.query_one("#run", Static).update(Text(f" {self.running}"))
        self.add_class("running")

        def work() -> None:
            failures = self.feed.failures
            steps: Iterator[Step | str] = (
                failures.discard(plans, typed, self._cancel)
                if verb == "discard"
                else failures.replay(plans, self._cancel)
            )
            clock = self.dashboard.clock
            told = float("-inf")
            last: Step | str | None = None
            try:
                for last in steps:
                    if isinstance(last, str) or clock.monotonic() - told >= TELL_EVERY_SECONDS:
                        told = clock.monotonic()
                        self.post_message(Stepped(verb, last))
            finally:
                if last is not None and not isinstance(last, str):
                    self.post_message(Stepped(verb, last))
                self.post_message(Stepped(verb, None))

        self.in_thread("run", work)

    @on(Stepped)
    def _take_step(self, message: Stepped) -> None:
        if not self.drawn:
            return
        step = message.step
        if isinstance(step, str):
            self.running = f"{self.running}; {step}"
        elif step is not None:
            counts = ", ".join(f"{count} {state}" for state, count in step.counts.items())
            self.running = f"{message.verb} {step.done}/{step.total}: {counts}"
            told = progress_text(message.verb, step, self.app.theme_variables)
            self.query_one("#run", Static).update(told)
        else:
            self.notify(f"{self.running or message.verb}; it is in the audit: lambdalog failures audit")
            self.running = ""
            self.remove_class("running")
            self._wake.set()

    def action_stop(self) -> None:
        """Stop what is running; else take the filter away."""
        if self.running:
            self._cancel.set()
        else:
            self.action_clear()

    def action_resolve(self) -> None:
        """Mark a group as resolved."""
        self._mark(self.feed.failures.resolve)

    def action_mute(self) -> None:
        """Mute a group, or take that back."""
        self._mark(self.feed.failures.mute)

    def _mark(self, mark: Callable[[Group], None]) -> None:
        group = self.selected
        if group is None:
            return

        def work() -> None:
            mark(group)
            self._wake.set()

        self.in_thread("mark", work)

    def action_muted(self) -> None:
        """Show quiet groups, or hide them."""
        self.show_quiet = not self.show_quiet
        self.show_rows()

    def action_copy(self) -> None:
        """Copy an event."""
        if self.detail is not None:
            self.dashboard.copy(_event_of(self.detail))

    def action_other(self) -> None:
        """The other pane."""
        self.focus_next()


def _event_of(detail: Detail) -> str:
    letter = detail.letter
    return letter.event if letter.event is not None else letter.body
