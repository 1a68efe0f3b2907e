"""What can't be undone is asked for by name: typed, or given as --confirm NAME."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli.options import interactive
from lambdalog.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

confirm_option: Callable[[Any], Any] = click.option(
    "--confirm", "confirmed", metavar="NAME", help="Don't ask; the name once more."
)


def confirm(what: str, name: str, confirmed: str | None) -> None:
    """Go on only if the name is said again. UsageError if it isn't, Abort if nobody can be asked and none was given."""
    if confirmed is None:
        if not interactive(sys.stdin):
            raise click.UsageError(f"this would {what}; say --confirm {printable(name)} if it shall")
        confirmed = click.prompt(
            f"This will {printable(what)}. Type the name to go on", default="", show_default=False, err=True
        )
    if confirmed != name:
        raise click.UsageError(f"'{printable(confirmed)}' is not {printable(name)}; nothing was done")
