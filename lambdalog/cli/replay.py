"""lambdalog replay."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli import failures_view as view
from lambdalog.cli.options import (
    interactive,
    json_option,
    open_cloud,
    spend_option,
    store_option,
    where_option,
)
from lambdalog.errors import ConfigError
from lambdalog.printable import printable

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud
    from lambdalog.failures import Desk, Destination, Explained, Pace, Plan

# More than these are not edited one by one.
EDIT_MAX = 20


@click.command(name="replay")
@click.argument("queue", required=False)
@where_option
@click.option("--to", "function", metavar="FUNCTION[:Q]", help="Another function, version or alias.")
@click.option("--to-source", is_flag=True, help="Back to the queue that each message came from.")
@click.option("--to-queue", metavar="NAME", help="To this queue.")
@click.option("--to-file", metavar="PATH", help="Append to this file, as export writes it.")
@click.option(
    "--canary",
    type=click.IntRange(0),
    metavar="N",
    help="The first N must succeed, then 2, 5, 10, … go on.  [default: 1]",
)
@click.option("--rate", metavar="N/s", help="At most so many a second (N/m: a minute).")
@click.option(
    "--stop-after", metavar="N|N%", help="Stop after N failures, or at more than that share of them."
)
@click.option(
    "--at-once",
    type=click.IntRange(1, 100),
    metavar="N",
    help="So many invocations side by side.  [default: 1]",
)
@click.option("--in-doubt", is_flag=True, help="Send also what an earlier run may have sent already.")
@click.option(
    "--edit", is_flag=True, help="Change each event in $EDITOR first; the messages stay as they are."
)
@click.option(
    "--set", "settings", multiple=True, metavar="PATH=VALUE", help="Change each event, as order.total=3."
)
@click.option(
    "--pdb",
    "debugging",
    is_flag=True,
    help="Run the newest of them here, under the debugger; nothing is sent.",
)
@click.option("--code", metavar="FOLDER", help="With --pdb: where the function's code is.")
@click.option("--reason", default="", metavar="TEXT", help="Why; it stands in the audit.")
@click.option("--resume", metavar="RUN", help="Take up a run that was broken off or stopped.")
@click.option("--yes", is_flag=True, help="Do it; without this, only say what would be done.")
@spend_option
@json_option
@store_option
def command(
    queue: str | None,
    where: tuple[str, ...],
    function: str | None,
    to_source: bool,
    to_queue: str | None,
    to_file: str | None,
    canary: int | None,
    rate: str | None,
    stop_after: str | None,
    at_once: int | None,
    in_doubt: bool,
    edit: bool,
    settings: tuple[str, ...],
    debugging: bool,
    code: str | None,
    reason: str,
    resume: str | None,
    yes: bool,
    spend_receives: bool,
    as_json: bool,
    store: str | None,
) -> None:
    """Send again what lies in QUEUE, where it came from: an event to its function, a moved message to its queue.

    What succeeds is deleted, what fails stays. The set is frozen when the replay begins: what arrives later is left alone.
    Ctrl-C leaves a run that --resume takes up. Exit status 1 if anything failed.
    """
    if (queue is None) == (resume is None):
        raise click.UsageError("name a QUEUE to replay, or --resume RUN")
    destination = _destination(function, to_queue, to_file, to_source=to_source)
    from lambdalog.cli.queue.find import find_queue
    from lambdalog.cli.running import work
    from lambdalog.failures import Desk, Setting
    from lambdalog.failures import where as conditions

    chosen, changes = conditions(where), [Setting(text) for text in settings]
    if resume is not None:
        if where or changes or edit or debugging or in_doubt or str(destination):
            raise click.UsageError(
                "a run that is resumed has its set and its target; --resume takes only a pace"
            )
        with Desk(open_cloud(store), owns=True) as desk:
            before = desk.journal.run(resume)
            pace = _pace(canary, rate, stop_after, at_once, before.options)
            work(desk, before.id, pace=pace, as_json=as_json, command="replay")
        return
    assert queue is not None
    pace = _pace(canary, rate, stop_after, at_once, {"canary": 1})
    with Desk(open_cloud(store), spend_receives=spend_receives, owns=True) as desk:
        queue, _ = find_queue(desk.cloud.sqs, queue)
        if not debugging:
            _reachable(desk.cloud, destination)
        planned = desk.plan(queue, where=chosen, destination=destination, settings=changes, in_doubt=in_doubt)
        if debugging:
            _debug(desk, planned, code)
            return
        if edit:
            planned = _edit(desk, planned, yes=yes)
        if not planned.letters:
            view.show_plan(planned, "send", as_json=as_json)
            if not as_json:
                click.echo(f"Nothing to replay in {printable(queue)}.")
            return
        if not _agreed(planned, yes=yes, edit=edit, as_json=as_json):
            return
        run = desk.begin(planned, pace=pace, reason=reason)
        work(desk, run.id, pace=None, as_json=as_json, command="replay")


def _destination(
    function: str | None, queue: str | None, file: str | None, *, to_source: bool
) -> Destination:
    from lambdalog.failures import Destination
    from lambdalog.failures.plan import function_of

    given = [name for name in (function, queue, file) if name is not None]
    if len(given) + to_source > 1:
        raise click.UsageError("name one of --to, --to-source, --to-queue and --to-file")
    if function is not None:
        return function_of(function)
    if queue is not None:
        return Destination("queue", queue)
    if file is not None:
        return Destination("file", str(Path(file).expanduser().absolute()))
    return Destination("source") if to_source else Destination()


def _reachable(cloud: Cloud, destination: Destination) -> None:
    """ConfigError for a function or queue that there isn't: of a canary it would only be told that it failed."""
    from lambdalog.cli.queue.find import find_queue
    from lambdalog.cli.records import qualified

    if destination.kind == "queue":
        find_queue(cloud.sqs, destination.name)
    if destination.kind == "function":
        functions, asked = cloud.lambda_, dict[str, Any](qualified(destination.name))
        try:
            # It asks for no leave but that to invoke.
            functions.invoke(InvocationType="DryRun", **asked)
        except functions.exceptions.ResourceNotFoundException as error:
            raise ConfigError(
                f"{error.response['Error']['Message']}; see what there is with: lambdalog function list"
            ) from None


def _pace(
    canary: int | None, rate: str | None, stop_after: str | None, at_once: int | None, options: Any
) -> Pace:
    """What was asked for; what wasn't, as it was before."""
    from lambdalog.failures import Pace
    from lambdalog.failures.pace import parse_rate, parse_stop

    asked: dict[str, Any] = dict(options)
    if canary is not None:
        asked["canary"] = canary
    if rate is not None:
        asked["rate"] = parse_rate(rate)
    if stop_after is not None:
        asked["stop_after"], asked["stop_share"] = parse_stop(stop_after)
    if at_once is not None:
        asked["at_once"] = at_once
    return Pace.of(asked)


def _agreed(planned: Plan, *, yes: bool, edit: bool, as_json: bool) -> bool:
    """Whether it is to be done; if not, what would be done was shown."""
    if yes:
        for left in {found.reason for found in planned.left}:
            click.echo(printable(f"left alone: {left}"), err=True)
        return True
    where = planned.destination.described
    view.show_plan(planned, "send", f" to {where}", as_json=as_json)
    if edit:
        return click.confirm("Do it?")
    if not as_json:
        click.echo("Do it with --yes.")
    return False


def _edit(desk: Desk, planned: Plan, *, yes: bool) -> Plan:
    from lambdalog.failures import Refused
    from lambdalog.failures.edit import edited, pretty

    if len(planned.letters) > EDIT_MAX:
        raise click.UsageError(
            f"{len(planned.letters)} events are too many to edit one by one; narrow them with --where, or use --set"
        )
    if not yes and not interactive(sys.stdin):
        raise click.UsageError("--edit asks before it sends: answer in a terminal, or give --yes")

    def change(found: Explained) -> str | None:
        before = planned.edits.get(found.letter.message_id, found.letter.event or "")
        text = click.edit(pretty(before) + "\n", extension=".json")
        try:
            return None if text is None else edited(before, text)
        except Refused as error:
            click.echo(printable(f"{found.letter.message_id}: {error}; it is left alone"), err=True)
            raise

    return desk.edit(planned, change)


def _debug(desk: Desk, planned: Plan, code: str | None) -> None:
    import pdb  # noqa: T100 - debugging is the trade
    from bdb import BdbQuit

    from lambdalog.failures.debug import debug, local_function
    from lambdalog.failures.targets import sqs_event

    if not planned.letters:
        view.show_plan(planned, "debug", as_json=False)
        raise click.ClickException(f"there is nothing to debug in {planned.queue}")
    found = planned.letters[-1]
    letter = found.letter
    target = planned.destination.function(letter)
    if not target:
        raise click.ClickException("whose event it is can't be told; name the function with --to")
    name, _, qualifier = target.partition(":")
    folder = None if code is None else Path(code).expanduser().absolute()
    function = local_function(desk.cloud, name, qualifier, folder)
    event = planned.edits.get(letter.message_id, letter.event) or ""
    if letter.kind == "redrive":
        event = sqs_event(letter, event)
    click.echo(printable(f"{letter.message_id}: {found.type}: {found.message}"), err=True)
    try:
        answer = debug(function, event, region=desk.cloud.scope.region, debugger=pdb.Pdb(nosigint=True))
    except BdbQuit:
        return
    except Exception as error:  # noqa: BLE001 - the function's own
        raise click.ClickException(printable(f"it failed: {type(error).__name__}: {error}")) from None
    click.echo(printable(f"it returned {answer!r}"))
