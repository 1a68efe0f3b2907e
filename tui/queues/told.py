"""What is told of a message, a queue or a topic on a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from lambdalog.printable import printable
from tui.feed.queues import Queue
from tui.logs.format import day_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.feed.queues import Message, Task, Topic

# Values stand below each other; SQS's longest attribute has 37 letters, a user's may have more.
NAMES_LEAST: Final = 13
NAMES_MOST: Final = 40
_TIMES = ("SentTimestamp", "ApproximateFirstReceiveTimestamp")


def message_text(message: Message) -> Text:
    """Where a message stands, and its attributes; its body is beside it."""
    text = Text()
    fields = [
        ("id", message.id),
        ("sent", day_text(message.sent)),
        ("received", f"{message.receives:,}x"),
        *(
            (name, value)
            for name, value in sorted(message.system.items())
            if name not in {*_TIMES, "ApproximateReceiveCount"}
        ),
    ]
    _fields(text, fields)
    if message.attributes:
        text.append("\nattributes\n", "bold")
        _fields(text, sorted(message.attributes.items()), lead="  ")
    return text


def place_text(place: Queue | Topic, tasks: Iterable[Task] = ()) -> Text:
    """All attributes of a queue or topic, and its move tasks."""
    text = Text()
    _fields(text, [("name", place.name), ("arn", place.arn)])
    if isinstance(place, Queue):
        _fields(text, [("url", place.url)])
        counts = [("sent", place.sent), ("deleted", place.deleted)]
        if known := [f"{count:,} {what}" for what, count in counts if count is not None]:
            _fields(text, [("last minute", ", ".join(known))])
    text.append("\nattributes\n", "bold")
    _fields(text, sorted(place.attributes.items()), lead="  ")
    shown = list(tasks)
    if shown:
        text.append("\nmoves\n", "bold")
    for task in shown:
        text.append(f"  {task_text(task)}\n")
    return text


def task_text(task: Task) -> str:
    """One move task in a line."""
    total = "" if task.total is None else f" of {task.total:,}"
    where = f" to {printable(task.to)}" if task.to else " to where each came from"
    why = f": {printable(task.reason)}" if task.reason else ""
    return f"{task.status.lower()}, {task.moved:,}{total} moved{where}{why}"


def _fields(text: Text, fields: Iterable[tuple[str, str]], lead: str = "") -> None:
    shown = [(printable(name), value) for name, value in fields]
    widest = max([NAMES_LEAST, *(len(name) for name, _ in shown if len(name) <= NAMES_MOST)])
    for name, value in shown:
        text.append(f"{lead}{name:<{widest}}  ", "bold")
        text.append(f"{printable(value)}\n")
