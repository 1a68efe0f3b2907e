"""lambdalog queue create, set, tag, purge, delete."""

from __future__ import annotations

import json
from typing import Any

import click

from lambdalog.cli.confirm import confirm, confirm_option
from lambdalog.cli.options import json_option, open_cloud, store_option, write_line
from lambdalog.cli.queue.find import arn_of, attributes_of, find_queue
from lambdalog.cli.records import json_line, pairs, show_fields


@click.command(name="create")
@click.argument("name")
@click.option("--fifo", is_flag=True, help="In order, each message once; the name ends with .fifo.")
@click.option(
    "--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="As VisibilityTimeout=60."
)
@click.option("--dead-letter", "dead", metavar="QUEUE", help="Where messages go that fail too often.")
@click.option(
    "--max-receives",
    type=click.IntRange(1, 1000),
    default=3,
    show_default=True,
    help="How often is too often.",
)
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="May be given several times.")
@store_option
def create(
    name: str,
    fifo: bool,
    attributes: tuple[str, ...],
    dead: str | None,
    max_receives: int,
    tags: tuple[str, ...],
    store: str | None,
) -> None:
    """Make a queue; its URL is printed."""
    given: Any = pairs(attributes, "--attribute")
    if fifo or name.endswith(".fifo"):
        given["FifoQueue"] = "true"
    with open_cloud(store) as cloud:
        if dead is not None:
            target = arn_of(cloud.sqs, find_queue(cloud.sqs, dead)[1])
            given["RedrivePolicy"] = json.dumps(
                {"deadLetterTargetArn": target, "maxReceiveCount": max_receives}
            )
        response = cloud.sqs.create_queue(QueueName=name, Attributes=given, tags=pairs(tags, "--tag"))
    write_line(response["QueueUrl"])


@click.command(name="set")
@click.argument("queue")
@click.argument("attributes", nargs=-1, required=True, metavar="NAME=VALUE...")
@store_option
def set_(queue: str, attributes: tuple[str, ...], store: str | None) -> None:
    """Change attributes of a queue, as VisibilityTimeout=60. An empty value brings the default back."""
    given: Any = pairs(attributes, "attribute")
    with open_cloud(store) as cloud:
        cloud.sqs.set_queue_attributes(QueueUrl=find_queue(cloud.sqs, queue)[1], Attributes=given)


@click.command(name="tag")
@click.argument("queue")
@click.argument("tags", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--remove", "removed", multiple=True, metavar="KEY", help="May be given several times.")
@json_option
@store_option
def tag(
    queue: str, tags: tuple[str, ...], removed: tuple[str, ...], as_json: bool, store: str | None
) -> None:
    """Show a queue's tags, or change them."""
    with open_cloud(store) as cloud:
        _, url = find_queue(cloud.sqs, queue)
        if tags:
            cloud.sqs.tag_queue(QueueUrl=url, Tags=pairs(tags, "tag"))
        if removed:
            cloud.sqs.untag_queue(QueueUrl=url, TagKeys=list(removed))
        found = cloud.sqs.list_queue_tags(QueueUrl=url).get("Tags", {})
    if as_json:
        json_line(found)
    elif not tags and not removed:
        show_fields(sorted(found.items()))


@click.command(name="purge")
@click.argument("queue")
@confirm_option
@store_option
def purge(queue: str, confirmed: str | None, store: str | None) -> None:
    """Delete all messages of a queue, in flight or not. Its name has to be typed, or given with --confirm."""
    with open_cloud(store) as cloud:
        name, url = find_queue(cloud.sqs, queue)
        confirm(f"delete {_messages(cloud.sqs, url)} of {name}", name, confirmed)
        cloud.sqs.purge_queue(QueueUrl=url)


@click.command(name="delete")
@click.argument("queue")
@confirm_option
@store_option
def delete(queue: str, confirmed: str | None, store: str | None) -> None:
    """Delete a queue with its messages. Its name has to be typed, or given with --confirm."""
    with open_cloud(store) as cloud:
        name, url = find_queue(cloud.sqs, queue)
        confirm(f"delete {name} with {_messages(cloud.sqs, url)}", name, confirmed)
        cloud.sqs.delete_queue(QueueUrl=url)


def _messages(sqs: Any, url: str) -> str:
    found = attributes_of(sqs, url)
    count = sum(int(value) for name, value in found.items() if name.startswith("ApproximateNumberOf"))
    return f"{count:,} message{'s' * (count != 1)}"
