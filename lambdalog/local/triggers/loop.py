"""What has to run beside a served store for its triggers to fire."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from lambdalog.arn import Arn
from lambdalog.errors import ConfigError
from lambdalog.local.lambda_.sources.readers import Readers
from lambdalog.local.triggers.definition import Notifications
from lambdalog.local.triggers.notifications import NotificationReader

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from mypy_boto3_sqs import SQSClient

    from lambdalog.local.triggers.service import Triggers

# A schedule fires at most so late, a file is noticed after twice as long.
TICK_SECONDS: Final = 0.5


class TriggerLoop:
    """Fires schedules and looks at folders in `run`; reads queues of notifications in `notifications.run`."""

    def __init__(self, triggers: Triggers, sqs: SQSClient, locks: Path) -> None:
        self._triggers = triggers
        self._sqs = sqs
        self.notifications = Readers(self._wanted, self._reader, triggers.note_error, locks)

    def run(self, stop: threading.Event) -> None:
        """Go on until the event is set."""
        while not stop.is_set():
            began = time.monotonic()
            self._triggers.step()
            # A large folder takes its time, and gets a tenth of a core at most.
            stop.wait(max(TICK_SECONDS, 9 * (time.monotonic() - began)))

    def _wanted(self) -> dict[str, tuple[object, ...]]:
        return {
            trigger.name: (trigger,)
            for trigger in self._triggers.all()
            if trigger.enabled and isinstance(trigger.source, Notifications)
        }

    def _reader(self, name: str) -> NotificationReader:
        trigger = self._triggers.get(name)
        assert isinstance(trigger.source, Notifications)
        sqs, url = self._queue(trigger.source.queue)
        return NotificationReader(sqs, url, lambda event: self._triggers.deliver(trigger, event))

    def _queue(self, named: str) -> tuple[Any, str]:
        """The client and the URL of a queue: of AWS if its ARN or URL has an account, else of the store."""
        account, region, name = _parts(named)
        scope = self._triggers.functions.scope
        if account in {"", scope.account}:
            return self._sqs, self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        import boto3

        sqs = boto3.client("sqs", region_name=region or scope.region)
        if named.startswith("http"):
            return sqs, named
        return sqs, sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]


def _parts(named: str) -> tuple[str, str, str]:
    """(account, region, name) of a queue by its name, ARN or URL; what isn't told is empty."""
    if named.startswith("arn:"):
        arn = Arn.parse(named)
        return arn.account, arn.region, arn.resource
    if named.startswith("http"):
        host, _, path = named.partition("://")[2].partition("/")
        account, _, name = path.rpartition("/")
        labels = host.split(".")
        return account.rpartition("/")[2], labels[1] if labels[0] == "sqs" and len(labels) > 2 else "", name
    if "/" in named or not named:
        raise ConfigError(f"{named!r} names no queue; write its name, ARN or URL")
    return "", "", named
