"""lambdalog function: the functions of a store, or of AWS."""

from __future__ import annotations

from typing import ClassVar, Final

import click

from lambdalog.cli.lazy import LazyGroup

_HERE: Final = "lambdalog.cli.function"


class _Function(LazyGroup):
    commands_by_name: ClassVar = {
        "create": (f"{_HERE}.code", "create", "Make a function of a file, a folder or a zip."),
        "update": (f"{_HERE}.code", "update", "Give a function new code."),
        "list": (f"{_HERE}.show", "list_", "All functions."),
        "show": (f"{_HERE}.show", "show", "One function, its versions and aliases."),
        "config": (f"{_HERE}.config", "config", "Show or change a function's settings."),
        "events": (f"{_HERE}.config", "events", "Retries, age and destinations of asynchronous events."),
        "concurrency": (
            f"{_HERE}.config",
            "concurrency",
            "Reserve environments for a function; 0 switches it off.",
        ),
        "cost": (f"{_HERE}.cost", "command", "What invocations cost, at a price list."),
        "publish": (f"{_HERE}.versions", "publish", "Publish a version."),
        "alias": (f"{_HERE}.versions", "alias", "Names for versions."),
        "policy": (f"{_HERE}.policy", "policy", "Who may invoke a function."),
        "tag": (f"{_HERE}.policy", "tag", "Show or change a function's tags."),
        "layer": (f"{_HERE}.layers", "layer", "Layers that functions share."),
        "delete": (f"{_HERE}.code", "delete", "Delete a function, or one version."),
    }


@click.group(name="function", cls=_Function)
def command() -> None:
    """The Lambda functions of a store, or of AWS. A FUNCTION is a name, NAME:VERSION, NAME:ALIAS or an ARN."""
