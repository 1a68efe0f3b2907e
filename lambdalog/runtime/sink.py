"""An environment's log stream: events are gathered and written in batches that PutLogEvents takes."""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lambdalog.clock import Clock
    from lambdalog.runtime.output import Written

logger = logging.getLogger(__name__)

BATCH_EVENTS: Final = 10_000
BATCH_BYTES: Final = 1_000_000
EVENT_BYTES: Final = 1_000_000
# Lines of a running function show after at most this long.
FLUSH_SECONDS: Final = 0.02
TAIL_BYTES: Final = 4096


def stream_name(now: float, version: str) -> str:
    """A new environment's stream: `2026/01/02/[$LATEST]<32 hex>` (UTC)."""
    return f"{datetime.fromtimestamp(now, UTC):%Y/%m/%d}/[{version}]{secrets.token_hex(16)}"


class LogSink:
    """Writes to one stream of a boto3-shaped CloudWatch Logs client; made on first writing.

    What the client refuses is counted in `lost` and logged: an invocation does not fail because its log does.
    """

    def __init__(self, logs: Any, group: str, stream: str, clock: Clock) -> None:
        self.group = group
        self.stream = stream
        self.lost = 0
        self.on_line: Callable[[str], None] | None = None
        self._logs = logs
        self._clock = clock
        self._made = False
        self._pending: list[dict[str, Any]] = []
        self._flushed = 0.0
        self._tail: list[str] = []
        self._newest = 0

    def begin(self) -> None:
        """An invocation begins: the tail is its own."""
        self._tail = []

    def add(self, written: Iterable[Written]) -> None:
        """Take events in."""
        for timestamp, text in written:
            # PutLogEvents wants order; a frame's own time may lie a moment before a line that was read first.
            self._newest = max(self._newest, timestamp)
            for part in _split(text):
                self._pending.append({"timestamp": self._newest, "message": part})
            self._tail.append(text)
            if self.on_line is not None:
                self.on_line(text)

    def flush_due(self) -> None:
        """Write if there is something that has waited long enough."""
        if self._pending and self._clock.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write everything."""
        self._flushed = self._clock.monotonic()
        while self._pending:
            batch: list[dict[str, Any]] = []
            size = 0
            for event in self._pending[:BATCH_EVENTS]:
                size += len(event["message"].encode("utf-8", "surrogatepass")) + 26
                if batch and size > BATCH_BYTES:
                    break
                batch.append(event)
            del self._pending[: len(batch)]
            self._write(batch)

    def tail(self) -> bytes:
        """The last 4 KB of the invocation's log."""
        raw = "".join(text if text.endswith("\n") else f"{text}\n" for text in self._tail)
        return raw.encode("utf-8", "replace")[-TAIL_BYTES:]

    def _write(self, batch: list[dict[str, Any]]) -> None:
        try:
            if not self._made:
                self._make()
            self._logs.put_log_events(logGroupName=self.group, logStreamName=self.stream, logEvents=batch)
        except Exception:
            self.lost += len(batch)
            logger.exception("%d log events could not be written to %s", len(batch), self.group)

    def _make(self) -> None:
        exists = self._logs.exceptions.ResourceAlreadyExistsException
        with suppress(exists):
            self._logs.create_log_group(logGroupName=self.group)
        with suppress(exists):
            self._logs.create_log_stream(logGroupName=self.group, logStreamName=self.stream)
        self._made = True


def _split(text: str) -> list[str]:
    """A text in pieces that are events: at most 1 MB each, never empty."""
    if len(text) * 4 <= EVENT_BYTES:
        return [text or " "]
    raw = text.encode("utf-8", "surrogatepass")
    return [
        raw[start : start + EVENT_BYTES].decode("utf-8", "replace")
        for start in range(0, len(raw), EVENT_BYTES)
    ]
