"""What an environment listens to: requests over its connections, what its processes write, and word of their ends."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lambdalog import waiting
from lambdalog.readiness import readiness
from lambdalog.runtime.http import Connection, Malformed, Piece, Request
from lambdalog.runtime.output import Frames, Lines, drain
from lambdalog.runtime.process import RUNTIME

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.clock import Clock
    from lambdalog.runtime.journal import Journal
    from lambdalog.runtime.process import Processes

WATCH_SECONDS: Final = 0.005


class Channels:
    """One environment's. `gone` hears of each connection that has ended; `turns` counts the waits."""

    def __init__(self, journal: Journal, clock: Clock, gone: Callable[[Connection], None]) -> None:
        self.turns = 0
        self._journal = journal
        self._clock = clock
        self._gone = gone
        self._own = _listen()
        self._listener = self._own
        self._processes: Processes | None = None
        self._connections: dict[int, Connection] = {}
        self._sources: dict[int, tuple[Lines | Frames, str]] = {}
        self._poll = readiness()
        self._poll.watch(self._listener.fileno())

    @property
    def address(self) -> str:
        """Where the environment's own API listens: `host:port`."""
        host, port = self._own.getsockname()[:2]
        return f"{host}:{port}"

    def attach(self, processes: Processes) -> None:
        """Listen to processes that have been started."""
        self._processes = processes
        if processes.listener is not None:
            # The environment has a network of its own, and its Runtime API listens in there.
            self._listen_at(processes.listener)
            self._listener.setblocking(False)
        self._poll.watch(processes.fileno())
        # What the runtime client says of an error comes last, as it was written last.
        for name, (out, err) in processes.outputs.items():
            self._sources[out] = (Lines(out), name)
            self._sources[err] = (Lines(err), name)
        self._sources[processes.telemetry] = (Frames(processes.telemetry), RUNTIME)
        for fd in self._sources:
            self._poll.watch(fd)

    def detach(self) -> None:
        """Listen no more to the processes; whoever closes them does so after this."""
        for fd in self._sources:
            self._poll.leave(fd)
        self._sources = {}
        if self._processes is not None:
            with suppress(KeyError):
                self._poll.leave(self._processes.fileno())
            self._processes = None
        if self._listener is not self._own:
            inside = self._listener
            self._listen_at(self._own)
            inside.close()

    def close(self) -> None:
        """Listen to nobody any more."""
        self._own.close()
        self._poll.close()

    def turn(self, seconds: float = WATCH_SECONDS) -> list[tuple[Request | Piece, Connection]]:
        """Wait a moment, take what the processes wrote, and give their requests."""
        requests: list[tuple[Request | Piece, Connection]] = []
        self.turns += 1
        if seconds and waiting.readable(self._poll.fileno(), seconds):
            seconds = 0  # whoever runs this thread has waited for it
        for fd, _ in self._poll.ready(seconds):
            if (connection := self._connections.get(fd)) is not None:
                try:
                    requests += [(item, connection) for item in connection.receive()]
                except Malformed:
                    connection.closed = True
                if connection.closed:
                    self.hang_up(connection)
            elif (source := self._sources.get(fd)) is not None:
                self._take(*source)
            elif fd == self._listener.fileno():
                with suppress(BlockingIOError, ConnectionError):
                    connection = Connection(self._listener.accept()[0])
                    self._connections[connection.fileno()] = connection
                    self._poll.watch(connection.fileno())
            elif self._processes is not None and fd == self._processes.fileno():
                self._processes.listen()
                if self._processes.gone:
                    self._poll.leave(fd)
        return requests

    def drain(self) -> None:
        """Take all that the processes have written by now, and what they left without an end."""
        # One question for all of them: most often nothing is there, and three reads that say so take longer.
        for fd, _ in self._poll.ready(0):
            if (found := self._sources.get(fd)) is not None:
                self._take(*found)
        for source, name in self._sources.values():
            if source.rest and (events := source.finish(self._clock.now_ms())):
                self._journal.written(events, _kind(name))

    def hang_up(self, connection: Connection) -> None:
        """End a connection."""
        self._gone(connection)
        self._poll.leave(connection.fileno())
        del self._connections[connection.fileno()]
        connection.close()

    def hang_up_all(self) -> None:
        """End every connection, also those that have not been taken yet.

        A runtime that was killed right after it asked for an event would be given the one that is meant for the next.
        """
        for connection in list(self._connections.values()):
            self.hang_up(connection)
        while self._listener.fileno() >= 0:  # an environment may be closed twice
            try:
                self._listener.accept()[0].close()
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # it hung up by itself

    def _take(self, source: Lines | Frames, name: str) -> None:
        events, closed = drain(source, self._clock.now_ms())
        if closed:
            self._poll.leave(source.fd)
            del self._sources[source.fd]
            events += source.finish(self._clock.now_ms())
        if events:
            self._journal.written(events, _kind(name))

    def _listen_at(self, listener: socket.socket) -> None:
        self._poll.leave(self._listener.fileno())
        self._listener = listener
        self._poll.watch(self._listener.fileno())


def _kind(name: str) -> str:
    return "function" if name == RUNTIME else "extension"


def _listen() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0), backlog=16)
    listener.setblocking(False)
    return listener
