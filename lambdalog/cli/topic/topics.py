"""lambdalog topic list, show, create, set, tag, delete."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import click

from lambdalog.cli.confirm import confirm, confirm_option
from lambdalog.cli.options import json_option, open_cloud, store_option, write_line
from lambdalog.cli.records import every, json_line, pairs, show_fields, show_table
from lambdalog.cli.topic.find import find_topic, topic_name


@click.command(name="list")
@json_option
@store_option
def list_(as_json: bool, store: str | None) -> None:
    """All topics, and how many are subscribed."""
    with open_cloud(store) as cloud:
        records: list[dict[str, Any]] = []
        for topic in every(cloud.sns, "list_topics", "Topics"):
            with suppress(cloud.sns.exceptions.NotFoundException):  # deleted since it was listed
                records.append(dict(cloud.sns.get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]))
    if as_json:
        for record in records:
            json_line(record)
    elif records:
        rows = [
            (
                topic_name(record["TopicArn"]),
                record["SubscriptionsConfirmed"],
                record["SubscriptionsPending"],
                record.get("DisplayName", ""),
            )
            for record in records
        ]
        show_table(("topic", "subscribed", "pending", "display name"), rows)
    else:
        click.echo("There are no topics.")


@click.command(name="show")
@click.argument("topic")
@json_option
@store_option
def show(topic: str, as_json: bool, store: str | None) -> None:
    """A topic's attributes, its tags and its subscriptions."""
    with open_cloud(store) as cloud:
        arn = find_topic(cloud, topic)
        record: dict[str, Any] = dict(cloud.sns.get_topic_attributes(TopicArn=arn)["Attributes"])
        tags = cloud.sns.list_tags_for_resource(ResourceArn=arn).get("Tags", [])
        subscriptions = list(every(cloud.sns, "list_subscriptions_by_topic", "Subscriptions", TopicArn=arn))
    record["Tags"] = {tag["Key"]: tag["Value"] for tag in tags}
    if as_json:
        json_line(record | {"Subscriptions": subscriptions})
        return
    shown = {
        "name": topic_name(arn),
        "arn": record.pop("TopicArn"),
        "tags": " ".join(f"{key}={value}" for key, value in sorted(record.pop("Tags").items())),
    }
    show_fields([*shown.items(), *sorted(record.items())])
    if subscriptions:
        write_line("")
        show_table(
            ("protocol", "endpoint", "subscription"),
            [
                (one["Protocol"], one["Endpoint"], one["SubscriptionArn"].rpartition(":")[2])
                for one in subscriptions
            ],
        )


@click.command(name="create")
@click.argument("name")
@click.option("--fifo", is_flag=True, help="In order, each message once; the name ends with .fifo.")
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="As DisplayName=Alarms.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="May be given several times.")
@store_option
def create(
    name: str, fifo: bool, attributes: tuple[str, ...], tags: tuple[str, ...], store: str | None
) -> None:
    """Make a topic; its ARN is printed."""
    given = pairs(attributes, "--attribute")
    if fifo or name.endswith(".fifo"):
        given["FifoTopic"] = "true"
    named: list[Any] = [{"Key": key, "Value": value} for key, value in pairs(tags, "--tag").items()]
    with open_cloud(store) as cloud:
        write_line(cloud.sns.create_topic(Name=name, Attributes=given, Tags=named)["TopicArn"])


@click.command(name="set")
@click.argument("topic")
@click.argument("attributes", nargs=-1, required=True, metavar="NAME=VALUE...")
@store_option
def set_(topic: str, attributes: tuple[str, ...], store: str | None) -> None:
    """Change attributes of a topic, as DisplayName=Alarms. An empty value brings the default back."""
    given = pairs(attributes, "attribute")
    with open_cloud(store) as cloud:
        arn = find_topic(cloud, topic)
        for name, value in given.items():
            cloud.sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)


@click.command(name="tag")
@click.argument("topic")
@click.argument("tags", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--remove", "removed", multiple=True, metavar="KEY", help="May be given several times.")
@json_option
@store_option
def tag(
    topic: str, tags: tuple[str, ...], removed: tuple[str, ...], as_json: bool, store: str | None
) -> None:
    """Show a topic's tags, or change them."""
    with open_cloud(store) as cloud:
        arn = find_topic(cloud, topic)
        if tags:
            named: list[Any] = [{"Key": key, "Value": value} for key, value in pairs(tags, "tag").items()]
            cloud.sns.tag_resource(ResourceArn=arn, Tags=named)
        if removed:
            cloud.sns.untag_resource(ResourceArn=arn, TagKeys=list(removed))
        listed = cloud.sns.list_tags_for_resource(ResourceArn=arn).get("Tags", [])
    found = {one["Key"]: one["Value"] for one in listed}
    if as_json:
        json_line(found)
    elif not tags and not removed:
        show_fields(sorted(found.items()))


@click.command(name="delete")
@click.argument("topic")
@confirm_option
@store_option
def delete(topic: str, confirmed: str | None, store: str | None) -> None:
    """Delete a topic with its subscriptions. Its name has to be typed, or given with --confirm."""
    with open_cloud(store) as cloud:
        arn = find_topic(cloud, topic)
        name = topic_name(arn)
        attributes = cloud.sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        count = int(attributes["SubscriptionsConfirmed"]) + int(attributes["SubscriptionsPending"])
        confirm(f"delete {name} with {count} subscription{'s' * (count != 1)}", name, confirmed)
        cloud.sns.delete_topic(TopicArn=arn)
