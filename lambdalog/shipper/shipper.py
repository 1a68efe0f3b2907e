"""Gathers events of one stream and sends them when told to."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from lambdalog.clock import SYSTEM
from lambdalog.errors import ShipError
from lambdalog.shipper.batch import Entry, batches, parts
from lambdalog.shipper.ledger import Ledger

if TYPE_CHECKING:
    from lambdalog.clock import Clock

# What is kept for a destination that does not answer; beyond it the oldest are dropped, and counted.
PENDING_MAX: Final = 100_000


class Shipper:
    """Events of one group and stream, to a boto3-shaped CloudWatch Logs client; thread-safe.

    What can't be delivered stays and is sent by the next `flush`; `ledger` tells where everything is.
    """

    def __init__(self, client: Any, *, group: str, stream: str, clock: Clock = SYSTEM) -> None:
        self._client = client
        self._group = group
        self._stream = stream
        self._clock = clock
        self._lock = threading.Lock()
        self._pending: list[Entry] = []
        self._made = False
        self.ledger = Ledger()

    def put(self, message: str, timestamp: int | None = None) -> None:
        """Take an event in; never raises, never waits."""
        moment = self._clock.now_ms() if timestamp is None else timestamp
        with self._lock:
            for part in parts(message):
                self._pending.append(Entry(moment, part))
                self.ledger.accepted += 1
            excess = len(self._pending) - PENDING_MAX
            if excess > 0:
                del self._pending[:excess]
                self.ledger.dropped["too many events waiting"] += excess

    def flush(self) -> None:
        """Send what waits. ShipError if the destination did not take it; it is kept for the next call."""
        with self._lock:
            left = list(self._pending)
            try:
                for batch in batches(self._pending):
                    self._send(batch)
                    sent = set(map(id, batch))
                    left = [entry for entry in left if id(entry) not in sent]
            except Exception as error:
                raise ShipError(
                    f"{len(left)} log events could not be sent to {self._group}: {error}"
                ) from error
            finally:
                self._pending = left

    def _send(self, batch: list[Entry]) -> None:
        if not self._made:
            self._make()
        response = self._client.put_log_events(
            logGroupName=self._group,
            logStreamName=self._stream,
            logEvents=[{"timestamp": entry.timestamp, "message": entry.message} for entry in batch],
        )
        rejected = response.get("rejectedLogEventsInfo", {})
        too_new = len(batch) - rejected.get("tooNewLogEventStartIndex", len(batch))
        old_end, expired_end = (
            rejected.get("tooOldLogEventEndIndex", 0),
            rejected.get("expiredLogEventEndIndex", 0),
        )
        self.ledger.refused["too new"] += too_new
        self.ledger.refused["too old"] += old_end
        self.ledger.refused["expired"] += max(expired_end - old_end, 0)
        self.ledger.delivered += len(batch) - too_new - max(old_end, expired_end)

    def _make(self) -> None:
        exists = self._client.exceptions.ResourceAlreadyExistsException
        with suppress(exists):
            self._client.create_log_group(logGroupName=self._group)
        with suppress(exists):
            self._client.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
        self._made = True
