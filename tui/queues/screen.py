"""The screen of queues and topics: how deep they are, what lies in one, and moving or purging it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar, Final, cast

from rich.text import Text
from textual import on
from textual.containers import Vertical
from textual.message import Message as Event

from lambdalog.printable import printable
from tui.actions import bindings
from tui.failures.confirm import Confirm
from tui.feed.queues import LOOK_MAX, Look, Message, Queue, Subscription, Topic
from tui.grid import Column, Grid
from tui.listing import Failed, ListingScreen
from tui.logs.filter_bar import FilterBar
from tui.numbers import ago, count_text
from tui.page import Page
from tui.prompt import Prompt
from tui.queues.depths import Depths
from tui.queues.rows import (
    MESSAGES,
    PLACES,
    SHOWN,
    SUBSCRIPTIONS,
    message_cells,
    place_cells,
    subscription_cells,
)
from tui.queues.told import message_text, place_text, task_text
from tui.trouble import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from textual.binding import BindingType
    from textual.widget import Widget

    from tui.feed.queues import Task
    from tui.grid import Cell

READ_EVERY_SECONDS: Final = 2.0
AWS_EVERY_SECONDS: Final = 10.0
# Counting a queue of millions takes a while: looks take at most a tenth of the time.
SHARE: Final = 10


class PlacesCame(Event):
    """All queues and topics, read anew, and what could not be seen."""

    def __init__(self, queues: list[Queue], topics: list[Topic], notes: list[str]) -> None:
        super().__init__()
        self.queues, self.topics, self.notes = queues, topics, notes


class InsideCame(Event):
    """What lies in a queue, or who is subscribed to a topic; and moves out of the queue."""

    def __init__(
        self, place: Queue | Topic, inside: Look | list[Subscription] | None, tasks: list[Task]
    ) -> None:
        super().__init__()
        self.place, self.inside, self.tasks = place, inside, tasks


class QueuesScreen(ListingScreen):
    """Counts every two seconds (on AWS every ten), and looks into the one under the cursor."""

    SCOPE = "queues"
    BINDINGS: ClassVar[list[BindingType]] = bindings("queues")
    DEFAULT_CSS = """
    QueuesScreen #box { height: 1fr; border: round $primary 60%; border-title-color: $primary; background: $background; }
    QueuesScreen #box:focus-within { border: round $accent; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.queues: list[Queue] = []
        self.topics: list[Topic] = []
        self.depths = Depths()
        self.read = False
        self.looked = False
        self._places: dict[str, Queue | Topic] = {}
        self._lying: dict[str, Message | Subscription] = {}
        self._tasks: list[Task] = []
        self._stop = threading.Event()
        self._wake = threading.Event()
        # On AWS looking counts: the ARN of the queue that was looked into.
        self._spent = ""

    def body(self) -> Iterable[Widget]:
        """Queues and topics above, the inside of one below."""
        yield self.make_grid()
        yield FilterBar(id="filter-bar")
        with Vertical(id="box") as box:
            box.border_title = ""
            yield Grid(MESSAGES, self._paint_inside, id="inside")

    def make_grid(self) -> Grid:
        """Queues and topics."""
        return Grid(PLACES, self._paint, id="places")

    def on_mount(self) -> None:
        """Start reading."""
        self.grid.focus()
        self.take_up(self.dashboard.session.of(self.SCOPE))
        self.call_after_refresh(self.show_rows)
        self.run_worker(self._read, thread=True, group="queues", exit_on_error=False)

    def on_unmount(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._wake.set()

    @property
    def grid(self) -> Grid:
        """Queues and topics."""
        return self.query_one("#places", Grid)

    @property
    def inside(self) -> Grid:
        """Messages or subscriptions."""
        return self.query_one("#inside", Grid)

    @property
    def box(self) -> Vertical:
        """What is around it."""
        return self.query_one("#box", Vertical)

    @property
    def selected(self) -> Queue | Topic | None:
        """The queue or topic under the cursor."""
        return self._places.get(cast("str", self.grid.selected)) if self.drawn else None

    @property
    def opened(self) -> Message | Subscription | None:
        """What is under the cursor below."""
        return self._lying.get(cast("str", self.inside.selected)) if self.drawn else None

    @property
    def settled(self) -> bool:
        """All are there, and what lies in the first."""
        return self.drawn and self.read and (self.looked or not self.grid.keys)

    def _paint(self, key: Hashable) -> dict[str, Cell]:
        place = self._places.get(cast("str", key))
        return {} if place is None else place_cells(place, self.depths, self.dashboard.clock.now_ms())

    def _paint_inside(self, key: Hashable) -> dict[str, Cell]:
        found = self._lying.get(cast("str", key))
        if isinstance(found, Message):
            return message_cells(found, self.dashboard.clock.now_ms())
        return {} if found is None else subscription_cells(found)

    # --- in threads

    def _read(self) -> None:
        clock = self.dashboard.clock
        while not self._stop.is_set():
            began = clock.monotonic()
            try:
                feed = self.feed.queues
                self.post_message(PlacesCame(feed.queues(), feed.topics(), feed.notes()))
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown, and reading goes on
                self.post_message(Failed(explained(error), reading=True))
            least = READ_EVERY_SECONDS if self.feed.queues.free_looks else AWS_EVERY_SECONDS
            self._wake.wait(max(least, (clock.monotonic() - began) * SHARE))
            self._wake.clear()

    def _ask_inside(self, place: Queue | Topic, *, spend: bool) -> None:
        feed = self.feed.queues
        if isinstance(place, Topic):
            self.post_message(InsideCame(place, feed.subscriptions(place), []))
            return
        tasks = feed.tasks(place) if place.sources else []
        look = feed.look(place) if feed.free_looks or spend else None
        self.post_message(InsideCame(place, look, tasks))

    # --- what came

    @on(PlacesCame)
    def _take(self, message: PlacesCame) -> None:
        if not self.drawn:
            return
        self.queues, self.topics, self.read = message.queues, message.topics, True
        self.notes = message.notes
        self.depths.look(self.queues, self.dashboard.clock.now_ms())
        self.show_trouble("")
        self.show_rows()

    def show_rows(self) -> None:
        """Draw those that are to be seen."""
        if not self.drawn:
            return
        there: list[Queue | Topic] = [*self.queues, *self.topics]
        self._places = {
            place.arn: place for place in there if self.pattern is None or self.pattern.matches(place.name)
        }
        self.grid.show(list(self._places))
        state = self.noted()
        if not self.read:
            state.append("reading … ", "dim")
        else:
            state.append(f"{count_text(len(self.queues), 'queue')}, {count_text(len(self.topics), 'topic')}")
        if dead := sum(queue.depth for queue in self.queues if queue.failures):
            state.append(", ")
            state.append(f"{count_text(dead, 'failed message')}", "bold")
        state.append(" ")
        self.show_state(state)
        self._look()

    @on(Grid.Moved, "#places")
    def _look(self) -> None:
        place = self.selected
        if place is None:
            self._show_inside({}, MESSAGES)
            nothing = (
                "nothing fits: Esc takes the filter away"
                if self.pattern is not None
                else "no queue and no topic; a deployed function has one for its dead letters"
            )
            self.box.border_title = Text(nothing if self.read else "")
            return
        spend = self._spent == place.arn
        self._spent = self._spent if spend else ""
        if not spend:
            self.in_thread("inside", lambda: self._ask_inside(place, spend=False))

    def _show_inside(self, lying: dict[str, Message | Subscription], columns: tuple[Column, ...]) -> None:
        self._lying, self.inside.columns = lying, columns
        self.inside.show(list(lying))

    @on(InsideCame)
    def _take_inside(self, message: InsideCame) -> None:
        place = self.selected
        if place is None or place.arn != message.place.arn:
            return
        self.looked = True
        now = self.dashboard.clock.now_ms()
        self._tasks = message.tasks
        title = printable(place.name[:SHOWN])
        inside = message.inside
        if isinstance(place, Topic):
            subscriptions = inside if isinstance(inside, list) else []
            self._show_inside({str(n): one for n, one in enumerate(subscriptions)}, SUBSCRIPTIONS)
            title += f" · {count_text(place.confirmed + place.pending, 'subscription')}"
        elif not isinstance(inside, Look):
            self._show_inside({}, MESSAGES)
            title += f" · {count_text(place.depth, 'message')} · L looks into it; SQS counts that as a receive of each"
        else:
            self._show_inside({one.id: one for one in inside.messages}, MESSAGES)
            more = place.depth - len(inside.messages)
            title += f" · {count_text(place.depth, 'message')}" + (
                f", the oldest {len(inside.messages):,}" if more > 0 else ""
            )
            if inside.note:
                self.notify(f"{title}: {inside.note}", severity="warning")
            if place.oldest is not None:
                title += f" · oldest {ago(now - place.oldest)}"
        if self._tasks:
            title += f" · move {task_text(self._tasks[0])}"
        self.box.border_title = Text(title)

    # --- acting

    def action_look(self) -> None:
        """Look into a queue where that has its price."""
        place = self.selected
        if not isinstance(place, Queue):
            return

        def go(typed: str | None) -> None:
            if typed is not None:
                self._spent = place.arn
                self.in_thread("inside", lambda: self._ask_inside(place, spend=True))

        if self.feed.queues.free_looks or not place.dead:
            go("look")
            return
        what = Text()
        what.append(f"receive up to {LOOK_MAX:,} messages", "bold")
        what.append(f" of {printable(place.name)}, and give them back\n")
        what.append(
            f"  its redrive policy counts each look: after {place.receives:,} receives SQS moves a message to "
            f"{printable(place.dead)}\n",
            "dim",
        )
        self.app.push_screen(Confirm(f"look into {printable(place.name)}", what, word="look"), go)

    @on(Grid.Chosen, "#places")
    def _enter(self) -> None:
        self.inside.focus()

    @on(Grid.Chosen, "#inside")
    def action_open(self) -> None:
        """All of one message; from a queue first into it."""
        message = self.opened
        if self.grid.has_focus and self.inside.keys:
            self.inside.focus()
        elif isinstance(message, Message):
            title = f"message {printable(message.id[:SHOWN])}"
            self.app.push_screen(Page(title, message_text(message), message.body))

    def action_about(self) -> None:
        """All attributes."""
        place = self.selected
        if place is not None:
            self.app.push_screen(Page(printable(place.name), place_text(place, self._tasks)))

    def action_move_all(self) -> None:
        """Move everything out of a dead-letter queue."""
        queue = self._queue()
        if queue is None:
            return
        if not queue.sources:
            functions = " Replay what functions failed at on the failures screen." if queue.why else ""
            self.notify(
                f"SQS moves messages only out of the dead-letter queue of a queue; this one is none.{functions}",
                severity="warning",
            )
            return

        def ask(to: str | None) -> None:
            if to is None:
                return
            to = to.strip()
            what = Text()
            what.append(f"move all {queue.depth:,} messages", "bold")
            what.append(
                f" of {printable(queue.name)}  →  {printable(to) or 'the queue that each came from'}\n"
            )
            what.append(
                "  what arrives while it runs is moved too; C cancels it, and what was moved stays moved\n",
                "dim",
            )

            def go(typed: str | None) -> None:
                if typed is not None:
                    self._do(
                        lambda: self.feed.queues.move(queue, to), f"{printable(queue.name)} is being moved"
                    )

            self.app.push_screen(Confirm(f"move {printable(queue.name)}", what, word="move"), go)

        hint = f"to which queue? empty: where each came from ({printable(', '.join(queue.sources))})"
        self.app.push_screen(Prompt(f"move {printable(queue.name)}", hint=hint), ask)

    def action_cancel_move(self) -> None:
        """Cancel the move that is running."""
        queue = self._queue()
        if queue is not None:

            def work() -> None:
                moved = self.feed.queues.cancel(queue)
                self.app.call_from_thread(self.notify, f"cancelled: {moved:,} were moved")
                self._wake.set()

            self.in_thread("act", work)

    def action_purge(self) -> None:
        """Delete everything in a queue."""
        queue = self._queue()
        if queue is None:
            return
        what = Text()
        what.append(f"delete all {queue.depth:,} messages", "bold")
        what.append(f" of {printable(queue.name)}: {queue.ready:,} ready, {queue.in_flight:,} in flight, ")
        what.append(f"{queue.delayed:,} delayed\n")

        def go(typed: str | None) -> None:
            if typed is not None:
                self._do(lambda: self.feed.queues.purge(queue), f"{printable(queue.name)} was purged")

        self.app.push_screen(Confirm(f"purge {printable(queue.name)}", what, word=queue.name), go)

    def _queue(self) -> Queue | None:
        place = self.selected
        if isinstance(place, Queue):
            return place
        self.notify("Choose a queue first.", severity="warning")
        return None

    def _do(self, act: Callable[[], None], done: str) -> None:
        def work() -> None:
            act()
            self.app.call_from_thread(self.notify, done)
            self._wake.set()

        self.in_thread("act", work)

    def action_copy(self) -> None:
        """Copy a message's body, or an ARN."""
        message, place = self.opened, self.selected
        if self.inside.has_focus and isinstance(message, Message):
            self.dashboard.copy(message.body)
        elif place is not None:
            self.dashboard.copy(place.arn)

    def action_other(self) -> None:
        """The other pane."""
        (self.inside if self.grid.has_focus else self.grid).focus()
