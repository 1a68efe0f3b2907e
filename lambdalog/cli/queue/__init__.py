"""lambdalog queue: the SQS queues of a store, or of AWS."""

from __future__ import annotations

from typing import ClassVar, Final

import click

from lambdalog.cli.lazy import LazyGroup

_HERE: Final = "lambdalog.cli.queue"


class _Queue(LazyGroup):
    commands_by_name: ClassVar = {
        "list": (f"{_HERE}.show", "list_", "All queues, with what they hold."),
        "show": (f"{_HERE}.show", "show", "One queue: attributes, counts, tags."),
        "create": (f"{_HERE}.change", "create", "Make a queue."),
        "set": (f"{_HERE}.change", "set_", "Change a queue's attributes."),
        "tag": (f"{_HERE}.change", "tag", "Show or change a queue's tags."),
        "send": (f"{_HERE}.messages", "send", "Send messages: one, or a line each."),
        "look": (f"{_HERE}.messages", "look", "Look into a queue without taking anything."),
        "receive": (f"{_HERE}.messages", "receive", "Receive messages, and delete them if asked to."),
        "redrive": (f"{_HERE}.moves", "redrive", "Move a dead-letter queue's messages back, or elsewhere."),
        "moves": (f"{_HERE}.moves", "moves", "Move tasks of a queue; cancel the running one."),
        "purge": (f"{_HERE}.change", "purge", "Delete all messages of a queue."),
        "delete": (f"{_HERE}.change", "delete", "Delete a queue with its messages."),
    }


@click.group(name="queue", cls=_Queue)
def command() -> None:
    """The SQS queues of a store, or of AWS. A QUEUE is a name, an ARN or a URL."""
