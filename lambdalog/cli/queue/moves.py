"""lambdalog queue redrive, moves."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import click

from lambdalog.cli.options import interactive, json_option, open_cloud, store_option, write_line
from lambdalog.cli.queue.find import arn_of, find_queue, queue_name
from lambdalog.cli.records import json_line, show_table
from lambdalog.errors import ConfigError

_POLL_SECONDS = 0.2


@click.command(name="redrive")
@click.argument("queue")
@click.option(
    "--to", "target", metavar="QUEUE", help="Another queue.  [default: where each message came from]"
)
@click.option("--rate", type=click.IntRange(1, 500), metavar="N", help="At most N messages a second.")
@click.option("--wait", is_flag=True, help="Wait until the task has ended, and show how far it is.")
@store_option
def redrive(queue: str, target: str | None, rate: int | None, wait: bool, store: str | None) -> None:
    """Move what lies in a dead-letter queue back to its queue, in the background; the task's handle is printed.

    The native redrive of SQS: it takes every message, and only from a queue's dead-letter queue. To choose, or for what a
    function failed at, use `lambdalog replay`. On disk a task goes on where the store is served, and with each use of one of
    its queues.
    """
    with open_cloud(store) as cloud:
        source = arn_of(cloud.sqs, find_queue(cloud.sqs, queue)[1])
        params: dict[str, Any] = {"SourceArn": source}
        if target is not None:
            params["DestinationArn"] = arn_of(cloud.sqs, find_queue(cloud.sqs, target)[1])
        if rate is not None:
            params["MaxNumberOfMessagesPerSecond"] = rate
        handle = cloud.sqs.start_message_move_task(**params)["TaskHandle"]
        if not wait:
            write_line(handle)
            return
        try:
            task = _follow(cloud, source)
        except KeyboardInterrupt:
            click.echo("\nthe task goes on; cancel it with: lambdalog queue moves --cancel", err=True)
            raise
    moved = task.get("ApproximateNumberOfMessagesMoved", 0)
    click.echo(f"{task['Status'].lower()}: {moved:,} message{'s' * (moved != 1)} moved")
    if task["Status"] == "FAILED":
        raise ConfigError(f"the task failed: {task.get('FailureReason', 'no reason given')}")


def _follow(cloud: Any, source: str) -> dict[str, Any]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from lambdalog.cli.options import console

    columns = (TextColumn("redrive"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, console=console(stderr=True), transient=True, disable=not interactive(sys.stderr)
    ) as bar:
        shown = bar.add_task("", total=None)
        while True:
            # A task that was just started need not be listed yet.
            tasks = cloud.sqs.list_message_move_tasks(SourceArn=source).get("Results") or [{}]
            task: dict[str, Any] = tasks[0]
            bar.update(
                shown,
                total=task.get("ApproximateNumberOfMessagesToMove"),
                completed=task.get("ApproximateNumberOfMessagesMoved", 0),
            )
            if task.get("Status", "RUNNING") not in {"RUNNING", "CANCELLING"}:
                return task
            cloud.clock.sleep(_POLL_SECONDS)


@click.command(name="moves")
@click.argument("queue")
@click.option("--cancel", is_flag=True, help="Cancel the running task; what has moved stays moved.")
@json_option
@store_option
def moves(queue: str, cancel: bool, as_json: bool, store: str | None) -> None:
    """The last move tasks out of a queue, the newest first."""
    with open_cloud(store) as cloud:
        name, url = find_queue(cloud.sqs, queue)
        source = arn_of(cloud.sqs, url)
        found: Any = cloud.sqs.list_message_move_tasks(SourceArn=source, MaxResults=10).get("Results", [])
        if cancel:
            handles = [task["TaskHandle"] for task in found if task["Status"] == "RUNNING"]
            if not handles:
                raise ConfigError(f"no move task out of {name} is running")
            done = cloud.sqs.cancel_message_move_task(TaskHandle=handles[0])
            click.echo(f"cancelled: {done['ApproximateNumberOfMessagesMoved']:,} were moved")
            return
    if as_json:
        for task in found:
            json_line(task)
    elif found:
        rows = [
            (
                datetime.fromtimestamp(task["StartedTimestamp"] / 1000, UTC)
                .astimezone()
                .strftime("%Y-%m-%d %H:%M:%S"),
                task["Status"].lower(),
                task.get("ApproximateNumberOfMessagesMoved", 0),
                task.get("ApproximateNumberOfMessagesToMove", ""),
                queue_name(task.get("DestinationArn", "")) or "its source",
                task.get("FailureReason", ""),
            )
            for task in found
        ]
        show_table(("started", "status", "moved", "of", "to", "why"), rows)
    else:
        click.echo(f"There were no move tasks out of {name}.")
