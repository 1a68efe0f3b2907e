"""lambdalog failures."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli.options import console, interactive, json_option, open_cloud, store_option, write_line
from lambdalog.printable import printable

if TYPE_CHECKING:
    from lambdalog.failures import Group, Inbox, Letter


_COLUMNS = (
    ("count", "bold"),
    ("last", ""),
    ("type", "bold red"),
    ("message", ""),
    ("function", ""),
    ("queue", ""),
    ("fingerprint", "dim"),
)


@click.group(name="failures", invoke_without_command=True)
@click.option("--queue", metavar="NAME", help="Only this dead-letter queue.")
@json_option
@store_option
@click.pass_context
def command(ctx: click.Context, queue: str | None, as_json: bool, store: str | None) -> None:
    """Dead letters, grouped by fingerprint: what failed, how often, since when.

    Without a subcommand the groups are shown.
    """
    ctx.obj = {"queue": queue, "as_json": as_json, "store": store}
    if ctx.invoked_subcommand is None:
        _groups(**ctx.obj)


@command.command(name="groups")
@click.pass_obj
def groups(given: dict[str, Any]) -> None:
    """The groups, the most frequent first."""
    _groups(**given)


@command.command(name="list")
@click.pass_obj
def list_(given: dict[str, Any]) -> None:
    """Each letter, in order of time."""
    with open_cloud(given["store"]) as cloud:
        inbox = _inbox(cloud)
        for letter in inbox.letters(given["queue"]):
            explained = inbox.explain(letter)
            if given["as_json"]:
                write_line(json.dumps(_record(letter) | {"failure": explained.failure.record()}))
            else:
                moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(letter.sent_at / 1000))
                parts = (
                    moment,
                    letter.message_id,
                    letter.queue,
                    explained.failure.type,
                    explained.failure.message,
                )
                write_line("  ".join(printable(part) for part in parts))


@command.command(name="show")
@click.argument("identity", metavar="ID")
@click.pass_obj
def show(given: dict[str, Any], identity: str) -> None:
    """One failure whole: ID is a message id, a request id, or a group's fingerprint (its newest letter is shown)."""
    with open_cloud(given["store"]) as cloud:
        inbox = _inbox(cloud)
        letter = _find(inbox, given["queue"], identity)
        if letter is None:
            raise click.ClickException(
                f"no dead letter has the id {identity}; see them with: lambdalog failures list"
            )
        explained, lines = inbox.explain(letter), inbox.lines(letter)
        if given["as_json"]:
            record = _record(letter) | {
                "failure": explained.failure.record(),
                "lines": [line.message for line in lines],
            }
            write_line(json.dumps(record))
            return
        failure = explained.failure
        write_line(f"{printable(failure.type)}: {printable(failure.message)}")
        for frame in failure.frames:
            write_line(f"  {printable(frame.file)}:{frame.line} in {printable(frame.function)}")
            if frame.code:
                write_line(f"      {printable(frame.code)}")
        for cause in failure.causes:
            write_line(f"caused by {printable(cause.type)}: {printable(cause.message)}")
        write_line("")
        for name, value in (
            ("fingerprint", failure.fingerprint),
            ("function", letter.function),
            ("queue", letter.queue),
            ("message", letter.message_id),
            ("request", letter.request_id),
            ("event", letter.body),
        ):
            write_line(f"{name:<12} {printable(value)}")
        if lines:
            write_line("\nlog")
            for line in lines:
                write_line(f"  {printable(line.message.rstrip())}")


def _inbox(cloud: Any) -> Inbox:
    from lambdalog.failures import Inbox

    return Inbox(cloud, cloud.clock)


def _groups(*, queue: str | None, as_json: bool, store: str | None) -> None:
    with open_cloud(store) as cloud:
        found = _inbox(cloud).groups(queue)
        now = cloud.clock.now_ms()
    if as_json:
        for group in found:
            write_line(json.dumps(_group_record(group)))
        return
    if not found:
        click.echo("No failures.")
        return
    from rich.table import Table
    from rich.text import Text

    rows = [
        (
            str(group.count),
            _ago(now - group.last_seen),
            printable(group.type),
            printable(group.message),
            printable(", ".join(group.functions)),
            printable(", ".join(sorted({letter.queue for letter in group.letters}))),
            group.fingerprint,
        )
        for group in found
    ]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, (name, style) in enumerate(_COLUMNS):
        widest = max(len(name), *(len(row[index]) for row in rows))
        # Only the message gives way on a narrow terminal.
        table.add_column(
            name,
            style=style,
            no_wrap=True,
            overflow="ellipsis",
            min_width=None if name == "message" else widest,
        )
    for row in rows:
        table.add_row(*map(Text, row))
    out = console()
    if not interactive():
        out.width = 10_000  # a file has no edge
    out.print(table, soft_wrap=False)


def _find(inbox: Inbox, queue: str | None, identity: str) -> Letter | None:
    letters = inbox.letters(queue)
    for letter in reversed(letters):
        if identity in {letter.message_id, letter.request_id}:
            return letter
    return next(
        (
            found
            for found in reversed(letters)
            if inbox.explain(found).failure.fingerprint.startswith(identity)
        ),
        None,
    )


def _record(letter: Letter) -> dict[str, Any]:
    return asdict(letter)


def _group_record(group: Group) -> dict[str, Any]:
    return {
        "fingerprint": group.fingerprint,
        "type": group.type,
        "message": group.message,
        "count": group.count,
        "firstSeen": group.first_seen,
        "lastSeen": group.last_seen,
        "functions": group.functions,
        "versions": group.versions,
        "queues": sorted({letter.queue for letter in group.letters}),
    }


def _ago(ms: int) -> str:
    seconds = max(ms, 0) // 1000
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit} ago"
    return f"{seconds}s ago"
