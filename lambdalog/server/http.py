"""HTTP/1.1 for programs that are trusted with nothing: everything bounded, nothing waited for long.

llhttp (by httptools) takes requests apart; what is here is who may connect, and for how long. One thread reads what comes and
answers it; what waits (long polls, live tails, invocations) holds no one else up, because another thread takes the lead then.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from lambdalog.server.connection import Connection
from lambdalog.server.followers import Followers
from lambdalog.server.limits import Budget, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.wire import Request, Response

logger = logging.getLogger(__name__)

# So many peers are taken at once before others are answered.
_ACCEPTED: Final = 16
# Out of descriptors: some are given back soon.
_SCARCE_SECONDS: Final = 0.1


class HttpServer:
    """Listens, and answers each request with `answer(request)`, which must not raise.

    `refuse(request without body, or None; status, text)` words the answer to what is not taken, and
    `body_max(method, path, headers)` is how many bytes a body may have. Made listening; `start` accepts.
    """

    def __init__(
        self,
        address: tuple[str, int],
        answer: Callable[[Request], Response],
        *,
        refuse: Callable[[Request | None, int, str], Response],
        body_max: Callable[[str, str, dict[str, str]], int],
        limits: Limits | None = None,
    ) -> None:
        self.answer = answer
        self.refuse = refuse
        self.body_max = body_max
        self.limits = limits or Limits()
        self.budget = Budget(self.limits.all_bodies)
        self.stopping = False
        self._lock = threading.Lock()
        # By descriptor; and those that nobody watches, because they sent something while a thread had them.
        self._connections: dict[int, Connection] = {}
        self._unwatched: set[Connection] = set()
        # When the first of them may be overdue, or the listener is to be watched again.
        self._soonest = 0.0
        self._scarce = False
        self._empty = threading.Event()
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind(address)
            self._listener.listen(256)
            self._listener.setblocking(False)
        except BaseException:
            self._listener.close()
            raise
        name: tuple[Any, ...] = self._listener.getsockname()
        self.host, self.port = str(name[0]), int(name[1])
        self._threads = Followers(self._left, self._tend)

    def start(self) -> None:
        """Begin to accept."""
        self._threads.watch(self._listener.fileno(), self._accept)
        self._threads.start()

    def stop(
        self, grace: float, hurry: threading.Event | None = None, nudge: Callable[[], object] = int
    ) -> bool:
        """Stop accepting, give running requests `grace` seconds, then hang up. Whether all were answered.

        `hurry`, once set, ends the grace; `nudge` is called again and again meanwhile, for whoever waits for nothing much.
        """
        self.stopping = True
        with suppress(KeyError, ValueError):  # it was never watched, or isn't just now
            self._threads.leave(self._listener.fileno())
        self._listener.close()
        with self._lock:
            connections = list(self._connections.values())
        for connection in connections:
            connection.take_no_more()
        until = time.monotonic() + grace
        while self.connections and (left := until - time.monotonic()) > 0:
            if hurry is not None and hurry.is_set():
                break
            nudge()
            self._empty.wait(min(left, 0.1))
        with self._lock:
            running = list(self._connections.values())
        for connection in running:
            connection.hang_up()
        self._threads.end()
        return not running

    @property
    def connections(self) -> int:
        """How many peers are connected."""
        with self._lock:
            return len(self._connections)

    # --- what connections say

    def note(self, until: float) -> None:
        """A connection may be overdue then."""
        with self._lock:
            sooner = until < self._soonest
            if sooner:
                self._soonest = until
        if sooner:
            self._threads.ring()

    def rest(self, connection: Connection) -> None:
        """A thread is done with a connection: what comes is read again."""
        with self._lock:
            connection.busy = False
            unwatched = connection in self._unwatched
            if unwatched:
                self._unwatched.discard(connection)
                self._watch(connection)

    def forget(self, connection: Connection) -> None:
        """A connection ends."""
        with self._lock:
            if self._connections.get(connection.descriptor) is not connection:
                return
            del self._connections[connection.descriptor]
            if connection in self._unwatched:
                self._unwatched.discard(connection)
            else:
                self._threads.leave(connection.descriptor)
            if self.stopping and not self._connections:
                self._empty.set()

    # --- what the leading thread does

    def _watch(self, connection: Connection) -> None:
        self._threads.watch(connection.descriptor, lambda: self._turn(connection))

    def _turn(self, connection: Connection) -> None:
        with self._lock:
            if self._connections.get(connection.descriptor) is not connection:
                return  # it has ended since it was found, and its descriptor may be another's
            if connection.busy:
                if connection not in self._unwatched:
                    # It would be told of again and again until that thread is done.
                    self._threads.leave(connection.descriptor)
                    self._unwatched.add(connection)
                return
            # Whoever reads may lose the lead meanwhile: the next leader is told of what is still to be read.
            connection.busy = True
        connection.turn()

    def _left(self) -> float:
        return self._soonest - time.monotonic()

    def _tend(self) -> None:
        """End what is overdue."""
        now = time.monotonic()
        if self._scarce:
            self._scarce = False
            with suppress(ValueError):  # it was closed meanwhile
                self._threads.watch(self._listener.fileno(), self._accept)
        with self._lock:
            connections = list(self._connections.values())
            times = [connection.until for connection in connections if connection.until > now]
            self._soonest = min(times, default=now + self.limits.idle_seconds)
        for connection in connections:
            if connection.until <= now and self._claim(connection):
                connection.overdue()

    def _claim(self, connection: Connection) -> bool:
        """Whether this thread, and no other, has a connection from now on: it is there, and nobody else has it."""
        with self._lock:
            if connection.busy or self._connections.get(connection.descriptor) is not connection:
                return False
            connection.busy = True
            return True

    def _accept(self) -> None:
        for _ in range(_ACCEPTED):
            try:
                peer, _address = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if not self.stopping:
                    logger.warning("can't accept a connection: %s", error.strerror)
                    self._threads.leave(self._listener.fileno())
                    self._scarce = True
                    self.note(time.monotonic() + _SCARCE_SECONDS)
                return
            if not self._take(peer):
                with suppress(OSError):
                    peer.setblocking(False)
                    peer.send(
                        b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
                    )
                peer.close()

    def _take(self, peer: socket.socket) -> bool:
        """Whether a peer is served from now on: there is a bound."""
        with self._lock:
            if self.stopping or len(self._connections) >= self.limits.connections:
                return False
            connection = Connection(self, peer)
            self._connections[connection.descriptor] = connection
            self._watch(connection)
            self._soonest = min(self._soonest, connection.until)
        return True
