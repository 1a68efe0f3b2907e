"""lambdalog trigger schedule, s3, sns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from lambdalog.cli.options import open_cloud, store_option, write_line
from lambdalog.cli.records import qualified
from lambdalog.cli.topic.find import find_topic
from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud
    from lambdalog.local.triggers.definition import Source

name_option = click.option(
    "--name", metavar="NAME", help="Of the trigger.  [default: the function's, and what it is]"
)
permission_option = click.option(
    "--no-permission",
    is_flag=True,
    help="Don't let the source invoke the function: its policy must do so already.",
)


@click.command(name="schedule")
@click.argument("expression")
@click.argument("function")
@click.option(
    "--zone", default="UTC", show_default=True, metavar="ZONE", help="Whose clock, as Europe/Berlin."
)
@click.option(
    "--missed",
    type=click.Choice(["once", "skip"]),
    default="once",
    show_default=True,
    help="What becomes of times while nobody serves the store.",
)
@click.option("--input", "given", metavar="JSON", help="The event, instead of EventBridge's own.")
@name_option
@permission_option
@store_option
def schedule(
    expression: str,
    function: str,
    zone: str,
    missed: str,
    given: str | None,
    name: str | None,
    no_permission: bool,
    store: str | None,
) -> None:
    """Invoke FUNCTION by EXPRESSION: 'rate(5 minutes)', 'cron(0 12 * * ? *)' or 'at(2026-01-02T03:04:05)'."""
    from lambdalog.local.triggers.definition import Missed, Schedule

    policy: Missed = next(known for known in get_args(Missed) if known == missed)
    with open_cloud(store) as cloud:
        _add(cloud, function, Schedule(expression, zone, policy, given), name, permit=not no_permission)


@click.command(name="s3")
@click.argument("source", metavar="FOLDER|QUEUE")
@click.argument("function")
@click.option("--bucket", metavar="NAME", help="[default: the folder's name]")
@click.option(
    "--queue", is_flag=True, help="The source is a queue (name, ARN or URL) that S3 itself notifies."
)
@click.option("--prefix", default="", metavar="TEXT", help="Only keys that begin so.")
@click.option("--suffix", default="", metavar="TEXT", help="Only keys that end so.")
@click.option("--on", "events", type=click.Choice(["put", "delete"]), multiple=True, help="[default: both]")
@name_option
@permission_option
@store_option
def s3(
    source: str,
    function: str,
    bucket: str | None,
    queue: bool,
    prefix: str,
    suffix: str,
    events: tuple[str, ...],
    name: str | None,
    no_permission: bool,
    store: str | None,
) -> None:
    """Invoke FUNCTION for the files of FOLDER, as if it were a bucket: what is put there, and what is deleted.

    With --queue, for the notifications that a bucket of AWS sends to a queue. What a folder holds already is not told of.
    """
    from lambdalog.local.triggers.definition import EVENTS, Folder, Notifications, bucket_name

    made: Source
    if queue:
        if bucket is None:
            raise click.UsageError("with --queue, say which bucket: --bucket NAME")
        if events:
            raise click.UsageError("--on is for a folder; what a bucket tells of, S3 is told")
        made = Notifications(source, bucket, prefix, suffix)
    else:
        folder = Path(source).expanduser().absolute()
        words = {"put": EVENTS[0], "delete": EVENTS[1]}
        made = Folder(
            str(folder),
            bucket or bucket_name(folder),
            prefix,
            suffix,
            tuple(words[event] for event in dict.fromkeys(events or words)),
        )
    with open_cloud(store) as cloud:
        _add(cloud, function, made, name, permit=not no_permission)


@click.command(name="sns")
@click.argument("topic")
@click.argument("function")
@permission_option
@store_option
def sns(topic: str, function: str, no_permission: bool, store: str | None) -> None:
    """Invoke FUNCTION for each message of TOPIC (a name or an ARN): subscribes it. The subscription's ARN is printed."""
    with open_cloud(store) as cloud:
        client: Any = cloud.lambda_
        arn = find_topic(cloud, topic)
        target = client.get_function_configuration(**qualified(function))["FunctionArn"]
        if not no_permission:
            allow(client, function, "sns.amazonaws.com", arn, statement_id(arn.rpartition(":")[2]))
        made = cloud.sns.subscribe(TopicArn=arn, Protocol="lambda", Endpoint=target)
    write_line(made["SubscriptionArn"])


def statement_id(trigger: str) -> str:
    """The name of the statement that lets a trigger in."""
    return re.sub(r"[^a-zA-Z0-9_-]", "-", f"trigger-{trigger}")[:100]


def allow(client: Any, function: str, service: str, source: str, sid: str) -> None:
    """Let a source invoke a function, as AWS's console does when a trigger is made there; it may already."""
    try:
        client.add_permission(
            **qualified(function),
            StatementId=sid,
            Action="lambda:InvokeFunction",
            Principal=service,
            SourceArn=source,
        )
    except client.exceptions.ResourceConflictException:
        return


def _add(cloud: Cloud, function: str, source: Source, name: str | None, *, permit: bool) -> None:
    from lambdalog.local.lambda_ import Lambda
    from lambdalog.local.triggers.definition import SERVICES, Schedule, Trigger

    client = cloud.client("lambda")
    if not isinstance(client, Lambda):
        what = "EventBridge" if isinstance(source, Schedule) else "S3"
        raise ConfigError(f"on AWS, {what} has its own triggers; these are for a store on disk")
    named = qualified(function)
    found = client.find(named["FunctionName"], named.get("Qualifier"))
    triggers = client.triggers
    trigger = Trigger("", found.name, found.qualifier, source)
    if name is None:
        word = {"schedule": "schedule", "folder": "s3", "notifications": "s3-queue"}[trigger.kind]
        name = _free(f"{found.name}-{word}", {known.name for known in triggers.all()})
    trigger = Trigger(name, found.name, found.qualifier, source)
    source.check()
    if permit:
        allow(client, function, SERVICES[trigger.kind], trigger.source_arn(cloud.scope), statement_id(name))
    triggers.add(trigger)
    write_line(name)


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    return next(found for number in range(2, len(taken) + 3) if (found := f"{name}-{number}") not in taken)
