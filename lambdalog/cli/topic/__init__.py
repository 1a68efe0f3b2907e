"""lambdalog topic: the SNS topics of a store, or of AWS."""

from __future__ import annotations

from typing import ClassVar, Final

import click

from lambdalog.cli.lazy import LazyGroup

_HERE: Final = "lambdalog.cli.topic"


class _Topic(LazyGroup):
    commands_by_name: ClassVar = {
        "list": (f"{_HERE}.topics", "list_", "All topics."),
        "show": (f"{_HERE}.topics", "show", "One topic: attributes, tags, who is subscribed."),
        "create": (f"{_HERE}.topics", "create", "Make a topic."),
        "set": (f"{_HERE}.topics", "set_", "Change a topic's attributes."),
        "tag": (f"{_HERE}.topics", "tag", "Show or change a topic's tags."),
        "delete": (f"{_HERE}.topics", "delete", "Delete a topic with its subscriptions."),
        "subscribe": (
            f"{_HERE}.subscriptions",
            "subscribe",
            "Subscribe a queue, function, URL, file or command.",
        ),
        "subscriptions": (
            f"{_HERE}.subscriptions",
            "subscriptions",
            "Who is subscribed, and how deliveries go.",
        ),
        "confirm": (f"{_HERE}.subscriptions", "confirm", "Confirm a web subscription with its token."),
        "filter": (
            f"{_HERE}.subscriptions",
            "filter_",
            "Show, set or take away a subscription's filter policy.",
        ),
        "unsubscribe": (f"{_HERE}.subscriptions", "unsubscribe", "End a subscription."),
        "publish": (f"{_HERE}.publish", "publish", "Publish a message."),
        "deliver": (
            f"{_HERE}.publish",
            "deliver",
            "Try what is still to be delivered; without a served store.",
        ),
    }


@click.group(name="topic", cls=_Topic)
def command() -> None:
    """The SNS topics of a store, or of AWS. A TOPIC is a name or an ARN."""
