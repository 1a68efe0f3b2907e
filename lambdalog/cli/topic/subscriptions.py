"""lambdalog topic subscribe, subscriptions, confirm, filter, unsubscribe."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli.options import json_option, open_cloud, store_option, write_line
from lambdalog.cli.queue.find import arn_of, find_queue
from lambdalog.cli.records import every, json_line, show_table
from lambdalog.cli.topic.find import find_subscription, find_topic, topic_name

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud

_SCOPES = {"attributes": "MessageAttributes", "body": "MessageBody"}


@click.command(name="subscribe")
@click.argument("topic")
@click.option("--queue", metavar="QUEUE", help="An SQS queue.")
@click.option("--function", metavar="FUNCTION", help="A Lambda function.")
@click.option("--url", metavar="URL", help="A web endpoint; it has to confirm.")
@click.option("--file", metavar="NAME", help="A line for each message, in the store's outbox/NAME.")
@click.option(
    "--command",
    "words",
    metavar="WORDS",
    help="A command, the message on its input; needs LAMBDALOG_ALLOW_COMMANDS=1.",
)
@click.option("--filter", "policy", metavar="JSON", help="A filter policy: only what matches is delivered.")
@click.option(
    "--filter-on",
    type=click.Choice(list(_SCOPES)),
    default="attributes",
    show_default=True,
    help="What it looks at.",
)
@click.option("--raw", is_flag=True, help="The message itself, without SNS's envelope.")
@click.option("--dead-letter", "dead", metavar="QUEUE", help="Where messages go that can't be delivered.")
@store_option
def subscribe(
    topic: str,
    queue: str | None,
    function: str | None,
    url: str | None,
    file: str | None,
    words: str | None,
    policy: str | None,
    filter_on: str,
    raw: bool,
    dead: str | None,
    store: str | None,
) -> None:
    """Subscribe one endpoint to a topic; the subscription's ARN is printed."""
    endpoints = {"--queue": queue, "--function": function, "--url": url, "--file": file, "--command": words}
    if sum(value is not None for value in endpoints.values()) != 1:
        raise click.UsageError(f"say who is subscribed, with one of {', '.join(endpoints)}")
    with open_cloud(store) as cloud:
        arn = find_topic(cloud, topic)
        protocol, endpoint = _endpoint(cloud, queue, function, url, file, words)
        attributes: dict[str, str] = {}
        if policy is not None:
            attributes |= {"FilterPolicy": policy, "FilterPolicyScope": _SCOPES[filter_on]}
        if raw:
            attributes["RawMessageDelivery"] = "true"
        if dead is not None:
            target = arn_of(cloud.sqs, find_queue(cloud.sqs, dead)[1])
            attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": target})
        response = cloud.sns.subscribe(
            TopicArn=arn,
            Protocol=protocol,
            Endpoint=endpoint,
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )
        write_line(response["SubscriptionArn"])
        if protocol in {"http", "https"}:
            click.echo("It is pending until the endpoint confirms with the token that it is sent.", err=True)


def _endpoint(
    cloud: Cloud,
    queue: str | None,
    function: str | None,
    url: str | None,
    file: str | None,
    words: str | None,
) -> tuple[str, str]:
    """(protocol, endpoint), as SNS takes them."""
    if queue is not None:
        return "sqs", arn_of(cloud.sqs, find_queue(cloud.sqs, queue)[1])
    if function is not None:
        found = cloud.lambda_.get_function_configuration(FunctionName=function)
        return "lambda", found["FunctionArn"]
    if url is not None:
        return url.partition(":")[0], url
    if file is not None:
        return "file", file
    try:
        return "command", json.dumps(shlex.split(str(words)))
    except ValueError as error:
        raise click.UsageError(f"--command: {error}") from None


@click.command(name="subscriptions")
@click.argument("topic", required=False)
@json_option
@store_option
def subscriptions(topic: str | None, as_json: bool, store: str | None) -> None:
    """Subscriptions of a topic, or all; on disk with what waits for each endpoint, and what it never got and why."""
    with open_cloud(store) as cloud:
        if topic is None:
            found = list(every(cloud.sns, "list_subscriptions", "Subscriptions"))
        else:
            arn = find_topic(cloud, topic)
            found = list(every(cloud.sns, "list_subscriptions_by_topic", "Subscriptions", TopicArn=arn))
        records = [one | _deliveries(cloud, one["SubscriptionArn"]) for one in found]
    if as_json:
        for record in records:
            json_line(record)
    elif records:
        rows = [
            (
                record["SubscriptionArn"].rpartition(":")[2],
                topic_name(record["TopicArn"]),
                record["Protocol"],
                record["Endpoint"],
                record.get("Waiting", ""),
                ", ".join(f"{count} {reason}" for reason, count in record.get("Dropped", {}).items()),
            )
            for record in records
        ]
        show_table(("subscription", "topic", "protocol", "endpoint", "waiting", "dropped"), rows)
    else:
        click.echo("Nobody is subscribed.")


def _deliveries(cloud: Cloud, arn: str) -> dict[str, Any]:
    """How deliveries to a subscription go; only a store on disk tells."""
    sns: Any = cloud.sns
    if cloud.root is None or not arn.startswith("arn:"):
        return {}
    found: dict[str, Any] = sns.subscription_deliveries(SubscriptionArn=arn)
    return found


@click.command(name="confirm")
@click.argument("topic")
@click.argument("token")
@store_option
def confirm(topic: str, token: str, store: str | None) -> None:
    """Confirm a web subscription with the token that its endpoint was sent."""
    with open_cloud(store) as cloud:
        response = cloud.sns.confirm_subscription(TopicArn=find_topic(cloud, topic), Token=token)
    write_line(response["SubscriptionArn"])


@click.command(name="filter")
@click.argument("subscription")
@click.argument("policy", required=False, metavar="[JSON]")
@click.option("--on", type=click.Choice(list(_SCOPES)), help="What it looks at.")
@click.option("--remove", is_flag=True, help="Deliver every message again.")
@store_option
def filter_(subscription: str, policy: str | None, on: str | None, remove: bool, store: str | None) -> None:
    """Show a subscription's filter policy, set it, or take it away."""
    if remove and policy is not None:
        raise click.UsageError("give a policy, or --remove; not both")
    with open_cloud(store) as cloud:
        arn = find_subscription(cloud, subscription)

        def change(name: str, value: str) -> None:
            cloud.sns.set_subscription_attributes(
                SubscriptionArn=arn, AttributeName=name, AttributeValue=value
            )

        if on is not None:
            change("FilterPolicyScope", _SCOPES[on])
        if policy is not None or remove:
            change("FilterPolicy", policy or "{}")
        if on is None and policy is None and not remove:
            found = cloud.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
            if "FilterPolicy" in found:
                write_line(found["FilterPolicy"])
            else:
                click.echo("It has no filter policy: every message is delivered.", err=True)


@click.command(name="unsubscribe")
@click.argument("subscription")
@store_option
def unsubscribe(subscription: str, store: str | None) -> None:
    """End a subscription: an ARN, or the beginning of its id. What waits for it is dropped."""
    with open_cloud(store) as cloud:
        cloud.sns.unsubscribe(SubscriptionArn=find_subscription(cloud, subscription))
