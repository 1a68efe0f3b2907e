"""A room of the feed in a process of its own: however long it works something out, a key is answered at once.

Python runs one thread at a time, so a thread that groups a hundred thousand failures takes turns with the one that draws.
The other process is asked by pickles over a socket that only the two of them have; it works on each question in a thread,
and ends with the connection, however that ends: reading stops at once, a replay after what is being sent, a mark is set.
Who closes a room has its process gone, whatever that is at.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from importlib import import_module
from itertools import count
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lambdalog.child import Child
from lambdalog.cloud import connect
from tui.trouble import ExplainedError, explained

if TYPE_CHECKING:
    from collections.abc import Iterator

# How soon a stream that is waited for notices that it is to stop.
NOTICE_SECONDS: Final = 0.1
# How long the process may take to end, and to end what changes something: a run that is killed is taken up by `replay --resume`.
END_SECONDS: Final = 2.0
ACT_SECONDS: Final = 10.0
# A list comes in pieces of so many: whoever draws waits while one is unpickled.
PART: Final = 400
ENDED: Final = "the process that works this out ended; it is begun anew"


class Asked(NamedTuple):
    """A call of a room's method. `lasts`: it is brought to its end though nobody waits for it any longer.

    `streams`: it gives one answer after the other, and is given an event that stops it.
    """

    number: int
    name: str
    given: tuple[Any, ...] = ()
    named: dict[str, Any] | None = None
    lasts: bool = False
    streams: bool = False


class Answered(NamedTuple):
    """A `part` of a long list, a `step` of a stream, what was `given` back (a stream's end: None), or words on what `failed`.

    What is given after parts of it is the rest.
    """

    number: int
    kind: str
    value: Any


class Apart:
    """Asks the room in module `tui.feed.ROOM`, class `kind`, on the store `target`; its process begins with the first question."""

    def __init__(self, room: str, kind: str, target: str) -> None:
        self._command = ["-m", "tui.feed.apart", room, kind, target]
        self._lock = threading.Lock()
        self._numbers = count()
        self._line: _Line | None = None
        self._last: _Line | None = None

    def call(self, name: str, *given: Any, **named: Any) -> Any:
        """What the method gives back. ExplainedError for what it raises, and where the process ended."""
        return self._answer(Asked(next(self._numbers), name, given, named))

    def act(self, name: str, *given: Any) -> None:
        """Call a method that changes something."""
        self._answer(Asked(next(self._numbers), name, given, lasts=True))

    def stream(self, name: str, *given: Any, cancel: threading.Event) -> Iterator[Any]:
        """What the method yields, until it ends; setting `cancel` stops it."""
        asked = Asked(next(self._numbers), name, given, lasts=True, streams=True)
        line = self._begun()
        stopping = False
        try:
            box = line.ask(asked)
            while True:
                if cancel.is_set() and not stopping:
                    stopping = True
                    line.send(Asked(asked.number, ""))
                with suppress(Empty):
                    answer = box.get(timeout=NOTICE_SECONDS)
                    if answer.kind != "step":
                        _value(answer)
                        return
                    yield answer.value
        finally:
            line.forget(asked)

    def leave(self) -> None:
        """Tell whoever waits that there will be no answer, and let the process end."""
        with self._lock:
            line, self._line = self._line, None
        if line is not None:
            line.leave()

    def close(self) -> None:
        """Leave, and have the process ended: by itself, else by force."""
        with self._lock:
            last, self._last = self._last, None
        self.leave()
        if last is not None:
            last.end()

    def _answer(self, asked: Asked) -> Any:
        line = self._begun()
        try:
            box = line.ask(asked)
            parts: list[Any] = []
            while (answer := box.get()).kind == "part":
                parts += answer.value
            value = _value(answer)
            return parts + value if parts else value
        finally:
            line.forget(asked)

    def _begun(self) -> _Line:
        with self._lock:
            if self._line is None or self._line.ended:
                if self._last is not None:
                    self._last.end()
                self._line = self._last = _Line(self._command)
            return self._line


class _Line:
    """A process, the line to it, and who waits for its answers."""

    def __init__(self, command: list[str]) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, SimpleQueue[Answered]] = {}
        self._acting: set[int] = set()  # what changes something, and has not told that it is done
        self.ended = False
        child = Child(*command)
        self._connection, self.process = child.connection, child.process
        threading.Thread(target=self._listen, name="apart", daemon=True).start()

    def ask(self, asked: Asked) -> SimpleQueue[Answered]:
        """Where the answer will be put: in any case one, if only that there is none. ExplainedError where all has ended."""
        box = self._waiting[asked.number] = SimpleQueue[Answered]()
        if asked.lasts:
            self._acting.add(asked.number)
        self.send(asked)
        return box

    def forget(self, asked: Asked) -> None:
        """Nobody waits for it."""
        self._waiting.pop(asked.number, None)

    def send(self, asked: Asked | None) -> None:
        """Say something; None is goodbye."""
        with self._lock:
            if self.ended:
                raise ExplainedError(ENDED)
            try:
                self._connection.send(asked)
            except OSError:
                raise ExplainedError(ENDED) from None

    def leave(self) -> None:
        """Say goodbye, and wait for nothing."""
        with suppress(ExplainedError):
            self.send(None)
        self._end()

    def end(self) -> None:
        """After goodbye, or where it is gone: have it ended, and wait for that."""
        # One that was stopped would neither hear a goodbye nor end what it is at.
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(ACT_SECONDS if self._acting else END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _listen(self) -> None:
        try:
            with suppress(EOFError, OSError):
                while True:
                    answer: Answered = self._connection.recv()
                    if answer.kind in {"given", "failed"}:
                        self._acting.discard(answer.number)
                    if (box := self._waiting.get(answer.number)) is not None:
                        box.put(answer)
        finally:
            self._end()
            self._connection.close()

    def _end(self) -> None:
        with self._lock:
            self.ended = True
        for number, box in list(self._waiting.items()):
            box.put(Answered(number, "failed", ENDED))


def _value(answer: Answered) -> Any:
    if answer.kind == "failed":
        raise ExplainedError(answer.value)
    return answer.value


class _Server:
    """The other side: a room, and who asks it."""

    def __init__(self, room: Any, line: Connection) -> None:
        self._room, self._line = room, line
        self._lock = threading.Lock()
        self._cancels: dict[int, threading.Event] = {}
        self.acted = False

    def serve(self) -> None:
        """Answer until the other side says goodbye, or is gone; then stop what streams."""
        while True:
            try:
                asked: Asked | None = self._line.recv()
            except (EOFError, OSError):
                break
            if asked is None:
                break
            if asked.name:
                self.acted = self.acted or asked.lasts
                if asked.streams:
                    self._cancels[asked.number] = threading.Event()
                threading.Thread(target=self._work, args=(asked,), daemon=not asked.lasts).start()
            elif (cancel := self._cancels.get(asked.number)) is not None:
                cancel.set()
        for cancel in list(self._cancels.values()):
            cancel.set()

    def _work(self, asked: Asked) -> None:
        method = getattr(self._room, asked.name)
        try:
            if not asked.streams:
                value = method(*asked.given, **asked.named or {})
                while isinstance(value, list) and len(value) > PART:
                    self._say(Answered(asked.number, "part", value[:PART]))
                    value = value[PART:]
                self._say(Answered(asked.number, "given", value))
                return
            for step in method(*asked.given, self._cancels[asked.number]):
                self._say(Answered(asked.number, "step", step))
            self._say(Answered(asked.number, "given", None))
        except Exception as error:  # noqa: BLE001 - whatever the source says is shown by who asked
            self._say(Answered(asked.number, "failed", explained(error)))
        finally:
            self._cancels.pop(asked.number, None)

    def _say(self, answer: Answered) -> None:
        # Nobody may be there to hear it; what was begun is brought to its end all the same.
        with self._lock, suppress(OSError):
            self._line.send(answer)


def main(room: str, kind: str, target: str, descriptor: str) -> None:
    """Serve a room on an inherited socket."""
    with connect(target) as cloud, Connection(int(descriptor)) as line:
        served = getattr(import_module(f"tui.feed.{room}"), kind)(cloud)
        server = _Server(served, line)
        server.serve()
        if not server.acted:
            # What only read leaves nothing behind, wherever it is; nobody should wait for it to notice.
            os._exit(0)
        for thread in threading.enumerate():
            if thread is not threading.main_thread() and not thread.daemon:
                thread.join()
        served.close()


if __name__ == "__main__":
    # What it answers with are the module's classes, not those of the one that was started.
    import_module("tui.feed.apart").main(*sys.argv[1:])
