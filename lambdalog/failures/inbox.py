"""The inbox: dead letters of all queues, joined with their log lines, grouped by fingerprint."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import orjson

from lambdalog.clock import SYSTEM
from lambdalog.failure import from_dead_letter, from_lambda_error, from_record
from lambdalog.failures.letter import Explained, Letter, from_message
from lambdalog.query.pattern import Term
from lambdalog.tail import Line

if TYPE_CHECKING:
    from lambdalog.clock import Clock
    from lambdalog.cloud import Cloud
    from lambdalog.failure import Failure

SUFFIX: Final = "-dlq"
# Lambda tries for six hours; log lines of a letter lie in the time before it was sent.
LOOK_BACK_MS: Final = 6 * 3_600_000 + 60_000
LINES_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Group:
    """Failures of one fingerprint. Times are epoch ms; `letters` are in order of time."""

    fingerprint: str
    type: str
    message: str
    first_seen: int
    last_seen: int
    functions: tuple[str, ...]
    versions: tuple[str, ...]
    letters: tuple[Letter, ...]

    @property
    def count(self) -> int:
        """How many failures there are."""
        return len(self.letters)


class Inbox:
    """Reads dead letters without taking them where that can be done (a store), and as lightly as SQS lets it elsewhere."""

    def __init__(self, cloud: Cloud, clock: Clock = SYSTEM) -> None:
        self._cloud = cloud
        self._clock = clock
        # A letter never changes: what its log says is asked for once.
        self._explained: dict[str, Explained] = {}

    def queues(self) -> dict[str, tuple[str, ...]]:
        """Dead-letter queue → the functions whose letters it gets: functions' targets, and queues named …-dlq."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for functions in self._cloud.lambda_.get_paginator("list_functions").paginate():
            for config in functions["Functions"]:
                target = config.get("DeadLetterConfig", {}).get("TargetArn", "")
                if ":sqs:" in target:
                    found[target.rpartition(":")[2]].append(config["FunctionName"])
        for queues in self._cloud.sqs.get_paginator("list_queues").paginate():
            for url in queues.get("QueueUrls", []):
                name = url.rpartition("/")[2]
                if name.endswith(SUFFIX):
                    found[name] += []
        return {name: tuple(names) for name, names in sorted(found.items())}

    def letters(self, queue: str | None = None) -> list[Letter]:
        """All letters, or one queue's, in order of time. QueueDoesNotExist for a queue that isn't there."""
        queues = self.queues()
        if queue is not None:
            queues = {queue: queues.get(queue, ())}
        found = []
        for name, functions in queues.items():
            messages = self._messages(name, missing_ok=queue is None)
            found += [
                from_message(message, name, functions[0] if len(functions) == 1 else "")
                for message in messages
            ]
        return sorted(found, key=lambda letter: letter.sent_at)

    def explain(self, letter: Letter) -> Explained:
        """A letter with its failure: from the log line that tells it, else from the letter's own text."""
        known = self._explained.get(letter.message_id)
        if known is None:
            known = self._explained[letter.message_id] = self._look_up(letter)
        return known

    def groups(self, queue: str | None = None) -> list[Group]:
        """The letters by fingerprint, the most frequent first."""
        found: defaultdict[str, list[Explained]] = defaultdict(list)
        for letter in self.letters(queue):
            explained = self.explain(letter)
            found[explained.failure.fingerprint].append(explained)
        groups = [_group(fingerprint, members) for fingerprint, members in found.items()]
        return sorted(groups, key=lambda group: (-group.count, -group.last_seen))

    def lines(self, letter: Letter) -> list[Line]:
        """The log lines of a letter's invocations, in order of time: those of its request, and what stands between."""
        functions = [letter.function] if letter.function else list(self.queues().get(letter.queue, ()))
        found: list[Line] = []
        for function in functions:
            with suppress(self._cloud.logs.exceptions.ResourceNotFoundException):
                found += self._lines(f"/aws/lambda/{function}", letter)
        return sorted(found, key=attrgetter("order"))

    # --- reading

    def _messages(self, queue: str, *, missing_ok: bool) -> list[dict[str, Any]]:
        sqs: Any = self._cloud.sqs
        try:
            url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        except sqs.exceptions.QueueDoesNotExist:
            if missing_ok:
                return []
            raise
        found: list[dict[str, Any]] = []
        if self._cloud.root is not None:
            page = sqs.peek_messages(QueueUrl=url, MaxNumberOfMessages=1000)
            found += page["Messages"]
            while "NextToken" in page:
                page = sqs.peek_messages(QueueUrl=url, MaxNumberOfMessages=1000, NextToken=page["NextToken"])
                found += page["Messages"]
            return found
        return _received(sqs, url)

    def _lines(self, group: str, letter: Letter) -> list[Line]:
        if not letter.request_id:
            return []
        pages = self._cloud.logs.get_paginator("filter_log_events").paginate(
            logGroupName=group,
            filterPattern=str(Term(letter.request_id, quoted=True)),
            startTime=max(letter.sent_at - LOOK_BACK_MS, 0),
            endTime=letter.sent_at + 60_000,
            PaginationConfig={"MaxItems": LINES_MAX},
        )
        return [
            Line(
                event["timestamp"],
                event["ingestionTime"],
                group,
                event["logStreamName"],
                event["message"],
                event["eventId"],
            )
            for page in pages
            for event in page["events"]
        ]

    def _look_up(self, letter: Letter) -> Explained:
        for line in reversed(self.lines(letter)):
            record = _json(line.message)
            if record is not None and isinstance(record.get("failure"), dict):
                return Explained(letter, from_record(record["failure"]), str(record.get("version") or ""))
            if record is not None and "errorType" in record and "errorMessage" in record:
                return Explained(letter, from_lambda_error(record))
        failure: Failure = from_dead_letter(letter.error_code, letter.error_message)
        return Explained(letter, failure)


def _received(sqs: Any, url: str) -> list[dict[str, Any]]:
    """Messages of a queue on AWS, put back as they come: SQS has no way to look without taking."""
    found: dict[str, dict[str, Any]] = {}
    while True:
        page = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            VisibilityTimeout=30,
        ).get("Messages", [])
        fresh = [message for message in page if message["MessageId"] not in found]
        found |= {message["MessageId"]: message for message in fresh}
        if not fresh:
            break
    messages = list(found.values())
    for start in range(0, len(messages), 10):
        entries = [
            {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
            for index, message in enumerate(messages[start : start + 10])
        ]
        sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
    return messages


def _group(fingerprint: str, members: list[Explained]) -> Group:
    newest = members[-1]
    return Group(
        fingerprint=fingerprint,
        type=newest.failure.type,
        message=newest.failure.message,
        first_seen=members[0].letter.sent_at,
        last_seen=newest.letter.sent_at,
        functions=tuple(sorted({member.letter.function for member in members if member.letter.function})),
        versions=tuple(sorted({member.version for member in members if member.version})),
        letters=tuple(member.letter for member in members),
    )


def _json(message: str) -> dict[str, Any] | None:
    if not message.startswith("{"):
        return None
    try:
        found = orjson.loads(message)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
