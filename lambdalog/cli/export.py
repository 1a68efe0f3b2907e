"""lambdalog export."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import IO

import click

from lambdalog.cli.options import open_cloud, spend_option, store_option, where_option
from lambdalog.errors import ConfigError
from lambdalog.printable import printable


@click.command(name="export")
@click.argument("queue")
@where_option
@click.option(
    "-o", "--output", metavar="FILE", help="A file that isn't there yet.  [default: standard output]"
)
@spend_option
@store_option
def command(
    queue: str, where: tuple[str, ...], output: str | None, spend_receives: bool, store: str | None
) -> None:
    """Write the messages of QUEUE as JSON lines, to the byte; they stay where they are. `lambdalog import` reads them."""
    from lambdalog.cli.queue.find import find_queue
    from lambdalog.failures import Desk
    from lambdalog.failures import where as conditions

    chosen = conditions(where)
    count = 0
    with ExitStack() as stack:
        desk = stack.enter_context(Desk(open_cloud(store), spend_receives=spend_receives, owns=True))
        queue, _ = find_queue(desk.cloud.sqs, queue)
        lines = desk.export(queue, chosen)
        first = next(lines, None)  # a queue that isn't there makes no file
        out: IO[bytes] = sys.stdout.buffer if output is None else stack.enter_context(_new(output))
        if first is not None:
            out.write(first)
            count = 1
            for line in lines:
                out.write(line)
                count += 1
        out.flush()
        for note in desk.notes:
            click.echo(printable(note), err=True)
    if output is not None:
        click.echo(f"{count} written to {printable(output)}", err=True)


def _new(path: str) -> IO[bytes]:
    try:
        return open(path, "xb")  # noqa: PTH123 - a name as it was typed
    except FileExistsError:
        raise ConfigError(f"{path} is there already; name a new file") from None
