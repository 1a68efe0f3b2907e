"""An environment's log stream: events are gathered and written in batches that PutLogEvents takes."""

from __future__ import annotations

import logging
import secrets
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from lambdalog.shipper.batch import BATCH_BYTES, BATCH_EVENTS, BATCH_MS, OVERHEAD, Entry, batches, parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lambdalog.clock import Clock
    from lambdalog.runtime.output import Written

logger = logging.getLogger(__name__)

# Lines of a running function show after at most this long.
FLUSH_SECONDS: Final = 0.02
# A function that floods its log is written out in between.
PENDING_MAX: Final = 20_000
# As many as a character may have in UTF-8.
_BYTES_EACH: Final = 4
TAIL_BYTES: Final = 4096


def stream_name(now: float, version: str, *, named: str = "") -> str:
    """A new environment's stream: `2026/01/02/[$LATEST]<32 hex>` (UTC).

    `named`: with the function's name before its version, as Lambda has it in a group that isn't the function's own
    ("Configuring CloudWatch log groups" in the Lambda developer guide).
    """
    return f"{datetime.fromtimestamp(now, UTC):%Y/%m/%d}/{named}[{version}]{secrets.token_hex(16)}"


class LogSink:
    """Writes to one stream of a boto3-shaped CloudWatch Logs client; made on first writing. One on disk has a shorter way.

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
        # Times and texts of the events that are to be written, as columns: that is how a store on disk takes them; and how
        # many characters they are.
        self._times: list[int] = []
        self._texts: list[str] = []
        self._size = 0
        self._flushed = 0.0
        self._tail: deque[str] = deque()
        self._tail_size = 0
        self._newest = 0

    def begin(self) -> None:
        """An invocation begins: the tail is its own."""
        self._tail.clear()
        self._tail_size = 0

    def add(self, written: Iterable[Written]) -> None:
        """Take events in."""
        for timestamp, text, _ in written:
            # PutLogEvents wants order; a frame's own time may lie a moment before a line that was read first.
            self._newest = max(self._newest, timestamp)
            cut = parts(text) if len(text) >= 200_000 else (text or " ",)
            self._texts += cut
            self._times += [self._newest] * len(cut)
            self._size += sum(map(len, cut))
            self._tail.append(text)
            self._tail_size += len(text)
            while self._tail_size - len(self._tail[0]) > TAIL_BYTES:
                self._tail_size -= len(self._tail.popleft())
            if self.on_line is not None:
                self.on_line(text)
        if len(self._times) > PENDING_MAX:
            self.flush()

    def flush_due(self) -> None:
        """Write if there is something that has waited long enough."""
        if self._times and self._clock.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write everything."""
        self._flushed = self._clock.monotonic()
        times, texts, size = self._times, self._texts, self._size
        if not times:
            return
        self._times, self._texts, self._size = [], [], 0
        if (
            len(times) <= BATCH_EVENTS
            and times[-1] - times[0] <= BATCH_MS
            and size * _BYTES_EACH + len(times) * OVERHEAD <= BATCH_BYTES
        ):
            self._write(times, texts)  # most often, and nothing need be counted
            return
        for batch in batches(map(Entry, times, texts)):
            self._write([entry.timestamp for entry in batch], [entry.message for entry in batch])

    def end(self) -> None:
        """An invocation is over: write everything; a client on disk may sync it."""
        self.flush()
        settle = getattr(self._logs, "end_invocation", None)
        if settle is None:
            return
        try:
            settle(self.group, self.stream)
        except Exception:
            logger.exception("the log of an invocation could not be synced in %s", self.group)

    def tail(self) -> bytes:
        """The last 4 KB of the invocation's log."""
        raw = "".join([text if text.endswith("\n") else f"{text}\n" for text in self._tail])
        return raw.encode("utf-8", "replace")[-TAIL_BYTES:]

    def _write(self, times: list[int], texts: list[str]) -> None:
        try:
            if not self._made:
                self._make()
            response = self._put(times, texts)
        except Exception:
            self.lost += len(times)
            logger.exception("%d log events could not be written to %s", len(times), self.group)
            return
        if rejected := response.get("rejectedLogEventsInfo"):
            # Times far from the service's own, which only a clock that is set wrong explains.
            self.lost += len(times)
            logger.error("log events were refused by %s: %s", self.group, rejected)

    def _put(self, times: list[int], texts: list[str]) -> dict[str, Any]:
        append = getattr(self._logs, "append_lines", None)
        try:
            if append is None:
                return self._put_events(times, texts)
            append(self.group, self.stream, times, texts)
        except (KeyError, self._logs.exceptions.ResourceNotFoundException):
            # Deleted while the environment lives: as in Lambda, the next line makes it anew.
            self._make()
            return self._put_events(times, texts)
        return {}

    def _put_events(self, times: list[int], texts: list[str]) -> dict[str, Any]:
        events = [{"timestamp": time, "message": text} for time, text in zip(times, texts, strict=True)]
        response: dict[str, Any] = self._logs.put_log_events(
            logGroupName=self.group, logStreamName=self.stream, logEvents=events
        )
        return response

    def _make(self) -> None:
        exists = self._logs.exceptions.ResourceAlreadyExistsException
        with suppress(exists):
            self._logs.create_log_group(logGroupName=self.group)
        with suppress(exists):
            self._logs.create_log_stream(logGroupName=self.group, logStreamName=self.stream)
        self._made = True
