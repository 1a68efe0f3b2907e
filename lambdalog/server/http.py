"""HTTP/1.1 for programs that are trusted with nothing: a thread a connection, everything bounded, nothing waited for long.

llhttp (by httptools) takes requests apart; what is here is limits, deadlines and answers. A thread that waits costs
little, so long polls, live tails and invocations hold no one else up.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from lambdalog.server.incoming import Incoming, Refused
from lambdalog.server.limits import Budget, Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambdalog.wire import Request, Response

logger = logging.getLogger(__name__)

_READ: Final = 65_536
_REASONS: Final = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    409: "Conflict",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class _Gone(Exception):
    """The peer left, was too slow, or isn't wanted any longer."""


class _Connection:
    """One peer."""

    def __init__(self, server: HttpServer, peer: socket.socket) -> None:
        self.server = server
        self.socket = peer
        self.thread = threading.Thread(target=self.run, daemon=True, name="lambdalog-connection")

    def take_no_more(self) -> None:
        """Let the thread that reads see the end; what it is answering, or has read just now, still gets its answer."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RD)

    def hang_up(self) -> None:
        """Let the thread that reads or writes see the end."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        """Answer until one of the two has enough."""
        try:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve()
        except (_Gone, OSError):
            pass  # the peer left or is sent away; nothing is owed to it
        finally:
            self.server.forget(self)
            self.socket.close()

    def _serve(self) -> None:
        incoming = Incoming(self.server.body_max, self.server.budget)
        try:
            while not self.server.stopping:
                self._read(incoming)
                for request, wanted in incoming.done:
                    keep = wanted and not self.server.stopping
                    response = self.server.answer(request)
                    # Before the peer can know that it was answered: it may send the next at once, elsewhere.
                    incoming.release(len(request.body))
                    self._send(response, keep=keep, method=request.method)
                    if not keep:
                        return
                incoming.done.clear()
        except Refused as refused:
            self._send(
                self.server.refuse(incoming.request, refused.status, str(refused)), keep=False, method=""
            )
            self._linger()
        finally:
            incoming.release(incoming.held)

    def _read(self, incoming: Incoming) -> None:
        """Read until there is a whole request."""
        limits = self.server.limits
        until = time.monotonic() + limits.idle_seconds
        was_begun = was_in_body = False
        while not incoming.done:
            if incoming.refused is not None:
                raise incoming.refused
            if incoming.expects:
                incoming.expects = False
                self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            if incoming.begun and not was_begun:
                was_begun = True
                until = time.monotonic() + limits.head_seconds
            if incoming.in_body:
                if not was_in_body:
                    was_in_body = True
                    began = time.monotonic()
                until = began + limits.body_seconds + incoming.body_size / limits.slowest
            left = until - time.monotonic()
            if left <= 0:
                if was_begun:
                    raise Refused(408, "the request took too long")
                raise _Gone
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(_READ)
            except TimeoutError:
                continue
            if not data:
                raise _Gone
            incoming.feed(data)
            if incoming.beside > limits.head:
                incoming.refused = incoming.refused or Refused(
                    431, "the head of the request, or what follows its body, is too long"
                )

    def _send(self, response: Response, *, keep: bool, method: str) -> None:
        stream = response.stream
        headers = dict(response.headers)
        if stream is not None:
            headers["transfer-encoding"] = "chunked"
        elif response.status != 204:
            headers["content-length"] = str(len(response.body))
        if not keep:
            headers["connection"] = "close"
        # SDKs correct their clock by it.
        headers["date"] = _date(int(time.time()))
        lines = [f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Error')}"]
        lines += [f"{name}: {_one_line(value)}" for name, value in headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")
        self.socket.settimeout(self.server.limits.send_seconds)
        if stream is not None:
            self._stream(head, response, stream)
        elif method == "HEAD" or response.status == 204:
            self.socket.sendall(head)
        else:
            self.socket.sendall(head + response.body)

    def _stream(self, head: bytes, response: Response, stream: Iterator[bytes]) -> None:
        try:
            self.socket.sendall(head + (_chunk(response.body) if response.body else b""))
            for part in stream:
                if part:
                    self.socket.sendall(_chunk(part))
                if response.endless and self.server.stopping:
                    break  # an end that its reader can tell from a broken connection
            self.socket.sendall(b"0\r\n\r\n")
        finally:
            close = getattr(stream, "close", None)
            if close is not None:
                close()

    def _linger(self) -> None:
        """Take what the peer still sends for a moment, so that our answer isn't lost in a reset."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
            self.socket.settimeout(0.5)
            for _ in range(64):
                if not self.socket.recv(_READ):
                    return


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
        self._connections: set[_Connection] = set()
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind(address)
            self._listener.listen(256)
        except BaseException:
            self._listener.close()
            raise
        name: tuple[Any, ...] = self._listener.getsockname()
        self.host, self.port = str(name[0]), int(name[1])
        self._thread = threading.Thread(target=self._accept, daemon=True, name="lambdalog-accept")

    def start(self) -> None:
        """Begin to accept."""
        self._thread.start()

    def stop(
        self, grace: float, hurry: threading.Event | None = None, nudge: Callable[[], object] = int
    ) -> bool:
        """Stop accepting, give running requests `grace` seconds, then hang up. Whether all were answered.

        `hurry`, once set, ends the grace; `nudge` is called again and again meanwhile, for whoever waits for nothing much.
        """
        self.stopping = True
        # Closing alone does not wake a thread in accept().
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        if self._thread.ident is not None:
            self._thread.join()
        self._listener.close()
        until = time.monotonic() + grace
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.take_no_more()
        for connection in connections:
            join(connection.thread, until, hurry, nudge)
        left = [connection for connection in connections if connection.thread.is_alive()]
        for connection in left:
            connection.hang_up()
        return not left

    @property
    def connections(self) -> int:
        """How many peers are connected."""
        with self._lock:
            return len(self._connections)

    def forget(self, connection: _Connection) -> None:
        """A connection has ended."""
        with self._lock:
            self._connections.discard(connection)

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError as error:
                if self.stopping:
                    return
                logger.warning("can't accept a connection: %s", error.strerror)
                time.sleep(0.1)  # out of descriptors: some are given back soon
                continue
            if not self._take(peer):
                with suppress(OSError):
                    peer.setblocking(False)
                    peer.send(
                        b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
                    )
                peer.close()

    def _take(self, peer: socket.socket) -> bool:
        """Whether a peer has a thread of its own now: there are bounds of ours, and of the machine."""
        connection = _Connection(self, peer)
        with self._lock:
            if len(self._connections) >= self.limits.connections:
                return False
            self._connections.add(connection)
        try:
            connection.thread.start()
        except RuntimeError as error:
            logger.warning("can't serve a connection: %s", error)
            self.forget(connection)
            return False
        return True


def join(
    thread: threading.Thread,
    until: float,
    hurry: threading.Event | None = None,
    nudge: Callable[[], object] = int,
) -> None:
    """Wait for a thread's end: until then (on the monotonic clock), or until `hurry` is set. See HttpServer.stop."""
    while thread.is_alive() and (left := until - time.monotonic()) > 0:
        if hurry is not None and hurry.is_set():
            return
        nudge()
        thread.join(min(left, 0.1))


@lru_cache(maxsize=2)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _one_line(value: str) -> str:
    """A header's value: what would end its line is replaced."""
    return value.replace("\r", " ").replace("\n", " ")
