"""The failures screen: groups by fingerprint, all about one, and what is done about them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar, Final

from rich.text import Text
from textual import on
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import DataTable, Static

from lambdalog.errors import ConfigError
from lambdalog.failures.edit import Refused, edited, pretty
from lambdalog.printable import printable
from tui.actions import bindings
from tui.editor import Editor
from tui.failures.confirm import Confirm, plan_text
from tui.failures.detail import failure_text
from tui.failures.pane import FailuresPane
from tui.failures.progress import progress_text
from tui.json_tree import JsonTree
from tui.numbers import count_text
from tui.page import Page
from tui.screen import ModeScreen
from tui.trouble import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from textual.binding import BindingType
    from textual.widget import Widget

    from tui.feed.failures import Detail, Group, Plan, Step

READ_EVERY_SECONDS: Final = 2.0
# From so many columns on, the event stands beside the stack.
WIDE: Final = 110
QUIET: Final = frozenset({"muted", "resolved"})


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


class Failed(Message):
    """Something could not be read or done."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what


class FailuresScreen(ModeScreen):
    """Reads the inbox every two seconds, and acts on one group at a time."""

    SCOPE = "failures"
    BINDINGS: ClassVar[list[BindingType]] = bindings("failures")
    DEFAULT_CSS = """
    FailuresScreen #detail { height: 1fr; border: round $primary 60%; border-title-color: $primary; padding: 0 1; background: $background; scrollbar-size: 1 1; }
    FailuresScreen #detail:focus { border: round $accent; }
    FailuresScreen #detail Static { height: auto; }
    FailuresScreen #below { height: 1fr; }
    FailuresScreen #below #detail { height: 100%; width: 3fr; }
    FailuresScreen #event { width: 2fr; height: 100%; display: none; border: round $primary 60%; border-title-color: $primary; padding: 0 1; background: $background; scrollbar-size: 1 1; }
    FailuresScreen #event:focus { border: round $accent; }
    FailuresScreen.wide #event { display: block; }
    FailuresScreen #run { height: 1; background: $surface; display: none; }
    FailuresScreen.running #run { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Group] = []
        self.read = False
        self.show_quiet = False
        self.running = ""
        self.detail: Detail | None = None
        self._notes = ""
        self._detailed: tuple[str, int] | None = None
        self._stop = threading.Event()
        self._cancel = threading.Event()
        self._wake = threading.Event()

    def body(self) -> Iterable[Widget]:
        """Groups above, one of them below."""
        yield FailuresPane(id="failures")
        yield Static(id="run")
        with Horizontal(id="below"):
            box = VerticalScroll(Static(id="failure"), id="detail")
            box.border_title = "no failure"
            yield box
            tree = JsonTree(id="event")
            tree.border_title = "event"
            yield tree

    def on_mount(self) -> None:
        """Start reading."""
        self.pane.focus()
        self.take_up(self.dashboard.session.of(self.SCOPE))
        self.run_worker(self._read, thread=True, group="failures", exit_on_error=False)

    def kept(self) -> dict[str, str]:
        """Whether quiet groups are shown."""
        return {"quiet": "shown" if self.show_quiet else ""}

    def take_up(self, kept: Mapping[str, str]) -> None:
        """That."""
        self.show_quiet = bool(kept.get("quiet"))

    def on_resize(self) -> None:
        """The event has a place of its own where there is room."""
        super().on_resize()
        self.set_class(self.app.size.width >= WIDE, "wide")
        self.call_after_refresh(self.show_detail)

    def on_unmount(self) -> None:
        """Stop reading, and what is running after the failure it is at."""
        self._stop.set()
        self._wake.set()
        self._cancel.set()

    @property
    def pane(self) -> FailuresPane:
        """The groups."""
        return self.query_one(FailuresPane)

    @property
    def settled(self) -> bool:
        """Groups are there, and all about the first."""
        return self.drawn and self.read and (not self.all or self.detail is not None)

    # --- in threads

    def _read(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                groups = self.feed.failures.groups()
                self.post_message(GroupsCame(groups, self.feed.failures.notes()))
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown, and reading goes on
                self.post_message(Failed(explained(error)))
            self._wake.wait(READ_EVERY_SECONDS)

    def _in_thread(self, group: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown
                self.post_message(Failed(explained(error)))

        self.run_worker(guarded, thread=True, group=group, exit_on_error=False)

    # --- what came

    @on(GroupsCame)
    def _take(self, message: GroupsCame) -> None:
        if not self.drawn:
            return
        self.all, self.read = message.groups, True
        self._notes = "; ".join(message.notes)
        self.show_trouble("")
        self.show_groups()

    @on(Failed)
    def _take_failed(self, message: Failed) -> None:
        self.show_trouble(message.what)

    def show_groups(self) -> None:
        """Draw the groups that are to be seen."""
        shown = [group for group in self.all if self.show_quiet or group.status not in QUIET]
        self.pane.show_groups(shown, self.dashboard.clock.now_ms())
        self.say_state()
        self._look()

    def say_state(self) -> None:
        """How many there are, and what is running."""
        shown = self.pane.groups
        state = Text()
        if self._notes:
            state.append(f"{printable(self._notes)[:60]}  ", "yellow")
        total = sum(group.count for group in shown)
        hidden = len(self.all) - len(shown)
        many = f"{count_text(total, 'failure')} in {count_text(len(shown), 'group')} "
        state.append(many if total else "no failures ", "bold")
        if hidden:
            state.append(f"({hidden} hidden) ", "dim")
        self.show_state(state)

    @on(DataTable.RowHighlighted)
    def _look(self) -> None:
        group = self.pane.selected
        box = self.query_one("#detail")
        if group is None:
            box.border_title, self._detailed, self.detail = "no failure", None, None
            self.query_one("#failure", Static).update("")
            self.query_one("#event", JsonTree).show("")
            return
        if self._detailed != (group.fingerprint, group.count):
            self._detailed = (group.fingerprint, group.count)
            self._in_thread("detail", lambda: self._ask_detail(group))

    def _ask_detail(self, group: Group) -> None:
        self.post_message(DetailCame(group, self.feed.failures.detail(group)))

    @on(DetailCame)
    def _take_detail(self, message: DetailCame) -> None:
        selected = self.pane.selected if self.drawn else None
        if selected is None or selected.fingerprint != message.group.fingerprint:
            return
        self.detail = message.detail
        self.query_one("#event", JsonTree).show(_event_of(message.detail))
        box = self.query_one("#detail")
        box.border_title = Text(f"{printable(message.group.type)[:60]} · {message.group.fingerprint}")
        self.show_detail()

    def show_detail(self) -> None:
        """Draw all about a failure; its event too where that has no place of its own."""
        if self.drawn and self.detail is not None:
            width = max(self.query_one("#detail").size.width - 3, 40)
            told = failure_text(self.detail, self.styles_by_role, width, event=not self.has_class("wide"))
            self.query_one("#failure", Static).update(told)

    # --- acting

    def action_lines(self) -> None:
        """From a failure to its lines."""
        group = self.pane.selected
        request = group.letters[-1].request_id if group is not None else ""
        if request:
            self.dashboard.show_request(request)
        else:
            self.notify("This failure names no request.", severity="warning")

    @on(DataTable.RowSelected)
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
            letter = self.detail.letter
            self.app.push_screen(Page(f"event of {letter.message_id}", Text(), _event_of(self.detail)))

    def action_edit(self) -> None:
        """Change the newest failure's event, and send that."""
        group = self.pane.selected
        if group is None or self.running:
            self.app.bell()
            return
        before = group.letters[-1].event
        if before is None:
            self.notify("The message holds no event.", severity="warning")
            return

        def take(text: str | None) -> None:
            if text is not None:
                after = edited(before, text)
                self._ask("replay", lambda: self.feed.failures.plan_one(group, after), word="replay")

        def check(text: str) -> None:
            try:
                edited(before, text)
            except Refused as error:
                raise ConfigError(str(error)) from None

        title = f"event of {printable(group.letters[-1].message_id)}"
        self.app.push_screen(Editor(title, pretty(before), check), take)

    def _plan(self, verb: str, *, discard: bool, word: str) -> None:
        group = self.pane.selected
        if group is None or self.running:
            self.app.bell()
            return
        self._ask(verb, lambda: self.feed.failures.plans(group, discard=discard), word=word)

    def _ask(self, verb: str, make: Callable[[], list[Plan]], *, word: str) -> None:
        def ask(plans: list[Plan]) -> None:
            count = sum(len(planned.letters) for planned in plans)
            if not count:
                reasons = {left.reason for planned in plans for left in planned.left}
                self.notify(
                    f"Nothing to {verb}: {'; '.join(sorted(reasons)) or 'they are gone'}.", severity="warning"
                )
                return

            def go(typed: str | None) -> None:
                if typed is not None:
                    self._run(verb, plans, typed)

            title = f"{verb} {count:,} {'failure' if count == 1 else 'failures'}"
            self.app.push_screen(Confirm(title, plan_text(plans, verb), word=word), go)

        self.dashboard.ask(self, make, ask)

    def _run(self, verb: str, plans: list[Plan], typed: str) -> None:
        self._cancel.clear()
        self.running = f"{verb} …"
        self.query_one("#run", Static).update(Text(f" {self.running}"))
        self.add_class("running")
        self.say_state()

        def work() -> None:
            failures = self.feed.failures
            steps: Iterator[Step | str] = (
                failures.discard(plans, typed, self._cancel)
                if verb == "discard"
                else failures.replay(plans, self._cancel)
            )
            try:
                for step in steps:
                    self.post_message(Stepped(verb, step))
            finally:
                self.post_message(Stepped(verb, None))

        self._in_thread("run", work)

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
        self.say_state()

    def action_stop(self) -> None:
        """Stop what is running."""
        if self.running:
            self._cancel.set()

    def action_resolve(self) -> None:
        """Mark a group as resolved."""
        self._mark(self.feed.failures.resolve)

    def action_mute(self) -> None:
        """Mute a group, or take that back."""
        self._mark(self.feed.failures.mute)

    def _mark(self, mark: Callable[[Group], None]) -> None:
        group = self.pane.selected
        if group is None:
            return

        def work() -> None:
            mark(group)
            self._wake.set()

        self._in_thread("mark", work)

    def action_muted(self) -> None:
        """Show quiet groups, or hide them."""
        self.show_quiet = not self.show_quiet
        self.show_groups()

    def action_copy(self) -> None:
        """Copy an event."""
        group = self.pane.selected
        if group is not None:
            letter = group.letters[-1]
            self.dashboard.copy(letter.event if letter.event is not None else letter.body)

    def action_other(self) -> None:
        """The other pane."""
        self.focus_next()


def _event_of(detail: Detail) -> str:
    letter = detail.letter
    return letter.event if letter.event is not None else letter.body
