"""lambdalog group."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli.lazy import Group
from lambdalog.cli.options import console, interactive, json_option, open_cloud, store_option, write_line
from lambdalog.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

_NEWEST = 10


@click.group(name="group", cls=Group)
def command() -> None:
    """Log groups, on disk or on AWS. A GROUP is a name, or a function's name."""


@command.command(name="list")
@click.argument("groups", nargs=-1, metavar="[GLOB]...")
@json_option
@store_option
def list_(groups: tuple[str, ...], as_json: bool, store: str | None) -> None:
    """All groups, or those that GLOBs match."""
    from lambdalog.tail.wanted import select

    with open_cloud(store) as cloud:
        records = {record["logGroupName"]: record for record in _records(cloud.logs)}
    chosen = [records[name] for name in select(records, groups)]
    if as_json:
        for record in chosen:
            write_line(json.dumps(record))
    elif chosen:
        _table(chosen)
    else:
        click.echo("There are no log groups.")


@command.command(name="show")
@click.argument("name", metavar="GROUP")
@json_option
@store_option
def show(name: str, as_json: bool, store: str | None) -> None:
    """A group's settings, and its streams that were written last."""
    with open_cloud(store) as cloud:
        record = _find(cloud.logs, name)
        full = record["logGroupName"]
        tags = cloud.logs.list_tags_for_resource(resourceArn=record["logGroupArn"]).get("tags", {})
        page = cloud.logs.describe_log_streams(
            logGroupName=full, orderBy="LastEventTime", descending=True, limit=_NEWEST
        )
    streams = page["logStreams"]
    if as_json:
        write_line(json.dumps(record | {"tags": tags, "newestStreams": streams}))
        return
    for label, value in (
        ("name", full),
        ("arn", record["logGroupArn"]),
        ("created", _moment(record["creationTime"])),
        ("retention", _days(record)),
        ("stored", f"{record.get('storedBytes', 0):,} bytes"),
        ("class", record.get("logGroupClass", "STANDARD")),
        ("protected", "yes" if record.get("deletionProtectionEnabled") else "no"),
        ("filters", str(record.get("metricFilterCount", 0))),
        ("tags", " ".join(f"{key}={value}" for key, value in sorted(tags.items())) or "-"),
    ):
        write_line(f"{label:<10} {printable(value)}")
    write_line("streams    the newest are" if streams else "streams    none")
    for stream in streams:
        write_line(f"  {_moment(stream.get('lastEventTimestamp'))}  {printable(stream['logStreamName'])}")


@command.command(name="create")
@click.argument("name", metavar="GROUP")
@click.option("--retention", "days", type=int, metavar="DAYS", help="How long events are kept.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="May be given several times.")
@store_option
def create(name: str, days: int | None, tags: tuple[str, ...], store: str | None) -> None:
    """Make a group; GROUP is its whole name, /aws/lambda/orders for a function."""
    given = {}
    for tag in tags:
        key, equals, value = tag.partition("=")
        if not key or not equals:
            raise click.UsageError(f"'{tag}' is no tag; write KEY=VALUE")
        given[key] = value
    with open_cloud(store) as cloud:
        if days is not None:
            _check_days(days)  # before the group is there
        more: dict[str, Any] = {"tags": given} if given else {}
        cloud.logs.create_log_group(logGroupName=name, **more)
        if days is not None:
            cloud.logs.put_retention_policy(logGroupName=name, retentionInDays=days)


@command.command(name="delete")
@click.argument("name", metavar="GROUP")
@click.option("--yes", is_flag=True, help="Don't ask.")
@store_option
def delete(name: str, yes: bool, store: str | None) -> None:
    """Delete a group with all its streams and events. Asks first."""
    with open_cloud(store) as cloud:
        record = _find(cloud.logs, name)
        full = record["logGroupName"]
        if not yes:
            if not interactive(sys.stdin):
                raise click.UsageError(f"this deletes all events of {full}; say --yes if it shall")
            click.confirm(
                f"Delete {printable(full)}, with {record.get('storedBytes', 0):,} bytes of events?",
                abort=True,
            )
        cloud.logs.delete_log_group(logGroupName=full)


@command.command(name="retention")
@click.argument("name", metavar="GROUP")
@click.argument("days", metavar="DAYS|never")
@store_option
def retention(name: str, days: str, store: str | None) -> None:
    """Keep a group's events for so many days, or for ever (`never` expires them)."""
    if days != "never" and not days.isdigit():
        raise click.UsageError(f"'{days}' is no number of days; write 30, or never")
    if days != "never":
        _check_days(int(days))
    with open_cloud(store) as cloud:
        full = _find(cloud.logs, name)["logGroupName"]
        if days == "never":
            cloud.logs.delete_retention_policy(logGroupName=full)
        else:
            cloud.logs.put_retention_policy(logGroupName=full, retentionInDays=int(days))


# --- asking


def _records(logs: Any, **search: Any) -> list[dict[str, Any]]:
    pages = logs.get_paginator("describe_log_groups").paginate(**search)
    return [group for page in pages for group in page["logGroups"]]


def _find(logs: Any, name: str) -> dict[str, Any]:
    """The group of that name, or of the function of that name. ConfigError if there is neither."""
    from lambdalog.errors import ConfigError

    for whole in (name, f"/aws/lambda/{name}"):
        page = logs.describe_log_groups(logGroupNamePrefix=whole, limit=1)["logGroups"]
        # The shortest name with a prefix is listed first.
        if page and page[0]["logGroupName"] == whole:
            found: dict[str, Any] = page[0]
            return found
    raise ConfigError(f"no log group is called {name}; see them with: lambdalog group list")


def _check_days(days: int) -> None:
    """AWS's own choice. UsageError for what is none of it."""
    from lambdalog.local.logs.groups import RETENTION_DAYS

    if days not in RETENTION_DAYS:
        raise click.UsageError(
            f"CloudWatch keeps events for {', '.join(map(str, RETENTION_DAYS))} days, not {days}"
        )


# --- text


def _table(records: Sequence[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("group", overflow="ellipsis", no_wrap=True)
    for name in ("stored", "retention", "created"):
        table.add_column(name, justify="right", no_wrap=True)
    for record in records:
        table.add_row(
            Text(printable(record["logGroupName"])),
            f"{record.get('storedBytes', 0):,}",
            _days(record),
            _moment(record["creationTime"]),
        )
    out = console()
    if not interactive():
        out.width = 10_000  # a file has no edge
    out.print(table, soft_wrap=False)


def _days(record: dict[str, Any]) -> str:
    days = record.get("retentionInDays")
    return "for ever" if days is None else f"{days} day{'s' * (days != 1)}"


def _moment(ms: int | None) -> str:
    from datetime import datetime

    if ms is None:
        return "never written      "
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
