"""What all operations of SQS share: queues by their URL, and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lambdalog.clock import SYSTEM
from lambdalog.lineage import caller_trace
from lambdalog.local.base import Double
from lambdalog.local.sqs import schema
from lambdalog.local.sqs.arrivals import Arrivals
from lambdalog.local.sqs.exchange import Exchange
from lambdalog.store.tables import Tables

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from botocore.exceptions import ClientError

    from lambdalog.arn import Scope
    from lambdalog.clock import Clock
    from lambdalog.local.durability import Durability
    from lambdalog.local.sqs.queue import Queue
    from lambdalog.local.sqs.rules import Breach

TAGS_MAX: Final = 50
_NAMES: Final = {
    "AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist",
    "InvalidParameterValue": "InvalidParameterValueException",
    "MissingParameter": "MissingRequiredParameterException",
    "QueueAlreadyExists": "QueueNameExists",
}


class Desk(Double):
    """The part of SQS that every operation stands on."""

    service = "sqs"

    def __init__(
        self, root: Path, *, scope: Scope, clock: Clock = SYSTEM, durability: Durability = "NORMAL"
    ) -> None:
        super().__init__(scope=scope, clock=clock)
        path = root / "queues.sqlite"
        self._durability: Durability = durability
        self._tables = Tables(
            path,
            schema.SCHEMA,
            synchronous=durability,
            version=schema.VERSION,
            page_bytes=schema.PAGE_BYTES,
            pragmas=schema.PRAGMAS,
        )
        self._exchange = Exchange(
            self._tables, scope=scope, clock=clock, durability=durability, trace=caller_trace
        )
        # What CloudWatch tells of queues.
        self.traffic = self._exchange.traffic
        self._arrivals = Arrivals(path, clock, lambda: self._tables.connection)

    def error(self, code: str, message: str = "", *, status: int = 400, **fields: Any) -> ClientError:
        """SQS's errors bear two codes: the old query protocol's, and the name by which the exception class is found."""
        name = _NAMES.get(code, code.removeprefix("AWS.SimpleQueueService."))
        found = super().error(name, message, status=status, **fields)
        details: Any = found.response["Error"]
        details |= {"Code": code, "QueryErrorCode": name, "Type": "Sender"}
        return type(found)(found.response, found.operation_name)

    @property
    def _db(self) -> sqlite3.Connection:
        return self._tables.connection

    def unknown_operation(self, operation: str) -> ClientError:
        """What SQS says of an operation that it doesn't know."""
        return self.error("InvalidAction", f"The action {operation} is not valid for this endpoint.")

    def _no_queue(self) -> ClientError:
        return self.error("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")

    def _check(self, breach: Breach | None) -> None:
        if breach is not None:
            raise self.error(breach.code, breach.message)

    def _url(self, name: str) -> str:
        return f"https://sqs.{self.scope.region}.amazonaws.com/{self.scope.account}/{name}"

    def _find(self, name: str) -> Queue | None:
        return self._exchange.catalog.find(name)

    def _queue(self, url: str) -> Queue:
        """The queue as it was last seen: whatever is done with it checks that it still is."""
        queue = self._exchange.catalog.remembered(url.rpartition("/")[2])
        if queue is None:
            raise self._no_queue()
        return queue

    def _fresh(self, url: str) -> Queue:
        queue = self._find(url.rpartition("/")[2])
        if queue is None:
            raise self._no_queue()
        return queue

    def _helped(self, queue: Queue) -> Queue:
        """Do what move tasks of this queue may by now; the queue after it."""
        if not queue.moving:
            return queue
        self._exchange.moves.advance(self.clock.now_ms())
        found = self._find(queue.name)
        if found is None:
            raise self._no_queue()
        return found

    def _check_tags(self, tags: dict[str, str]) -> None:
        if len(tags) > TAGS_MAX:
            raise self.error(
                "InvalidParameterValue", f"Too many tags added for queue. Maximum allowed is {TAGS_MAX}."
            )
