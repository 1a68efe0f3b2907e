"""lambdalog import."""

from __future__ import annotations

import itertools
import sys
from contextlib import ExitStack
from typing import IO

import click

from lambdalog.cli.options import open_cloud, store_option
from lambdalog.printable import printable


@click.command(name="import")
@click.argument("queue")
@click.argument("file")
@click.option(
    "--skip",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Leave out the first N lines: they were sent before.",
)
@store_option
def command(queue: str, file: str, skip: int, store: str | None) -> None:
    """Send to QUEUE the messages in FILE (- reads standard input), as `lambdalog export` wrote them.

    Body and message attributes are as they were; message id and time are new. A line that is no message ends it.
    """
    from lambdalog.cli.queue.find import find_queue
    from lambdalog.failures import Desk

    sent = last = 0
    refused: list[tuple[int, str]] = []
    with ExitStack() as stack:
        source: IO[bytes] = sys.stdin.buffer
        if file != "-":
            source = stack.enter_context(open(file, "rb"))  # noqa: PTH123 - a name as it was typed
        desk = stack.enter_context(Desk(open_cloud(store), owns=True))
        queue, _ = find_queue(desk.cloud.sqs, queue)
        lines = itertools.chain((b"" for _ in range(skip)), itertools.islice(source, skip, None))
        try:
            for state in desk.import_(queue, lines):
                sent, last, refused = state.sent, state.last_line, state.refused
        except BaseException:
            if last:
                click.echo(f"{sent} sent, up to line {last}; go on with --skip {last}", err=True)
            raise
    for line, reason in refused:
        click.echo(printable(f"line {line} was refused: {reason}"), err=True)
    click.echo(f"{sent} sent to {printable(queue)}", err=True)
    if refused:
        raise SystemExit(1)
