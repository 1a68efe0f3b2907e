"""What commands share: the store option, opening it, and how output is coloured."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from lambdalog.cloud import Cloud

store_option: Callable[[Any], Any] = click.option(
    "--store",
    metavar="STORE",
    help="disk:PATH, aws or aws:REGION.  [default: LAMBDALOG_STORE, or the nearest .lambdalog/]",
)
json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a record."
)
where_option: Callable[[Any], Any] = click.option(
    "--where",
    multiple=True,
    metavar="CONDITION",
    help="Only failures with type=…, function=…, age>1h, text~…, '$.path = value', or a fingerprint. Several hold together.",
)
spend_option: Callable[[Any], Any] = click.option(
    "--spend-receives",
    is_flag=True,
    help="On AWS: look also into a queue whose own redrive policy counts each look.",
)


def open_cloud(store: str | None) -> Cloud:
    """The cloud that --store names. ConfigError if it names none."""
    from lambdalog.cloud import connect

    return connect(store)


def console(*, stderr: bool = False) -> Console:
    """A console that colours only for a terminal, and minds NO_COLOR and FORCE_COLOR."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            """Rich would end the process with status 1; whoever runs the command knows better."""
            raise  # noqa: PLE0704 - called where the error is handled

    return Plain(stderr=stderr, highlight=False, markup=False, soft_wrap=True)


def interactive(stream: IO[Any] | None = None) -> bool:
    """Whether a person reads it."""
    return bool((stream or sys.stdout).isatty())


def write_line(text: str) -> None:
    """One line to standard output, at once; characters that it can't encode are replaced."""
    data = f"{text}\n".encode(sys.stdout.encoding or "utf-8", "backslashreplace")
    sys.stdout.buffer.write(data)
    sys.stdout.flush()
