"""Looking into a queue: without changing it where the store allows it, and on AWS by receives that are given back.

SQS has no way to look without taking. A receive counts, and hides the message for a while; so a queue whose own redrive
policy counts receives is not looked into unless that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lambdalog.errors import ReplayError
from lambdalog.failures.letter import from_looked, from_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambdalog.clock import Clock
    from lambdalog.failures.letter import Letter

# Messages are hidden for as long as a look may take, and given back at its end.
HIDDEN_SECONDS: Final = 300
LOOK_SECONDS: Final = 240
LOOK_MAX: Final = 10_000
BATCH: Final = 10


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen in a queue. `note` says what could not be seen."""

    letters: list[Letter]
    note: str = ""


def browse(sqs: Any, queue: str, function: str, now: int) -> Look:
    """Look into a queue of a store: nothing changes. QueueDoesNotExist."""
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    return Look([from_looked(looked, queue, function, now) for looked in sqs.browse_messages(QueueUrl=url)])


def receive(
    sqs: Any, queue: str, function: str, clock: Clock, *, spend: bool = False, most: int = LOOK_MAX
) -> Look:
    """Look into a queue on AWS: receive everything that can be received, and give it back. QueueDoesNotExist.

    ReplayError for a queue with a redrive policy, unless `spend` says that its count may be used up.
    """
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    attributes = sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=[
            "RedrivePolicy",
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        ],
    )["Attributes"]
    if attributes.get("RedrivePolicy") and not spend:
        raise ReplayError(
            f"{queue} has a redrive policy of its own: each look would count as a receive, and in the end move its "
            "messages away; to look all the same: --spend-receives"
        )
    there = int(attributes["ApproximateNumberOfMessages"])
    taken: dict[str, dict[str, Any]] = {}
    begin = clock.monotonic()
    kept: list[str] = []
    try:
        while len(taken) < most and clock.monotonic() - begin < LOOK_SECONDS:
            # A short poll asks some of SQS's servers, a long one all of them.
            enough = len(taken) >= there
            page = sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=BATCH,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=0 if enough else 1,
            ).get("Messages", [])
            taken |= {message["MessageId"]: message for message in page}
            if not page:
                break
    finally:
        kept = give_back(sqs, url, taken.values())
    note = _note(
        queue, len(taken), there, int(attributes["ApproximateNumberOfMessagesNotVisible"]), len(kept)
    )
    letters = [from_message(message, queue, function) for message in taken.values()]
    return Look(sorted(letters, key=lambda letter: letter.sent_at), note)


def give_back(sqs: Any, url: str, messages: Iterable[dict[str, Any]]) -> list[str]:
    """Let received messages be seen again at once; the ids of those where SQS refused: their time runs out instead."""
    refused: list[str] = []
    waiting = list(messages)
    for start in range(0, len(waiting), BATCH):
        batch = waiting[start : start + BATCH]
        answer = sqs.change_message_visibility_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                for index, message in enumerate(batch)
            ],
        )
        refused += [batch[int(failed["Id"])]["MessageId"] for failed in answer.get("Failed", [])]
    return refused


def _note(queue: str, seen: int, there: int, flying: int, kept: int) -> str:
    parts = []
    if there > seen:
        parts.append(f"about {there - seen} more were not received")
    if flying:
        parts.append(f"{flying} are in flight, and can't be seen")
    if kept:
        parts.append(f"{kept} could not be given back at once, and are hidden for up to {HIDDEN_SECONDS} s")
    return f"{queue}: {'; '.join(parts)}" if parts else ""
