"""A reader of an SQS queue for a function: receives, filters, invokes, and deletes what succeeded.

What failed stays in the queue and comes back when its visibility timeout ends; the queue's own redrive policy decides
when it has failed too often (Lambda developer guide, "Using Lambda with Amazon SQS").
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lambdalog.clock import SYSTEM
from lambdalog.local.lambda_.sources.partial import failed_items
from lambdalog.local.lambda_.sources.records import Filters, batches, event, sqs_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sqs import SQSClient

    from lambdalog.clock import Clock
    from lambdalog.runtime import Outcome

    Invoke = Callable[[bytes, str | None], Outcome]

logger = logging.getLogger(__name__)

RECEIVE_MAX: Final = 10
# AWS begins with five pollers a queue, and so with up to five batches at a time.
CONCURRENCY: Final = 5
PAYLOAD_MAX: Final = 6_291_456
# A long poll is short enough that a reader that is stopped stops.
POLL_SECONDS: Final = 1
# A throttled batch is tried again after this long, then twice as long, up to the last.
THROTTLE_SECONDS: Final = (0.1, 5.0)
# So much of a message's visibility must be left for it to be tried again here.
_MARGIN_SECONDS: Final = 1.0


class Busy(Exception):
    """The function has no environment free: the batch can be tried again."""


class Refused(Exception):
    """The function can't be invoked now, and trying again at once won't help: it is gone, or can't be started."""


@dataclass(frozen=True, slots=True)
class QueueSource:
    """What a mapping says of its queue. The window and the queue's visibility timeout are in seconds."""

    arn: str
    url: str
    batch_size: int = 10
    window: float = 0.0
    filters: Filters | None = None
    report_failures: bool = False
    concurrency: int = CONCURRENCY
    visibility: float = 30.0
    function_timeout: float = 3.0


class QueueReader:
    """Reads one queue for one mapping. `invoke(payload, trace)` raises Busy where the function is throttled, or Refused."""

    def __init__(self, sqs: SQSClient, source: QueueSource, invoke: Invoke, *, clock: Clock = SYSTEM) -> None:
        self._sqs: Any = sqs
        self._source = source
        self._invoke = invoke
        self._clock = clock
        self._filters = source.filters or Filters(None)

    def step(self, stop: threading.Event | None = None, *, wait: int = 0) -> int:
        """Receive one batch and work on it here; how many messages came."""
        messages, due = self._gather(stop, wait)
        for batch in self._batches(messages):
            self._work(batch, due, stop or threading.Event())
        return len(messages)

    def run(self, stop: threading.Event) -> None:
        """Work on batches, several at a time, until the event is set; what is running is finished."""
        free = threading.Semaphore(self._source.concurrency)
        with ThreadPoolExecutor(
            self._source.concurrency, thread_name_prefix="lambdalog-queue-source"
        ) as workers:
            while not stop.is_set():
                if not free.acquire(timeout=0.2):
                    continue
                taken = True
                try:
                    messages, due = self._gather(stop, POLL_SECONDS)
                    for batch in self._batches(messages):
                        # The first takes the place that is held, further ones wait for theirs.
                        if not taken:
                            free.acquire()
                        taken = False
                        workers.submit(self._work, batch, due, stop).add_done_callback(
                            lambda done: _finished(done, free)
                        )
                finally:
                    if taken:
                        free.release()

    # --- receiving

    def _gather(self, stop: threading.Event | None, wait: int) -> tuple[list[dict[str, Any]], float]:
        """A batch's messages, and until when (monotonic) they are this reader's."""
        source = self._source
        began = self._clock.monotonic()
        messages = self._receive(min(source.batch_size, RECEIVE_MAX), wait)
        due = self._clock.monotonic() + source.visibility
        if not messages:
            return [], due
        # The window begins with the first message.
        closes = (self._clock.monotonic() if wait else began) + source.window
        while len(messages) < source.batch_size and not (stop is not None and stop.is_set()):
            left = closes - self._clock.monotonic()
            if source.window <= 0 and len(messages) % RECEIVE_MAX:
                break
            more = self._receive(
                min(source.batch_size - len(messages), RECEIVE_MAX), min(POLL_SECONDS, max(0, int(left)))
            )
            messages += more
            if not more:
                if left <= 0:
                    break
                self._clock.wait(stop or threading.Event(), min(max(left, 0.0), 0.1))
        return messages, due

    def _receive(self, most: int, wait: int) -> list[dict[str, Any]]:
        response = self._sqs.receive_message(
            QueueUrl=self._source.url,
            MaxNumberOfMessages=most,
            WaitTimeSeconds=wait,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        found: list[dict[str, Any]] = response.get("Messages", [])
        return found

    def _batches(self, messages: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
        """What passes the filters, in batches; the rest is deleted, as Lambda does."""
        records = [sqs_record(message, self._source.arn) for message in messages]
        passing = [record for record in records if self._filters.passes(record)]
        if len(passing) < len(records):
            kept = {record["messageId"] for record in passing}
            self._delete([record for record in records if record["messageId"] not in kept])
        return list(batches(passing, self._source.batch_size, PAYLOAD_MAX))

    # --- working

    def _work(self, batch: list[dict[str, Any]], due: float, stop: threading.Event) -> None:
        outcome = self._tried(batch, due, stop)
        if outcome is None or outcome.function_error is not None:
            return
        done = batch
        if self._source.report_failures:
            failed = failed_items(outcome.payload, {record["messageId"] for record in batch})
            if failed is None:
                logger.warning(
                    "the response of request %s names no failures that can be; all of its batch counts as failed",
                    outcome.request_id,
                )
                return
            done = [record for record in batch if record["messageId"] not in failed]
        self._delete(done)

    def _tried(self, batch: list[dict[str, Any]], due: float, stop: threading.Event) -> Outcome | None:
        """The outcome; None if the function stayed busy for as long as the messages are this reader's."""
        # The chain that the batch belongs to is its first message's.
        trace = batch[0]["attributes"].get("AWSTraceHeader")
        delay, longest = THROTTLE_SECONDS
        payload = event(batch)
        while True:
            try:
                return self._invoke(payload, trace)
            except Busy:
                left = due - self._clock.monotonic() - self._source.function_timeout - _MARGIN_SECONDS
                if left < delay or self._clock.wait(stop, delay):
                    return None
                delay = min(delay * 2, longest)
            except Refused as refused:
                logger.warning(
                    "a batch of %s was refused, its messages come back: %s", self._source.arn, refused
                )
                return None

    def _delete(self, records: list[dict[str, Any]]) -> None:
        for start in range(0, len(records), RECEIVE_MAX):
            entries = [
                {"Id": str(number), "ReceiptHandle": record["receiptHandle"]}
                for number, record in enumerate(records[start : start + RECEIVE_MAX])
            ]
            answer = self._sqs.delete_message_batch(QueueUrl=self._source.url, Entries=entries)
            for failed in answer.get("Failed", []):
                # It comes back, and is worked on once more.
                logger.warning(
                    "a message of %s could not be deleted: %s", self._source.arn, failed.get("Message")
                )


def _finished(done: Any, free: threading.Semaphore) -> None:
    free.release()
    if (error := done.exception()) is not None:
        logger.error("a batch could not be worked on; its messages come back", exc_info=error)
