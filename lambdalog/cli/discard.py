"""lambdalog discard."""

from __future__ import annotations

import click

from lambdalog.cli import failures_view as view
from lambdalog.cli.confirm import confirm, confirm_option
from lambdalog.cli.options import (
    json_option,
    open_cloud,
    spend_option,
    store_option,
    where_option,
)


@click.command(name="discard")
@click.argument("queue", required=False)
@where_option
@click.option("--reason", default="", metavar="TEXT", help="Why; it stands in the audit.")
@confirm_option
@click.option("--resume", metavar="RUN", help="Take up a discard that was broken off.")
@click.option("--yes", is_flag=True, help="Do it; without this, only say what would be done.")
@spend_option
@json_option
@store_option
def command(
    queue: str | None,
    where: tuple[str, ...],
    reason: str,
    confirmed: str | None,
    resume: str | None,
    yes: bool,
    spend_receives: bool,
    as_json: bool,
    store: str | None,
) -> None:
    """Delete from QUEUE what need not be tried again, for a reason; `lambdalog export` first keeps a copy.

    The set is frozen when it begins: what arrives later is left alone. Without --where it is the whole queue, and its
    name has to be typed once more.
    """
    if (queue is None) == (resume is None):
        raise click.UsageError("name a QUEUE to discard from, or --resume RUN")
    from lambdalog.cli.queue.find import find_queue
    from lambdalog.cli.running import work
    from lambdalog.failures import Desk
    from lambdalog.failures import where as conditions

    chosen = conditions(where)
    with Desk(open_cloud(store), spend_receives=spend_receives, owns=True) as desk:
        if resume is not None:
            work(desk, desk.journal.run(resume).id, pace=None, as_json=as_json, command="discard")
            return
        assert queue is not None
        queue, _ = find_queue(desk.cloud.sqs, queue)
        planned = desk.plan_discard(queue, where=chosen)
        act = yes or confirmed is not None
        if not act or not planned.letters:
            view.show_plan(planned, "discard", as_json=as_json)
            if not planned.letters and not as_json:
                click.echo(f"Nothing to discard in {queue}.")
            elif not as_json:
                why = "" if reason.strip() else " and --reason TEXT"
                click.echo(f"Do it with {'--yes' if chosen else f'--confirm {queue}'}{why}.")
            return
        if not reason.strip():
            raise click.UsageError("say why with --reason TEXT")
        if not chosen or confirmed is not None:
            confirm(
                f"discard all {len(planned.letters)} of {queue}" if not chosen else f"discard from {queue}",
                queue,
                confirmed,
            )
        run = desk.begin_discard(planned, reason=reason)
        work(desk, run.id, pace=None, as_json=as_json, command="discard")
