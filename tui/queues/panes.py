"""A row a queue or topic above, a row a message or subscription below."""

from __future__ import annotations

import fnmatch
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec
from rich.text import Text
from textual.widgets import DataTable

from lambdalog.failures import sparkline
from lambdalog.printable import printable
from tui.feed.queues import Message, Queue, Subscription, Topic
from tui.numbers import ago
from tui.tables import fill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.queues.depths import Depths

SHOWN: Final = 300
COMPACT_MAX: Final = 65_536
BARS: Final = 12
COLUMNS: Final = ("", "name", "ready", "in flight", "delayed", "oldest", "change", "depth", "role")


def chosen(name: str, wanted: str) -> bool:
    """Whether a name is meant by what was typed: part of it, or a pattern with * and ?."""
    if not wanted:
        return True
    if any(character in wanted for character in "*?["):
        return fnmatch.fnmatchcase(name.lower(), wanted.lower())
    return wanted.lower() in name.lower()


def change_text(change: float | None) -> str:
    """+12/m, -3/m, or a dash where it isn't known."""
    if change is None:
        return "-"
    number = round(change)
    return "0/m" if not number else f"{'+' if number > 0 else '-'}{abs(number):,}/m"


def one_line(body: str) -> str:
    """A body's beginning, without the spaces that only lay its JSON out."""
    if len(body) <= COMPACT_MAX and body[:1] in {"{", "["}:
        with suppress(msgspec.DecodeError, UnicodeError):  # no JSON: it is shown as it is
            body = msgspec.json.format(body, indent=-1)
    return printable(body[:SHOWN])


class PlacesPane(DataTable[Text]):
    """Queues and topics, by name; what takes failures stands out when it has some."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, cursor_type="row", zebra_stripes=False)
        self.places: list[Queue | Topic] = []

    @property
    def selected(self) -> Queue | Topic | None:
        """The one under the cursor."""
        return self.places[self.cursor_row] if 0 <= self.cursor_row < len(self.places) else None

    def show(self, places: Sequence[Queue | Topic], depths: Depths, now: int) -> None:
        """Show these; the cursor stays where it was."""
        self.places = list(places)
        rows = [
            (one.arn, self._queue(one, depths, now) if isinstance(one, Queue) else self._topic(one))
            for one in self.places
        ]
        fill(self, COLUMNS, rows)

    def _queue(self, queue: Queue, depths: Depths, now: int) -> list[Text]:
        colours = self.app.theme_variables
        failed = queue.failures and queue.depth > 0
        look = f"bold {colours['error']}" if failed else "bold" if queue.depth else ""
        change = depths.change(queue.name)
        going = colours["warning"] if change is not None and change > 0 else "dim"
        role = f"failures go to {queue.dead} after {queue.receives}" if queue.dead else _why(queue)
        return [
            Text("✗" if queue.failures else "≡", colours["error"] if failed else colours["secondary"]),
            Text(printable(queue.name), look),
            _count(queue.ready, look),
            _count(queue.in_flight, colours["warning"]),
            _count(queue.delayed, ""),
            Text("-" if queue.oldest is None else ago(now - queue.oldest), justify="right"),
            Text(change_text(change), going, justify="right"),
            Text(f"{sparkline(depths.depths(queue.name)[-BARS:]):<{BARS}}", colours["error"] if failed else colours["primary"]),
            Text(printable(role[:SHOWN]), "dim"),
        ]  # fmt: skip

    def _topic(self, topic: Topic) -> list[Text]:
        told = f"{topic.confirmed:,} subscribed" + (f", {topic.pending:,} pending" if topic.pending else "")
        return [
            Text("»", self.app.theme_variables["success"]),
            Text(printable(topic.name)),
            *[Text("") for _ in range(6)],
            Text(told, "dim"),
        ]


def _why(queue: Queue) -> str:
    # A name that says so is no reason beside others.
    why = [reason for reason in queue.why if not reason.startswith("named")] or queue.why
    return ", ".join(why)


def _count(number: int, look: str) -> Text:
    return Text(f"{number:,}" if number else "·", look if number else "dim", justify="right")


class InsidePane(DataTable[Text]):
    """What is in the queue or topic under the cursor."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, cursor_type="row", zebra_stripes=False)
        self.inside: list[Message] | list[Subscription] = []

    @property
    def selected(self) -> Message | Subscription | None:
        """The one under the cursor."""
        return self.inside[self.cursor_row] if 0 <= self.cursor_row < len(self.inside) else None

    def empty(self) -> None:
        """Nothing is in it, or it isn't known."""
        self.inside = []
        self.clear(columns=True)

    def show_messages(self, messages: list[Message], now: int) -> None:
        """Show messages; the cursor stays on the one it was on."""
        if messages and messages == self.inside:
            return
        self.inside = messages
        rows = [
            (
                message.id,
                [
                    Text(ago(now - message.sent), justify="right"),
                    Text(f"{message.receives}x", "" if message.receives else "dim", justify="right"),
                    Text(one_line(message.body), overflow="ellipsis", no_wrap=True),
                    Text(message.id, "dim"),
                ],
            )
            for message in messages
        ]
        fill(self, ("age", "received", "body", "id"), rows)

    def show_subscriptions(self, subscriptions: list[Subscription]) -> None:
        """Show subscriptions."""
        if subscriptions and subscriptions == self.inside:
            return
        self.inside = subscriptions
        warning = self.app.theme_variables["warning"]
        rows = [
            (
                str(number),
                [
                    Text(printable(one.protocol), "bold"),
                    Text(printable(one.endpoint)),
                    Text(one.state, "dim" if one.state == "confirmed" else warning),
                ],
            )
            for number, one in enumerate(subscriptions)
        ]
        fill(self, ("protocol", "endpoint", "state"), rows)
