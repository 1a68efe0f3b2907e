"""lambdalog trigger: what invokes functions."""

from __future__ import annotations

from typing import ClassVar, Final

import click

from lambdalog.cli.lazy import LazyGroup

_HERE: Final = "lambdalog.cli.trigger"


class _Trigger(LazyGroup):
    commands_by_name: ClassVar = {
        "schedule": (f"{_HERE}.add", "schedule", "Invoke at times: rate(), cron(), at()."),
        "s3": (f"{_HERE}.add", "s3", "Invoke for what is put into a folder, or into a bucket of AWS."),
        "sns": (f"{_HERE}.add", "sns", "Invoke for each message of a topic."),
        "sqs": (f"{_HERE}.mapping", "sqs", "Invoke with batches of a queue's messages."),
        "dynamodb": (f"{_HERE}.mapping", "dynamodb", "Invoke with batches of a table's changes."),
        "list": (f"{_HERE}.manage", "list_", "All triggers."),
        "enable": (f"{_HERE}.manage", "enable", "Switch a trigger on."),
        "disable": (f"{_HERE}.manage", "disable", "Switch a trigger off."),
        "delete": (f"{_HERE}.manage", "delete", "Delete a trigger."),
    }


@click.group(name="trigger", cls=_Trigger)
def command() -> None:
    """What invokes functions, while the store is served (`lambdalog serve`). First the source, then the function."""
