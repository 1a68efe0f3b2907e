"""Messages taken out of others' sight for as long as a run works on them: the lock that two runs can't both have.

In a store's standard queue just the wanted messages are taken. Elsewhere SQS gives out what it likes: what comes
unasked is held, lest it come again and again, and given back at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lambdalog.failures.look import BATCH, give_back

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from lambdalog.clock import Clock

Message = dict[str, Any]
# An invocation takes 15 minutes at most; a lease that has less left than that, and some, is made longer before it.
NEEDED_SECONDS: Final = 930
LEASE_SECONDS: Final = 1200
# "The maximum is 12 hours from when the message was received": what is held longer is let go, and taken again.
LONGEST_SECONDS: Final = 43_200 - LEASE_SECONDS
# So many answers without a wanted message mean that there is none to be had.
EMPTY_MAX: Final = 3
PICK_MAX: Final = 500


class Leases:
    """The leases of one run. `noted` is told of messages as soon as they are taken."""

    def __init__(
        self,
        sqs: Any,
        url: str,
        *,
        clock: Clock,
        noted: Callable[[Sequence[Message]], None],
        waits: bool,
    ) -> None:
        """`waits`: an empty answer may be a server's that has none (AWS), so that the next request asks all of them."""
        self._sqs = sqs
        self._url = url
        self._clock = clock
        self._noted = noted
        self._waits = waits
        self.picks = hasattr(sqs, "take_messages") and not url.endswith(".fifo")
        # By message id: the message, when its lease ends, when it was received (monotonic seconds).
        self._held: dict[str, tuple[Message, float, float]] = {}

    def take(self, wanted: Sequence[str]) -> dict[str, Message]:
        """Of these messages, at least one that can be had, and others as they come; none: there is none to be had."""
        held = {key: self._held[key][0] for key in wanted if key in self._held}
        if held:
            return held
        if self.picks:
            return self._keep(
                self._sqs.take_messages(
                    QueueUrl=self._url, MessageIds=wanted[:PICK_MAX], VisibilityTimeout=LEASE_SECONDS
                )["Messages"],
                set(wanted),
            )
        return self._receive(set(wanted))

    def _receive(self, wanted: set[str]) -> dict[str, Message]:
        empty = 0
        while empty < EMPTY_MAX:
            page = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH,
                VisibilityTimeout=LEASE_SECONDS,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
                WaitTimeSeconds=1 if self._waits and empty else 0,
            ).get("Messages", [])
            if found := self._keep(page, wanted):
                return found
            if not page:
                if not self._waits:
                    break
                empty += 1
        return {}

    def _keep(self, page: Sequence[Message], wanted: set[str]) -> dict[str, Message]:
        now = self._clock.monotonic()
        for message in page:
            self._held[message["MessageId"]] = message, now + LEASE_SECONDS, now
        if page:
            self._noted(page)
        return {message["MessageId"]: message for message in page if message["MessageId"] in wanted}

    def secure(self, ids: Iterable[str]) -> set[str]:
        """Make leases last for an invocation; those that are lost, because their time ran out before."""
        now = self._clock.monotonic()
        lost: set[str] = set()
        for key in ids:
            message, until, received = self._held[key]
            if until - now >= NEEDED_SECONDS:
                continue
            if until <= now or now - received > LONGEST_SECONDS or not self._extend(message):
                lost.add(key)
                del self._held[key]
            else:
                self._held[key] = message, now + LEASE_SECONDS, received
        return lost

    def renew(self) -> None:
        """Make all leases longer that have little left: between two items, while others wait."""
        now = self._clock.monotonic()
        self.secure([key for key, (_, until, _) in self._held.items() if until - now < NEEDED_SECONDS / 2])

    def _extend(self, message: Message) -> bool:
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=message["ReceiptHandle"],
                VisibilityTimeout=LEASE_SECONDS,
            )
        except self._sqs.exceptions.ClientError:
            return False  # the receipt is stale: somebody else has it, or it is gone
        return True

    def delete(self, ids: Collection[str]) -> dict[str, str]:
        """Delete messages; why not, by id, for those that SQS didn't."""
        refused: dict[str, str] = {}
        waiting = [key for key in ids if key in self._held]
        for start in range(0, len(waiting), BATCH):
            batch = waiting[start : start + BATCH]
            answer = self._sqs.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": self._held[key][0]["ReceiptHandle"]}
                    for index, key in enumerate(batch)
                ],
            )
            for failed in answer.get("Failed", []):
                refused[batch[int(failed["Id"])]] = str(failed.get("Message") or failed["Code"])
        for key in waiting:
            if key not in refused:
                del self._held[key]
        return refused

    def done_with(self, ids: Iterable[str]) -> None:
        """These stay in the queue. They are given back at once where they can't be given out again to this run."""
        if self.picks:
            self._give_back([key for key in ids if key in self._held])

    def close(self) -> None:
        """Give everything back."""
        self._give_back(list(self._held))

    def _give_back(self, ids: Sequence[str]) -> None:
        messages = [self._held.pop(key)[0] for key in ids]
        # Where SQS refuses, the lease is not ours any more; else its time runs out.
        give_back(self._sqs, self._url, messages)
