"""Subscription filters at work: what was written to a group, as gzipped messages to a queue or a function.

A filter's progress is kept (`ledger`), and moves on only when a message was taken: over restarts, and whichever process
writes, each event is handed over at least once. One process delivers at a time.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
from botocore.exceptions import ClientError

from lambdalog.arn import Arn
from lambdalog.local.claim import claim
from lambdalog.local.logs import tokens
from lambdalog.local.logs.filters import SUBSCRIPTION, Record, records
from lambdalog.store.arrivals import Arrivals, Piece
from lambdalog.store.watch import new_watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

    from lambdalog.arn import Scope
    from lambdalog.clock import Clock
    from lambdalog.local.logs.ledger import Ledger
    from lambdalog.store import Event, GroupInfo, LogStore
    from lambdalog.store.watch import Watch

logger = logging.getLogger(__name__)

# What another process changes is noticed after this long; what this one does, at once.
LOOK_SECONDS: Final = 2.0
GATHER_SECONDS: Final = 0.05
BACKOFF_MOST: Final = 60.0
# Segments that were removed are forgotten this often.
FORGET_SECONDS: Final = 600.0
# SQS and Lambda's asynchronous invocation take 1 MiB; what a message is wrapped in needs a little.
MESSAGE_MAX: Final = 1_048_576 - 64
_TOO_LARGE: Final = frozenset(
    {"RequestTooLargeException", "InvalidParameterValue", "AWS.SimpleQueueService.BatchRequestTooLong"}
)


class TooLarge(Exception):
    """The destination takes no message of this size."""


def data_message(
    owner: str, group: str, stream: str, filter_name: str, events: list[Event]
) -> dict[str, Any]:
    """The message in which AWS hands over log events."""
    return {
        "messageType": "DATA_MESSAGE",
        "owner": owner,
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [filter_name],
        "logEvents": [
            {"id": tokens.event_id(event), "timestamp": event.timestamp, "message": event.message}
            for event in events
        ],
    }


def health_check(now: int) -> dict[str, Any]:
    """The message with which AWS asks whether a stream can be reached; consumers pass over it."""
    return {
        "messageType": "CONTROL_MESSAGE",
        "owner": "CloudwatchLogs",
        "logGroup": "",
        "logStream": "",
        "subscriptionFilters": [],
        "logEvents": [
            {
                "id": "",
                "timestamp": now,
                "message": "CWL CONTROL MESSAGE: Checking health of destination SQS queue.",
            }
        ],
    }


def packed(message: dict[str, Any]) -> str:
    """JSON, gzip, base64."""
    try:
        data = orjson.dumps(message)
    except TypeError:  # a lone surrogate, which no UTF-8 can carry
        data = orjson.dumps(_mended(message))
    return base64.b64encode(gzip.compress(data, 6, mtime=0)).decode()


def _mended(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _mended(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_mended(each) for each in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


@dataclass(frozen=True)
class Destination:
    """A queue or a function, with the client that reaches it."""

    arn: Arn
    sqs: SQSClient | None = None
    lambda_: LambdaClient | None = None

    def try_out(self) -> None:
        """Ask whether the function could be invoked. ClientError if not."""
        assert self.lambda_ is not None
        self.lambda_.invoke(FunctionName=str(self.arn), InvocationType="DryRun", Payload=b"{}")

    def send(self, message: dict[str, Any], *, key: str) -> None:
        """Hand over one message; `key` is the same whenever it is tried. TooLarge, or ClientError."""
        body = packed(message)
        if len(body) > MESSAGE_MAX:
            raise TooLarge
        try:
            if self.lambda_ is not None:
                payload = orjson.dumps({"awslogs": {"data": body}})
                self.lambda_.invoke(FunctionName=str(self.arn), InvocationType="Event", Payload=payload)
            elif self.sqs is not None:
                url = self.sqs.get_queue_url(QueueName=self.arn.resource)["QueueUrl"]
                order: dict[str, Any] = {}
                if self.arn.resource.endswith(".fifo"):
                    order = {
                        "MessageGroupId": _digest(message["logGroup"], message["logStream"]),
                        "MessageDeduplicationId": _digest(key, body),
                    }
                self.sqs.send_message(QueueUrl=url, MessageBody=body, **order)
        except ClientError as error:
            if error.response["Error"]["Code"] in _TOO_LARGE:
                raise TooLarge from error
            raise


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


class Deliveries:
    """Hands over what subscription filters ask for: `once`, or until it is told to stop."""

    def __init__(
        self,
        store: LogStore,
        ledger: Ledger,
        scope: Scope,
        clock: Clock,
        *,
        sqs: Callable[[], SQSClient] | None,
        lambda_: Callable[[], LambdaClient] | None,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._scope = scope
        self._clock = clock
        self._sqs = sqs
        self._lambda = lambda_
        self._watch: Watch | None = None
        self._watch_lock = threading.Lock()
        # Filter id → (when it may be tried again, the pause before).
        self._resting: dict[str, tuple[float, float]] = {}
        self._forgot = clock.monotonic()

    def run(self, stop: threading.Event) -> None:
        """Deliver as it is written, until `stop` is set."""
        watch = new_watch()
        with self._watch_lock:
            self._watch = watch
        waker = threading.Thread(target=self._wake_at, args=(stop,), name="lambdalog-stop", daemon=True)
        waker.start()
        try:
            while not stop.is_set():
                for info in self._subscribed():
                    watch.add(self._store.layout.group(info.name).live)
                self.once()
                watch.wait(LOOK_SECONDS)
                # What comes close together goes together.
                stop.wait(GATHER_SECONDS)
        finally:
            with self._watch_lock:
                self._watch = None
                watch.close()

    def wake(self) -> None:
        """Look now: something was written, or a filter was made."""
        with self._watch_lock:
            if self._watch is not None:
                self._watch.wake()

    def once(self) -> int:
        """Deliver what waits; how many messages were handed over. 0 while another process delivers."""
        return self._once() or 0

    def settled(self) -> bool:
        """Whether nothing waits: a look that nobody else had the claim for found nothing to hand over."""
        return self._once() == 0

    def _once(self) -> int | None:
        """How many messages were handed over; None while somebody else delivers."""
        subscribed = self._subscribed()
        if not subscribed:
            return 0
        with claim(self._store.layout.deliveries_lock) as alone:
            if not alone:
                return None
            done = sum(
                self._filter(info, name, record)
                for info in subscribed
                for name, record in records(info, SUBSCRIPTION).items()
            )
            if self._clock.monotonic() - self._forgot > FORGET_SECONDS:
                self._forgot = self._clock.monotonic()
                self._forget(subscribed)
        return done

    def _subscribed(self) -> list[GroupInfo]:
        return [info for info in self._store.catalog.groups() if records(info, SUBSCRIPTION)]

    def _filter(self, info: GroupInfo, name: str, record: Record) -> int:
        """One filter's turn."""
        from lambdalog.query.pattern import parse

        identity = record["id"]
        until, pause = self._resting.get(identity, (0.0, 0.5))
        if until > self._clock.monotonic():
            return 0
        pattern = parse(record["pattern"])
        sent = 0
        try:
            arrivals = Arrivals(self._store, info.name)
            for piece in arrivals.after(
                self._ledger.progress(identity),
                match=pattern.matches if record["pattern"].strip() else None,
                literals=pattern.literals,
            ):
                if piece.events:
                    sent += self._hand_over(info.name, name, record, piece)
                self._ledger.advance(identity, piece)
        except KeyError:
            return sent  # the group is gone
        except ClientError as error:
            pause = min(pause * 2, BACKOFF_MOST)
            self._resting[identity] = (self._clock.monotonic() + pause, pause)
            logger.warning("the subscription filter %s of %s waits %.0f s: %s", name, info.name, pause, error)
        else:
            self._resting.pop(identity, None)
        return sent

    def _hand_over(self, group: str, name: str, record: Record, piece: Piece) -> int:
        destination = self._destination(Arn.parse(record["destination"]))
        sent = 0
        parts = [piece.events]
        while parts:
            events = parts.pop()
            message = data_message(self._scope.account, group, piece.stream, name, events)
            try:
                destination.send(message, key=record["id"])
            except TooLarge:
                if len(events) > 1:
                    middle = len(events) // 2
                    parts += [events[middle:], events[:middle]]
                    continue
                reason = f"an event of {len(events[0].message)} characters is too large for {destination.arn}"
                logger.warning("the subscription filter %s of %s: %s", name, group, reason)
                self._ledger.delivered(record["id"], messages=0, events=0, dropped=1, reason=reason)
            else:
                sent += 1
                self._ledger.delivered(record["id"], messages=1, events=len(events), dropped=0, reason=None)
        return sent

    def _destination(self, arn: Arn) -> Destination:
        if arn.service == "lambda":
            return Destination(arn, lambda_=None if self._lambda is None else self._lambda())
        return Destination(arn, sqs=None if self._sqs is None else self._sqs())

    def _forget(self, subscribed: list[GroupInfo]) -> None:
        for info in subscribed:
            there = Arrivals(self._store, info.name).segments()
            for record in records(info, SUBSCRIPTION).values():
                known = self._ledger.progress(record["id"])
                self._ledger.forget_segments(record["id"], known.keys() - there)

    def _wake_at(self, stop: threading.Event) -> None:
        stop.wait()
        self.wake()
