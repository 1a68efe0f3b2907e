"""What is under way in a cloud: told, and worked off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lambdalog.arn import Arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.cloud import Cloud

_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class Pending:
    """The work of a store that no request does."""

    def __init__(self, store: Cloud, retry_delays: float) -> None:
        self._functions = store.client("lambda")
        self._sns = store.client("sns")
        self._sqs = store.client("sqs")
        self._logs = store.client("logs")
        self._worker = self._functions.worker(delay_scale=retry_delays)

    def work(self) -> None:
        """Do what is due by now, and what comes of it."""
        while self._round():
            pass

    def waiting(self) -> list[str]:
        """What is not done yet, in words."""
        # Lines of a function may be handed to others: they are looked at after the functions.
        found = [
            f"{count} {what}"
            for what, count in (
                ("asynchronous events", self._functions.events.pending()),
                ("messages of topics", sum(self._deliveries())),
            )
            if count
        ]
        for url in self._queues():
            count = self._messages(url)
            if count:
                found.append(f"{count} messages in {url.rpartition('/')[2]}")
        if not found and not self._logs.deliveries.settled():
            found.append("log events for subscription filters")
        return found

    def _round(self) -> int:
        done = 0
        while self._worker.step():
            done += 1
        done += int(self._sns.deliver())
        for name in self._functions.readable():
            reader = self._functions.reader(name)
            if hasattr(reader, "step"):
                done += int(reader.step())
        return done + int(self._logs.deliveries.once())

    def _deliveries(self) -> Iterator[int]:
        for page in self._sns.get_paginator("list_subscriptions").paginate():
            for subscription in page["Subscriptions"]:
                arn = subscription["SubscriptionArn"]
                if arn.startswith("arn:"):
                    yield self._sns.subscription_deliveries(SubscriptionArn=arn)["Waiting"]

    def _queues(self) -> Iterator[str]:
        """The queues that functions read."""
        for page in self._functions.get_paginator("list_event_source_mappings").paginate():
            for mapping in page["EventSourceMappings"]:
                arn = Arn.parse(mapping["EventSourceArn"])
                if arn.service == "sqs" and mapping["State"] == "Enabled":
                    try:
                        yield self._sqs.get_queue_url(QueueName=arn.resource)["QueueUrl"]
                    except self._sqs.exceptions.QueueDoesNotExist:
                        continue  # nothing can come of it

    def _messages(self, url: str) -> int:
        try:
            counts: dict[str, Any] = self._sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=list(_COUNTS)
            )["Attributes"]
        except ClientError:
            return 0  # deleted just now
        return sum(int(counts[name]) for name in _COUNTS)
