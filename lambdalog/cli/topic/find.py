"""Topics and subscriptions by what a user calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdalog.cli.records import every
from lambdalog.errors import ConfigError
from lambdalog.printable import printable

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud


def topic_name(arn: str) -> str:
    """The name in an ARN."""
    return arn.split(":")[5] if arn.startswith("arn:") and arn.count(":") >= 5 else arn


def find_topic(cloud: Cloud, text: str) -> str:
    """A topic's ARN. ConfigError if there is none of that name."""
    if text.startswith("arn:"):
        return text
    if cloud.root is not None:
        arn = cloud.scope.topic(text)
        try:
            cloud.sns.get_topic_attributes(TopicArn=arn)
        except cloud.sns.exceptions.NotFoundException:
            raise _none(text) from None
        return arn
    for topic in every(cloud.sns, "list_topics", "Topics"):
        if topic_name(topic["TopicArn"]) == text:
            found: str = topic["TopicArn"]
            return found
    raise _none(text)


def _none(text: str) -> ConfigError:
    return ConfigError(f"no topic is called {printable(text)}; see them with: lambdalog topic list")


def find_subscription(cloud: Cloud, text: str) -> str:
    """A subscription's ARN: itself, or its last part's beginning. ConfigError if it is none, or not one only."""
    if text.startswith("arn:"):
        return text
    arns = [one["SubscriptionArn"] for one in every(cloud.sns, "list_subscriptions", "Subscriptions")]
    found = [arn for arn in arns if arn.rpartition(":")[2].startswith(text)]
    if len(found) != 1:
        raise ConfigError(
            f"{len(found) or 'no'} subscription{'s begin' if len(found) > 1 else ' begins'} with {printable(text)}; "
            "see them with: lambdalog topic subscriptions"
        )
    arn: str = found[0]
    return arn
