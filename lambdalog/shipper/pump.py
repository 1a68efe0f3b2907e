"""From the queue to the destination, and to the spool where that can't be: each step is done, kept or counted."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from lambdalog.errors import ShipError
from lambdalog.shipper.batch import BATCH_BYTES, batches
from lambdalog.shipper.fleet import FLEET
from lambdalog.shipper.ledger import NO_TIME
from lambdalog.shipper.put import fast_put
from lambdalog.shipper.recovery import Recovery
from lambdalog.shipper.retry import reason
from lambdalog.shipper.sender import Sender
from lambdalog.shipper.telling import TELL_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lambdalog.clock import Clock
    from lambdalog.shipper.batch import Entry
    from lambdalog.shipper.queue import Queue, Stream
    from lambdalog.shipper.retry import Backoff
    from lambdalog.shipper.sender import Sent
    from lambdalog.shipper.spool import Spool
    from lambdalog.shipper.telling import Telling

_HANDS_SECONDS: Final = 5.0


class Pump:
    """Moves a queue's events on. `turn` is one look at all of it; one thread at a time does it."""

    def __init__(
        self,
        queue: Queue,
        client: Any,
        *,
        creating: Mapping[str, Any],
        spool: Spool | None,
        interval: float,
        patience: float,
        backoff: Backoff,
        clock: Clock,
        chance: Callable[[], float],
        telling: Telling,
    ) -> None:
        self._queue = queue
        self._sender = Sender(client, put=fast_put(client), **creating)
        self._spool = spool
        self._recovery = (
            None
            if spool is None
            else Recovery(spool, self._sender, clock=clock, backoff=backoff, chance=chance, telling=telling)
        )
        self._interval = interval
        self._patience = patience
        self._backoff = backoff
        self._clock = clock
        self._chance = chance
        self._telling = telling
        self._turning = threading.Lock()
        # How many wait for a flush: then nothing waits for its interval.
        self.urgent = 0
        # Why the last attempt failed; None after one that didn't.
        self.error: Exception | None = None

    @property
    def trouble(self) -> Exception | None:
        """Why the last attempt failed, of new events or of spooled ones; None if it didn't."""
        return self.error or (None if self._recovery is None else self._recovery.error)

    # --- delivering

    def turn(self) -> float | None:
        """Send what is due, a batch of each stream; in how many seconds there is more to do, None: nothing waits."""
        with self._turning, FLEET.sending():
            queue = self._queue
            streams, _ = queue.ready(self._clock.monotonic(), self._interval, urged=self.urgent > 0)
            for stream in streams:
                self._one(stream)
            spooled = self._recover()
            queue.forget_idle()
            streams, due = queue.ready(self._clock.monotonic(), self._interval, urged=self.urgent > 0)
            if streams:
                return 0.0
            return due if spooled is None else spooled if due is None else min(due, spooled)

    def _one(self, stream: Stream) -> None:
        batch = self._queue.take(stream)
        if not batch:
            return
        place = f"{stream.group}/{stream.name}"
        sent = self._sender.send(stream.group, stream.name, batch)
        self._landed(stream, batch, sent)
        for why in sent.refused:
            self._telling.warn(f"{place} {why}", "log events for %s were refused: %s", place, why)
        if sent.error is None:
            self._arrives(stream, place)
        else:
            self._fails(stream, place, sent.error)

    def _arrives(self, stream: Stream, place: str) -> None:
        if stream.failures:
            stream.failures = 0
            stream.not_before = 0.0
            self.error = None
            self._telling.over(place, "log events for %s are delivered again", place)
            if self._recovery is not None:
                self._recovery.soon()

    def _fails(self, stream: Stream, place: str, error: Exception) -> None:
        now = self._clock.monotonic()
        self.error = error
        stream.failures += 1
        if stream.failures == 1:
            stream.failing_since = now
        stream.not_before = now + self._backoff.delay(stream.failures, error, self._chance)
        self._telling.warn(place, "log events for %s are not delivered yet: %s", place, reason(error))
        if self._recovery is not None:
            self._recovery.later(stream.not_before)
            if now - stream.failing_since >= self._patience:
                self._keep_waiting(stream)

    def _landed(self, stream: Stream, batch: list[Entry], sent: Sent) -> None:
        queue = self._queue
        arrived = not sent.left
        with queue.lock:
            ledger, doubt = queue.ledger, stream.doubt
            stream.doubt = None
            if doubt is None:
                ledger.delivered += sent.delivered
                ledger.refused.update(sent.refused)
                left = set(map(id, sent.left))
                queue.landed(stream, sent.left)
                queue.settle([entry for entry in batch if id(entry) not in left] if left else batch)
                return
            # Settled while it was under way: if it arrived, that is put right.
            queue.landed(stream, ())
            if arrived:
                ledger.delivered += sent.delivered
                ledger.refused.update(sent.refused)
                if isinstance(doubt, str):
                    ledger.dropped[doubt] -= len(batch)
                else:
                    ledger.spooled -= len(batch)
        if not isinstance(doubt, str):
            if arrived:
                doubt.done()
            else:
                doubt.release()

    def _recover(self) -> float | None:
        if self._recovery is None:
            return None
        try:
            return self._recovery.step(self._queue.ledger, self._queue.lock)
        except OSError as error:
            self._telling.warn("spool", "the spool can't be read: %s", error)
            return TELL_SECONDS

    # --- what can't wait any longer

    def keep(self, stream: Stream, entries: Sequence[Entry]) -> Exception | None:
        """Into the spool, all or none of them; the error if it didn't take them."""
        assert self._spool is not None
        kept = []
        try:
            for batch in batches(entries):
                # One by one: what was kept before an error is taken back.
                kept.append(self._spool.keep(stream.group, stream.name, batch))  # noqa: PERF401
        except (OSError, ShipError) as error:
            for found in kept:
                found.done()
            return error
        with self._queue.lock:
            self._queue.ledger.spooled += len(entries)
            self._queue.put_down(entries)
        for found in kept:
            found.release()
        return None

    def drop(self, entries: Sequence[Entry], why: str) -> None:
        """Count them as dropped, and tell."""
        with self._queue.lock:
            self._queue.ledger.dropped[why] += len(entries)
            self._queue.put_down(entries)
        self._telling.warn(why, "log events had to be dropped: %s", why)

    def _keep_waiting(self, stream: Stream) -> None:
        """A stream's waiting events into the spool; they stay where they are if it doesn't take them."""
        while (found := self._queue.oldest(BATCH_BYTES, stream)) is not None:
            error = self.keep(stream, found[1])
            if error is not None:
                self._queue.back(stream, found[1])
                self._telling.warn("spool", "the spool does not take log events: %s", reason(error))
                return

    def keep_all(self) -> None:
        """Everything into the spool, what is being sent as well: whether that arrives, nobody can say in time."""
        if self._spool is None:
            return
        queue = self._queue
        with queue.lock:
            queue.paused += 1
            streams = list(queue.streams.values())
        try:
            for stream in streams:
                self._keep_flight(stream, self._spool)
            self._keep_all_waiting()
            with queue.changed:
                # Somebody else may be writing some of it down, or gives it back because he couldn't.
                queue.changed.wait_for(lambda: not queue.hands, _HANDS_SECONDS)
            self._keep_all_waiting()
        finally:
            with queue.lock:
                queue.paused -= 1

    def _keep_all_waiting(self) -> None:
        queue = self._queue
        with queue.lock:
            # What is put meanwhile is not waited for, or this might never end.
            left = sum(len(stream.waiting) for stream in queue.streams.values())
        while left > 0 and (found := queue.oldest(BATCH_BYTES)) is not None:
            stream, entries = found
            left -= len(entries)
            error = self.keep(stream, entries)
            if error is not None:
                queue.back(stream, entries)
                self.error = error
                return

    def _keep_flight(self, stream: Stream, spool: Spool) -> None:
        queue, flight = self._queue, stream.flight
        if not flight or stream.doubt is not None:
            return
        try:
            kept = spool.keep(stream.group, stream.name, flight)
        except (OSError, ShipError) as error:
            self.error = error
            return
        with queue.lock:
            if stream.flight is flight and stream.doubt is None:
                stream.doubt = kept
                queue.ledger.spooled += len(flight)
                queue.settle(flight)
                return
        # It landed while it was written down.
        kept.done()

    def give_up(self) -> None:
        """Whatever is left is dropped, counted."""
        queue = self._queue
        with queue.lock:
            for stream in list(queue.streams.values()):
                if stream.flight and stream.doubt is None:
                    stream.doubt = NO_TIME
                    queue.ledger.dropped[NO_TIME] += len(stream.flight)
                    queue.settle(stream.flight)
            while (found := queue.oldest(BATCH_BYTES)) is not None:
                queue.ledger.dropped[NO_TIME] += len(found[1])
                queue.put_down(found[1])
