"""A row a queue or topic above, a row a message or subscription below."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from lambdalog.failures import sparkline
from lambdalog.printable import printable
from tui.feed.queues import Queue, Topic
from tui.grid import Cell, Column, Part
from tui.numbers import ago

if TYPE_CHECKING:
    from tui.feed.queues import Message, Subscription
    from tui.queues.depths import Depths

SHOWN: Final = 300
COMPACT_MAX: Final = 65_536
BARS: Final = 12
PLACES: Final = (
    Column("", 1),
    Column("name", 0, until=119),
    Column("name", 24, since=120, until=139),
    Column("name", 30, since=140),
    Column("ready", 7, right=True),
    Column("in flight", 9, right=True),
    Column("delayed", 7, right=True, since=140),
    Column("oldest", 6, right=True),
    Column("sent", 7, right=True, since=104),
    Column("deleted", 7, right=True, since=104),
    Column("change", 8, right=True, until=119),
    # What a queue is for is worth more than the difference of two columns.
    Column("change", 8, right=True, since=140),
    Column("depth", BARS),
    Column("role", 0, since=120),
)
MESSAGES: Final = (
    Column("age", 4, right=True),
    Column("received", 8, right=True),
    Column("body", 0),
    Column("id", 36, since=120),
)
SUBSCRIPTIONS: Final = (Column("protocol", 12), Column("endpoint", 0), Column("state", 10))


def rate_text(count: int | None) -> str:
    """12/m, or nothing where it isn't known."""
    return "" if count is None else f"{count:,}/m"


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


def role_of(place: Queue | Topic) -> str:
    """What a queue or topic is for."""
    if isinstance(place, Topic):
        told = f"{place.confirmed:,} subscribed"
        return told + (f", {place.pending:,} pending" if place.pending else "")
    if place.dead:
        return f"failures go to {place.dead} after {place.receives}"
    # A name that says so is no reason beside others.
    return ", ".join([why for why in place.why if not why.startswith("named")] or place.why)


def place_cells(place: Queue | Topic, depths: Depths, now: int) -> dict[str, Cell]:
    """A queue's or topic's cells: what takes failures stands out when it has some."""
    found: dict[str, Cell] = {"role": (Part(printable(role_of(place)[:SHOWN]), "quiet"),)}
    if isinstance(place, Topic):
        return found | {"": (Part("»", "info"),), "name": (Part(printable(place.name[:SHOWN])),)}
    failed = place.failures and place.depth > 0
    look = "error" if failed else "strong" if place.depth else "message"
    change = depths.change(place.name)
    return found | {
        "": (Part("✗" if place.failures else "≡", "error" if failed else "key"),),
        "name": (Part(printable(place.name[:SHOWN]), look),),
        "ready": _count(place.ready, look),
        "in flight": _count(place.in_flight, "warn"),
        "delayed": _count(place.delayed, "message"),
        "oldest": (Part("-" if place.oldest is None else ago(now - place.oldest)),),
        "sent": (Part(rate_text(place.sent), "value"),),
        "deleted": (Part(rate_text(place.deleted), "value"),),
        "change": (Part(change_text(change), "warn" if change is not None and change > 0 else "quiet"),),
        "depth": (Part(sparkline(depths.depths(place.name)[-BARS:]), "track-error" if failed else "rail"),),
    }


def message_cells(message: Message, now: int) -> dict[str, Cell]:
    """A message's cells."""
    return {
        "age": (Part(ago(now - message.sent)),),
        "received": (Part(f"{message.receives:,}x", "message" if message.receives else "quiet"),),
        "body": (Part(one_line(message.body)),),
        "id": (Part(printable(message.id[:SHOWN]), "quiet"),),
    }


def subscription_cells(subscription: Subscription) -> dict[str, Cell]:
    """A subscription's cells."""
    confirmed = subscription.state == "confirmed"
    return {
        "protocol": (Part(printable(subscription.protocol[:SHOWN]), "strong"),),
        "endpoint": (Part(printable(subscription.endpoint[:SHOWN])),),
        "state": (Part(printable(subscription.state[:SHOWN]), "quiet" if confirmed else "warn"),),
    }


def _count(number: int, look: str) -> Cell:
    return (Part(f"{number:,}" if number else "·", look if number else "quiet"),)
