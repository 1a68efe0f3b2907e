"""Queues and topics for the dashboard: what they hold, what lies in one, and what is done about it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from lambdalog.failures.look import receive_and_give_back
from lambdalog.failures.places import Places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lambdalog.cloud import Cloud

LOOK_MAX: Final = 200
# What CloudWatch tells of SQS comes once a minute; each metric asked for is paid for.
METRICS_SECONDS: Final = 60.0
# Three metrics of each; GetMetricData takes 500.
METRIC_QUEUES_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue and what it holds. `oldest` is when its oldest message was sent, epoch ms; None: nothing, or not known.

    `sources` are the queues whose dead-letter queue it is, `why` says what else sends its failures there; `dead` is its own
    dead-letter queue, and `receives` after how many. `sent` and `deleted` are messages of the last whole minute that
    CloudWatch tells of, on disk too; None where it tells nothing.
    """

    name: str
    url: str
    arn: str
    ready: int
    in_flight: int
    delayed: int
    oldest: int | None = None
    sources: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    dead: str = ""
    receives: int = 0
    sent: int | None = None
    deleted: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def failures(self) -> bool:
        """Whether what lies in it has failed."""
        return bool(self.sources or self.why)

    @property
    def depth(self) -> int:
        """All messages that are there."""
        return self.ready + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and how many are subscribed to it."""

    name: str
    arn: str
    confirmed: int
    pending: int
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it lies in its queue. `sent` is epoch ms; `attributes` are those its sender gave, as texts."""

    id: str
    body: str
    sent: int
    receives: int
    attributes: Mapping[str, str]
    system: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Look:
    """The oldest messages of a queue; `note` says what the look has left behind."""

    messages: list[Message]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who gets what a topic is told, and which of it."""

    protocol: str
    endpoint: str
    state: str


@dataclass(frozen=True, slots=True)
class Task:
    """A move task out of a queue. `to` is empty where each message goes where it came from."""

    handle: str
    status: str
    moved: int
    total: int | None
    to: str
    reason: str


class Queues(Protocol):
    """Queues and topics, and what can be done about them. Methods block."""

    @property
    def free_looks(self) -> bool:
        """Whether looking into a queue changes nothing."""
        ...

    def queues(self) -> list[Queue]:
        """All queues, by name."""
        ...

    def topics(self) -> list[Topic]:
        """All topics, by name."""
        ...

    def notes(self) -> list[str]:
        """What could not be seen at the last look."""
        ...

    def look(self, queue: Queue) -> Look:
        """The oldest messages of a queue. Where looks aren't free each counts as a receive."""
        ...

    def subscriptions(self, topic: Topic) -> list[Subscription]:
        """A topic's subscriptions."""
        ...

    def tasks(self, queue: Queue) -> list[Task]:
        """Move tasks out of a queue, the newest first."""
        ...

    def move(self, queue: Queue, to: str) -> None:
        """Begin to move everything out of a dead-letter queue: to a queue by name, or (empty) where each came from."""
        ...

    def cancel(self, queue: Queue) -> int:
        """Cancel the move that is running; how many were moved. LookupError if none is."""
        ...

    def purge(self, queue: Queue) -> None:
        """Delete everything in a queue."""
        ...


class StoreQueues:
    """Asks SQS and SNS, on disk or on AWS; CloudWatch tells rates, and on AWS ages."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._places = Places(cloud)
        self._notes: list[str] = []
        self._metrics: dict[str, dict[str, float]] = {}
        self._measured: float | None = None

    @property
    def free_looks(self) -> bool:
        """On disk."""
        return self._cloud.root is not None

    def queues(self) -> list[Queue]:
        """All queues, by name."""
        self._notes = []
        sqs: Any = self._cloud.sqs
        found: list[tuple[str, dict[str, str]]] = []
        for page in sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 1000}):
            for url in page.get("QueueUrls", []):
                try:
                    found.append((url, _attributes(sqs, url)))
                except sqs.exceptions.QueueDoesNotExist:
                    continue  # deleted since it was listed
        sources: dict[str, list[str]] = {}
        policies = {}
        for url, attributes in found:
            policy = json.loads(attributes.get("RedrivePolicy") or "{}")
            policies[url] = policy
            if target := policy.get("deadLetterTargetArn"):
                sources.setdefault(target, []).append(_name(url))
        places = self._places.all()
        self._notes += self._places.notes
        metrics = self._measure([_name(url) for url, _ in found])
        queues = []
        for url, attributes in found:
            name, arn = _name(url), attributes["QueueArn"]
            ready, flying, delayed = (
                int(attributes.get(f"ApproximateNumberOfMessages{kind}", 0))
                for kind in ("", "NotVisible", "Delayed")
            )
            told = metrics.get(name, {})
            queues.append(
                Queue(
                    name, url, arn, ready, flying, delayed,
                    oldest=self._oldest(sqs, url, ready + flying + delayed, told),
                    sources=tuple(sorted(sources.get(arn, ()))),
                    why=places[name].why if name in places else (),
                    dead=_name(policies[url].get("deadLetterTargetArn", "")),
                    receives=int(policies[url].get("maxReceiveCount", 0)),
                    sent=_whole(told.get("NumberOfMessagesSent")),
                    deleted=_whole(told.get("NumberOfMessagesDeleted")),
                    attributes=attributes,
                )
            )  # fmt: skip
        return sorted(queues, key=lambda queue: queue.name)

    def topics(self) -> list[Topic]:
        """All topics, by name."""
        sns: Any = self._cloud.sns
        found = []
        for page in sns.get_paginator("list_topics").paginate():
            for one in page.get("Topics", []):
                arn = one["TopicArn"]
                try:
                    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
                except sns.exceptions.NotFoundException:
                    continue  # deleted since it was listed
                confirmed, pending = (
                    int(attributes.get(f"Subscriptions{state}", 0)) for state in ("Confirmed", "Pending")
                )
                found.append(Topic(_name(arn), arn, confirmed, pending, attributes))
        return sorted(found, key=lambda topic: topic.name)

    def notes(self) -> list[str]:
        """What could not be seen at the last look."""
        return self._notes

    def look(self, queue: Queue) -> Look:
        """The oldest messages: on disk as they lie there, on AWS received and given back."""
        sqs: Any = self._cloud.sqs
        if self.free_looks:
            page = sqs.peek_messages(QueueUrl=queue.url, MaxNumberOfMessages=LOOK_MAX)["Messages"]
            return Look([_message(one) for one in page])
        received = receive_and_give_back(sqs, queue.url, self._cloud.clock, most=LOOK_MAX)
        messages = [_message(one) for one in received.messages]
        return Look(sorted(messages, key=lambda message: message.sent), received.note)

    def subscriptions(self, topic: Topic) -> list[Subscription]:
        """A topic's subscriptions."""
        sns: Any = self._cloud.sns
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic.arn)
        return [
            Subscription(
                one["Protocol"],
                one["Endpoint"],
                "confirmed" if one["SubscriptionArn"].startswith("arn:") else "pending",
            )
            for page in pages
            for one in page.get("Subscriptions", [])
        ]

    def tasks(self, queue: Queue) -> list[Task]:
        """Move tasks out of a queue, the newest first. Only dead-letter queues have any."""
        found: Any = self._cloud.sqs.list_message_move_tasks(SourceArn=queue.arn, MaxResults=10)
        return [
            Task(
                one.get("TaskHandle", ""),
                one["Status"],
                one.get("ApproximateNumberOfMessagesMoved", 0),
                one.get("ApproximateNumberOfMessagesToMove"),
                _name(one.get("DestinationArn", "")),
                one.get("FailureReason", ""),
            )
            for one in found.get("Results", [])
        ]

    def move(self, queue: Queue, to: str) -> None:
        """StartMessageMoveTask."""
        sqs: Any = self._cloud.sqs
        target = {}
        if to:
            url = sqs.get_queue_url(QueueName=to)["QueueUrl"]
            target = {"DestinationArn": _attributes(sqs, url, "QueueArn")["QueueArn"]}
        sqs.start_message_move_task(SourceArn=queue.arn, **target)

    def cancel(self, queue: Queue) -> int:
        """CancelMessageMoveTask."""
        handle = next((task.handle for task in self.tasks(queue) if task.status == "RUNNING"), None)
        if handle is None:
            raise LookupError(f"nothing is being moved out of {queue.name}")
        done = self._cloud.sqs.cancel_message_move_task(TaskHandle=handle)
        return int(done["ApproximateNumberOfMessagesMoved"])

    def purge(self, queue: Queue) -> None:
        """PurgeQueue."""
        self._cloud.sqs.purge_queue(QueueUrl=queue.url)

    # --- ages and rates

    def _oldest(self, sqs: Any, url: str, depth: int, told: Mapping[str, float]) -> int | None:
        if not depth:
            return None
        if self.free_looks:
            first = sqs.peek_messages(QueueUrl=url, MaxNumberOfMessages=1)["Messages"]
            return _message(first[0]).sent if first else None
        age = told.get("ApproximateAgeOfOldestMessage")
        return None if age is None else self._cloud.clock.now_ms() - int(age * 1000)

    def _measure(self, names: list[str]) -> dict[str, dict[str, float]]:
        """The newest minute of three metrics of each queue; what AWS's CloudWatch says is believed for a minute."""
        now = self._cloud.clock.monotonic()
        if self.free_looks:
            span = 60  # a minute that isn't told of had none
        else:
            if self._measured is not None and now - self._measured < METRICS_SECONDS:
                return self._metrics
            if len(names) > METRIC_QUEUES_MAX:
                self._notes.append(f"ages and rates only of the first {METRIC_QUEUES_MAX} queues")
            names, span = names[:METRIC_QUEUES_MAX], 600
        self._measured = now
        seconds = self._cloud.clock.now_ms() // 1000
        end = seconds - seconds % 60
        try:
            client = self._cloud.client("cloudwatch")
            self._metrics = {}
            for begin in range(0, len(names), METRIC_QUEUES_MAX):
                self._metrics |= _measured(client, names[begin : begin + METRIC_QUEUES_MAX], end, span)
        except Exception as error:  # noqa: BLE001 - without it ages and rates are unknown, all else is there
            self._metrics = {}
            self._notes.append(f"ages and rates: {error}")
        return self._metrics


_METRICS: Final = (
    ("ApproximateAgeOfOldestMessage", "Maximum"),
    ("NumberOfMessagesSent", "Sum"),
    ("NumberOfMessagesDeleted", "Sum"),
)


def _asked(names: list[str]) -> Iterator[tuple[int, tuple[str, str, str]]]:
    for number, name in enumerate(names):
        for metric, how in _METRICS:
            yield number, (name, metric, how)


def _query(number: int, queue: str, metric: str, how: str) -> dict[str, Any]:
    return {
        "Id": f"{metric[0].lower()}{metric[1:]}_{number}",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/SQS",
                "MetricName": metric,
                "Dimensions": [{"Name": "QueueName", "Value": queue}],
            },
            "Period": 60,
            "Stat": how,
        },
    }


def _measured(client: Any, names: list[str], end: int, span: int) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    queries = [_query(number, name, metric, how) for number, (name, metric, how) in _asked(names)]
    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=end - span, EndTime=end, ScanBy="TimestampDescending"
    )
    for page in pages:
        for one in page["MetricDataResults"]:
            if one["Values"]:
                metric, _, number = one["Id"].rpartition("_")
                name = names[int(number)]
                found.setdefault(name, {}).setdefault(metric[0].upper() + metric[1:], one["Values"][0])
    return found


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _name(text: str) -> str:
    return text.rpartition("/" if "/" in text else ":")[2]


def _attributes(sqs: Any, url: str, name: str = "All") -> dict[str, str]:
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"]
    return found


def _message(one: Mapping[str, Any]) -> Message:
    system = one.get("Attributes", {})
    given = {
        name: value.get("StringValue", f"{len(value.get('BinaryValue', b'')):,} bytes")
        for name, value in one.get("MessageAttributes", {}).items()
    }
    return Message(
        one["MessageId"],
        one["Body"],
        int(system.get("SentTimestamp", 0)),
        int(system.get("ApproximateReceiveCount", 0)),
        given,
        system,
    )
