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
# How many messages there may be where nobody has asked.
UNKNOWN: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen in a queue. `note` says what could not be seen."""

    letters: list[Letter]
    note: str = ""


def browse(sqs: Any, queue: str, function: str, now: int) -> Look:
    """Look into a queue of a store: nothing changes. QueueDoesNotExist."""
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    return Look([from_looked(looked, queue, function, now) for looked in sqs.browse_messages(QueueUrl=url)])


@dataclass(frozen=True, slots=True)
class Received:
    """Messages that were received and given back, each once, as ReceiveMessage gives them. `kept`: ids of those not given back."""

    messages: list[dict[str, Any]]
    kept: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What is to be said about those that could not be given back; empty if all were."""
        if not self.kept:
            return ""
        return (
            f"{len(self.kept)} could not be given back at once, and are hidden for up to {HIDDEN_SECONDS} s"
        )


def counts_receives(sqs: Any, url: str) -> bool:
    """Whether a queue has a redrive policy of its own: each look would count, and in the end move messages away."""
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    return bool(found.get("Attributes", {}).get("RedrivePolicy"))


def receive(
    sqs: Any, queue: str, function: str, clock: Clock, *, spend: bool = False, most: int = LOOK_MAX
) -> Look:
    """Look into a queue on AWS: receive everything that can be received, and give it back. QueueDoesNotExist.

    ReplayError for a queue with a redrive policy, unless `spend` says that its count may be used up.
    """
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    kinds = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[*kinds, "RedrivePolicy"])["Attributes"]
    if not spend and counts.get("RedrivePolicy"):
        raise ReplayError(
            f"{queue} has a redrive policy of its own: each look would count as a receive, and in the end move its "
            "messages away; to look all the same: --spend-receives"
        )
    there, flying = (int(counts[kind]) for kind in kinds)
    received = receive_and_give_back(sqs, url, clock, most=most, expected=there)
    letters = [from_message(message, queue, function) for message in received.messages]
    note = _note(queue, len(letters), there, flying, received.note)
    return Look(sorted(letters, key=lambda letter: letter.sent_at), note)


def receive_and_give_back(
    sqs: Any, url: str, clock: Clock, *, most: int, expected: int = UNKNOWN
) -> Received:
    """See up to `most` messages of a queue that can be received, hidden from others meanwhile. QueueDoesNotExist.

    Each counts as a receive (SQS has no other look). `expected` is how many may be there: after so many the last poll
    is a short one. Whatever happens, what was received is given back.
    """
    taken: dict[str, dict[str, Any]] = {}
    begin = clock.monotonic()
    try:
        while len(taken) < most and clock.monotonic() - begin < LOOK_SECONDS:
            page = sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(BATCH, most - len(taken)),
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
                VisibilityTimeout=HIDDEN_SECONDS,
                # A short poll asks some of SQS's servers, a long one all of them.
                WaitTimeSeconds=0 if len(taken) >= expected else 1,
            ).get("Messages", [])
            fresh = any(message["MessageId"] not in taken for message in page)
            # Of a message that came twice the later receipt is the one that counts.
            taken |= {message["MessageId"]: message for message in page}
            if not fresh:
                break
    finally:
        kept = give_back(sqs, url, taken.values())
    return Received(list(taken.values()), tuple(kept))


def give_back(sqs: Any, url: str, messages: Iterable[dict[str, Any]]) -> list[str]:
    """Let received messages be seen again at once; the ids of those where SQS refused: their time runs out instead."""
    refused: list[str] = []
    waiting = list(messages)
    for start in range(0, len(waiting), BATCH):
        batch = waiting[start : start + BATCH]
        entries = [
            {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
            for index, message in enumerate(batch)
        ]
        try:
            answer = sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
        except sqs.exceptions.ClientError:
            # Who may receive need not be allowed to change visibility: what was seen is shown all the same.
            refused += [message["MessageId"] for message in batch]
            continue
        refused += [batch[int(failed["Id"])]["MessageId"] for failed in answer.get("Failed", [])]
    return refused


def _note(queue: str, seen: int, there: int, flying: int, kept: str) -> str:
    parts = []
    if there > seen:
        parts.append(f"about {there - seen} more were not received")
    if flying:
        parts.append(f"{flying} are in flight, and can't be seen")
    if kept:
        parts.append(kept)
    return f"{queue}: {'; '.join(parts)}" if parts else ""
