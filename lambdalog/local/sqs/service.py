"""SQS, as boto3's client has it: all its operations together, and what runs beside them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Final

from lambdalog.local.durability import durably
from lambdalog.local.sqs.access import AccessOperations
from lambdalog.local.sqs.looking import LookOperations
from lambdalog.local.sqs.move_tasks import MoveOperations
from lambdalog.local.sqs.plain import PlainOperations
from lambdalog.local.sqs.queues import QueueOperations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from threading import Event

# How long the loop of move tasks waits at most before it looks whether it is to end.
WAIT_SECONDS: Final = 0.5
# A task of a high rate moves its messages in handfuls, and a new one is looked for no more often.
MOVE_SECONDS: Final = 0.05


class Sqs(PlainOperations, QueueOperations, AccessOperations, LookOperations, MoveOperations):
    """A boto3-shaped SQS client on `<root>/queues.sqlite`.

    `durability` NORMAL survives the death of every process, FULL also a power cut; what reaches a dead-letter queue is always
    written as FULL says. Beyond AWS it has `peek_messages`, `browse_messages`, `take_messages` and `durably`.
    """

    notes: ClassVar[dict[str, str]] = {
        "AddPermission": "Kept in the policy, and not enforced.",
        "CreateQueue": "Encryption attributes are kept; nothing is encrypted.",
        "DeleteQueue": "At once; AWS takes up to a minute.",
        "PurgeQueue": "At once; AWS takes up to a minute.",
        "ReceiveMessage": "Every message that can be received is; AWS samples its servers.",
        "RemovePermission": "Kept in the policy, and not enforced.",
        "SetQueueAttributes": "At once; AWS takes up to a minute.",
        "StartMessageMoveTask": "500 messages a second where no rate is given; without a worker: whoever uses one of the queues does what is due.",
    }

    def close(self) -> None:
        """End waits; close the database."""
        self._arrivals.close()
        self.traffic.write()
        self._exchange.mailbox.turns.close()
        self._tables.close()

    def end_waits(self) -> None:
        """Let what waits go on at once, with what there is."""
        self._arrivals.end()

    def background(self) -> Iterable[tuple[str, Callable[[Event], object]]]:
        """Move tasks go on, and what was counted is written down, whether or not anybody uses the queues."""
        yield "moves", self._move

    def _move(self, stop: Event) -> None:
        moves = self._exchange.moves
        while not stop.is_set():
            seen = self._arrivals.seen()
            moves.advance(self.clock.now_ms())
            self.traffic.write()
            due = moves.next_due()
            left = WAIT_SECONDS if due is None else max((due - self.clock.now_ms()) / 1000, MOVE_SECONDS)
            if not stop.is_set():
                self._arrivals.wait(seen, min(left, WAIT_SECONDS))
                # Queues that are in use are written to a thousand times a second.
                self.clock.wait(stop, MOVE_SECONDS)

    @contextmanager
    def durably(self) -> Iterator[None]:
        """What this thread sends inside outlives a power cut. Nothing of AWS's."""
        with durably(self._db, self._durability, full=True):
            yield
