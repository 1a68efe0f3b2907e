"""Looking into queues without taking anything, and taking chosen messages: nothing of AWS's."""

from __future__ import annotations

import array
import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.sqs import browse, message
from lambdalog.local.sqs.desk import Desk
from lambdalog.local.sqs.receipt import handle_of

if TYPE_CHECKING:
    from collections.abc import Collection

# Looks that a client goes on with, of several pages each.
LOOKS_MAX: Final = 4


class LookOperations(Desk):
    """What commands and the inbox need beyond AWS."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        # The rest of looks that were begun: (seq, visible_at) of messages, by token.
        self._looks: OrderedDict[str, tuple[array.array[int], array.array[int]]] = OrderedDict()

    def peek_messages(
        self, *, QueueUrl: str, MaxNumberOfMessages: int = 100, NextToken: str | None = None
    ) -> dict[str, Any]:
        """Look at messages, in flight or not, without taking them: nothing of AWS's.

        Messages as ReceiveMessage gives them with all attributes, without a receipt handle. A NextToken means more; all pages
        together are the messages that were there at the first, each once.
        """
        queue = self._helped(self._fresh(QueueUrl))
        look, _, after = (NextToken or "").partition(":")
        places = self._looks.pop(look, None)
        if places is None:
            rows = self._exchange.mailbox.places(queue, self.clock.now_ms(), int(after or 0))
            places = array.array("q", (seq for seq, _ in rows)), array.array("q", (at for _, at in rows))
        seqs, times = places
        page = list(zip(seqs[:MaxNumberOfMessages], times[:MaxNumberOfMessages], strict=True))
        response: dict[str, Any] = {
            "Messages": [
                message.shape(taken, self.scope.account, {"All"}, ["All"], None)
                for taken in self._exchange.mailbox.look(queue, page)
            ]
        }
        if len(seqs) > MaxNumberOfMessages:
            look = look or secrets.token_hex(8)
            self._looks[look] = seqs[MaxNumberOfMessages:], times[MaxNumberOfMessages:]
            while len(self._looks) > LOOKS_MAX:
                self._looks.popitem(last=False)
            response["NextToken"] = f"{look}:{page[-1][0]}"
        return response

    def browse_messages(self, *, QueueUrl: str) -> list[browse.Looked]:
        """Every message of a queue as it lies there, in flight or not, without taking any: nothing of AWS's."""
        queue = self._helped(self._fresh(QueueUrl))
        return browse.all_of(self._exchange.mailbox, queue, self.clock.now_ms())

    def browse_state(self, *, QueueUrl: str) -> tuple[float, ...]:
        """What differs as soon as `browse_messages` would tell something else: nothing of AWS's."""
        queue = self._helped(self._fresh(QueueUrl))
        return browse.state_of(self._exchange.mailbox, queue, self.clock.now_ms())

    def take_messages(
        self, *, QueueUrl: str, MessageIds: Collection[str], VisibilityTimeout: int
    ) -> dict[str, Any]:
        """Receive chosen messages of a standard queue, those that can be received: nothing of AWS's.

        Messages as ReceiveMessage gives them with all attributes, however many; other messages are not touched.
        """
        queue = self._helped(self._fresh(QueueUrl))
        if queue.fifo:
            raise self.error("InvalidAddress", "Messages of a FIFO queue are received in their order.")
        now = self.clock.now_ms()
        taken = browse.claim(self._exchange.mailbox, queue, MessageIds, VisibilityTimeout * 1000, now)
        if taken:
            self._exchange.traffic.count(queue.id, "received", len(taken), now)
        return {
            "Messages": [
                message.shape(found, self.scope.account, {"All"}, ["All"], handle_of(found, queue.id, now))
                for found in taken
            ]
        }
