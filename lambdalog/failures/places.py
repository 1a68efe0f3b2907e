"""Where failures may lie: the queues that functions, mappings, topics and other queues send what failed to."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lambdalog.denied import denied
from lambdalog.tail.group import of_function
from lambdalog.tail.wanted import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.cloud import Cloud

SUFFIX: Final = "-dlq"
# On AWS each queue's policy is a request of its own.
POLICIES_MAX: Final = 200
AWS_SECONDS: Final = 60.0
# "You must set MaxResults to receive a value for NextToken": without it the queues after the thousandth are not told.
_PAGES: Final = {"PaginationConfig": {"PageSize": 1000}}


@dataclass(frozen=True, slots=True)
class Place:
    """A queue that gets failures: of which functions, and why it is taken for one."""

    queue: str
    functions: tuple[str, ...]
    why: tuple[str, ...]


class Places:
    """Finds them. On AWS, what was found is believed for a minute; on disk it is looked for each time."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._found: dict[str, Place] = {}
        self._asked: float | None = None
        self._groups: dict[str, str] = {}
        # What could not be asked, each once.
        self.notes: list[str] = []

    def all(self) -> dict[str, Place]:
        """By queue name."""
        now = self._cloud.clock.monotonic()
        fresh = self._asked is not None and now - self._asked < AWS_SECONDS
        if self._cloud.root is not None or not fresh:
            self._found = self._find()
            self._asked = now
        return self._found

    def functions(self, queue: str) -> tuple[str, ...]:
        """Whose failures a queue gets, as far as configurations tell."""
        place = self.all().get(queue)
        return () if place is None else place.functions

    def log_group(self, function: str) -> str:
        """The log group of a function."""
        return self._groups.get(function, f"{FUNCTIONS}{function}")

    # --- looking

    def _find(self) -> dict[str, Place]:
        functions: defaultdict[str, set[str]] = defaultdict(set)
        why: defaultdict[str, set[str]] = defaultdict(set)
        for target, function, reason in self._targets():
            for queue in self._queues_of(target):
                why[queue].add(reason)
                if function:
                    functions[queue].add(function)
        for queue, reason in self._queues():
            why[queue].add(reason)
        return {
            queue: Place(queue, tuple(sorted(functions[queue])), tuple(sorted(why[queue])))
            for queue in sorted(why)
        }

    def _targets(self) -> Iterator[tuple[str, str, str]]:
        """(ARN, function, reason)."""
        client = self._cloud.client("lambda")
        for config in self._items(client, "list_functions", "Functions"):
            name = config["FunctionName"]
            self._groups[name] = of_function(config)
            if target := config.get("DeadLetterConfig", {}).get("TargetArn"):
                yield target, name, f"dead letters of {name}"
            for target in self._destinations(client, name):
                yield target, name, f"failures of {name}"
        for mapping in self._items(client, "list_event_source_mappings", "EventSourceMappings"):
            target = mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
            if target:
                name = mapping["FunctionArn"].partition(":function:")[2].partition(":")[0]
                yield target, name, f"failed batches of {name}"

    def _destinations(self, client: Any, name: str) -> Iterator[str]:
        # A function that was deleted since it was listed has none.
        with suppress(client.exceptions.ResourceNotFoundException):
            configs = self._items(
                client,
                "list_function_event_invoke_configs",
                "FunctionEventInvokeConfigs",
                FunctionName=name,
            )
            for config in configs:
                target = config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
                if target:
                    yield target

    def _items(self, client: Any, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
        """What an operation lists. Who may not ask it sees what the others tell; a note says so."""
        try:
            for page in client.get_paginator(operation).paginate(**arguments):
                yield from page.get(key, ())
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "UnknownOperationException":
                return  # a double that doesn't have it: then nothing can be configured so
            self._told(operation, error)

    def _told(self, operation: str, error: ClientError) -> None:
        """Note that an operation is refused, once; what else went wrong is raised."""
        if not denied(error):
            raise error
        code = error.response["Error"]["Code"]
        note = f"{operation} is refused ({code}): queues that only it tells of are not looked into"
        if note not in self.notes:
            self.notes.append(note)

    def _queues_of(self, target: str) -> list[str]:
        """The queue that an ARN names, or those that a topic delivers to."""
        if ":sqs:" in target:
            return [target.rpartition(":")[2]]
        if ":sns:" not in target:
            return []
        sns = self._cloud.client("sns")
        # A topic that is gone delivers to none.
        with suppress(sns.exceptions.NotFoundException):
            return [
                subscription["Endpoint"].rpartition(":")[2]
                for subscription in self._items(
                    sns, "list_subscriptions_by_topic", "Subscriptions", TopicArn=target
                )
                if subscription["Protocol"] == "sqs"
            ]
        return []

    def _queues(self) -> Iterator[tuple[str, str]]:
        """Queues that another's redrive policy names, and those named …-dlq: (name, reason)."""
        sqs = self._cloud.client("sqs")
        for number, url in enumerate(self._items(sqs, "list_queues", "QueueUrls", **_PAGES)):
            name = url.rpartition("/")[2]
            if name.removesuffix(".fifo").endswith(SUFFIX):
                yield name, f"named …{SUFFIX}"
            if self._cloud.root is None and number >= POLICIES_MAX:
                continue
            try:
                found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
            except sqs.exceptions.QueueDoesNotExist:
                continue  # deleted since it was listed
            except ClientError as error:
                self._told("get_queue_attributes", error)
                continue
            policy = found.get("Attributes", {}).get("RedrivePolicy")
            if policy and (target := json.loads(policy).get("deadLetterTargetArn")):
                yield target.rpartition(":")[2], f"redrive of {name}"
