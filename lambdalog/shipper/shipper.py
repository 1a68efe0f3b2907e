"""Takes events in, and sees to it that each of them ends somewhere: delivered, spooled, refused or dropped, counted.

One thread however many streams. It starts with the first event and sends what has waited for `interval` seconds, or
makes a full batch. Everything it does is `turn`, which a caller may do himself where no thread can be.
"""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from random import random
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from lambdalog.clock import SYSTEM
from lambdalog.errors import ShipError
from lambdalog.forked import after_fork
from lambdalog.shipper.batch import (
    BATCH_BYTES,
    BATCH_EVENTS,
    OVERHEAD,
    PART_BYTES,
    TIMESTAMP_MAX,
    parts,
    size,
)
from lambdalog.shipper.fleet import FLEET
from lambdalog.shipper.ledger import NO_ROOM, NO_SPOOL, TOO_NEW
from lambdalog.shipper.pump import Pump
from lambdalog.shipper.queue import Queue
from lambdalog.shipper.retry import Backoff, reason
from lambdalog.shipper.spool import Spool
from lambdalog.shipper.telling import Telling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lambdalog.clock import Clock
    from lambdalog.shipper.ledger import Ledger
    from lambdalog.shipper.queue import Mark

Policy = Literal["block", "spool", "drop_oldest"]
MEMORY_BYTES: Final = 64 * 1024 * 1024
# Less than this holds no two batches.
MEMORY_MIN: Final = 4 * BATCH_BYTES
_AFTER_A_BUG: Final = 20.0
# PutLogEvents takes no event before 1970.
BEFORE_1970: Final = "before 1970"


class Shipper:
    """Events to a boto3-shaped CloudWatch Logs client. Close it, or use it in a `with`; else the exit does.

    `client` is a client, or a function that makes one: then a forked child makes its own. `group` and `stream` are
    what `put` takes where it isn't told others; both are made if they are missing, the group with `retention_days`
    and `tags`.

    `memory` bounds what waits, in bytes; beyond it `policy` counts: "block" lets `put` wait for room, "spool" writes
    the oldest to the spool, "drop_oldest" drops them, counted. `spool` is a folder (or a Spool): what can't be
    delivered for `patience` seconds, at exit, or when a flush's time is up, is kept there, and sent by whichever
    shipper comes next. With a spool the policy is "spool" unless it is given, else "drop_oldest".

    Errors of the destination never come out of `put`. Each is tried again, after a time that grows to 20 seconds.
    """

    def __init__(
        self,
        client: Any,
        *,
        group: str | None = None,
        stream: str | None = None,
        spool: Spool | Path | str | None = None,
        policy: Policy | None = None,
        memory: int = MEMORY_BYTES,
        interval: float = 1.0,
        patience: float = 30.0,
        exit_seconds: float = 5.0,
        create_group: bool = True,
        create_stream: bool = True,
        retention_days: int | None = None,
        tags: Mapping[str, str] | None = None,
        batch_bytes: int = BATCH_BYTES,
        batch_events: int = BATCH_EVENTS,
        part_bytes: int = PART_BYTES,
        backoff: Backoff | None = None,
        clock: Clock = SYSTEM,
        threaded: bool = True,
        chance: Callable[[], float] = random,
    ) -> None:
        if policy not in {None, "block", "spool", "drop_oldest"}:
            raise ValueError(f"policy is block, spool or drop_oldest, not {policy!r}")
        if policy == "spool" and spool is None:
            raise ValueError('policy "spool" needs a spool: the folder to keep events in')
        for name, given in (("batch_bytes", batch_bytes), ("batch_events", batch_events)):
            if given < 1:
                raise ValueError(f"{name} is a number from 1, not {given!r}")
        self.exit_seconds = exit_seconds
        self._make = client if callable(client) else None
        self._client: Any = client() if callable(client) else client
        self._group, self._stream = group, stream
        self._spool = spool if isinstance(spool, Spool) or spool is None else Spool(spool, clock=clock)
        self._policy: Policy = policy or ("drop_oldest" if spool is None else "spool")
        self._memory = max(memory, MEMORY_MIN)
        self._telling = Telling(clock)
        self._pumping: dict[str, Any] = {
            "creating": {
                "create_group": create_group,
                "create_stream": create_stream,
                "retention_days": retention_days,
                "tags": tags,
            },
            "spool": self._spool,
            "interval": interval,
            "patience": patience,
            "backoff": backoff or Backoff(),
            "clock": clock,
            "chance": chance,
            "telling": self._telling,
        }
        self._batch = (batch_bytes, batch_events)
        # PutLogEvents takes no event over 1 MB; a mark and a character have to go into a part.
        self._part_bytes = min(max(part_bytes, 256), PART_BYTES)
        self._clock = clock
        self._threaded = threaded
        self._begin()
        after_fork(self._forked)
        FLEET.join(self)

    def _begin(self) -> None:
        """What belongs to one process."""
        self._queue = Queue(self._memory, self._clock.monotonic, *self._batch)
        self._pump = self._new_pump()
        # Its put() may be broken in upon by a signal's handler that puts as well; an Event's set() may not.
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._ends = False

    def _new_pump(self) -> Pump:
        return Pump(self._queue, self._client, **self._pumping)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def ledger(self) -> Ledger:
        """Where every event is, at this moment."""
        with self._queue.lock:
            return self._queue.ledger.copy()

    @property
    def trouble(self) -> str | None:
        """Why events are not delivered at present; None where the last attempt was taken, or none was made."""
        error = self._pump.trouble
        return None if error is None else reason(error)

    # --- in

    def put(
        self,
        message: str,
        timestamp: int | None = None,
        *,
        group: str | None = None,
        stream: str | None = None,
    ) -> None:
        """Take an event in: its text, and its time in epoch ms, by default now. From any thread, or a signal's handler.

        Returns at once, but where memory is full: see `policy`. ValueError if no group or stream is known, TypeError for
        what is no text.
        """
        if not isinstance(message, str):
            # No destination would ever take it, and what is behind it would wait for ever.
            raise TypeError(f"an event is a text, not {type(message).__name__}")
        group, stream = group or self._group, stream or self._stream
        if not group or not stream:
            raise ValueError(
                "an event needs a log group and a log stream: none was given, here or to the Shipper"
            )
        moment = self._clock.now_ms() if timestamp is None else int(timestamp)
        queue = self._queue
        if not 0 <= moment <= TIMESTAMP_MAX:
            with queue.lock:
                queue.ledger.accepted += 1
                queue.ledger.refused[BEFORE_1970 if moment < 0 else TOO_NEW] += 1
            return
        length = len(message) + OVERHEAD
        if message and length <= self._part_bytes and message.isascii():
            wake = queue.put(group, stream, moment, message, length)
        else:
            wake = False
            for part in parts(message, self._part_bytes):
                wake = queue.put(group, stream, moment, part, size(part)) or wake
        if wake:
            self._wake()
        if queue.memory > queue.limit:
            self._make_room()

    def _make_room(self) -> None:
        if self._policy == "block" and not FLEET.sends_here() and self._start():
            self.urge()
            with self._queue.changed:
                self._queue.changed.wait_for(lambda: not self._queue.full or self._ends)
            return
        self._shed(spool=self._spool is not None and self._policy != "drop_oldest")

    def _shed(self, *, spool: bool) -> None:
        """Until memory holds what waits: the oldest go to the spool, or are dropped, counted."""
        queue = self._queue
        while queue.full:
            # The spool takes whole batches, dropping takes no more than it must.
            found = queue.oldest(BATCH_BYTES if spool else max(queue.memory - queue.limit, 1))
            if found is None:
                return
            stream, entries = found
            if not spool:
                self._pump.drop(entries, NO_ROOM)
            elif (error := self._pump.keep(stream, entries)) is not None:
                self._pump.drop(entries, f"{NO_SPOOL}: {reason(error)}")

    # --- out

    def flush(self, timeout: float = 10.0) -> None:
        """Return when everything that was accepted before is delivered, refused or dropped, or lies in the spool.

        With the time up, what is left goes to the spool. ShipError if there is none, or it doesn't take it: then it
        waits on. Where a destination is throttling, one attempt is made at once, whatever it asked for.
        """
        if FLEET.sends_here():
            return
        queue = self._queue
        marks = queue.mark()
        if _settled(marks):
            return
        threaded = self._start()
        pump = self._pump
        with queue.lock:
            pump.urgent += 1
            for stream in queue.streams.values():
                stream.not_before = 0.0
        try:
            if threaded:
                self._bell.put(None)
                with queue.changed:
                    queue.changed.wait_for(lambda: _settled(marks), timeout)
            else:
                self._flush_here(marks, timeout)
        finally:
            with queue.lock:
                pump.urgent -= 1
        if not _settled(marks):
            self._pump.keep_all()
        if not _settled(marks):
            left = sum(mark.left for mark in marks)
            raise ShipError(f"{left} log events could not be sent{self._whereto()}: {self._why()}")

    def urge(self) -> None:
        """Send what waits as soon as can be, without waiting for it."""
        with self._queue.lock:
            for stream in self._queue.streams.values():
                stream.since = float("-inf")
        self._bell.put(None)

    def close(self, timeout: float | None = None) -> None:
        """Flush, and end the thread. What can be neither delivered nor spooled in time is dropped, counted and told.

        By default `exit_seconds` are its time. A `put` after it begins anew.
        """
        try:
            self.flush(self.exit_seconds if timeout is None else timeout)
        except ShipError as error:
            self._pump.give_up()
            self._telling.error("%s; they are lost", error)
        thread = self._thread
        self._ends = True
        self._bell.put(None)
        with self._queue.changed:
            self._queue.changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            # It may be stuck in a call to the destination; what it had is kept or counted by now.
            thread.join(0.2)

    def turn(self) -> float | None:
        """Send what is due, a batch of each stream; in how many seconds there is more to do, None: nothing waits."""
        return self._pump.turn()

    # --- the thread

    def _start(self) -> bool:
        """See to it that the thread runs; False where none can: the exit has begun, or none is wanted."""
        if not self._threaded:
            return False
        thread = self._thread
        if thread is not None and thread.is_alive() and not self._ends:
            return True
        with self._queue.lock:
            if self._thread is not None and self._thread.is_alive() and not self._ends:
                return True
            self._renew_client()
            self._ends = False
            self._bell = SimpleQueue()
            thread = threading.Thread(
                target=self._run, args=(self._queue, self._bell), name="lambdalog-shipper", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:
                # The interpreter is on its way out.
                return False
            self._thread = thread
            FLEET.at_exit_of_a_child()
        return True

    def _wake(self) -> None:
        if self._start():
            self._bell.put(None)
        elif self._threaded:
            # Nobody comes after this: at exit each event is sent where it is put.
            try:
                self.flush(self.exit_seconds)
            except ShipError as error:
                self._pump.give_up()
                self._telling.error("%s; they are lost", error)

    def _run(self, queue: Queue, bell: SimpleQueue[None]) -> None:
        due: float | None = 0.0
        while queue is self._queue and bell is self._bell:
            try:
                bell.get(timeout=due)
                while True:
                    bell.get_nowait()
            except Empty:
                pass
            if self._ends:
                return
            try:
                due = self.turn()
            except Exception as error:  # noqa: BLE001 - see below
                # A bug of ours: events stay where they are, and the thread stays too.
                self._telling.error("the shipper failed, and goes on: %s", reason(error))
                due = _AFTER_A_BUG

    def _flush_here(self, marks: list[Mark], timeout: float) -> None:
        """Flush without a thread."""
        end = self._clock.monotonic() + timeout
        while not _settled(marks):
            due = self.turn()
            now = self._clock.monotonic()
            if _settled(marks) or now >= end:
                return
            self._clock.sleep(min(0.01 if due is None else due, end - now))

    def _forked(self) -> None:
        """In a child: the thread stayed behind, and what waits is the parent's to send."""
        self._client_is_inherited = True
        FLEET.forked()
        self._begin()

    _client_is_inherited = False

    def _renew_client(self) -> None:
        """A child's connections are shared with its parent: it opens its own."""
        if not self._client_is_inherited:
            return
        self._client_is_inherited = False
        if self._make is not None:
            self._client = self._make()
        else:
            self._client.close()
        self._pump = self._new_pump()

    def _whereto(self) -> str:
        with self._queue.lock:
            groups = sorted({stream.group for stream in self._queue.streams.values()})
        more = f" and {len(groups) - 3} more groups" if len(groups) > 3 else ""
        return f" to {', '.join(groups[:3])}{more}" if groups else ""

    def _why(self) -> str:
        return self.trouble or "no answer in time"


def _settled(marks: list[Mark]) -> bool:
    return all(mark.left <= 0 for mark in marks)
