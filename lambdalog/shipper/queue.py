"""Events that wait, by stream, in bounded memory; which of them are settled, and which a flush still waits for.

One re-entrant lock: a signal's handler may log while its thread is in here. What it may break in upon is written so
that each step is whole: no counter is read and written with a call in between.
"""

from __future__ import annotations

import threading
from collections import deque
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from lambdalog.shipper.batch import BATCH_BYTES, BATCH_EVENTS, BATCH_MS, Entry, batches
from lambdalog.shipper.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lambdalog.shipper.spool import Kept

# Beyond its text an event costs its tuple and its place: small ones would else fill memory that isn't counted.
MEMORY_OVERHEAD: Final = 200

_PAUSE: Final = 0.02
_entry: Final = tuple.__new__
_by_time: Final = itemgetter(0)


class Mark:
    """The events that came before a flush, after the one before: how many of them are not settled."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = 0


class Stream:
    """One stream's events: `waiting`, and in `flight` while they are being sent."""

    __slots__ = (
        "bytes",
        "doubt",
        "failing_since",
        "failures",
        "flight",
        "group",
        "name",
        "not_before",
        "since",
        "waiting",
    )

    def __init__(self, group: str, name: str) -> None:
        self.group = group
        self.name = name
        self.waiting: deque[Entry] = deque()
        self.flight: list[Entry] = []
        # Of what waits, as PutLogEvents counts.
        self.bytes = 0
        # When the first of what waits came; when it may be tried again (monotonic seconds).
        self.since = 0.0
        self.not_before = 0.0
        self.failures = 0
        self.failing_since = 0.0
        # What is in flight is settled already, because nobody could wait for it: kept in the spool, or the reason under
        # which it is counted as dropped. If it arrives after all, that is put right.
        self.doubt: Kept | str | None = None


class Queue:
    """All streams' events. `limit` bounds what they take in memory, in bytes; the others what is sent at once."""

    def __init__(
        self,
        limit: int,
        monotonic: Callable[[], float],
        batch_bytes: int = BATCH_BYTES,
        batch_events: int = BATCH_EVENTS,
    ) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.streams: dict[tuple[str, str], Stream] = {}
        self.ledger = Ledger()
        self.limit = limit
        self._monotonic = monotonic
        self.batch_bytes = min(batch_bytes, BATCH_BYTES)
        self.batch_events = min(batch_events, BATCH_EVENTS)
        self.memory = 0
        # While what is left goes to the spool nothing more is taken up, else it would never end.
        self.paused = 0
        # How often `oldest` gave something that isn't settled, or back, yet.
        self.hands = 0
        self._mark = Mark()
        self._marks: list[Mark] = []

    # --- in

    def put(self, group: str, name: str, timestamp: int, message: str, length: int) -> bool:
        """Take an event in, over the limit too; `length` is its `size`.

        Whether the sender has to look now: at something new, or at a batch that is full.
        """
        key = (group, name)
        with self.lock:
            mark = self._mark
            stream = self.streams.get(key)
            if stream is None:
                stream = self.streams.setdefault(key, Stream(group, name))
            # What NamedTuple's own constructor does, at half the cost.
            stream.waiting.append(_entry(Entry, (timestamp, message, mark, length)))
            before = stream.bytes
            after = before + length
            stream.bytes += length
            self.memory += length + MEMORY_OVERHEAD
            self.ledger.accepted += 1
            mark.left += 1
            if not before:
                stream.since = self._monotonic()
                return True
            return before < self.batch_bytes <= after or len(stream.waiting) == self.batch_events

    @property
    def full(self) -> bool:
        """Whether more waits than memory is meant for."""
        return self.memory > self.limit

    # --- out

    def ready(self, now: float, interval: float, *, urged: bool) -> tuple[list[Stream], float | None]:
        """The streams whose turn it is, and in how many seconds the next one's will be; None: nothing waits."""
        found: list[Stream] = []
        due: float | None = None
        with self.lock:
            if self.paused:
                return [], _PAUSE
            for stream in self.streams.values():
                if not stream.waiting:
                    continue
                full = stream.bytes >= self.batch_bytes or len(stream.waiting) >= self.batch_events
                at = 0.0 if full or urged else stream.since + interval
                left = max(at, stream.not_before) - now
                if left <= 0:
                    found.append(stream)
                elif due is None or left < due:
                    due = left
        return found, due

    def take(self, stream: Stream) -> list[Entry]:
        """One batch of what waits; it is in flight until `landed`. Empty if nothing waits any more."""
        taken: list[Entry] = []
        total = 0
        with self.lock:
            waiting = stream.waiting
            while waiting and not self.paused and len(taken) < self.batch_events:
                entry = waiting.popleft()
                length = entry[3]
                if taken and total + length > self.batch_bytes:
                    waiting.appendleft(entry)
                    break
                taken.append(entry)
                total += length
            stream.bytes -= total
            if taken:
                taken.sort(key=_by_time)
                stream.flight = taken
            if taken and taken[-1][0] - taken[0][0] > BATCH_MS:
                # What lies more than 24 hours apart goes by itself.
                stream.flight, *others = batches(taken)
                for batch in reversed(others):
                    self._again(stream, batch)
            return stream.flight

    def landed(self, stream: Stream, left: Sequence[Entry]) -> None:
        """What was in flight isn't any more; `left` waits again, before all that came meanwhile."""
        with self.lock:
            stream.flight = []
            self._again(stream, left)

    def _again(self, stream: Stream, entries: Sequence[Entry]) -> None:
        length = sum(entry.length for entry in entries)
        stream.waiting.extendleft(reversed(entries))
        stream.bytes += length

    def oldest(self, most_bytes: int, of: Stream | None = None) -> tuple[Stream, list[Entry]] | None:
        """Events that take up to `most_bytes` of memory, at least one: of a stream, or of the one whose first is oldest.

        They are out of the queue, in the caller's hands, until `back` or `put_down`. None: nothing waits.
        """
        with self.lock:
            found = (stream for stream in self.streams.values() if stream.waiting) if of is None else [of]
            stream = min(found, key=_first, default=None)
            if stream is None or not stream.waiting:
                return None
            taken: list[Entry] = []
            total = cost = 0
            while stream.waiting:
                length = stream.waiting[0].length
                cost += length + MEMORY_OVERHEAD
                if taken and cost > most_bytes:
                    break
                taken.append(stream.waiting.popleft())
                total += length
            stream.bytes -= total
            self.hands += 1
            return stream, taken

    def back(self, stream: Stream, entries: Sequence[Entry]) -> None:
        """What `oldest` gave waits again."""
        with self.lock:
            self.hands -= 1
            self.changed.notify_all()
            self.streams.setdefault((stream.group, stream.name), stream)
            self._again(stream, entries)

    def put_down(self, entries: Iterable[Entry]) -> None:
        """What `oldest` gave is settled. Called with the lock held, as `settle` is."""
        self.hands -= 1
        self.settle(entries)

    def settle(self, entries: Iterable[Entry]) -> None:
        """These are no longer waited for: the ledger has what became of them. Called with the lock held."""
        freed = 0
        for _, _, mark, length in entries:
            freed += length + MEMORY_OVERHEAD
            mark.left -= 1
        self.memory -= freed
        self.changed.notify_all()

    def forget_idle(self) -> None:
        """Streams without an event cost nothing: names may come without end."""
        with self.lock:
            for key, stream in list(self.streams.items()):
                if not stream.waiting and not stream.flight and not stream.failures:
                    del self.streams[key]

    # --- what a flush waits for

    def mark(self) -> list[Mark]:
        """What is to be waited for until all that was accepted up to now is settled."""
        with self.lock:
            self._marks = [mark for mark in self._marks if mark.left]
            self._marks.append(self._mark)
            self._mark = Mark()
            return list(self._marks)


def _first(stream: Stream) -> int:
    return stream.waiting[0].timestamp if stream.waiting else 0
