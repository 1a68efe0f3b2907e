"""lambdalog topic publish, deliver."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli.options import json_option, open_cloud, store_option, write_line
from lambdalog.cli.records import json_line, pairs
from lambdalog.cli.topic.find import find_topic
from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud


@click.command(name="publish")
@click.argument("topic")
@click.argument("message", required=False)
@click.option("--subject", help="Up to 99 characters.")
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="A String attribute.")
@click.option(
    "--structure", type=click.Choice(["json"]), help="MESSAGE is JSON, with a text for each protocol."
)
@click.option("--group", metavar="ID", help="Message group; a FIFO topic needs one.")
@click.option("--dedup", metavar="ID", help="Deduplication id, of a FIFO topic.")
@json_option
@store_option
def publish(
    topic: str,
    message: str | None,
    subject: str | None,
    attributes: tuple[str, ...],
    structure: str | None,
    group: str | None,
    dedup: str | None,
    as_json: bool,
    store: str | None,
) -> None:
    """Publish MESSAGE, or standard input if it is - or missing; its id is printed.

    What is sent over HTTP or to a command is delivered by the served store, or right here if it is not served.
    """
    params: dict[str, Any] = {
        "Subject": subject,
        "MessageStructure": structure,
        "MessageGroupId": group,
        "MessageDeduplicationId": dedup,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value}
            for name, value in pairs(attributes, "--attribute").items()
        },
    }
    params = {name: value for name, value in params.items() if value not in ({}, None)}
    text = sys.stdin.read() if message in {None, "-"} else message
    with open_cloud(store) as cloud:
        sent = cloud.sns.publish(TopicArn=find_topic(cloud, topic), Message=str(text), **params)
        if not _served(cloud):
            sns: Any = cloud.sns
            if hasattr(sns, "deliver"):
                sns.deliver()
    if as_json:
        json_line({name: value for name, value in sent.items() if name != "ResponseMetadata"})
    else:
        write_line(sent["MessageId"])


def _served(cloud: Cloud) -> bool:
    """Whether somebody else delivers: AWS, or who serves the store."""
    from lambdalog.server.instance import running

    return cloud.store is None or running(cloud.store.layout.endpoint) is not None


@click.command(name="deliver")
@store_option
def deliver(store: str | None) -> None:
    """Try all deliveries that are due by now: over HTTP, to commands, and what failed before.

    A served store does that by itself.
    """
    with open_cloud(store) as cloud:
        if cloud.root is None:
            raise ConfigError("AWS delivers by itself; this is for a store on disk")
        sns: Any = cloud.sns
        attempts = sns.deliver()
    click.echo(f"{attempts:,} attempt{'s' * (attempts != 1)} made")
