"""lambdalog replay."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli.options import console, interactive, json_option, open_cloud, store_option, write_line
from lambdalog.errors import ConfigError
from lambdalog.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud
    from lambdalog.failures.journal import Item
    from lambdalog.failures.replay import Plan, Replay, Result


@click.command(name="replay")
@click.argument("queue", required=False)
@click.option(
    "--where", "fingerprint", metavar="FINGERPRINT", help="Only failures of this group, or its beginning."
)
@click.option(
    "--to", "target", default="", metavar="FUNCTION[:Q]", help="Another function, version or alias."
)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="At most N a second.")
@click.option("--stop-after", type=click.IntRange(1), metavar="N", help="Stop after N failures.")
@click.option("--resume", metavar="RUN", help="Take up a run that was broken off.")
@click.option("--yes", is_flag=True, help="Do it; without this, only say what would be done.")
@json_option
@store_option
def command(
    queue: str | None,
    fingerprint: str | None,
    target: str,
    rate: float | None,
    stop_after: int | None,
    resume: str | None,
    yes: bool,
    as_json: bool,
    store: str | None,
) -> None:
    """Invoke again what lies in dead-letter QUEUE; what succeeds is deleted, what fails stays.

    The set is frozen when the replay begins: what arrives later is left alone. Exit status 1 if anything failed.
    """
    if (queue is None) == (resume is None):
        raise click.UsageError("name a QUEUE to replay, or --resume RUN")
    from lambdalog.failures import Inbox
    from lambdalog.failures.replay import Replay, plan

    with open_cloud(store) as cloud:
        inbox = Inbox(cloud, cloud.clock)
        decided = None if queue is None else plan(inbox, queue, fingerprint=fingerprint, target=target)
        if decided is not None and (not yes or not decided.letters):
            _show_plan(decided, as_json=as_json)
            return
        replay = Replay(cloud, inbox, _journal_root(cloud), clock=cloud.clock)
        try:
            run_id = resume if decided is None else replay.begin(decided).id
            assert run_id is not None
            try:
                result = _run(replay, run_id, rate, stop_after)
            except KeyboardInterrupt:
                print(f"\nbroken off; go on with: lambdalog replay --resume {run_id}", file=sys.stderr)
                raise
        finally:
            replay.close()
        _show_result(result, as_json=as_json)
        if result.stopped or result.counts["failed"] or result.counts["in-doubt"]:
            raise SystemExit(1)


def _journal_root(cloud: Cloud) -> Path:
    """The journal lies in the store; on AWS in the store that this folder would use."""
    from lambdalog.settings import Disk, find_target

    if cloud.root is not None:
        return cloud.root
    here = find_target({})
    if not isinstance(here, Disk):
        raise ConfigError("there is no folder for the replay's journal")
    return here.path


def _show_plan(plan: Plan, *, as_json: bool) -> None:
    groups = plan.by_fingerprint()
    if as_json:
        for fingerprint, type_, message, count in groups:
            write_line(
                json.dumps({"fingerprint": fingerprint, "type": type_, "message": message, "count": count})
            )
        return
    if not groups:
        click.echo(f"Nothing to replay in {plan.queue}.")
        return
    where = f"to {plan.target}" if plan.target else "to the function it came from"
    write_line(printable(f"Would invoke {len(plan.letters)} of {plan.queue} again, {where}:"))
    for fingerprint, type_, message, count in groups:
        write_line(printable(f"  {count:>6}  {fingerprint}  {type_}: {message}"))
    write_line("Do it with --yes.")


def _run(replay: Replay, run_id: str, rate: float | None, stop_after: int | None) -> Result:
    if not interactive(sys.stderr):
        return replay.run(run_id, rate=rate, stop_after=stop_after)
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("replay"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=replay.left(run_id))
        failed = 0

        def progress(item: Item, state: str, detail: str) -> None:
            nonlocal failed
            del item, detail
            failed += state == "failed"
            bar.update(task, advance=1, description=f"{failed} failed" if failed else "")

        return replay.run(run_id, rate=rate, stop_after=stop_after, progress=progress)


_WORDS = {
    "acked": "succeeded, and deleted from the queue",
    "failed": "failed again, and kept",
    "gone": "no longer in the queue",
    "in-doubt": "in doubt: sent, and broken off before the answer was noted; look before you send them again",
    "planned": "not tried yet",
}


def _show_result(result: Result, *, as_json: bool) -> None:
    if as_json:
        record: dict[str, Any] = {"run": result.run, "stopped": result.stopped, **result.counts}
        write_line(json.dumps(record))
        return
    for state, text in _WORDS.items():
        if result.counts[state]:
            write_line(f"{result.counts[state]:>6}  {text}")
    if result.stopped:
        write_line(f"{result.stopped}; go on with: lambdalog replay --resume {result.run}")
