"""lambdalog trigger list, enable, disable, delete."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from lambdalog.cli.options import json_option, open_cloud, store_option
from lambdalog.cli.records import every, json_line, show_table
from lambdalog.cli.trigger.subscription import filter_of, is_off, switch
from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.cloud import Cloud
    from lambdalog.local.triggers.definition import Trigger


class Row(NamedTuple):
    """A trigger of any kind, as it is listed."""

    id: str
    kind: str
    source: str
    function: str
    state: str
    note: str


@click.command(name="list")
@click.argument("function", required=False)
@json_option
@store_option
def list_(function: str | None, as_json: bool, store: str | None) -> None:
    """All triggers, or those of FUNCTION: schedules, buckets, queues, streams, topics."""
    with open_cloud(store) as cloud:
        rows = [row for row in _rows(cloud) if function is None or row.function.partition(":")[0] == function]
    if as_json:
        for row in rows:
            json_line(row._asdict())
    elif rows:
        show_table(Row._fields, rows)
    else:
        click.echo("There are no triggers; see: lambdalog trigger --help")


@click.command(name="enable")
@click.argument("identity", metavar="ID")
@store_option
def enable(identity: str, store: str | None) -> None:
    """Switch the trigger ID on: a name, or the UUID of a mapping (its beginning will do)."""
    _switch(identity, store, enabled=True)


@click.command(name="disable")
@click.argument("identity", metavar="ID")
@store_option
def disable(identity: str, store: str | None) -> None:
    """Switch the trigger ID off: a name, or the UUID of a mapping (its beginning will do).

    A topic's subscription gets a filter that no message passes, besides its own; on AWS that takes some minutes.
    """
    _switch(identity, store, enabled=False)


@click.command(name="delete")
@click.argument("identity", metavar="ID")
@store_option
def delete(identity: str, store: str | None) -> None:
    """Delete the trigger ID; its function, and what the source holds, stay."""
    with open_cloud(store) as cloud:
        row = _find(cloud, identity)
        client: Any = cloud.lambda_
        match row.kind:
            case "sqs" | "dynamodb" | "mapping":
                client.delete_event_source_mapping(UUID=row.id)
            case "sns":
                cloud.sns.unsubscribe(SubscriptionArn=row.id)
                _forbid(client, row, row.source)
            case _:
                client.triggers.remove(row.id)
                _forbid(client, row, row.id)


def _forbid(client: Any, row: Row, trigger: str) -> None:
    """Take away the leave that was given when the trigger was made; it may be gone, or never have been there."""
    from lambdalog.cli.records import qualified
    from lambdalog.cli.trigger.add import statement_id

    with suppress(client.exceptions.ResourceNotFoundException):
        client.remove_permission(**qualified(row.function), StatementId=statement_id(trigger))


def _switch(identity: str, store: str | None, *, enabled: bool) -> None:
    with open_cloud(store) as cloud:
        row = _find(cloud, identity)
        client: Any = cloud.lambda_
        match row.kind:
            case "sqs" | "dynamodb" | "mapping":
                client.update_event_source_mapping(UUID=row.id, Enabled=enabled)
            case "sns":
                switch(cloud.sns, row.id, enabled=enabled)
            case _:
                client.triggers.switch(row.id, enabled=enabled)


def _find(cloud: Cloud, identity: str) -> Row:
    rows = list(_rows(cloud))
    exact = [row for row in rows if row.id == identity]
    found = exact or [row for row in rows if len(identity) >= 4 and row.id.startswith(identity)]
    if len(found) != 1:
        what = "several triggers begin with" if found else "there is no trigger"
        raise ConfigError(f"{what} {identity}; see them with: lambdalog trigger list")
    return found[0]


def _rows(cloud: Cloud) -> Iterator[Row]:
    client: Any = cloud.lambda_
    if cloud.root is not None:
        triggers = client.triggers
        for trigger in triggers.all():
            yield _trigger_row(trigger, triggers.state(trigger.name), triggers.next_due(trigger))
    for mapping in every(client, "list_event_source_mappings", "EventSourceMappings"):
        source = mapping.get("EventSourceArn", "-")
        yield Row(
            mapping["UUID"],
            source.split(":")[2] if source.startswith("arn:") else "mapping",
            source.split(":", 5)[-1],
            _function(mapping["FunctionArn"]),
            mapping["State"].lower(),
            mapping.get("LastProcessingResult", f"batches of {mapping.get('BatchSize', '-')}"),
        )
    for subscription in every(cloud.sns, "list_subscriptions", "Subscriptions"):
        if subscription["Protocol"] == "lambda":
            topic = subscription["TopicArn"].rpartition(":")[2]
            function = _function(subscription["Endpoint"])
            arn = subscription["SubscriptionArn"]
            try:
                off = is_off(filter_of(cloud.sns, arn))
            except cloud.sns.exceptions.NotFoundException:
                continue  # it was deleted since it was listed, or AWS still lists it
            yield Row(arn, "sns", topic, function, "disabled" if off else "enabled", "")


def _trigger_row(trigger: Trigger, state: dict[str, Any], due: float | None) -> Row:
    from lambdalog.local.triggers.definition import Folder, Notifications, Schedule

    notes = []
    match trigger.source:
        case Schedule(expression, zone):
            kind, source = "schedule", expression if zone == "UTC" else f"{expression} {zone}"
            if due is not None:
                notes.append(f"next {datetime.fromtimestamp(due, UTC):%Y-%m-%dT%H:%M:%SZ}")
        case Folder(folder, bucket, prefix, suffix):
            kind, source = "s3", f"{folder} as {bucket}{_chosen(prefix, suffix)}"
        case Notifications(queue, bucket, prefix, suffix):
            kind, source = "s3", f"{bucket} by queue {queue}{_chosen(prefix, suffix)}"
    notes.extend(f"{state[name]} {name}" for name in ("fired", "missed", "refused") if state.get(name))
    if state.get("error"):
        notes.append(state["error"])
    qualifier = "" if trigger.qualifier is None else f":{trigger.qualifier}"
    return Row(
        trigger.name,
        kind,
        source,
        f"{trigger.function}{qualifier}",
        "enabled" if trigger.enabled else "disabled",
        ", ".join(notes),
    )


def _chosen(prefix: str, suffix: str) -> str:
    return f" ({prefix}*{suffix})" if prefix or suffix else ""


def _function(arn: str) -> str:
    return arn.split(":function:", 1)[-1]
